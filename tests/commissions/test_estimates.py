"""The estimate of an open period, and the list of what made its close differ.

            Asha                    Asha, Chloe and Dmitri buy for themselves, Rosa from Chloe.
           /    \\
         Ben    Stella
          |
        Chloe ── Rosa
          |
        Dmitri
"""

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from commerce.services.orders import RefundLine, refund_order
from commissions.models import (
    CommissionRun,
    Estimate,
    EstimatedAmount,
    EstimateDifference,
    LedgerEntry,
)
from commissions.services import estimates, facts
from commissions.services.arrays import Lookup
from commissions.services.claims import claim_volume
from commissions.services.runs import calculate, start_run
from genealogy.models import Distributor
from genealogy.services.positions import record_position
from genealogy.services.tree_index import rebuild_tree
from tests.cast import Cast, at
from tests.commissions.steps import calculated, closed, the_period

pytestmark = pytest.mark.django_db
CAUSES = EstimateDifference.Cause


def estimated(code: str = "2026-10") -> dict[tuple[str, str], Decimal]:
    rows = EstimatedAmount.objects.filter(estimate__period__code=code)
    return {
        (row.distributor.number, row.bonus.code): row.amount
        for row in rows.select_related("distributor", "bonus")
    }


def brought(code: str = "2026-10") -> dict[tuple[str, str], Decimal]:
    found: dict[tuple[str, str], Decimal] = {}
    lines = LedgerEntry.objects.filter(run__period__code=code, run__kind="close")
    for line in lines.select_related("distributor", "bonus"):
        key = (line.distributor.number, line.bonus.code)
        found[key] = found.get(key, Decimal(0)) + line.amount
    return {key: amount for key, amount in found.items() if amount}


def causes_of(run) -> dict[int, Decimal]:
    sums: dict[int, Decimal] = {}
    for row in run.differences.all():
        sums[row.cause] = sums.get(row.cause, Decimal(0)) + row.amount
    return sums


def give_back(order, pieces: int, when) -> None:
    refund_order(
        order=order,
        lines=[RefundLine(item=order.items.get(), quantity=pieces)],
        actor=None,
        reason="Too many",
        refunded_at=when,
    )


def move(cast: Cast, who: str, under: str, day: date) -> None:
    person, sponsor = getattr(cast, who), getattr(cast, under)
    Distributor.objects.filter(pk=person.pk).update(sponsor=sponsor)
    record_position(
        distributor=person, tree="sponsor", parent=sponsor, valid_from=day, actor=None,
        reason="Moved",
    )  # fmt: skip
    rebuild_tree()


def sell(company: Cast) -> None:
    company.buys("asha", 6, at("2026-10-03"))
    company.buys("ben", 6, at("2026-10-04"))
    company.buys("chloe", 12, at("2026-10-05"))
    company.buys("dmitri", 30, at("2026-10-06"))
    claim_volume()


def test_a_close_right_after_the_estimate_brings_just_that(company: Cast) -> None:
    sell(company)
    estimates.record(the_period("2026-10"))
    expected = estimated()

    closed(company, "2026-10")

    assert brought() == expected
    assert sum(expected.values()) > 0
    assert not EstimateDifference.objects.exists()


def test_each_kind_of_news_is_named_with_what_it_changed(company: Cast) -> None:
    sell(company)
    order = company.buys("dmitri", 10, at("2026-10-07"))
    claim_volume()
    estimates.record(the_period("2026-10"))
    expected = estimated()
    company.buys(company.rosa, 20, at("2026-10-08"))
    give_back(order, 4, at("2026-10-09"))
    move(company, "dmitri", "ben", date(2026, 10, 10))
    claim_volume()

    run = calculated(company, "2026-10")

    causes = causes_of(run)
    assert set(causes) == {CAUSES.TREE, CAUSES.SALES, CAUSES.REFUNDS}
    assert causes[CAUSES.SALES] > 0 > causes[CAUSES.REFUNDS]
    assert causes[CAUSES.TREE] < 0, "Chloe loses what she had from Dmitri"
    total = sum(expected.values()) + sum(causes.values())
    assert total == run.total_amount
    told = run.totals["since_estimate"]
    assert {row["cause"]: Decimal(row["amount"]) for row in told["causes"]} == causes
    assert Decimal(told["estimated"]) == sum(expected.values())


