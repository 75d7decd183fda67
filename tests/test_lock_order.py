"""One order of locks (docs/architecture.md): who waits for each other, step by step, all get on.

Each test holds something back until everybody has taken what he takes first. Taken in another
order, each of these is a circle, of which PostgreSQL ends one with an error.
"""

from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts.events import Message, publish, publish_many, told_together
from accounts.models import Event, EventStream, User
from accounts.services.users import suspend_user
from commissions.services import projections
from commissions.services.claims import claim_volume
from commissions.services.finalize import approve_period, finalize_period
from commissions.services.opening import month_of, open_days, stop_the_clock
from commissions.services.periods import close_period
from genealogy.models import (
    Distributor,
    DistributorAttribute,
    GenealogyNode,
    PlacementRule,
    Team,
)
from genealogy.services.attributes import Attribute, set_attribute
from genealogy.services.enrolment import enrol_distributor
from genealogy.services.moves import Place
from genealogy.services.placement import place_by_rule
from genealogy.services.referral_codes import current_code
from genealogy.services.referrals import Claim
from genealogy.services.teams import add_member, create_team
from genealogy.services.terminations import terminate_distributor
from genealogy.services.tree_check import find_breaks
from tests.cast import at, gather, make_user
from tests.commissions.steps import calculated, the_period
from tests.genealogy.moving import asked, sponsor_of, today
from tests.waiting import deeds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def company(transactional_db):
    cast = gather()
    assert cast.plan
    return cast


def held(*people: Distributor) -> None:
    """Hold people's rows from here to the end of the transaction."""
    list(Distributor.objects.select_for_update(no_key=True).filter(pk__in=[p.pk for p in people]))


def clock_stopped() -> None:
    """As a close or an estimate does for a moment: nobody writes a position."""
    with connection.cursor() as cursor:
        cursor.execute("lock table genealogy_distributorposition in share mode")


def stop():
    with transaction.atomic():
        return stop_the_clock()


def joins(cast, sponsor: str):
    return enrol_distributor(
        sponsor=getattr(cast, sponsor), display_name="Nia", joined_on=today(), actor=None
    )


def leaves(cast, who: str, downline: str = "stay"):
    return terminate_distributor(
        distributor=getattr(cast, who), downline=downline, reason="Left", actor=cast.user("ada")
    )


@transaction.atomic
def say_something_to(user: User) -> None:
    """So that there is a stream."""
    publish("commission.estimated", users=[user])


def put_wrong(*people: Distributor) -> None:
    """Figures that the next refresh brings in line, with the rows of just these people held."""
    Distributor.objects.filter(pk__in=[p.pk for p in people]).update(lifetime_pv=1)


# The trees, the clock and people


def test_a_move_an_attribute_and_a_close_do_not_wait_in_a_circle(company):
    """The move holds Chloe, the attribute waits for her, the close for both."""
    with deeds() as begin:
        with transaction.atomic():
            GenealogyNode.objects.select_for_update().get(distributor=company.chloe, tree="sponsor")
            moved = begin(lambda: asked(company, "chloe", "stella"))
            said = begin(
                lambda: set_attribute(
                    distributor=company.chloe, attribute=Attribute("mark", "trained"),
                    valid_from=today(), actor=None, reason="Trained",
                )
            )  # fmt: skip
            stopped = begin(stop)

        assert moved.result(20).status == "done"
        assert said.result(20) == DistributorAttribute.objects.get(code="trained")
        assert stopped.result(20)
    assert sponsor_of(company.chloe) == company.stella


