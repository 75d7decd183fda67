"""Plans that pay by packages, given ranks and marks, in the books.

Ben holds Starter from September on and Gold from 16 October on. Chloe, whom he brought, buys for
120.00 on 6 October and for 200.00 on 20 October:

    at payment, by the day of the order     2 % of 120.00 = 2.40      5 % of 200.00 = 10.00
    at the close, by the period's last day  3 % of 120.00 = 3.60      3 % of 200.00 =  6.00
"""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commissions import earnings
from commissions.estimate import estimate_close
from commissions.explain import explain
from commissions.models import (
    CompensationPlan,
    EstimateDifference,
    LedgerEntry,
    RankChange,
    Standing,
)
from commissions.rank_history import steps_of
from commissions.services import facts, projections
from commissions.services.claims import claim_volume
from commissions.services.estimates import record
from commissions.services.payout_rules import release_of
from commissions.services.plan_reading import loaded
from commissions.services.plans import activate_version, create_version
from commissions.services.replay import replay
from commissions.services.trials import carry_out, start_trial
from commissions.standing import live_standing
from genealogy.models import Distributor, DistributorAttribute
from genealogy.services.attributes import Attribute, end_attribute, set_attribute
from genealogy.services.positions import record_position
from tests.cast import Cast, at, gather
from tests.commissions.exported import booked, simulated
from tests.commissions.plans import demo, pay_by
from tests.commissions.steps import closed, the_period
from tests.portal.conftest import text_of
from tests.remembered import remembered

pytestmark = pytest.mark.django_db

SOLD = ("retail", "preferred", "self_consumption", "autoship")
STARTER, GOLD = Attribute("package", "starter"), Attribute("package", "gold")
APPROVED = Attribute("mark", "approved")
SEPTEMBER, OCTOBER, SIXTEENTH = date(2026, 9, 1), date(2026, 10, 1), date(2026, 10, 16)
OCTOBER_ENDS = date(2026, 10, 31)


def by_package(code: str, trigger: str, tree: str, starter: str, gold: str) -> dict:
    return {
        "code": code,
        "name": code.capitalize(),
        "ledger_type": "level_income",
        "trigger": trigger,
        "base": {"of": "order", "volume": "cv"},
        "pays": {
            "who": "upline", "tree": tree, "start": dict.fromkeys(SOLD, "upline"),
            "steps": {"count": "physical"}, "max_steps": 1, "max_distance": None,
            "unfilled": "nobody",
        },
        "rates": {
            "by": "package", "whose": "earner", "table": {"starter": [starter], "gold": [gold]},
        },
        "eligibility": {"when": None, "otherwise": "lost"},
    }  # fmt: skip


def packaged() -> dict:
    return demo() | {
        "packages": [
            {"code": "starter", "name": "Starter", "value": "100.00"},
            {"code": "gold", "name": "Gold", "value": "500.00"},
        ],
        "bonuses": [
            by_package("fast", "payment", "enroller", "0.02", "0.05"),
            by_package("team", "period_close", "sponsor", "0.01", "0.03"),
        ],
        "limits": [],
    }


def give(cast: Cast, attribute: Attribute, since: date, name: str = "ben") -> None:
    set_attribute(
        distributor=getattr(cast, name), attribute=attribute, valid_from=since,
        actor=cast.user("mona"), reason="Ordered it",
    )  # fmt: skip


@pytest.fixture
def october(db) -> Cast:
    return remembered(company_of_october)


def company_of_october() -> Cast:
    """Both orders are paid and claimed in one go, long after they were placed."""
    cast = gather()
    pay_by(cast, packaged())
    give(cast, STARTER, SEPTEMBER)
    give(cast, GOLD, SIXTEENTH)
    cast.buys("chloe", 6, at("2026-10-06"))
    cast.buys("chloe", 10, at("2026-10-20"))
    claim_volume()
    return cast


def paid_to(name: str, code: str) -> list[Decimal]:
    lines = LedgerEntry.objects.filter(distributor__display_name=name, bonus__code=code)
    return list(lines.order_by("pk").values_list("amount", flat=True))


def test_a_package_that_changes_in_the_middle_of_a_month(october, client, tmp_path):
    estimated = estimate_close(october.ben, the_period("2026-10"), loaded(pay_version()))
    record(the_period("2026-10"))
    kept = the_period("2026-10").estimate.amounts.get(distributor=october.ben)

    period = closed(october, "2026-10")

    assert paid_to("Ben Cole", "fast") == [Decimal("2.40"), Decimal("10.00")]
    assert paid_to("Ben Cole", "team") == [Decimal("3.60"), Decimal("6.00")]
    assert (estimated.total, kept.amount) == (Decimal("9.60"), Decimal("9.60"))
    assert [proof.name for proof in replay(period) if not proof.is_same] == []
    lines, _ = simulated(tmp_path / "at-the-close", packaged(), period)
    of_close = {line: n for line, n in lines.items() if line[1] == "team"}
    assert {line: n for line, n in booked(period).items() if line[1] == "team"} == of_close


