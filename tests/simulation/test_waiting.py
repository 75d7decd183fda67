"""Refunds take back instalments, those still to come as well, what is held and what was matched of
it: worked examples, and against plain fractions on random orders, partial refunds and months."""

from collections import defaultdict
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.engine.documents import COMPANY, METRICS, at_least, bonus, by_step, metric, upline
from tests.simulation.companies import UNILEVEL, Folder

PEOPLE = "distributor,sponsor\nAsha,\nBela,Asha\nCarl,Bela\nDina,Carl\n"
NAMES = ("Asha", "Bela", "Carl", "Dina")
HEAD = "order,buyer,kind,date,pv,cv,margin,quantity,refund_of\n"
ACTIVE = at_least("pv", "100")
PARTS = bonus("parts", pays=upline(2), rates=by_step("0.10", "0.05"), instalments=3)
HELD = bonus(
    "held",
    pays={"who": "source"},
    rates=by_step("0.07"),
    eligibility={"when": ACTIVE, "otherwise": "held"},
)
TEAM = bonus(
    "team", base={"of": "metric", "metric": "cv"}, pays=upline(1), rates=by_step("0.03"),
    instalments=2,
)  # fmt: skip
MATCH = bonus(
    "match",
    base={"of": "commissions", "bonuses": ["parts"], "per": "member", "after_limits": False},
    pays=upline(1, start="upline"),
    rates=by_step("0.50"),
)
POOL = bonus(
    "pool",
    base={"of": "metric", "metric": "turnover"},
    pays={"who": "pool", "shares": {"by": "equal"}, "remainder": "company", "if_nobody": "carry"},
    rates=by_step("0.10"),
    eligibility={"when": ACTIVE, "otherwise": "lost"},
)
EVERYTHING = {
    "bonuses": [PARTS, HELD, TEAM, MATCH, POOL],
    "metrics": [*METRICS, metric("turnover", volume="cv", scope=COMPANY)],
}


def folder(path: Path, orders: str, **parts: Any) -> Folder:
    return Folder(path, PEOPLE, HEAD + orders, **deepcopy(EVERYTHING | parts))


def sale(order: str, buyer: str, day: str, pieces: int, price: int) -> str:
    figure = f"{Decimal(pieces * price).scaleb(-2):f}"
    return f"{order},{buyer},self_consumption,{day},{figure},{figure},0,{pieces},\n"


def refund(order: str, of: str, day: str, pieces: int, price: int) -> str:
    figure = f"{Decimal(pieces * price).scaleb(-2):f}"
    return f"{order},,,{day},{figure},{figure},0,{pieces},{of}\n"


def of_bonus(period: dict[str, Any], code: str, who: str) -> list[tuple[str, str | None]]:
    return [
        (row["amount"], row["refund"])
        for row in period["ledger"]
        if (row["bonus"], row["distributor"]) == (code, who)
    ]


