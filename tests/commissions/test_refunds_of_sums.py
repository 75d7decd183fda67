"""Refunds of sales of closed months undo what was paid on sums: in the books, and by themselves."""

from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commerce.services.orders import RefundLine, refund_order
from commissions import earnings
from commissions.explain import explain
from commissions.models import CarriedState, CommissionRun, LedgerEntry
from commissions.services import facts
from commissions.services.claims import claim_volume
from commissions.services.ledger_lines import LineWriter
from commissions.services.periods import close_period
from commissions.services.plan_reading import loaded
from commissions.services.replay import replay
from commissions.services.restatements import runs_concerned, undo_sums
from commissions.services.runs import calculate, start_run
from commissions.services.verification import find_breaks
from genealogy.models import DistributorPosition
from tests.cast import at
from tests.commissions.plans import bonus, cap, demo, pay_by
from tests.commissions.steps import balance, calculated, closed, the_period
from tests.commissions.test_other_plans import BRONZE, SOLD, added, upline
from tests.commissions.test_trials import tried

pytestmark = pytest.mark.django_db

POOL = added(
    "pool",
    "pool_share",
    base={"of": "metric", "metric": "company_cv"},
    pays={
        "who": "pool",
        "shares": {"by": "equal"},
        "remainder": "company",
        "if_nobody": "company",
    },
    eligibility={"when": BRONZE, "otherwise": "lost"},
)
TEAM = added("team", "unilevel", base={"of": "metric", "metric": "cv"}, pays=upline("sponsor"))
MATCH = added(
    "match",
    "matching",
    base={"of": "commissions", "bonuses": ["unilevel"], "per": "member", "after_limits": False},
    pays=upline("enroller"),
)
PAIRS = added(
    "binary",
    "binary_bonus",
    base={"of": "flat", "per": "member"},
    pays={
        "who": "pairs",
        "tree": "placement",
        "volume": "sold",
        "cycle": None,
        "after_payout": "carry",
        "if_ineligible": "keep_both",
        "carry_cap": None,
    },
)


def paying(cast, *bonuses, **parts):
    document = demo()
    document["bonuses"] += bonuses
    return pay_by(cast, document | parts)


def sell(cast, month):
    """Ben 100 PV and CV, Chloe 120, Dmitri 200: each a Bronze, or more. By name of the buyer."""
    orders = {
        name: cast.buys(name, pieces, at(f"{month}-{day}"))
        for name, pieces, day in (("ben", 5, "05"), ("chloe", 6, "06"), ("dmitri", 10, "07"))
    }
    claim_volume()
    return orders


def give_back(cast, order, pieces, day):
    refund_order(
        order=order,
        lines=[RefundLine(item=order.items.get(), quantity=pieces)],
        reason="Came back",
        actor=cast.user("mona"),
        refunded_at=at(day),
    )
    claim_volume()


def put(cast, parent, legs):
    """A place in the placement tree for each, from the day they joined."""
    for name, leg in legs.items():
        member = getattr(cast, name)
        DistributorPosition.objects.create(
            distributor=member,
            tree="placement",
            parent=getattr(cast, parent),
            leg=leg,
            valid_from=member.joined_on,
        )


def paying_pairs(cast, *bonuses, **parts):
    put(cast, "asha", {"ben": 1, "chloe": 2})
    put(cast, "chloe", {"dmitri": 1})
    sold = {"code": "sold", "of": "cv", "kinds": list(SOLD)}
    return paying(cast, *bonuses, PAIRS, volumes=[*demo()["volumes"], sold], **parts)


def undone(period, code):
    lines = LedgerEntry.objects.filter(
        run__period=period, bonus__code=code, reverses_id__isnull=False, run__kind="close"
    )
    return {(line.distributor_id, line.amount) for line in lines}


def assert_holds(*periods):
    assert list(find_breaks(strict=True)) == []
    for period in periods:
        assert [proof.name for proof in replay(period) if not proof.is_same] == []


