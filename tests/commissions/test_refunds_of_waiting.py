"""Refunds undo what was paid in parts, what is still to come of it, and what is held: in the books.

Asha ── Ben ── Chloe ── Dmitri      each buys in June for himself
"""

from decimal import Decimal

import numpy as np
import pytest

from commissions import earnings
from commissions.explain import explain
from commissions.models import CarriedState, CommissionRun, LedgerEntry
from commissions.services.arrays import Lookup
from commissions.services.carried import read_state
from genealogy.models import Distributor
from tests.cast import at
from tests.commissions.plans import cap, demo
from tests.commissions.steps import closed
from tests.commissions.test_other_plans import BRONZE, SOLD, added, upline
from tests.commissions.test_refunds_of_sums import assert_holds, give_back, paying, sell, undone
from tests.commissions.test_trials import tried

pytestmark = pytest.mark.django_db

SOLD_CV = {"of": "order", "volume": "sold"}
VOLUMES = [*demo()["volumes"], {"code": "sold", "of": "cv", "kinds": list(SOLD)}]
PARTS = added("parts", "fast_start", base=SOLD_CV, pays=upline("sponsor"), instalments=3)
HELD = added(
    "held",
    "retail",
    base=SOLD_CV,
    eligibility={
        "when": {"is": "at_least", "metric": "pv", "figure": "150"},
        "otherwise": "held",
    },
)
MATCH = added(
    "match",
    "matching",
    base={"of": "commissions", "bonuses": ["parts"], "per": "member", "after_limits": False},
    pays=upline("sponsor"),
)
POOL = added(
    "pool",
    "pool_share",
    base={"of": "metric", "metric": "company_cv"},
    pays={
        "who": "pool",
        "shares": {"by": "equal"},
        "remainder": "company",
        "if_nobody": "carry",
    },
    eligibility={"when": BRONZE | {"rank": "gold"}, "otherwise": "lost"},
)
JUNE, JULY, AUGUST, SEPTEMBER = "2026-06", "2026-07", "2026-08", "2026-09"


def pay_in_parts(cast, *bonuses, **parts):
    return paying(cast, *bonuses, volumes=VOLUMES, **parts)


def lines_of(period, member, code):
    lines = LedgerEntry.objects.filter(run__period=period, distributor=member, bonus__code=code)
    return [line.amount for line in lines.order_by("pk")]


def waits(period, member, name):
    """In hundredths."""
    run = period.runs.get(kind="close", status="done")
    figures = read_state(run.pk, Lookup(np.array([member.pk]))).get(name)
    return 0 if figures is None else int(figures[0])


def test_instalments_paid_go_back_and_those_to_come_are_less(cast):
    """Dmitri's 200 CV bring Chloe 20.00 in parts of 6.67, 6.67 and 6.66."""
    pay_in_parts(cast, PARTS, MATCH)
    orders = sell(cast, JUNE)
    june = closed(cast, JUNE)
    give_back(cast, orders["dmitri"], 4, "2026-07-10")
    july = closed(cast, JULY)
    give_back(cast, orders["dmitri"], 6, "2026-08-10")
    august = closed(cast, AUGUST)
    september = closed(cast, SEPTEMBER)
    months = (june, july, august, september)

    assert [lines_of(month, cast.chloe, "parts") for month in months] == [
        [Decimal("6.67")],
        [Decimal("4.00"), Decimal("-2.67")],
        [Decimal("-4.00"), Decimal("-4.00")],
        [],
    ]
    assert waits(june, cast.chloe, "due.parts.2") == 6_66
    assert waits(july, cast.chloe, "due.parts.1") == 4_00
    assert waits(august, cast.chloe, "due.parts.1") == 0
    # Ben has a tenth of what Chloe is paid, and loses it with her.
    assert sum(sum(lines_of(month, cast.ben, "match")) for month in months[:2]) == Decimal("0.80")
    assert sum(sum(lines_of(month, cast.ben, "match")) for month in months) == 0
    back = LedgerEntry.objects.filter(
        run__period=august, bonus__code="parts", reverses_id__isnull=False
    )
    undoes = {LedgerEntry.objects.get(pk=line.reverses_id).run.period_id for line in back}
    assert undoes == {june.pk, july.pk}
    refund = orders["dmitri"].refunds.get(items__quantity=6)
    assert {line.volume_entry.refund_item.refund_id for line in back} == {refund.pk}
    assert "undoing nothing" not in str([month.runs.get(kind="close").warnings for month in months])
    assert_holds(*months)


