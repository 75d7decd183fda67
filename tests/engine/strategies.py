"""Random plans, trees and orders for the property tests.

Drawn dense on purpose: deep trees, most classes counting, thresholds that about half reach. Left to
itself Hypothesis likes empty lists and zeros, and nobody would be paid at a second step.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from commissions.engine import ORDER_CLASSES, Snapshot, build_snapshot
from tests.engine.oracle import Person, Sale

STEPS = 4
STARTS = ["seller", "upline"]


@dataclass(frozen=True)
class World:
    document: dict[str, Any]
    people: list[Person]
    sales: list[Sale]
    refunds: list[Sale]

    def snapshot(self, order: list[int] | None = None) -> Snapshot:
        """The company as arrays, members in the given order (indexes into `people`)."""
        order = list(range(len(self.people))) if order is None else order
        place = {self.people[index].name: new for new, index in enumerate(order)}
        people = [self.people[index] for index in order]
        return build_snapshot(
            members={
                "id": [person.name for person in people],
                "sponsor": [place.get(person.sponsor, -1) for person in people],
                "enroller": [place.get(person.enroller, -1) for person in people],
                "highest_level": [person.highest for person in people],
            },
            lines=columns(self.sales, place),
            refunds=columns(self.refunds, place),
        )


def columns(sales: list[Sale], place: dict[int, int]) -> dict[str, list[int]]:
    return {
        "id": [sale.name for sale in sales],
        "seller": [place[sale.seller] for sale in sales],
        "order_class": [ORDER_CLASSES.index(sale.kind) for sale in sales],
        "pv": [int(sale.pv * 100) for sale in sales],
        "cv": [int(sale.cv * 100) for sale in sales],
        "margin": [int(sale.margin * 100) for sale in sales],
    }


def decimals(low: int, high: int, places: int = 2) -> st.SearchStrategy[str]:
    """Decimal strings from low to high, in steps of the last place."""
    return st.integers(low, high).map(lambda n: f"{n // 10**places}.{n % 10**places:0{places}d}")


volume = st.integers(0, 42_000).map(lambda n: max(40_000 - n, 0)).map(lambda n: Fraction(n, 100))
rarely = st.sampled_from([False, False, False, True])
rate_row = st.lists(decimals(0, 300_000, places=6), min_size=1, max_size=STEPS)
order_class = st.sampled_from(ORDER_CLASSES)
most_classes = st.sets(order_class, max_size=2).map(
    lambda left_out: [code for code in ORDER_CLASSES if code not in left_out]
)


@st.composite
def ladders(draw: st.DrawFn) -> list[dict[str, Any]]:
    return [
        {
            "code": f"rank{level}",
            "name": f"Rank {level}",
            "level": level,
            "min_personal_pv": draw(decimals(0, 5_000 * level)),
            "min_group_pv": draw(decimals(0, 15_000 * level)),
            "min_legs": draw(st.sampled_from([0, 0, 1, 2])),
            "min_leg_volume": draw(decimals(0, 10_000)),
        }
        for level in range(1, draw(st.integers(1, 4)) + 1)
    ]


@st.composite
def bonuses(draw: st.DrawFn, position: int, codes: list[str]) -> dict[str, Any]:
    who = draw(st.sampled_from(["walk", "walk", "walk", "seller", "self"]))
    some_rank = st.none() | st.sampled_from(codes)
    bonus: dict[str, Any] = {
        "code": f"bonus{position}",
        "name": f"Bonus {position}",
        "ledger_type": "unilevel",
        "trigger": "period_close",
        "base": "flat" if who == "self" else draw(st.sampled_from(["cv", "pv", "margin"])),
        "eligibility": {
            "active": draw(rarely),
            "min_rank": draw(some_rank) if draw(rarely) else None,
            "otherwise": "lost",
        },
        "occurrence": {"times": "always"},
    }
    if who == "self":
        paid = draw(st.sets(st.sampled_from(codes), min_size=1))
        bonus["selector"] = {"who": "self"}
        bonus["amounts"] = {code: draw(decimals(1, 5_000)) for code in sorted(paid)}
        skipped = draw(st.sampled_from(["pay_all", "reached_only"]))
        bonus["occurrence"] = {"times": "once_per_rank_ever", "skipped_ranks": skipped}
        return bonus
    if who == "seller":
        kinds = draw(most_classes)
        bonus["selector"] = {"who": "seller", "orders": kinds}
        bonus["rates"] = {"by": "step", "table": [draw(decimals(0, 1_000_000, places=6))]}
        return bonus
    bonus["selector"] = draw(walks(some_rank))
    steps = bonus["selector"]["max_steps"]
    bonus["rates"] = draw(rates(codes, steps))
    return bonus


@st.composite
def walks(draw: st.DrawFn, some_rank: st.SearchStrategy[str | None]) -> dict[str, Any]:
    steps: dict[str, Any] = {"count": "physical"}
    if draw(st.booleans()):
        steps = {
            "count": "compressed",
            "skip_inactive": draw(st.booleans()),
            "skip_below": draw(some_rank),
        }
    return {
        "who": "walk",
        "tree": draw(st.sampled_from(["sponsor", "enroller"])),
        "start": {code: draw(st.sampled_from(STARTS)) for code in draw(most_classes)},
        "steps": steps,
        "max_steps": draw(st.sampled_from([1, 2, 3, STEPS, STEPS])),
    }


@st.composite
def rates(draw: st.DrawFn, codes: list[str], steps: int) -> dict[str, Any]:
    row = rate_row.map(lambda rates: rates[:steps])
    if draw(st.booleans()):
        return {"by": "step", "table": draw(row)}
    unpaid = draw(st.sets(st.sampled_from(["none", *codes]), max_size=1))
    paid = [code for code in ("none", *codes) if code not in unpaid]
    return {"by": "rank_and_step", "table": {code: draw(row) for code in paid}}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    ladder = draw(ladders())
    codes = [rank["code"] for rank in ladder]
    return {
        "schema": 1,
        "name": "Random plan",
        "currency": "EUR",
        "money": {
            "rounding": draw(st.sampled_from(["half_even", "half_up", "down"])),
            "scale": 2,
            "granularity": "payment",
            "zero_amounts": draw(st.sampled_from(["omit", "keep"])),
        },
        "volumes": {
            "personal": draw(most_classes),
            "group": {
                "tree": draw(st.sampled_from(["sponsor", "enroller"])),
                "includes_own": draw(st.booleans()),
            },
        },
        "activity": {"min_personal_pv": draw(decimals(0, 12_000))},
        "ranks": {
            "climb": draw(st.sampled_from(["each_rank", "highest_met"])),
            "when_not_met": "falls_at_once",
            "ladder": ladder,
        },
        "bonuses": [draw(bonuses(i, codes)) for i in range(draw(st.integers(1, 4)))],
        "limits": {"payout_share": None},
        "reversal": {
            "commissions": "proportional",
            "volume_counts_in": "period_of_refund",
            "reevaluate_rank": False,
        },
    }


@st.composite
def worlds(draw: st.DrawFn) -> World:
    document = draw(documents())
    size = draw(st.sampled_from([10, 6, 14, 3, 1]))
    names = draw(st.permutations(range(101, 101 + size)))
    top = len(document["ranks"]["ladder"])
    people = [
        Person(name, draw(upline(names[:i])), draw(upline(names[:i])), draw(st.integers(0, top)))
        for i, name in enumerate(names)
    ]
    sales = draw(sales_of(names, first=1, sign=1))
    return World(document, people, sales, draw(sales_of(names, first=501, sign=-1)))


def upline(earlier: list[int]) -> st.SearchStrategy[int | None]:
    """Mostly one of the three who joined last, seldom nobody: deep trees with some branches."""
    if not earlier:
        return st.none()
    return st.sampled_from([*earlier[-3:] * 3, *earlier, None])


@st.composite
def sales_of(draw: st.DrawFn, names: list[int], first: int, sign: int) -> list[Sale]:
    drawn = st.tuples(st.sampled_from(names), order_class, volume, volume, volume)
    few, many = (len(names), 16) if sign > 0 else (0, 3)
    sales = draw(st.lists(drawn, min_size=few, max_size=many))
    return [
        Sale(first + i, seller, kind, sign * pv, sign * cv, sign * margin)
        for i, (seller, kind, pv, cv, margin) in enumerate(sales)
    ]