def test_pool_team_and_match_go_back_part_by_part(cast):
    paying(cast, POOL, TEAM, MATCH)
    orders = sell(cast, "2026-08")
    august = closed(cast, "2026-08")
    paid = {
        line.pk: line
        for line in LedgerEntry.objects.filter(run__period=august, volume_entry__isnull=True)
    }
    give_back(cast, orders["dmitri"], 4, "2026-09-10")
    september = closed(cast, "2026-09")
    give_back(cast, orders["dmitri"], 6, "2026-10-10")
    october = closed(cast, "2026-10")

    # A pool of 10 % of 420 CV for three: 14.00 each. On 340 it is 11.33, on 220 it is 7.33.
    three = (cast.ben.pk, cast.chloe.pk, cast.dmitri.pk)
    assert undone(september, "pool") == {(pk, Decimal("-2.67")) for pk in three}
    assert undone(october, "pool") == {(pk, Decimal("-4.00")) for pk in three}
    # 10 % of Dmitri's 200 CV to who stands above him.
    assert undone(september, "team") == {(cast.dmitri.sponsor_id, Decimal("-8.00"))}
    assert undone(october, "team") == {(cast.dmitri.sponsor_id, Decimal("-12.00"))}
    matched = [line for line in paid.values() if line.bonus.code == "match"]
    both = undone(september, "match") | undone(october, "match")
    assert matched
    assert both
    back = list(LedgerEntry.objects.filter(reverses_id__in=paid))
    assert {line.volume_entry.kind for line in back} == {"refund"}
    bases = sorted(line.base for line in back if line.bonus.code == "team")
    assert bases == [Decimal("-120.00"), Decimal("-80.00")]
    assert "undoing nothing" not in str(september.runs.get(kind="close").warnings)
    assert_holds(august, september, october)


def test_refunds_that_act_together_name_none(cast):
    paying(cast, POOL)
    orders = sell(cast, "2026-08")
    august = closed(cast, "2026-08")
    give_back(cast, orders["dmitri"], 10, "2026-09-10")
    give_back(cast, orders["chloe"], 6, "2026-09-11")
    give_back(cast, orders["ben"], 5, "2026-09-12")
    september = closed(cast, "2026-09")

    lines = LedgerEntry.objects.filter(run__period=september, bonus__code="pool")
    assert {(line.distributor_id, line.amount, line.volume_entry_id) for line in lines} == {
        (pk, Decimal("-14.00"), None) for pk in (cast.ben.pk, cast.chloe.pk, cast.dmitri.pk)
    }
    assert "undoing nothing" not in str(september.runs.get(kind="close").warnings)
    told = [explain(earnings.line_by_key(line.pk), for_staff=True) for line in lines]
    assert all(why.note for why in told)
    assert_holds(august, september)


def test_what_a_cap_cut_is_not_taken_back_and_what_it_held_is_not_paid_later(cast):
    """Ben has 2.40 at payment and 14.00 at the close: 6.40 are held. When all of Dmitri's and
    Chloe's comes back, he never had that."""
    paying(cast, limits=[cap("10.00", "partner", "unilevel")])
    orders = sell(cast, "2026-08")
    august = closed(cast, "2026-08")
    give_back(cast, orders["dmitri"], 10, "2026-09-10")
    give_back(cast, orders["chloe"], 6, "2026-09-10")
    september = closed(cast, "2026-09")
    october = closed(cast, "2026-10")

    earned = LedgerEntry.objects.filter(distributor=cast.ben).exclude(bonus__code="rank")
    left = {period: sum(line.amount for line in earned.filter(run__period=period))
            for period in (august, september, october)}  # fmt: skip
    kept = LedgerEntry.objects.filter(distributor=cast.ben, bonus__code="cap")
    assert sum(line.amount for line in kept) == 0
    assert sum(left.values()) == sum(
        line.amount for line in earned if line.bonus.code in ("partner", "unilevel")
    )
    assert left[august] == Decimal("10.00")
    assert (cast.ben.pk, Decimal("6.40")) in undone(september, "cap")
    state = CarriedState.objects.filter(run__period=september, key__startswith="restated.")
    assert [one.key for one in state] == [f"restated.{august.runs.get(kind='close').pk}.limit.cap"]
    assert_holds(august, september, october)


def test_pairs_go_back_and_give_their_volume_back(cast):
    paying_pairs(cast)
    orders = sell(cast, "2026-08")
    august = closed(cast, "2026-08")
    paid = LedgerEntry.objects.filter(run__period=august, bonus__code="binary")
    for name, order in orders.items():
        give_back(cast, order, order.items.get().quantity - (name == "ben"), "2026-09-10")
    september = closed(cast, "2026-09")
    give_back(cast, orders["ben"], 1, "2026-10-10")
    october = closed(cast, "2026-10")

    assert paid.exists()
    back = LedgerEntry.objects.filter(reverses_id__in=paid.values("pk"))
    assert sum(line.amount for line in back) == -sum(line.amount for line in paid)
    legs = CarriedState.objects.filter(run__period=october, key__startswith="pairs.binary.")
    assert not legs.exists()
    assert_holds(august, september, october)


