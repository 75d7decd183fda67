"""Once, once a rank, after some periods, in instalments: published cases and what always holds."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commissions.engine.occurrence import instalment
from commissions.engine.plan import Plan
from tests.engine.closing import Closed, close
from tests.engine.documents import (
    Document,
    at_least,
    bonus,
    by_rank,
    by_step,
    document,
    given_ladder,
    has_rank,
    ladder,
    levels,
    load,
    metric,
    upline,
)
from tests.engine.small import LAST_DAY

SOURCE = {"who": "source"}
EACH = {"of": "flat", "per": "member"}
FLAGGED = {"is": "flag", "flag": "ok"}

TITLES = {
    "bronze": "250",
    "silver": "500",
    "gold": "1500",
    "platinum": "5000",
    "diamond": "10000",
    "crown_diamond": "25000",
    "royal_diamond": "50000",
}
SPEED = [{"within_days": 60, "times": "2"}, {"within_days": 90, "times": "1.5"}]


def rank_bonus(table: dict[str, str], skipped: str = "pay_all", **parts: Any) -> Document:
    occurrence = {"times": "once_per_rank", "skipped_ranks": skipped}
    if "speed" in parts:
        occurrence["speed"] = parts.pop("speed")
    given: Document = {
        "ledger_type": "rank_bonus",
        "base": EACH,
        "pays": SOURCE,
        "rates": by_rank({rank: [amount] for rank, amount in table.items()}),
        "unit": "amount",
        "occurrence": occurrence,
    }
    return bonus("advance", **(given | parts))


def ranked(*bonuses: Document) -> Plan:
    ladders = [given_ladder("rank", *TITLES)]
    return load(document(bonuses=list(bonuses), ladders=ladders))


def reach(rule: Plan, now: int, before: int = 0, days: int = 200, **more: Any) -> Closed:
    """Somebody who had a rank, and now has another after so many days (of joining, or of it)."""
    state = {"rank.rank.since": [LAST_DAY - days]} if before else None
    return close(
        rule,
        {"u": None},
        state=more.pop("state", state),
        given={"rank": [now]},
        highest={"rank": [before]},
        joined=[LAST_DAY - (500 if before else days)],
        **more,
    )


@pytest.mark.parametrize(
    ("days", "times"), [(100, "1"), (60, "2"), (90, "1.5"), (61, "1.5"), (0, "2")]
)
@pytest.mark.parametrize("level", range(1, 8))
def test_once_for_each_rank_and_more_for_the_fast(level: int, days: int, times: str):  # rbn-01
    rule = ranked(rank_bonus(TITLES, speed=SPEED))

    closed = reach(rule, level, level - 1, days)

    amount = Decimal(list(TITLES.values())[level - 1]) * Decimal(times)
    assert closed.paid("advance") == {"u": [f"{amount:.2f}"]}


def test_a_rank_is_paid_when_it_is_new():
    rule = ranked(rank_bonus(TITLES))

    assert reach(rule, 3, 3).paid("advance") == {}
    assert reach(rule, 2, 3).paid("advance") == {}
    assert reach(rule, 3, 2).paid("advance") == {"u": ["1500.00"]}


@pytest.mark.parametrize(
    ("skipped", "paid"), [("pay_all", ["500.00", "1500.00"]), ("reached_only", ["1500.00"])]
)
def test_ranks_that_were_skipped(skipped: str, paid: list[str]):
    closed = reach(ranked(rank_bonus(TITLES, skipped)), 3, 1)

    assert closed.paid("advance") == {"u": paid}
    [*_, last] = closed.result.ledger
    assert last.rank_level.tolist() == [3]


def test_a_rank_without_an_amount_still_lets_the_others_be_paid():
    rule = ranked(rank_bonus({"bronze": "250", "silver": "500"}))

    assert reach(rule, 3).paid("advance") == {"u": ["250.00", "500.00"]}


def test_vacations_of_all_ranks_reached_at_once():  # car-01
    amounts = ["500", "1500", "3500", "7500", "15000", "30000"]
    table = dict(zip(list(TITLES)[1:], amounts, strict=True))

    closed = reach(ranked(rank_bonus(table)), 7)

    assert closed.paid("advance") == {"u": [f"{amount}.00" for amount in amounts]}
    assert closed.result.total == 58_000_00


# Instalments


def in_months(rule: Plan, first: Closed, months: int) -> list[Closed]:
    """The first close and those after it in which nothing new happens."""
    closed = [first]
    for _ in range(months - 1):
        state = closed[-1].result.state
        closed.append(close(rule, {"u": None}, state=state, given={"rank": [0]}))
    return closed


@pytest.mark.parametrize(
    ("days", "parts"),
    [
        (55, ["6666.67", "6666.67", "6666.66"]),
        (100, ["3333.33", "3333.33", "3333.34"]),
    ],
)
def test_the_last_instalment_takes_the_rest(days: int, parts: list[str]):  # rbn-01, notes
    rule = ranked(rank_bonus(TITLES, "reached_only", speed=SPEED, instalments=3))

    months = in_months(rule, reach(rule, 5, 4, days), 4)

    assert [month.paid("advance").get("u") for month in months] == [
        *([part] for part in parts),
        None,
    ]
    assert months[2].state("due.advance.1") == {}


def test_instalments_of_several_periods_fall_due_together():
    rule = ranked(rank_bonus({"bronze": "100", "silver": "40"}, instalments=4))
    first = reach(rule, 1)
    second = reach(rule, 2, 1, state=first.result.state)

    assert second.paid("advance") == {"u": ["10.00", "25.00"]}
    assert second.state("due.advance.1") == {"u": 35_00}
    assert second.state("due.advance.3") == {"u": 10_00}


def test_cashback_in_four_instalments():  # pol-05
    volumes = [{"code": "pv"}, {"code": "part", "of": "pv", "rate": "0.14"}]
    back = bonus(
        "self_income",
        base={"of": "order", "volume": "part"},
        pays=SOURCE,
        rates=by_step("1"),
        instalments=4,
    )
    rule = load(document(volumes=volumes, metrics=[metric("pv")], bonuses=[back]))

    first = close(rule, {"u": None}, [("u", "200")])
    weeks = in_months(rule, first, 5)

    assert [week.paid("self_income").get("u") for week in weeks] == [["7.00"]] * 4 + [None]


@settings(max_examples=60, deadline=None)
@given(
    amounts=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20),
    count=st.integers(1, 60),
    rounding=st.sampled_from(["half_even", "half_up", "toward_zero", "away_from_zero"]),
)
def test_instalments_are_alike_and_the_last_has_the_same_sign(
    amounts: list[int], count: int, rounding: str
):
    whole = np.array(amounts)

    part = instalment(whole, count, rounding)

    last = whole - part * (count - 1)
    assert (part * whole >= 0).all()
    assert (last * whole >= 0).all()
    assert (np.abs(part * count - whole) < count).all()


@settings(max_examples=40, deadline=None)
@given(cents=st.integers(1, 10**6), count=st.integers(2, 8))
def test_instalments_add_up_to_the_whole(cents: int, count: int):
    amount = f"{cents // 100}.{cents % 100:02}"
    rule = ranked(rank_bonus({"bronze": amount}, instalments=count))

    months = in_months(rule, reach(rule, 1), count + 1)

    assert sum(month.result.total for month in months) == cents
    assert months[-1].result.total == 0


# After some periods


CARS = {"cruiser": ("gold", "7500"), "executive": ("platinum", "20000")}
CAR = ladder(
    {
        code: {"is": "all", "of": [has_rank(rank), at_least("gv", figure)]}
        for code, (rank, figure) in CARS.items()
    },
    code="car",
    climb="highest_met",
)


def cars() -> Plan:
    rates = by_rank({"cruiser": ["500"], "executive": ["800"]}) | {"ladder": "car"}
    car = bonus(
        "car",
        ledger_type="car_bonus",
        base=EACH,
        pays=SOURCE,
        rates=rates,
        unit="amount",
        eligibility={"when": has_rank("cruiser", "car"), "otherwise": "lost"},
        occurrence={"times": "always", "after_periods": 3},
    )
    return load(document(ladders=[given_ladder("rank", *TITLES), CAR], bonuses=[car]))


def drive(*turnovers: dict[str, str]) -> list[Closed]:
    """A Gold and a Platinum, month by month."""
    months: list[Closed] = []
    for turnover in turnovers:
        state = months[-1].result.state if months else None
        given = {"rank": [3, 4]}
        people = {"g": None, "p": None}
        months.append(close(cars(), people, list(turnover.items()), state=state, given=given))
    return months


def test_a_car_from_the_third_month_in_a_row():  # car-01
    months = drive(*[{"g": "7500", "p": "20000"}] * 4)

    paid = {"g": ["500.00"], "p": ["800.00"]}
    assert [month.paid("car") for month in months] == [{}, {}, paid, paid]


def test_a_month_below_the_turnover_starts_the_count_again():
    enough, less = {"g": "7500"}, {"g": "7499.99"}

    months = drive(enough, enough, less, enough, enough, enough)

    assert [month.paid("car").get("g") for month in months] == [None] * 5 + [["500.00"]]
    assert [month.state("run.car").get("g", 0) for month in months] == [1, 2, 0, 1, 2, 3]


def paid_months(months: int, eligible: set[int], **often: Any) -> list[int]:
    """In which of the months somebody is paid who is eligible in some of them."""
    gift = bonus("gift", base=EACH, pays=SOURCE, unit="amount", rates=by_step("5"),
                 eligibility={"when": FLAGGED, "otherwise": "lost"},
                 occurrence={"times": "always"} | often)  # fmt: skip
    plan, state, paid = load(document(bonuses=[gift])), None, []
    for month in range(1, months + 1):
        closed = close(plan, {"u": None}, state=state, flags={"ok": [month in eligible]})
        state = closed.result.state
        paid += [month] * bool(closed.paid("gift"))
    return paid


@pytest.mark.parametrize(
    ("eligible", "paid"),
    [
        ({1, 2, 3, 6, 7}, [3, 6, 7]),
        ({1, 2, 3, 7, 8, 9}, [3, 9]),
        ({1, 2, 5, 8}, [5, 8]),
        ({1, 3, 6, 10}, [6]),
    ],
)
def test_so_many_months_without_it_only_pause_the_row(eligible: set[int], paid: list[int]):
    assert paid_months(10, eligible, after_periods=3, may_miss=2) == paid


def test_who_was_paid_rests_for_so_many_periods():
    every = set(range(1, 11))

    assert paid_months(10, every, rest_periods=2) == [1, 4, 7, 10]
    assert paid_months(10, every, after_periods=3, rest_periods=3) == [3, 7]
    assert paid_months(10, {1, 2, 5, 6, 9}, rest_periods=2) == [1, 5, 9]


# Once


def full_matrix(width: int, height: int) -> dict[str, str | None]:
    people: dict[str, str | None] = {"you": None}
    level = ["you"]
    for _ in range(height):
        level = [f"{up}.{place}" for up in level for place in range(width)]
        people |= {who: who.rpartition(".")[0] for who in level}
    return people


PER_ID = {1: "100", 2: "50", 3: "25", 4: "10"}


def matrix() -> Plan:
    """For each level of a 4 x 4 matrix an amount for each id on it, once the level is full."""
    counts = [metric(f"ids_{n}", what="members", scope=levels(n, n, "placement")) for n in PER_ID]
    bonuses = [
        bonus(
            f"level_{n}",
            ledger_type="matrix",
            base={"of": "metric", "metric": f"ids_{n}"},
            pays=SOURCE,
            rates=by_step(amount),
            unit="amount",
            eligibility={"when": at_least(f"ids_{n}", str(4**n)), "otherwise": "lost"},
            occurrence={"times": "once"},
        )
        for n, amount in PER_ID.items()
    ]
    return load(document(metrics=counts, bonuses=bonuses))


def test_a_matrix_pays_each_level_once_when_it_is_full():  # mtx-02
    people = full_matrix(4, 4)
    assert len(people) == 341

    first = close(matrix(), people)
    again = close(matrix(), people, state=first.result.state)

    yours = [first.paid(f"level_{n}")["you"] for n in PER_ID]
    assert yours == [["400.00"], ["800.00"], ["1600.00"], ["2560.00"]]
    assert sum(Decimal(amount) for [amount] in yours) == 5360
    assert len(first.paid("level_1")) == 1 + 4 + 16 + 64
    assert again.result.total == 0


def test_a_level_that_is_not_full_waits():
    people = full_matrix(4, 2)
    missing = dict(list(people.items())[:-1])
    first = close(matrix(), missing)
    state = {name: np.append(figures, 0) for name, figures in first.result.state.items()}
    second = close(matrix(), people, state=state)

    assert first.paid("level_1").keys() == {"you", "you.0", "you.1", "you.2"}
    assert first.paid("level_2") == {}
    assert second.paid("level_1") == {"you.3": ["400.00"]}
    assert second.paid("level_2") == {"you": ["800.00"]}


def once(**parts: Any) -> Document:
    given: Document = {"pays": SOURCE, "rates": by_step("0.5"), "occurrence": {"times": "once"}}
    return bonus("first", **(given | parts))


def test_once_is_one_line_in_a_life():
    rule = load(document(bonuses=[once()]))
    people = {"a": None, "b": None}

    first = close(rule, people, [("a", "10"), ("a", "20")])
    second = close(rule, people, [("a", "30"), ("b", "40")], state=first.result.state)
    third = close(rule, people, [("a", "30"), ("b", "40")], state=second.result.state)

    assert [month.paid("first") for month in (first, second, third)] == [
        {"a": ["5.00"]},
        {"b": ["20.00"]},
        {},
    ]
    assert third.state("once.first") == {"a": 1, "b": 1}


def test_once_counts_over_all_steps_of_a_walk():
    walk = once(pays=upline(max_steps=2), rates=by_step("0.10", "0.05"))
    chain = {"a": None, "b": "a", "c": "b"}

    closed = close(load(document(bonuses=[walk])), chain, [("b", "100"), ("c", "100")])

    assert closed.paid("first") == {"a": ["10.00"], "b": ["10.00"]}


# Held


def test_what_is_held_is_paid_when_its_earner_is_eligible():
    waits = once(eligibility={"when": FLAGGED, "otherwise": "held"}, occurrence={"times": "always"})
    rule = load(document(bonuses=[waits]))
    months: list[Closed] = []
    for ok, sold in ((0, "10"), (0, "20"), (1, "40"), (0, "8"), (1, "0")):
        state = months[-1].result.state if months else None
        months.append(close(rule, {"a": None}, [("a", sold)], state=state, flags={"ok": [ok]}))

    assert [month.paid("first").get("a", []) for month in months] == [
        [],
        [],
        ["20.00", "15.00"],
        [],
        ["4.00"],
    ]
    assert [month.state("held.first").get("a", 0) for month in months] == [500, 1500, 0, 400, 0]


def test_what_waits_is_paid_as_such():
    rule = ranked(rank_bonus({"bronze": "100"}, instalments=2))

    [block] = in_months(rule, reach(rule, 1), 2)[1].result.ledger

    assert (block.level, block.source.tolist(), block.line.tolist()) == (0, [-1], [-1])
    assert (block.base.tolist(), block.rate.tolist()) == ([50_00], [1_000_000])