def test_a_newcomer_with_a_place_and_a_move_of_his_sponsor_do_not_wait_in_a_circle(company):
    """Counting the newcomer holds Ben, and so does the move, behind the other tree's lock."""
    PlacementRule.objects.create(width=2, waiting_days=0)
    with deeds() as begin:
        with transaction.atomic():
            clock_stopped()
            joined = begin(lambda: joins(company, "ben"))
            moved = begin(
                lambda: asked(company, "ben", None, tree="placement", to=Place(company.asha, 2))
            )

        assert moved.result(20).status == "done"
        assert joined.result(20).sponsor == company.ben
    assert Distributor.objects.get(display_name="Nia").placement_parent_id is not None
    assert find_breaks("sponsor") == find_breaks("placement") == []


def test_whoever_is_placed_above_a_newcomer_is_not_held_after_his_sponsor(company):
    """Stella is counted, Asha gets him into her leg; the figures take them by their ids."""
    PlacementRule.objects.create(width=2, waiting_days=0)
    put_wrong(company.asha, company.stella)
    with deeds() as begin:
        with transaction.atomic():
            clock_stopped()
            joined = begin(lambda: joins(company, "stella"))
            refreshed = begin(projections.refresh)

        joined.result(20)
        refreshed.result(20)
    assert Distributor.objects.get(display_name="Nia").placement_parent == company.asha
    assert projections.differences() == []


def test_those_who_roll_up_are_held_in_the_order_of_their_ids(company):
    """Ben came before Stella and stands below her."""
    asked(company, "ben", "stella")
    company.stella.refresh_from_db()
    put_wrong(company.ben, company.stella)
    with deeds() as begin:
        with transaction.atomic():
            held(company.ben)
            refreshed = begin(projections.refresh)
            left = begin(lambda: leaves(company, "stella", "roll_up"))

        left.result(20)
        refreshed.result(20)
    assert sponsor_of(company.ben) == company.asha
    assert projections.differences() == []


def test_nobody_is_put_under_somebody_who_leaves_meanwhile(company):
    with deeds() as begin:
        with transaction.atomic():
            leaves(company, "ben")
            moved = begin(lambda: asked(company, "stella", "ben"))
            assert not moved.done()

        assert "has left the company" in str(moved.exception(20))
    assert sponsor_of(company.stella) == company.asha


def test_whoever_is_placed_while_a_period_closes_stands_there_from_the_next_one_on(company):
    """The first open day is read behind the clock."""
    PlacementRule.objects.create(width=2, waiting_days=None)
    period = open_days(month_of(today()))
    nia = joins(company, "ben")
    with deeds() as begin:
        with transaction.atomic():
            close_period(period=period, actor=company.user("fiona"))
            placed = begin(lambda: place_by_rule(distributor=nia))
            assert not placed.done()

        placed.result(20)
    since = nia.positions.get(tree="placement").valid_from
    assert since == period.ends_on + timedelta(days=1)


# People, teams and what they are told


def test_a_commission_and_a_team_of_its_earner_do_not_wait_in_a_circle(company):
    """Both count Chloe and tell her."""
    company.buys(company.rosa, 3)
    with deeds() as begin:
        with transaction.atomic():
            held(company.asha)
            claimed = begin(claim_volume)
            founded = begin(lambda: create_team(name="North", lead=company.chloe, actor=None))

        assert founded.result(20).lead == company.chloe
        claimed.result(20)
    assert Event.objects.filter(name="commission.earned").exists()
    assert projections.differences() == []


def test_a_final_period_and_a_new_member_of_a_team_do_not_wait_in_a_circle(company):
    company.buys(company.rosa, 30, at("2026-10-05"))
    claim_volume()
    calculated(company, "2026-10")
    approve_period(period=the_period("2026-10"), actor=company.user("felix"))
    first, second = (
        create_team(name=name, lead=getattr(company, name), actor=None) for name in ("ben", "asha")
    )
    with deeds() as begin:
        with transaction.atomic():
            Team.objects.select_for_update().get(pk=second.pk)
            final = begin(
                lambda: finalize_period(period=the_period("2026-10"), actor=company.user("felix"))
            )
            added = begin(lambda: add_member(team=first, distributor=company.chloe, actor=None))

        assert final.result(20).status == "finalized"
        assert added.result(20).distributor == company.chloe