@pytest.mark.parametrize("capped", [("unilevel",), ("partner", "unilevel"), ("partner",)])
@pytest.mark.parametrize("span", [slice(0, 3), slice(1, 3)])
def test_trial_of_the_plan_that_paid_changes_nothing(cast, span, capped):
    """Also where the cap counts what was paid at payment, of which refunds took a part back in the
    month of the sale and after it."""
    version = paying_pairs(cast, POOL, MATCH, limits=[cap(f"{5 * len(capped) - 3}.00", *capped)])
    orders = sell(cast, "2026-08")
    months = [closed(cast, "2026-08")]
    more = sell(cast, "2026-09")
    give_back(cast, orders["dmitri"], 4, "2026-09-10")
    give_back(cast, more["chloe"], 3, "2026-09-11")
    months.append(closed(cast, "2026-09"))
    give_back(cast, orders["dmitri"], 6, "2026-10-10")
    give_back(cast, orders["ben"], 5, "2026-10-11")
    months.append(closed(cast, "2026-10"))

    trial = tried(version, months[span], cast.user("fiona"))

    assert trial.report["before"] == trial.report["after"]
    assert trial.earnings.count() == 0
    for row in (*trial.report["periods"], *trial.report["bonuses"]):
        assert row["before"] == row["after"], row
    assert_holds(*months)


def test_months_without_such_refunds_read_nothing_more(cast):
    version = paying(cast, POOL)
    sell(cast, "2026-08")
    closed(cast, "2026-08")
    sell(cast, "2026-09")
    calculated(cast, "2026-09")
    cut = facts.cut_of(the_period("2026-09"))

    with CaptureQueriesContext(connection) as queries:
        undone = undo_sums(cut, facts.read_snapshot(cut, loaded(version)), loaded(version))

    assert undone.lines == []
    assert not undone.corrections
    assert sum("commerce_refunditem" in query["sql"] for query in queries) == 0
    assert balance(cast, "ben") > 0


def test_plan_that_pays_orders_alone_is_not_worked_out_again(cast):
    assert cast.plan
    orders = sell(cast, "2026-08")
    closed(cast, "2026-08")
    give_back(cast, orders["dmitri"], 4, "2026-09-10")
    calculated(cast, "2026-09")

    assert list(runs_concerned(facts.cut_of(the_period("2026-09")))) == []
    assert bonus(demo(), "unilevel")["base"]["of"] == "order"


def test_lines_that_name_no_refund_are_numbered_alike_in_two_shares():
    names = ["volume_entry_id", "amount", "reverses_id"]
    columns = {name: np.arange(1, 8) for name in names}
    columns["volume_entry_id"] = np.array([11, 12, 12, 0, 0, 0, 0])
    run = CommissionRun(pk=7, period_id=1)

    def rows(first, *shares):
        writer = LineWriter(run, [], first)
        return [
            (int(line), None if row["volume_entry_id"] is None else int(row["volume_entry_id"][at]))
            for share in shares
            for _, row in writer.rows_reversing(columns, share)
            for at, line in enumerate(row["id"])
        ]

    whole = rows(1, slice(None))
    assert [entry for _, entry in whole] == [11, 12, 12, None, None, None, None]
    for place in range(8):
        assert rows(1, slice(0, place), slice(place, 7)) == whole


@pytest.fixture
def september(cast):
    """Closed, with a refund of a sale of August, of which a figure was changed by hand since."""
    paying(cast, POOL)
    orders = sell(cast, "2026-08")
    closed(cast, "2026-08")
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute("update commerce_volumeentry set cv = cv + 100 where distributor_id = %s",
                       [cast.ben.pk])  # fmt: skip
        cursor.execute("set local session_replication_role = origin")
    give_back(cast, orders["dmitri"], 4, "2026-09-10")
    return close_period(period=the_period("2026-09"), actor=cast.user("fiona"))


def worked_out(cast, period):
    run = start_run(period=period, actor=cast.user("fiona"))
    calculate(run.pk)
    run.refresh_from_db()
    return run


def test_a_month_that_comes_out_different_is_named_and_nothing_goes_back(cast, september):
    run = worked_out(cast, september)

    assert run.status == "failed"
    assert "August 2026 does not come out as it was closed" in run.error


def test_a_month_of_another_engine_that_comes_out_different_is_told(cast, september):
    CommissionRun.objects.filter(period__code="2026-08").update(engine_version="1.0")

    run = worked_out(cast, september)

    assert run.status == "done"
    assert any("August 2026 undo nothing that was paid on sums" in said for said in run.warnings)
