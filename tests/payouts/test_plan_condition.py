"""Whom a plan opens payouts to, at the request and at every step of finance after it."""

from datetime import date
from decimal import Decimal

import pytest

from commissions.models import CompensationPlan, Payout
from commissions.services import batches, payouts
from commissions.services.claims import claim_volume
from commissions.services.eligibility import payout_checklist
from commissions.services.opening import month_of, open_days
from commissions.services.payout_rules import plan_obstacles, wallet_of
from commissions.services.payouts import PayoutRefused
from commissions.services.plans import PlanRefused, activate_version, create_version
from tests.cast import at
from tests.commissions.plans import pay_by, write
from tests.commissions.steps import closed
from tests.payouts.company import approved, ask, balance, pay_in, seller
from tests.payouts.plan_steps import (
    ACTIVE,
    OWN_PURCHASE,
    SILVER,
    october,
    on,
    plan_asking,
    refusal_of,
    signed_in,
    verify,
)
from tests.portal.conftest import text_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("when", "lets"),
    [
        (ACTIVE, {"ben", "chloe", "dmitri"}),
        ({"is": "not", "of": ACTIVE}, {"asha", "stella"}),
        (OWN_PURCHASE, {"chloe", "dmitri"}),
        (SILVER, set()),
        (SILVER | {"rank": "bronze"}, {"ben", "chloe", "dmitri"}),
        ({"is": "any", "count": 1, "of": [SILVER, OWN_PURCHASE]}, {"chloe", "dmitri"}),
        ({"is": "joined_within", "days": 300}, {"asha", "ben", "chloe", "dmitri", "stella"}),
        ({"is": "joined_within", "days": 298}, set()),
        ({"is": "joined_in_period"}, set()),
    ],
)
def test_the_condition_is_held_against_the_newest_final_standing(cast, when, lets):
    october(cast, when=when)

    with on("2026-11-10"):
        met = {
            name
            for name, distributor in cast.distributors.items()
            if "release" not in [each.code for each in payout_checklist(distributor).missing]
        }

    assert met == lets


def test_who_does_not_meet_the_condition_reads_why_and_is_refused(cast):
    october(cast, when=ACTIVE)
    pay_in(cast.asha, Decimal("100.00"))
    why = (
        "The plan opens payouts to who is active. In October 2026, the newest final period, you "
        "did not meet this."
    )

    with on("2026-11-10"):
        assert refusal_of(cast.asha, "50.00") == f"What the plan asks: {why}"
        assert why in text_of(signed_in(cast.asha.user).get("/payouts/"))
        assert ask(cast.ben, "20.00").status == "requested"
    assert balance("wallet", cast.asha) == Decimal("102.00")


def test_nobody_meets_a_condition_before_a_period_is_final(cast):
    pay_by(cast, plan_asking(when={"is": "not", "of": ACTIVE}))
    verify(cast)
    pay_in(cast.ben, Decimal("100.00"))

    with on("2026-11-10"):
        words = refusal_of(cast.ben, "50.00")

    assert words.endswith("The newest final period has no figures of you.")


def test_who_came_after_the_newest_final_period_meets_no_condition(cast):
    october(cast, when={"is": "not", "of": ACTIVE})
    newcomer = seller(cast.user("ada"), "D-900001", "Nina New")

    assert refusal_of(newcomer, "50.00").endswith("The newest final period has no figures of you.")


@pytest.fixture
def short(cast):
    """Ben, Chloe and Dmitri asked while they were active; November was closed without them."""
    october(cast, when=ACTIVE)
    fiona, felix = cast.user("fiona"), cast.user("felix")
    pay_in(cast.dmitri, Decimal("100.00"))
    with on("2026-11-10"):
        cast.waiting = ask(cast.ben, "20.00")
        cast.approved = approved(cast.chloe, felix, "20.00")
        drafts = [
            batches.create_batch(payouts=[approved(cast.dmitri, felix, "20.00").pk], actor=fiona)
            for _ in range(3)
        ]
        for batch in drafts[1:]:
            batches.submit_batch(batch=batch, actor=fiona)
        seen = batches.locked(drafts[2].pk).content_hash
        batches.approve_batch(batch=drafts[2], actor=felix, seen_hash=seen)
    cast.draft, cast.submitted, cast.checked = (batches.locked(each.pk) for each in drafts)
    cast.buys("asha", 5, at("2026-11-12"))
    claim_volume()
    closed(cast, "2026-11")
    return cast


