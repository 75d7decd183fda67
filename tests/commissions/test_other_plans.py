"""Bonuses that the demo plan does not have, all the way into the books and back."""

from decimal import Decimal

import pytest

from commissions import earnings
from commissions.explain import explain
from commissions.models import LedgerEntry
from commissions.services import projections
from commissions.services.claims import claim_volume
from commissions.services.finalize import approve_period, finalize_period
from commissions.services.replay import replay
from commissions.services.verification import find_breaks
from tests.cast import at
from tests.commissions.plans import bonus, demo, pay_by
from tests.commissions.steps import balance, calculated, closed, the_period

pytestmark = pytest.mark.django_db

BRONZE = {"is": "rank", "ladder": "rank", "rank": "bronze", "which": "paid_as"}
SILVER = BRONZE | {"rank": "silver"}
SOLD = ("retail", "preferred", "self_consumption", "autoship")
FROM_UPLINE = dict.fromkeys(SOLD, "upline")


def added(code: str, ledger_type: str, **parts: object) -> dict[str, object]:
    return {
        "code": code,
        "name": code.replace("_", " ").capitalize(),
        "ledger_type": ledger_type,
        "trigger": "period_close",
        "base": {"of": "order", "volume": "cv"},
        "pays": {"who": "source"},
        "rates": {"by": "step", "table": ["0.10"]},
        "eligibility": {"when": None, "otherwise": "lost"},
    } | parts


def upline(tree: str, **parts: object) -> dict[str, object]:
    return {
        "who": "upline",
        "tree": tree,
        "start": "upline",
        "steps": {"count": "physical"},
        "max_steps": 1,
        "max_distance": None,
        "unfilled": "nobody",
    } | parts


POOL = added(
    "pool",
    "pool_share",
    base={"of": "metric", "metric": "company_cv"},
    pays={
        "who": "pool",
        "shares": {"by": "metric", "metric": "gv"},
        "remainder": "company",
        "if_nobody": "carry",
    },
    rates={"by": "step", "table": ["0.02"]},
    eligibility={"when": BRONZE, "otherwise": "lost"},
)
OVERRIDE = added(
    "override", "breakaway", base={"of": "metric", "metric": "gv"}, pays=upline("sponsor")
)
MATCH = added(
    "match",
    "matching",
    base={"of": "commissions", "bonuses": ["unilevel"], "per": "member", "after_limits": False},
    pays=upline("enroller"),
)
EARLY = added(
    "early",
    "fast_start",
    pays=upline("enroller", start=FROM_UPLINE, max_steps=2, unfilled="company"),
    rates={"by": "step", "table": ["0.03", "0.01"]},
    sources={"is": "joined_within", "days": 300},
)
STEPS = added(
    "difference",
    "differential",
    pays=upline("sponsor", start=FROM_UPLINE, max_steps=5),
    rates={"by": "rank", "ladder": "rank", "which": "paid_as", "table": {"bronze": ["0.02"] * 5}},
    less={"than": "paid_below", "minimum": "0"},
)
WAITS = added(
    "loyal",
    "leadership",
    rates={"by": "kind", "table": {kind: ["0.10"] for kind in SOLD}},
    eligibility={"when": SILVER, "otherwise": "held"},
)


def a_month(cast, month: str) -> None:
    for name, pieces, day in (("ben", 5, "05"), ("chloe", 6, "06"), ("dmitri", 10, "07")):
        cast.buys(name, pieces, at(f"{month}-{day}"))
    cast.buys(cast.rosa, 2, at(f"{month}-08"))
    claim_volume()


@pytest.mark.parametrize("extra", [POOL, OVERRIDE, MATCH, EARLY, STEPS, WAITS],
                         ids=lambda extra: extra["code"])  # fmt: skip
def test_two_months_hold_in_the_books_and_come_out_the_same(cast, extra):
    document = demo()
    document["bonuses"].append(extra)
    pay_by(cast, document)

    months = []
    for month in ("2026-10", "2026-11"):
        a_month(cast, month)
        months.append(closed(cast, month))

    assert list(find_breaks(strict=True)) == []
    assert projections.differences() == []
    for period in months:
        assert [proof.name for proof in replay(period) if not proof.is_same] == []
    lines = [earnings.line_by_key(pk) for pk in LedgerEntry.objects.values_list("pk", flat=True)]
    told = [explain(line, for_staff=True) for line in lines]
    assert [str(why.line.pk) for why in told if why.is_checked and not why.agrees] == []
    assert LedgerEntry.objects.filter(bonus__code=extra["code"]).exists() != (extra is WAITS)


def test_a_pool_is_shared_and_what_rounding_leaves_is_kept(cast):
    document = demo()
    document["bonuses"].append(POOL)
    pay_by(cast, document)
    a_month(cast, "2026-10")

    run = calculated(cast, "2026-10")
    closed_lines = LedgerEntry.objects.filter(bonus__code="pool")
    assert not closed_lines.exists()

    # 2 % of 460.00 is 9.20, shared by GV: Ben 460, Chloe 360, Dmitri 200 of 1,020.
    pool = next(row for row in run.totals["by_bonus"] if row["code"] == "pool")
    kept = {row["code"]: row["amount"] for row in run.totals["kept"]}
    assert Decimal(pool["amount"]) + Decimal(kept.get("pool", "0")) == Decimal("9.20")
    assert (pool["lines"], pool["amount"]) == (3, "9.18")


def test_a_match_of_sums_names_whom_it_matches(cast):
    document = demo()
    document["bonuses"].append(MATCH)
    pay_by(cast, document)
    a_month(cast, "2026-10")

    period = closed(cast, "2026-10")

    (line,) = LedgerEntry.objects.filter(bonus__code="match", distributor=cast.ben)
    assert (line.source_distributor, line.volume_entry) == (cast.chloe, None)
    # A tenth of Chloe's 10.00.
    assert (line.base, line.amount) == (Decimal("10.00"), Decimal("1.00"))
    assert period.status == "finalized"


def test_a_reward_in_parts_comes_month_by_month(cast):
    document = demo() | {"limits": []}
    bonus(document, "rank")["instalments"] = 3
    bonus(document, "rank")["rates"]["table"]["bronze"] = ["10.00"]
    pay_by(cast, document)
    a_month(cast, "2026-10")

    paid = []
    for month in ("2026-10", "2026-11", "2026-12", "2027-01"):
        run = calculated(cast, month)
        row = next(row for row in run.totals["by_bonus"] if row["code"] == "rank")
        waiting = [row["amount"] for row in run.totals["waiting"]]
        paid.append((row["lines"], row["amount"], *waiting))
        finish(cast, month)

    # Three new Bronzes, 10.00 each: 3.33, 3.33 and the rest.
    assert paid == [(3, "9.99", "20.01"), (3, "9.99", "10.02"), (3, "10.02"), (0, "0.00")]
    assert balance(cast, "dmitri") == Decimal("10.00")
    assert list(find_breaks(strict=True)) == []


def finish(cast, month: str) -> None:
    approve_period(period=the_period(month), actor=cast.user("felix"))
    finalize_period(period=the_period(month), actor=cast.user("felix"))
