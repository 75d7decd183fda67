from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import AuditEvent, Event
from commerce.models import VolumeCutoff, VolumeEntry
from commerce.services.orders import RefundLine, refund_order
from commissions.models import (
    CommissionPeriod,
    CommissionRun,
    JournalEntry,
    LedgerEntry,
    Standing,
)
from commissions.services import facts, projections
from commissions.services.calculation import Outcome
from commissions.services.claims import claim_volume
from commissions.services.finalize import approve_period, finalize_period
from commissions.services.opening import PeriodRefused, holes, open_period
from commissions.services.periods import close_period
from commissions.services.plan_reading import loaded
from commissions.services.replay import replay
from commissions.services.runs import calculate, fail, start_run
from commissions.services.verification import find_breaks
from genealogy.models import Distributor
from genealogy.services.positions import record_position
from tests.cast import at
from tests.commissions.oracle import expected, recorded
from tests.commissions.steps import balance, calculated, closed, the_period

pytestmark = pytest.mark.django_db


def sell_in_october(company):
    """Ben 100 PV, Chloe 120 PV, Dmitri 200 PV, all from their own orders."""
    company.buys("ben", 5, at("2026-10-05"))
    company.buys("chloe", 6, at("2026-10-06"))
    company.buys("dmitri", 10, at("2026-10-07"))
    claim_volume()


def test_a_month_is_closed_and_paid_to_the_cent(company):
    sell_in_october(company)

    period = closed(company, "2026-10")

    # Partner 2 % to the enroller; unilevel 5 % and 4 % to Bronze; 10.00 for each new Bronze.
    assert balance(company, "asha") == Decimal("2.00")
    assert balance(company, "ben") == Decimal("2.40") + Decimal("6.00") + Decimal("8.00") + 10
    assert balance(company, "chloe") == Decimal("4.00") + Decimal("10.00") + 10
    assert balance(company, "dmitri") == Decimal("10.00")
    assert recorded(period) == expected(period)
    assert list(find_breaks(strict=True)) == []
    assert projections.differences() == []


def test_standings_and_ranks_are_kept(company):
    sell_in_october(company)

    period = closed(company, "2026-10")

    ben = Standing.objects.get(distributor=company.ben)
    assert (ben.pv, ben.gv, ben.legs, ben.rank_level) == (100, 420, 1, 1)
    company.ben.refresh_from_db()
    assert company.ben.rank.code == company.ben.paid_as_rank.code == "bronze"
    assert company.ben.next_rank_target.code == "silver"
    assert company.ben.qualification_date == period.ends_on
    assert company.ben.group_pv == 420
    assert company.ben.history.first().history_change_reason == "Ranks of October 2026"


def test_title_stays_when_the_paid_as_rank_falls(company):
    sell_in_october(company)
    closed(company, "2026-10")
    company.buys("ben", 1, at("2026-11-05"))
    claim_volume()

    closed(company, "2026-11")

    company.ben.refresh_from_db()
    assert company.ben.rank.code == company.ben.highest_rank.code == "bronze"
    assert company.ben.paid_as_rank is None


def test_a_rank_bonus_is_paid_once_ever(company):
    sell_in_october(company)
    closed(company, "2026-10")
    company.buys("ben", 5, at("2026-11-05"))
    claim_volume()

    period = closed(company, "2026-11")

    assert recorded(period)["rank"] == 0
    assert recorded(period) == expected(period)


def test_the_lines_of_a_close_lie_earner_by_earner(company):
    sell_in_october(company)
    closed(company, "2026-10")

    lines = LedgerEntry.objects.filter(run__kind="close").order_by("pk")
    order = [
        (line.source_distributor_id is None, line.volume_entry_id is None, line.distributor_id)
        for line in lines
    ]

    assert order == sorted(order)
    assert len({earner for _, _, earner in order}) > 1


def test_later_orders_refunds_and_moves_do_not_change_a_replay(company):
    sell_in_october(company)
    period = closed(company, "2026-10")

    order = company.buys("ben", 5, at("2026-10-20"))
    refund_order(
        order=order,
        lines=[RefundLine(order.items.get(), 2)],
        actor=company.user("fiona"),
        reason="Broken",
    )
    claim_volume()
    Distributor.objects.filter(pk=company.chloe.pk).update(sponsor=company.stella)
    record_position(
        distributor=company.chloe,
        tree="sponsor",
        parent=company.stella,
        valid_from=date(2026, 10, 2),
        actor=None,
        reason="Moved back in time",
    )

    assert [proof.name for proof in replay(period) if not proof.is_same] == []


def test_nothing_recorded_later_counts_in_a_closed_period(company):
    sell_in_october(company)
    close_period(period=the_period("2026-10"), actor=company.user("fiona"))

    late = company.buys("ben", 5, at("2026-10-31"))

    entry = VolumeEntry.objects.get(order_item__order=late)
    assert entry.counts_on == date(2026, 11, 1)
    assert VolumeCutoff.objects.get().open_from == date(2026, 11, 1)
    assert the_period("2026-11").status == "open"