def carried(period: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {
        (row["name"], row["distributor"]): row["figure"]
        for row in period["carried"]
        if row["name"].startswith(("due.", "held.", "pool."))
    }


def test_instalments_to_come_are_less_and_paid_ones_go_back(tmp_path):
    """Carl's 300.00 bring Bela 30.00 in three parts. A third comes back in the second month."""
    orders = sale("o1", "Carl", "2024-01-15", 3, 10_000)
    first = refund("r1", "o1", "2024-02-10", 1, 10_000)
    last = refund("r2", "o1", "2024-04-10", 2, 10_000)

    found = folder(tmp_path, orders + first + last, bonuses=[PARTS]).run()["periods"]

    assert [of_bonus(period, "parts", "Bela") for period in found] == [
        [("10.00", None)],
        [("6.67", None), ("-3.33", "r1")],
        [("6.67", None)],
        [("-6.67", "r2")] * 3,
    ]
    assert carried(found[0])["due.parts.1", "Bela"] == "10.00"
    assert carried(found[1])["due.parts.1", "Bela"] == "6.67"
    undone = [row["reverses"] for row in found[3]["ledger"] if row["distributor"] == "Bela"]
    paid = [row["number"] for period in found[:3] for row in period["ledger"]
            if row["distributor"] == "Bela" and row["reverses"] is None]  # fmt: skip
    assert sorted(undone) == paid


def test_what_is_held_is_less_and_goes_back_once_it_is_paid(tmp_path):
    """Carl's 70.00 bring him 4.90 that wait until he sells 100.00; half comes back before, a
    quarter after he was paid."""
    orders = (
        sale("o1", "Carl", "2024-01-15", 4, 1_750)
        + refund("r1", "o1", "2024-02-10", 2, 1_750)
        + sale("o2", "Carl", "2024-03-15", 1, 20_000)
        + refund("r2", "o1", "2024-04-10", 1, 1_750)
    )

    found = folder(tmp_path, orders, bonuses=[HELD]).run()["periods"]

    assert carried(found[0]) == {("held.held", "Carl"): "4.90"}
    assert carried(found[1]) == {("held.held", "Carl"): "2.45"}
    assert of_bonus(found[2], "held", "Carl") == [("14.00", None), ("2.45", None)]
    # 4.90 x 3/4 is 3.675, so 3.68: 1.23 of the 2.45 that were paid.
    assert of_bonus(found[3], "held", "Carl") == [("-1.23", "r2")]


def test_match_on_an_instalment_goes_back_with_the_sale(tmp_path):
    orders = sale("o1", "Dina", "2024-01-15", 1, 30_000) + refund(
        "r1", "o1", "2024-03-10", 1, 30_000
    )

    found = folder(tmp_path, orders, bonuses=[PARTS, MATCH]).run()["periods"]

    # Carl's 10.00 a month, half of it matched to Bela; nothing is left of the third part.
    assert of_bonus(found[1], "match", "Bela") == [("5.00", None)]
    assert of_bonus(found[2], "match", "Bela") == [("-5.00", "r1"), ("-5.00", "r1")]
    assert carried(found[2]) == {}


def test_pool_that_waits_for_somebody_is_less(tmp_path):
    orders = (
        sale("o1", "Asha", "2024-01-15", 9, 1_000)
        + refund("r1", "o1", "2024-02-10", 4, 1_000)
        + sale("o2", "Bela", "2024-03-15", 1, 20_000)
        + refund("r2", "o1", "2024-04-10", 5, 1_000)
    )

    found = folder(tmp_path, orders, bonuses=[POOL]).run()["periods"]

    assert carried(found[0]) == {("pool.pool", "Asha"): "9.00"}
    assert carried(found[1]) == {("pool.pool", "Asha"): "5.00"}
    assert of_bonus(found[2], "pool", "Bela") == [("25.00", None)]
    assert of_bonus(found[3], "pool", "Bela") == [("-5.00", "r2")]


def test_rule_of_the_plan_is_kept(tmp_path):
    orders = sale("o1", "Carl", "2024-01-15", 3, 10_000) + refund(
        "r1", "o1", "2024-02-20", 1, 10_000
    )

    def left(**rule: Any) -> str:
        given = {"commissions": "proportional", "derived": True, "window_days": None,
                 "volume_counts_in": "period_of_refund", "reevaluate_rank": "never"}  # fmt: skip
        run = folder(tmp_path, orders, bonuses=[PARTS], reversal=given | rule).run()
        return carried(run["periods"][1]).get(("due.parts.1", "Bela"), "0")

    assert left() == "6.67"
    assert left(commissions="full") == "0"
    assert left(commissions="none") == "10.00"
    assert left(window_days=36) == "6.67"
    assert left(window_days=35) == "10.00"


def test_plan_that_pays_orders_in_parts_keeps_its_closed_periods(tmp_path):
    sold = sale("o1", "Carl", "2024-01-15", 3, 10_000)

    assert folder(tmp_path, sold, bonuses=[PARTS]).run()["state"]["closed"]
    assert folder(tmp_path, sold, bonuses=[UNILEVEL]).run()["state"]["closed"] == []


# Plain fractions


class Sale(NamedTuple):
    buyer: int
    month: int
    pieces: int
    price: int
    """Cents a piece."""


class Back(NamedTuple):
    sale: int
    month: int
    pieces: int


class Story(NamedTuple):
    months: int
    sales: list[Sale]
    backs: list[Back]

    def orders(self) -> Iterator[tuple[int, str]]:
        """Rows of the file by month; every refund stands after its sale."""
        for number, one in enumerate(self.sales):
            day = f"2024-{one.month + 1:02}-05"
            yield one.month, sale(f"o{number}", NAMES[one.buyer], day, one.pieces, one.price)
        for number, back in enumerate(self.backs):
            day, price = f"2024-{back.month + 1:02}-{10 + number}", self.sales[back.sale].price
            yield back.month, refund(f"r{number}", f"o{back.sale}", day, back.pieces, price)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    months = draw(st.integers(3, 6))
    prices = st.sampled_from([1, 7, 99, 333, 1_234, 4_000, 9_999])
    sales = [
        Sale(draw(st.integers(0, 3)), draw(st.integers(0, months - 2)), draw(st.integers(1, 9)),
             draw(prices))
        for _ in range(draw(st.integers(1, 6)))
    ]  # fmt: skip
    left = [one.pieces for one in sales]
    backs = []
    for _ in range(draw(st.integers(1, 8))):
        place = draw(st.integers(0, len(sales) - 1))
        if left[place]:
            pieces = draw(st.integers(1, left[place]))
            left[place] -= pieces
            backs.append(Back(place, draw(st.integers(sales[place].month, months - 1)), pieces))
    return Story(months, sales, backs)


def cents(exact: Fraction) -> int:
    return round(exact)


def in_parts(amount: int, count: int) -> list[int]:
    """Equal parts, the last takes the rest and is never below nothing."""
    part = cents(Fraction(amount, count))
    if part * (count - 1) > amount:
        part = amount // count
    return [part] * (count - 1) + [amount - part * (count - 1)]


class Books:
    """What everybody keeps of every bonus by the end of a month, and what still waits.

    Each amount that was earned is what it was, less the part of it that has come back by then: an
    instalment, a held amount, a match of what was paid in a month.
    """

    def __init__(self, story: Story, now: int) -> None:
        self.story, self.now = story, now
        self.paid: dict[tuple[str, int], int] = defaultdict(int)
        self.waits: dict[str, int] = defaultdict(int)
        parts = self.of_parts()
        self.of_held()
        self.of_team()
        self.of_match(parts)
        self.of_pool()

    def pieces(self, number: int, until: int) -> int:
        """Left of a sale by the end of a month."""
        backs = [b.pieces for b in self.story.backs if b.sale == number and b.month <= until]
        return self.story.sales[number].pieces - sum(backs)

    def sold(self) -> Iterator[tuple[Sale, int, Fraction]]:
        """Each sale so far, its cents at the end of its month, and the share that came back."""
        for number, one in enumerate(self.story.sales):
            whole = self.pieces(number, one.month)
            if one.month <= self.now and whole:
                back = Fraction(whole - self.pieces(number, self.now), whole)
                yield one, whole * one.price, back

    def is_active(self, who: int, month: int) -> bool:
        """100.00 sold in the month, less all that came back in it."""
        sales = self.story.sales
        bought = sum(s.pieces * s.price for s in sales if (s.buyer, s.month) == (who, month))
        back = sum(
            b.pieces * sales[b.sale].price
            for b in self.story.backs
            if (sales[b.sale].buyer, b.month) == (who, month)
        )
        return bought - back >= 100_00

    def pay(self, code: str, who: int, month: int, amount: int) -> None:
        if month <= self.now:
            self.paid[code, who] += amount
        else:
            self.waits[code] += amount

    def of_parts(self) -> dict[tuple[int, int], int]:
        """Also what each was paid of it in each month."""
        by_month: dict[tuple[int, int], int] = defaultdict(int)
        for one, figure, back in self.sold():
            for step, rate in ((1, 10), (2, 5)):
                who = one.buyer - step
                if who >= 0:
                    whole = cents(Fraction(figure * rate, 100))
                    for later, part in enumerate(in_parts(whole, 3)):
                        left = part - cents(part * back)
                        self.pay("parts", who, one.month + later, left)
                        by_month[who, one.month + later] += left
        return by_month

    def of_held(self) -> None:
        for one, figure, back in self.sold():
            amount = cents(Fraction(figure * 7, 100))
            months = range(one.month, self.now + 1)
            paid_in = next((m for m in months if self.is_active(one.buyer, m)), self.now + 1)
            self.pay("held", one.buyer, paid_in, amount - cents(amount * back))

    def of_team(self) -> None:
        sums: dict[tuple[int, int], list[Fraction]] = {}
        for one, figure, back in self.sold():
            both = sums.setdefault((one.buyer, one.month), [Fraction(0), Fraction(0)])
            both[0] += figure
            both[1] += figure * (1 - back)
        for (buyer, month), (then, now) in sums.items():
            whole, left = cents(then * 3 / 100), cents(now * 3 / 100)
            if buyer and whole:
                for later, part in enumerate(in_parts(whole, 2)):
                    less = cents(Fraction(part * (whole - left), whole))
                    self.pay("team", buyer - 1, month + later, part - less)

    def of_match(self, parts: dict[tuple[int, int], int]) -> None:
        for (who, month), amount in parts.items():
            if who and month <= self.now:
                self.pay("match", who - 1, month, cents(Fraction(amount, 2)))

    def of_pool(self) -> None:
        waits = 0
        for month in range(self.now + 1):
            left = sum(f * (1 - back) for one, f, back in self.sold() if one.month == month)
            pool = waits + cents(Fraction(left) / 10)
            people = [who for who in range(4) if self.is_active(who, month)]
            waits = 0 if people else pool
            for who in people:
                self.pay("pool", who, month, pool // len(people))
        self.waits["pool"] += waits


thorough = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@thorough
@given(stories(), st.integers(0, 5))
def test_books_of_every_month_are_those_of_the_fractions(story: Story, cut: int):
    rows = list(story.orders())
    until = (date(2024, story.months + 1, 1) - date(1970, 1, 1)).days - 1
    before = "".join(row for month, row in rows if month <= cut)
    after = "".join(row for month, row in rows if month > cut)
    with TemporaryDirectory() as path:
        whole = folder(Path(path), before + after).run(until=until)
        parts = []
        for orders in filter(None, (before, after)):
            state = parts[-1]["state"] if parts else None
            last = until if orders == (after or before) else None
            parts.append(folder(Path(path), orders).run(state, until=last))

    months = {period["period"]: period for period in whole["periods"]}
    paid: dict[tuple[str, int], int] = defaultdict(int)
    for now in range(story.months):
        period = months.get(f"2024-{now + 1:02}", {"ledger": [], "carried": []})
        for row in period["ledger"]:
            key = row["bonus"], NAMES.index(row["distributor"])
            paid[key] += int(Decimal(row["amount"]).scaleb(2))
        books = Books(story, now)
        assert nonzero(paid) == nonzero(books.paid), now
        waits: dict[str, int] = defaultdict(int)
        for (name, _), figure in carried(period).items():
            waits[name.split(".")[1]] += int(Decimal(figure).scaleb(2))
        assert nonzero(waits) == nonzero(books.waits), now
    assert [period for part in parts for period in part["periods"]] == whole["periods"]
    assert parts[-1]["state"] == whole["state"]


def nonzero(figures: dict[Any, int]) -> dict[Any, int]:
    return {key: figure for key, figure in figures.items() if figure}


@pytest.mark.parametrize("code", ["parts", "held", "team", "match", "pool"])
def test_when_all_is_back_nobody_keeps_anything(tmp_path, code):
    orders = sale("o1", "Dina", "2024-01-15", 7, 1_111) + sale("o2", "Dina", "2024-02-15", 1, 9_900)
    backs = "".join(refund(f"r{n}", "o1", f"2024-0{n}-20", 1, 1_111) for n in range(2, 9))
    backs += refund("r9", "o2", "2024-09-01", 1, 9_900)

    periods = folder(tmp_path, orders + backs).run()["periods"]

    rows = [row for period in periods for row in (*period["ledger"], *period["retained"])]
    kept = sum(Decimal(row["amount"]) for row in rows if row["bonus"] == code)
    assert kept == 0
    assert not any(row["figure"] for row in periods[-1]["carried"] if code in row["name"])