def pay_version():
    return the_period("2026-10").plan_version


def test_each_line_is_told_by_the_package_it_was_paid_by(october, client):
    period = closed(october, "2026-10")

    told = [
        explain(earnings.line_by_key(pk), for_staff=True)
        for pk in LedgerEntry.objects.filter(distributor=october.ben)
        .order_by("pk")
        .values_list("pk", flat=True)
    ]

    assert {(why.line.bonus.code, why.package_name) for why in told} == {
        ("fast", "Starter"),
        ("fast", "Gold"),
        ("team", "Gold"),
    }
    assert all(why.is_checked and why.agrees for why in told)
    client.force_login(october.user("ben"))
    line = told[0].line
    page = text_of(
        client.get(reverse("commissions:why", args=[period.code, earnings.reference(line)]))
    )
    assert "The row of the package Starter, Demo plan version 1" in page


def test_what_is_corrected_after_the_close_changes_nothing_of_it(october):
    period = closed(october, "2026-10")
    give(october, STARTER, OCTOBER)

    assert [proof.name for proof in replay(period) if not proof.is_same] == []
    told = [
        explain(earnings.line_by_key(pk), for_staff=True)
        for pk in LedgerEntry.objects.values_list("pk", flat=True)
    ]
    assert all(why.agrees for why in told)
    # Of November it counts.
    november = facts.Cut(
        starts_on=date(2026, 11, 1), ends_on=date(2026, 11, 30), known_at=at("2030-01-01"),
        carried_run=None, payment_run=period.runs.get(kind="payment").pk,
    )  # fmt: skip
    snapshot = facts.read_snapshot(november, loaded(period.frozen_plan))
    place = snapshot.members.id.tolist().index(october.ben.pk)
    assert snapshot.members.package[place] == 0


def test_a_trial_of_the_plan_that_paid_finds_no_difference(october):
    period = closed(october, "2026-10")

    trial = start_trial(
        version=period.frozen_plan, first=period, last=period, actor=october.user("fiona")
    )
    carry_out(trial.pk)

    trial.refresh_from_db()
    assert (trial.status, trial.error, trial.earnings.count()) == ("done", "", 0)
    assert trial.report["after"] == "22.00"


def test_the_hash_of_the_facts_covers_what_people_hold(october):
    version = pay_version()
    cut = facts.Cut(
        starts_on=OCTOBER, ends_on=OCTOBER_ENDS, known_at=at("2030-01-01"), carried_run=None,
        payment_run=the_period("2026-10").runs.get(kind="payment").pk,
    )  # fmt: skip
    before = facts.read_snapshot(cut, loaded(version)).content_hash()

    end_attribute(
        distributor=october.ben, attribute=Attribute("package"), valid_from=OCTOBER_ENDS,
        actor=None, reason="Given back",
    )  # fmt: skip

    assert facts.read_snapshot(cut, loaded(version)).content_hash() != before


def test_a_change_after_the_estimate_is_a_cause_of_its_own(october):
    record(the_period("2026-10"))
    give(october, STARTER, SIXTEENTH)

    closed(october, "2026-10")

    (row,) = EstimateDifference.objects.all()
    assert (row.distributor, row.get_cause_display(), row.amount) == (
        october.ben,
        "A package, mark or given rank changed",
        Decimal("-6.40"),
    )


def reads_of_attributes(work) -> int:
    with CaptureQueriesContext(connection) as queries:
        work()
    texts = [query["sql"] for query in queries]
    return sum("distributorattribute" in text and "lock table" not in text for text in texts)


def cut_of_october() -> facts.Cut:
    return facts.Cut(
        starts_on=OCTOBER, ends_on=OCTOBER_ENDS, known_at=at("2030-01-01"), carried_run=None,
        payment_run=the_period("2026-10").runs.get(kind="payment").pk,
    )  # fmt: skip


def test_a_plan_that_asks_nothing_of_people_reads_nothing_of_them(cast):
    pay_by(cast, demo() | {"left": None})
    give(cast, GOLD, SEPTEMBER)

    def month() -> None:
        cast.buys("chloe", 6, at("2026-10-06"))
        claim_volume()
        record(the_period("2026-10"))
        period = closed(cast, "2026-10")
        replay(period)

    assert reads_of_attributes(month) == 0