STEPS = {
    "approve": lambda cast: payouts.approve_payout(payout=cast.waiting, actor=cast.user("fiona")),
    "batch": lambda cast: batches.create_batch(
        payouts=[cast.approved.pk], actor=cast.user("fiona")
    ),
    "submit": lambda cast: batches.submit_batch(batch=cast.draft, actor=cast.user("fiona")),
    "approve batch": lambda cast: batches.approve_batch(
        batch=cast.submitted, actor=cast.user("felix"), seen_hash=cast.submitted.content_hash
    ),
    "export": lambda cast: batches.export_batch(batch=cast.checked, actor=cast.user("fiona")),
}


@pytest.mark.parametrize("step", STEPS)
def test_who_falls_short_after_asking_is_not_paid_by_any_step(short, step):
    before = list(Payout.objects.order_by("pk").values_list("status", "batch__status"))

    with on("2026-12-02"), pytest.raises(PayoutRefused) as refusal:
        STEPS[step](short)

    assert "In November 2026, the newest final period, the distributor did not meet this." in str(
        refusal.value
    )
    assert list(Payout.objects.order_by("pk").values_list("status", "batch__status")) == before


def test_staff_read_why_somebody_cannot_be_paid(short):
    why = "the newest final period, the distributor did not meet this."
    listing = "/admin/commissions/payout/"

    with on("2026-12-02"):
        page = signed_in(short.user("fiona"))
        for payout in (short.waiting, short.approved):
            desk = page.get(f"{listing}{payout.number}/desk/").content.decode()
            assert "It cannot be paid now" in desk
            assert why in desk
            assert 'data-dialog="approve"' not in desk
            assert 'data-dialog="refuse"' in desk
        chosen = {"action": "batch_selected", "_selected_action": [short.approved.pk]}
        review = text_of(page.post(listing, chosen))
        assert "Left out" in review
        assert why in review


def test_a_higher_minimum_of_the_next_plan_holds_for_what_waits(cast):
    october(cast)
    fiona, felix = cast.user("fiona"), cast.user("felix")
    with on("2026-11-10"):
        few = approved(cast.ben, felix, "20.00")
    version = create_version(
        plan=CompensationPlan.objects.get(),
        definition=plan_asking(minimum="50.00"),
        effective_from=date(2026, 12, 1),
        actor=cast.user("ada"),
    )
    activate_version(version=version, actor=cast.user("mona"))
    open_days(month_of(date(2026, 12, 1)))

    with on("2026-11-30"):
        assert plan_obstacles([few]) == {}
    with on("2026-12-01"), pytest.raises(PayoutRefused, match="£50"):
        batches.create_batch(payouts=[few.pk], actor=fiona)


@pytest.mark.parametrize("when", [None, {"is": "all", "of": [ACTIVE, OWN_PURCHASE]}])
def test_pages_and_batches_ask_as_often_for_many(cast, when, django_assert_num_queries):
    october(cast, minimum="10.00", when=when, hold_days=9)
    felix = cast.user("felix")

    with on("2026-11-10"):
        items = [approved(getattr(cast, name), felix, "10.00") for name in ("chloe", "dmitri")]
        items.append(approved(cast.chloe, felix, "10.00"))
        for rows in (items[:1], items):
            with django_assert_num_queries(5 if when else 2):
                assert plan_obstacles(rows) == {}
        with django_assert_num_queries(1):
            wallet_of(cast.ben)


# What nobody could tell


TEAM = {
    "code": "team",
    "name": "Team",
    "what": "members",
    "where": {"is": "at_least", "metric": "pv", "figure": "1.00"},
    "scope": {"scope": "levels", "tree": "sponsor", "first": 1, "last": 3},
}
KEPT = (
    "; of a final period the portal keeps PV, CV, GV, legs, activity, the ranks that people see, "
    "packages and marks."
)


@pytest.mark.parametrize(
    ("when", "fault"),
    [
        (
            {"is": "at_least", "metric": "team", "figure": "5"},
            "$.payout.when: payouts cannot wait for who has at least 5 Team",
        ),
        (
            {"is": "all", "of": [ACTIVE, {"is": "recruit", "first": 1, "last": 2, "by": "joined"}]},
            "$.payout.when.of[1]: payouts cannot wait for who is number 1 to 2 of the sponsor's "
            "recruits by when they joined",
        ),
    ],
)
def test_a_condition_that_no_standing_tells_is_not_activated(cast, when, fault):
    document = plan_asking(when=when)
    version = write(cast, document | {"metrics": [*document["metrics"], TEAM]})

    with pytest.raises(PlanRefused) as refusal:
        activate_version(version=version, actor=cast.user("mona"))

    assert refusal.value.faults == [fault + KEPT]