def test_a_closed_period_keeps_the_estimate_it_was_compared_with(company: Cast) -> None:
    sell(company)
    kept = estimates.record(the_period("2026-10"))
    company.buys("ben", 9, at("2026-10-20"))
    calculated(company, "2026-10")

    again = estimates.record(the_period("2026-10"))

    assert again is None
    assert Estimate.objects.get().last_entry == kept.last_entry


def test_a_close_does_not_fail_for_want_of_an_explanation(company: Cast) -> None:
    sell(company)
    estimates.record(the_period("2026-10"))
    company.buys("ben", 9, at("2026-10-20"))
    before_anybody = at("2010-01-01")
    Estimate.objects.update(known_at=before_anybody)

    company.buys("stella", 9, at("2026-10-21"))
    Estimate.objects.update(carried_run=the_period("2026-10").runs.get())
    run = calculated(company, "2026-10")

    assert run.totals["since_estimate"] is None
    assert not run.differences.exists()


def test_calculating_again_keeps_one_list(company: Cast) -> None:
    sell(company)
    estimates.record(the_period("2026-10"))
    company.buys("ben", 9, at("2026-10-20"))
    first = calculated(company, "2026-10")
    listed = causes_of(first)

    again = start_run(period=the_period("2026-10"), actor=company.user("fiona"))
    calculate(again.pk)

    assert listed
    assert causes_of(again) == listed
    assert not first.differences.exists()


def test_news_is_worked_out_after_a_pause_and_nothing_without_news(
    company: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.buys("ben", 6)
    claim_volume()
    first = estimates.keep_up()
    company.buys("ben", 6)
    too_soon = estimates.keep_up()
    monkeypatch.setattr(estimates, "LEAST_PAUSE", timedelta(0))
    monkeypatch.setattr(estimates, "PAUSE_FOR_ITS_TIME", 0)

    second = estimates.keep_up()
    third = estimates.keep_up()

    assert first is not None
    assert second is not None
    assert second.last_entry > first.last_entry
    assert (too_soon, third) == (None, None)


@pytest.mark.parametrize("seed", range(8))
def test_kept_amounts_are_those_of_a_calculation_from_nothing(company: Cast, seed: int) -> None:
    """Random orders, refunds and moves: what was kept step by step is the whole worked out anew,
    and the differences lead from the last estimate to the close, person by person."""
    draw = random.Random(seed)
    orders = [company.buys("dmitri", 20, at("2026-10-01"))]
    claim_volume()
    period, moved = the_period("2026-10"), False
    check_against_anew(company, estimates.record(period))
    for day in range(2, 2 + draw.randint(6, 14)):
        when, deed = at(f"2026-10-{day:02}"), draw.random()
        if deed < 0.25 and orders:
            order = orders.pop(draw.randrange(len(orders)))
            give_back(order, draw.randint(1, order.items.get().quantity), when)
        elif deed < 0.35 and not moved:
            moved = True
            move(company, draw.choice(["dmitri", "chloe"]), "stella", when.date())
        else:
            who = draw.choice(["asha", "ben", "chloe", "dmitri", "stella", company.rosa])
            orders.append(company.buys(who, draw.randint(1, 30), when))
        if draw.random() < 0.4:
            claim_volume()
        if draw.random() < 0.5:
            check_against_anew(company, estimates.record(period))
    last = estimated()

    run = calculated(company, "2026-10")

    reached = Counter(last)
    for row in run.differences.select_related("distributor", "bonus"):
        reached[row.distributor.number, row.bonus.code] += row.amount
    assert {key: amount for key, amount in reached.items() if amount} == written_by(run)


def check_against_anew(company: Cast, kept: Estimate | None) -> None:
    assert kept is not None
    cut = facts.cut_of(kept.period, known_at=timezone.now())
    anew = estimates.at(cut, company.plan)
    lookup = Lookup(anew.snapshot.members.id)
    wanted = estimates.amounts_of(anew, company.plan, lookup)
    changes = dict(estimates.changes(estimates.stored(kept, lookup), wanted))
    assert [code for code, change in changes.items() if change.any()] == []


def written_by(run: CommissionRun) -> dict[tuple[str, str], Decimal]:
    """What a run that is not final yet wrote, by distributor and bonus."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"select d.number, b.code, sum(l.amount) from {run.ledger_table} l "
            "join genealogy_distributor d on d.id = l.distributor_id "
            "join commissions_bonus b on b.id = l.bonus_id group by 1, 2"
        )
        return {
            (number, code): Decimal(sum_).scaleb(-2) for number, code, sum_ in cursor.fetchall()
        }