@pytest.mark.parametrize("people", [1, 3])
def test_what_everybody_holds_is_read_by_one_statement(cast, people):
    version = pay_by(cast, packaged())
    for name in ("ben", "chloe", "dmitri")[:people]:
        give(cast, GOLD, SEPTEMBER, name)
    cast.buys("chloe", 6, at("2026-10-06"))
    claim_volume()
    cut, plan = cut_of_october(), loaded(version)

    assert reads_of_attributes(lambda: facts.read_snapshot(cut, plan)) <= 1
    held = facts.read_snapshot(cut, plan).members.package
    assert (held == 1).sum() == people


HONOUR = {
    "code": "honour",
    "source": "given",
    "climb": "each_rank",
    "when_not_met": {"policy": "falls_at_once"},
    "ranks": [{"code": "star", "name": "Star"}, {"code": "moon", "name": "Moon"}],
}


def honoured() -> dict:
    """Ranks are given, marks open the bonus, and payouts go to who is approved."""
    approved = {"is": "flag", "flag": "approved"}
    document = packaged()
    team = by_package("team", "period_close", "sponsor", "0", "0")
    team["rates"] = {
        "by": "rank", "ladder": "honour", "which": "paid_as",
        "table": {"star": ["0.04"], "moon": ["0.06"]},
    }  # fmt: skip
    team["eligibility"] = {"when": approved, "otherwise": "compress"}
    del document["packages"]
    return document | {
        "ladders": [HONOUR],
        "activity": approved,
        "bonuses": [team],
        "payout": document["payout"] | {"when": approved},
    }


def test_given_ranks_and_marks_decide_at_the_close(cast, client, tmp_path):
    """Asha is Moon and approved, Ben Star and not approved: Chloe's 120.00 pay Asha 6 %."""
    pay_by(cast, honoured())
    give(cast, Attribute("rank", "moon", "honour"), SEPTEMBER, "asha")
    give(cast, Attribute("rank", "star", "honour"), SEPTEMBER, "ben")
    give(cast, APPROVED, SEPTEMBER, "asha")
    cast.buys("chloe", 6, at("2026-10-06"))
    claim_volume()
    plan = loaded(pay_version())
    asha = Distributor.objects.get(pk=cast.asha.pk)
    standing = live_standing(asha, the_period("2026-10"), plan)

    period = closed(cast, "2026-10")

    assert (standing.rank.name, standing.is_active, standing.active_downline) == ("Moon", True, 0)
    assert paid_to("Asha Rao", "team") == [Decimal("7.20")]
    assert booked(period) == simulated(tmp_path, honoured(), period)[0]
    asha.refresh_from_db()
    assert (asha.paid_as_rank.code, asha.rank.code, asha.highest_rank.code) == ("moon",) * 3
    release = release_of(plan, [cast.asha.pk, cast.ben.pk])
    assert release.met == {cast.asha.pk: True, cast.ben.pk: False}
    line = earnings.line_by_key(LedgerEntry.objects.get(distributor=cast.asha).pk)
    why = explain(line, for_staff=True)
    assert why.is_checked
    assert why.agrees
    words = [(step.who, step.words) for step in why.steps]
    assert ("Ben Cole", 'Skipped: not somebody who carries the mark "approved".') in words
    client.force_login(cast.user("ben"))
    page = text_of(client.get(reverse("home")))
    assert "On the way to Moon The company gives these ranks." in page
    assert 'asks for somebody who carries the mark "approved"' in page
    ranks = text_of(client.get(reverse("commissions:ranks")))
    assert "The company gives these ranks." in ranks
    assert "No rank to Star" in ranks


def without_bronze() -> dict:
    document = demo()
    ladder = document["ladders"][0]
    ladder["ranks"], ladder["climb"] = ladder["ranks"][1:], "highest_met"
    bonuses = [each for each in document["bonuses"] if each["code"] == "partner"]
    return document | {"bonuses": bonuses, "limits": []}