def test_a_final_period_holds_people_in_the_order_of_their_ids(company):
    company.buys(company.rosa, 30, at("2026-10-05"))
    claim_volume()
    calculated(company, "2026-10")
    approve_period(period=the_period("2026-10"), actor=company.user("felix"))
    company.asha.save()  # the first by number, the last on the disk
    with deeds() as begin:
        with transaction.atomic():
            held(company.asha)
            final = begin(
                lambda: finalize_period(period=the_period("2026-10"), actor=company.user("felix"))
            )
            free = Distributor.objects.exclude(pk=company.asha.pk)
            free = free.select_for_update(no_key=True, skip_locked=True)

            assert len(free) == 4
        assert final.result(20).status == "finalized"


def test_what_is_told_together_takes_its_streams_in_one_order(company):
    first, last = sorted((company.user("ben"), company.user("chloe")), key=lambda u: f"{u.pk}")
    for user in (first, last):
        say_something_to(user)

    @transaction.atomic
    @told_together()
    def one_after_the_other():
        for user in (last, first):
            publish("commission.estimated", users=[user])

    with deeds() as begin:
        with transaction.atomic():
            EventStream.objects.select_for_update().get(key=f"user:{first.pk}")
            both = begin(
                lambda: transaction.atomic(publish_many)(
                    "commission.estimated", [Message(user.pk, "", {}) for user in (first, last)]
                )
            )
            each = begin(one_after_the_other)

        both.result(20)
        each.result(20)
    assert Event.objects.filter(name="commission.estimated").count() == 6


def test_what_a_savepoint_took_back_is_not_told(company):
    with transaction.atomic(), told_together():
        publish("commission.estimated", users=[company.user("ben")])
        with transaction.atomic():
            publish("commission.estimated", users=[company.user("chloe")])
            transaction.set_rollback(True)
        assert not Event.objects.filter(name="commission.estimated").exists()

    told = Event.objects.get(name="commission.estimated")
    assert told.stream_id == f"user:{company.user('ben').pk}"
    assert told.poked_at is not None


def test_a_first_order_and_a_commission_do_not_wait_in_a_circle(company):
    """Zoe hears that her referral works, then Nia of her order: of the two streams hers is last."""
    upper = make_user("Zoe Zander", pk=9_000_001)
    lower = make_user("Nia Okoro", pk=1_000_001)
    zoe = enrol_distributor(
        sponsor=company.stella, display_name="Zoe", joined_on=today(), actor=None, user=upper
    )
    nia = enrol_distributor(
        sponsor=None, display_name="Nia", joined_on=today(), actor=None, user=lower,
        claim=Claim(current_code(zoe)),
    )  # fmt: skip
    company.distributors["nia"] = nia
    assert company.tea
    for user in (lower, upper):
        say_something_to(user)
    with deeds() as begin:
        with transaction.atomic():
            EventStream.objects.select_for_update().get(key="user:1000001")
            both = begin(
                lambda: transaction.atomic(publish_many)(
                    "commission.estimated",
                    [Message(user.pk, "", {}) for user in (lower, upper)],
                )
            )
            paid = begin(lambda: company.buys("nia", 1))

        both.result(20)
        assert paid.result(20).buyer_number == 1
    assert Event.objects.filter(name="referral.activated").exists()


def test_two_admins_suspended_at_once_do_not_wait_in_a_circle(company):
    first, second, third = (make_user(f"Admin{n} A", "admin") for n in (1, 2, 3))
    with deeds() as begin:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=first.pk)
            suspended = [
                begin(
                    lambda user=user: suspend_user(
                        user=user, actor=company.user("ada"), reason="Left"
                    )
                )
                for user in (third, second)
            ]

        assert [one.result(20).status for one in suspended] == ["suspended"] * 2