def test_refund_in_a_later_month_undoes_its_lines_to_the_cent(company):
    sell_in_october(company)
    order = company.buys(company.rosa, 3, at("2026-10-08"))
    claim_volume()
    closed(company, "2026-10")
    before = {name: balance(company, name) for name in ("asha", "ben", "chloe", "dmitri")}
    earned = LedgerEntry.objects.filter(volume_entry__order_item__order=order)
    undone = {line.pk: line for line in earned}

    for day in ("2026-11-03", "2026-11-04", "2026-11-05"):
        refund_order(
            order=order,
            lines=[RefundLine(order.items.get(), 1)],
            actor=company.user("fiona"),
            reason="Came back",
            refunded_at=at(day),
        )
        claim_volume()
    period = closed(company, "2026-11")

    for line in undone.values():
        taken_back = LedgerEntry.objects.filter(reverses_id=line.pk)
        assert sum(back.amount for back in taken_back) == -line.amount
    owed = {name: sum(x.amount for x in undone.values() if x.distributor.display_name.lower()
                      .startswith(name)) for name in before}  # fmt: skip
    assert {name: balance(company, name) for name in before} == {
        name: before[name] - owed[name] for name in before
    }
    assert recorded(period) == expected(period)
    assert list(find_breaks(strict=True)) == []


def test_refund_in_the_same_month_counts_as_less_sold(company):
    order = company.buys(company.rosa, 10, at("2026-10-08"))
    company.buys("ben", 5, at("2026-10-05"))
    claim_volume()
    refund_order(
        order=order,
        lines=[RefundLine(order.items.get(), 4)],
        actor=company.user("fiona"),
        reason="Too many",
        refunded_at=at("2026-10-09"),
    )
    claim_volume()

    period = closed(company, "2026-10")

    retail = LedgerEntry.objects.get(bonus__code="retail")
    assert retail.amount == Decimal("30.00")
    assert Standing.objects.get(distributor=company.chloe).pv == Decimal("120.00")
    assert recorded(period) == expected(period)


def test_whoever_closed_cannot_approve_not_even_by_sql(company):
    sell_in_october(company)
    calculated(company, "2026-10")
    period = the_period("2026-10")

    with pytest.raises(PeriodRefused, match="closed the period"):
        approve_period(period=period, actor=company.user("fiona"))
    with pytest.raises(DatabaseError, match="four_eyes"), transaction.atomic():
        CommissionPeriod.objects.filter(pk=period.pk).update(
            status="approved", approved_by=company.user("fiona"), approved_at=at("2026-11-02")
        )
    assert the_period("2026-10").status == "calculated"


def test_finalizing_twice_pays_once(company):
    sell_in_october(company)
    period = closed(company, "2026-10")
    entries, wallet = JournalEntry.objects.count(), balance(company, "ben")

    again = finalize_period(period=period, actor=company.user("felix"))

    assert again.status == "finalized"
    assert (JournalEntry.objects.count(), balance(company, "ben")) == (entries, wallet)
    assert Event.objects.filter(name="period.finalized").count() == 1


def test_finalizing_tells_everybody_concerned(company):
    sell_in_october(company)

    closed(company, "2026-10")

    told = Event.objects.get(name="commission.approved", stream=f"user:{company.ben.user_id}")
    assert told.facts == {"period": "October 2026", "amount": "24.00", "currency": "GBP"}
    promoted = Event.objects.get(name="level.promoted", stream=f"user:{company.ben.user_id}")
    assert promoted.facts == {"rank": "Bronze", "period": "October 2026"}
    assert AuditEvent.objects.filter(action="period.finalized", entity_id="2026-10").exists()


def test_a_second_calculation_supersedes_the_first(company):
    sell_in_october(company)
    first = calculated(company, "2026-10")

    second = start_run(period=the_period("2026-10"), actor=company.user("fiona"))
    calculate(second.pk)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("superseded", "done")
    assert second.result_hash == first.result_hash
    assert first.ledger_table not in connection.introspection.table_names()


def test_a_duplicate_task_changes_nothing(company):
    sell_in_october(company)
    run = calculated(company, "2026-10")

    assert calculate(run.pk) is None

    run.refresh_from_db()
    assert (run.status, run.attempts) == ("done", 1)


def test_lines_of_a_run_that_is_not_final_are_nobodys(company):
    sell_in_october(company)

    calculated(company, "2026-10")

    assert not LedgerEntry.objects.filter(run__kind="close").exists()
    assert not Standing.objects.exists()