def test_ranks_are_carried_by_their_codes_into_another_ladder(cast):
    """Silver by a plan of five ranks, level 2, is Silver by one without Bronze, level 1."""
    pay_by(cast, demo())
    later = create_version(
        plan=CompensationPlan.objects.get(), definition=without_bronze(),
        effective_from=date(2026, 11, 1), actor=cast.user("ada"),
    )  # fmt: skip
    activate_version(version=later, actor=cast.user("mona"))
    for name, pieces in (("chloe", 40), ("dmitri", 10)):
        cast.buys(name, pieces, at("2026-10-06"))
    claim_volume()
    closed(cast, "2026-10")
    assert Distributor.objects.get(pk=cast.chloe.pk).rank.code == "silver"

    period = closed(cast, "2026-11")

    assert period.frozen_plan == later
    standing = Standing.objects.get(run__period=period, run__kind="close", distributor=cast.chloe)
    assert (standing.rank_level, standing.highest_level, standing.title_level) == (0, 1, 0)
    chloe = Distributor.objects.get(pk=cast.chloe.pk)
    assert (chloe.paid_as_rank, chloe.rank.code, chloe.highest_rank.code) == (
        None, "silver", "silver",
    )  # fmt: skip
    assert chloe.next_rank_target.code == "silver"
    change = RankChange.objects.get(period=period, distributor=cast.chloe)
    assert (change.level_from, change.level_to, change.is_highest) == (1, 0, False)
    assert [step.title for step in steps_of(chloe)] == ["Silver to No rank", "No rank to Silver"]
    assert projections.differences() == []
    dmitri = Standing.objects.get(run__period=period, run__kind="close", distributor=cast.dmitri)
    assert dmitri.highest_level == 0


def url(name: str) -> str:
    return reverse(f"admin:genealogy_distributorattribute_{name}")


def test_staff_say_what_somebody_holds_and_read_what_is_said(cast, client):
    pay_by(cast, packaged())
    client.force_login(cast.user("mona"))
    form = {"number": cast.ben.number, "what": "package::gold:yes", "valid_from": "2026-10-16",
            "valid_to": "", "reason": "Order O-1"}  # fmt: skip

    answer = client.post(url("add"), form, follow=True)

    row = DistributorAttribute.objects.get()
    assert (row.distributor, row.code, row.valid_from, row.actor, row.reason) == (
        cast.ben, "gold", SIXTEENTH, cast.user("mona"), "Order O-1",
    )  # fmt: skip
    assert f"{cast.ben.number}, from 2026-10-16: Gold." in text_of(answer)
    page = text_of(client.get(f"{url('add')}?distributor={cast.ben.number}"))
    assert "Package gold 16 Oct 2026" in page
    client.post(url("add"), form | {"what": "package:::no", "valid_from": "2026-11-01"})
    assert DistributorAttribute.objects.filter(superseded_at=None).get().valid_to == date(
        2026, 11, 1
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"number": "D-999999"}, "There is no distributor D-999999."),
        ({"what": "package::platinum:yes"}, "Select a valid choice."),
        ({"valid_from": "2025-01-01"}, "joined on 2026-01-05, after 2025-01-01."),
        ({"valid_to": "2026-10-16"}, "It ends after it begins."),
        ({"reason": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_said_comes_back_with_its_fault(cast, client, change, fault):
    pay_by(cast, packaged())
    client.force_login(cast.user("mona"))
    form = {"number": cast.ben.number, "what": "package::gold:yes", "valid_from": "2026-10-16",
            "valid_to": "", "reason": "Order O-1"}  # fmt: skip

    assert fault in text_of(client.post(url("add"), form | change))
    assert not DistributorAttribute.objects.exists()


@pytest.mark.parametrize(("name", "status"), [("felix", 403), ("otto", 403), ("sam", 403)])
def test_others_may_not_say_it(cast, client, name, status):
    client.force_login(cast.user(name))

    assert client.post(url("add"), {}).status_code == status
    assert not DistributorAttribute.objects.exists()


def test_without_a_plan_that_asks_there_is_nothing_to_say(cast, client):
    client.force_login(cast.user("mona"))

    assert "No plan asks for any" in text_of(client.get(url("add")))


def test_a_bonus_at_payment_walks_the_placement_tree_too(cast):
    """Dmitri is placed under Stella, who sponsors nobody: 2 % of his 120.00 is hers."""
    document = packaged()
    document["bonuses"] = [by_package("fast", "payment", "placement", "0.02", "0.05")]
    for name, parent in (("stella", None), ("dmitri", cast.stella)):
        record_position(
            distributor=getattr(cast, name), tree="placement", parent=parent,
            leg=1 if parent else None, valid_from=date(2026, 1, 5), actor=None,
        )  # fmt: skip
    Distributor.objects.filter(pk=cast.dmitri.pk).update(placement_parent=cast.stella, leg=1)
    pay_by(cast, document)
    give(cast, STARTER, SEPTEMBER, "stella")

    cast.buys("dmitri", 6, at("2026-10-06"))
    claim_volume()

    assert paid_to("Stella Stone", "fast") == [Decimal("2.40")]