def test_what_is_held_is_less_and_goes_back_once_it_is_paid(cast):
    """Ben's 100 CV bring him 10.00, which wait until he has 150 PV. Chloe's 12.00 as well."""
    pay_in_parts(cast, HELD)
    orders = sell(cast, JUNE)
    june = closed(cast, JUNE)
    give_back(cast, orders["ben"], 1, "2026-07-10")
    july = closed(cast, JULY)
    cast.buys("ben", 10, at("2026-08-03"))
    august = closed(cast, AUGUST)
    give_back(cast, orders["ben"], 3, "2026-09-10")
    give_back(cast, orders["chloe"], 3, "2026-09-11")
    september = closed(cast, SEPTEMBER)

    assert waits(june, cast.ben, "held.held") == 10_00
    assert waits(july, cast.ben, "held.held") == 8_00
    assert sorted(lines_of(august, cast.ben, "held")) == [Decimal("8.00"), Decimal("20.00")]
    assert undone(september, "held") == {(cast.ben.pk, Decimal("-6.00"))}
    assert waits(september, cast.chloe, "held.held") == 6_00
    assert_holds(june, july, august, september)


def test_pool_that_waits_for_somebody_is_less(cast):
    pay_in_parts(cast, POOL)
    orders = sell(cast, JUNE)
    june = closed(cast, JUNE)
    give_back(cast, orders["dmitri"], 4, "2026-07-10")
    july = closed(cast, JULY)

    pools = [
        sum(waits(month, member, "pool.pool") for member in Distributor.objects.all())
        for month in (june, july)
    ]
    assert pools == [42_00, 34_00]
    assert_holds(june, july)


def test_what_was_told_too_much_is_kept_for_the_next_look(cast):
    """Two refunds, of one month's sales and of the one's after it, in different months."""
    pay_in_parts(cast, PARTS, MATCH)
    first = sell(cast, JUNE)
    june = closed(cast, JUNE)
    second = sell(cast, JULY)
    july = closed(cast, JULY)
    give_back(cast, first["dmitri"], 5, "2026-08-10")
    august = closed(cast, AUGUST)
    give_back(cast, second["dmitri"], 10, "2026-09-10")
    september = closed(cast, SEPTEMBER)
    give_back(cast, first["dmitri"], 5, "2026-10-10")
    october = closed(cast, "2026-10")
    months = (june, july, august, september, october)

    # Nothing is left of Dmitri's, so Chloe has nothing of parts, and Ben of his match only Chloe's.
    assert sum(sum(lines_of(month, cast.chloe, "parts")) for month in months) == 0
    assert sum(sum(lines_of(month, cast.ben, "match")) for month in months) == 0
    told = CarriedState.objects.filter(run__period=august, key__startswith="less.")
    run = july.runs.get(kind="close", status="done").pk
    assert {one.key for one in told} == {f"less.{run}.due.parts.1", f"less.{run}.due.parts.2"}
    assert_holds(*months)


@pytest.mark.parametrize("span", [slice(0, 4), slice(1, 4), slice(2, 4), slice(3, 4)])
def test_trial_of_the_plan_that_paid_changes_nothing(cast, span):
    version = pay_in_parts(
        cast, PARTS, HELD, MATCH, POOL, limits=[cap("9.00", "unilevel", "parts", "partner")]
    )
    orders = sell(cast, JUNE)
    months = [closed(cast, JUNE)]
    more = sell(cast, JULY)
    give_back(cast, orders["dmitri"], 4, "2026-07-10")
    give_back(cast, orders["ben"], 1, "2026-07-11")
    months.append(closed(cast, JULY))
    cast.buys("ben", 10, at("2026-08-03"))
    give_back(cast, more["dmitri"], 3, "2026-08-11")
    months.append(closed(cast, AUGUST))
    give_back(cast, orders["dmitri"], 6, "2026-09-10")
    give_back(cast, more["chloe"], 5, "2026-09-11")
    give_back(cast, orders["ben"], 3, "2026-09-12")
    months.append(closed(cast, SEPTEMBER))

    trial = tried(version, months[span], cast.user("fiona"))

    assert trial.report["before"] == trial.report["after"]
    for row in (*trial.report["periods"], *trial.report["bonuses"]):
        assert row["before"] == row["after"], row
    assert trial.earnings.count() == 0


def test_month_that_an_earlier_engine_closed_is_worked_out_like_any_other(cast):
    pay_in_parts(cast, PARTS)
    orders = sell(cast, JUNE)
    june, july = closed(cast, JUNE), closed(cast, JULY)
    CommissionRun.objects.filter(kind="close").update(engine_version="2.1")
    give_back(cast, orders["dmitri"], 10, "2026-08-10")
    august = closed(cast, AUGUST)

    assert lines_of(august, cast.chloe, "parts") == [Decimal("-6.67"), Decimal("-6.67")]
    assert waits(august, cast.chloe, "due.parts.1") == 0
    warnings = august.runs.get(kind="close").warnings
    assert not any("another version" in said for said in warnings)
    undoes = LedgerEntry.objects.filter(
        pk__in=LedgerEntry.objects.filter(run__period=august, bonus__code="parts").values(
            "reverses_id"
        ),
        distributor=cast.chloe,
    )
    assert {line.run.period_id for line in undoes} == {june.pk, july.pk}
    back = LedgerEntry.objects.filter(run__period=august, distributor=cast.chloe)
    told = [explain(earnings.line_by_key(line.pk), for_staff=True) for line in back]
    assert all(why.note or why.is_checked for why in told)