def test_other_facts_than_the_frozen_ones_are_refused(company):
    sell_in_october(company)
    period = close_period(period=the_period("2026-10"), actor=company.user("fiona"))
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute("update commerce_volumeentry set cv = cv + 100 where id in "
                       "(select min(id) from commerce_volumeentry)")  # fmt: skip
        cursor.execute("set local session_replication_role = origin")
    run = start_run(period=period, actor=company.user("fiona"))

    calculate(run.pk)

    run.refresh_from_db()
    assert run.status == "failed"
    assert "was frozen when the period was closed" in run.error
    assert the_period("2026-10").status == "closed"
    assert Event.objects.get(name="period.failed").facts["reason"] == run.error


def test_a_plan_that_pays_more_than_its_ceiling_is_refused(company):
    company.buys("ben", 5, at("2026-10-05"))
    claim_volume()
    period = close_period(period=the_period("2026-10"), actor=company.user("fiona"))
    run = start_run(period=period, actor=company.user("fiona"))

    calculate(run.pk)

    run.refresh_from_db()
    assert run.status == "done", run.error


def test_totals_that_differ_are_named(company, monkeypatch):
    sell_in_october(company)
    period = close_period(period=the_period("2026-10"), actor=company.user("fiona"))
    run = start_run(period=period, actor=company.user("fiona"))
    monkeypatch.setattr(Outcome, "total", property(lambda outcome: outcome.result.total + 1))

    calculate(run.pk)

    run.refresh_from_db()
    assert run.status == "failed"
    assert run.error == "The engine has 6 lines of 54.01, the table 6 of 54.00."


def test_a_run_that_is_interrupted_again_and_again_fails(company):
    sell_in_october(company)
    period = close_period(period=the_period("2026-10"), actor=company.user("fiona"))
    run = start_run(period=period, actor=company.user("fiona"))
    CommissionRun.objects.filter(pk=run.pk).update(attempts=5)

    calculate(run.pk)

    run.refresh_from_db()
    assert (run.status, run.error) == ("failed", "The calculation was interrupted 5 times.")


def test_a_failed_run_can_be_followed_by_another(company):
    sell_in_october(company)
    period = close_period(period=the_period("2026-10"), actor=company.user("fiona"))
    fail(start_run(period=period, actor=None).pk, "Stopped")

    run = start_run(period=the_period("2026-10"), actor=company.user("fiona"))
    calculate(run.pk)

    run.refresh_from_db()
    assert (run.number, run.status) == (2, "done")


def test_a_month_waits_for_the_one_before(company):
    sell_in_october(company)
    close_period(period=the_period("2026-10"), actor=company.user("fiona"))

    with pytest.raises(PeriodRefused, match="October 2026 has to be final first"):
        close_period(period=the_period("2026-11"), actor=company.user("fiona"))
    assert the_period("2026-11").status == "open"


def test_a_close_that_waited_for_another_says_that_it_is_closed(company):
    sell_in_october(company)
    waited = the_period("2026-10")
    close_period(period=the_period("2026-10"), actor=company.user("fiona"))

    with pytest.raises(PeriodRefused, match="October 2026 is closed, not open"):
        close_period(period=waited, actor=company.user("felix"))


def test_a_seller_who_had_not_joined_is_named(company):
    sell_in_october(company)
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(
            "update genealogy_distributorposition set valid_from = '2026-12-01' "
            "where distributor_id = %s",
            [company.dmitri.pk],
        )
        cursor.execute("set local session_replication_role = origin")

    with pytest.raises(PeriodRefused, match=company.dmitri.number):
        close_period(period=the_period("2026-10"), actor=company.user("fiona"))
    assert the_period("2026-10").status == "open"


def test_periods_do_not_share_days_and_holes_are_found(company):
    open_period(
        code="2026-09", starts_on=date(2026, 9, 1), ends_on=date(2026, 9, 30), name="September"
    )
    with pytest.raises(PeriodRefused, match="shares"):
        open_period(code="x", starts_on=date(2026, 9, 30), ends_on=date(2026, 10, 2))
    open_period(code="2026-11", starts_on=date(2026, 11, 1), ends_on=date(2026, 11, 30))

    assert holes() == [(date(2026, 10, 1), date(2026, 10, 31))]


def test_carried_ranks_come_from_the_period_before(company):
    sell_in_october(company)
    closed(company, "2026-10")
    company.buys("ben", 1, at("2026-11-05"))
    claim_volume()
    period = close_period(period=the_period("2026-11"), actor=company.user("fiona"))

    snapshot = facts.read_snapshot(facts.cut_of(period), loaded(company.plan))

    levels = dict(zip(snapshot.members.id, snapshot.members.highest["rank"], strict=True))
    assert levels[company.ben.pk] == 1
    assert levels[company.asha.pk] == 0


def test_what_waits_at_the_close_is_settled_in_it(company, monkeypatch):
    sell_in_october(company)
    company.buys(company.rosa, 2, at("2026-10-09"))
    monkeypatch.setattr("commissions.services.periods.claim_volume", lambda: 0)

    period = close_period(period=the_period("2026-10"), actor=company.user("fiona"))

    assert period.status == "closed"
    assert balance(company, "chloe") == Decimal("4.00") + Decimal("0.80")
    assert projections.differences() == []
