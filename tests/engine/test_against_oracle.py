"""The engine against an independent oracle, on random plans, companies and carried states."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from commissions.engine.calculate import calculate
from commissions.engine.errors import CapacityError
from commissions.engine.plan import PAYMENT, PERIOD_CLOSE, Plan
from commissions.engine.result import Block, Result
from commissions.engine.snapshot import LARGEST_VOLUME
from tests.engine.documents import load
from tests.engine.oracle import Award, Expected, expected
from tests.engine.oracle.company import rounded
from tests.engine.strategies import FIGURES, World, at_payment, new_worlds, worlds

PARTS = 5
"""Of 400 worlds each, so that two workers share them."""
thorough = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
quick = settings(thorough, max_examples=80)
Row = tuple[Any, ...]


def written(blocks: Sequence[Block], plan: Plan) -> list[Row]:
    """The engine's lines in the oracle's words and in a fixed order."""
    rows = []
    for block in blocks:
        code = plan.programmes[block.bonus].code
        names = ("earner", "source", "line", "rank_level", "base", "rate", "amount")
        for earner, source, line, rank, base, rate, amount in zip(
            *(getattr(block, name).tolist() for name in names), strict=True
        ):
            figures = (Fraction(base, 100), Fraction(rate, 10**6), in_money(amount, plan))
            rows.append((code, block.level, earner, source, line, rank, *figures))
    return sorted(rows)


def told(awards: list[Award]) -> list[Row]:
    return sorted(
        (
            award.bonus, award.level, place(award.earner), place(award.source), place(award.line),
            award.rank, award.base, award.rate, award.amount,
        )
        for award in awards
    )  # fmt: skip


def place(thing: Any) -> int:
    return -1 if thing is None else int(thing.place)


def in_money(units: int, plan: Plan) -> Fraction:
    return Fraction(units, 10**plan.money.scale)


def assert_same_lines(blocks: Sequence[Block], awards: list[Award], plan: Plan) -> None:
    """By line to the unit; by member his sum is, and how his lines share it is left open."""
    got, wanted = written(blocks, plan), told(awards)
    if plan.money.granularity == "line":
        assert got == wanted
        return
    assert [row[:-1] for row in got] == [row[:-1] for row in wanted]
    assert sums(got) == sums(wanted)
    for row, other in zip(got, wanted, strict=True):
        assert abs(row[-1] - other[-1]) <= in_money(1, plan)


def sums(rows: list[Row]) -> dict[tuple[str, int], Fraction]:
    """By bonus and earner."""
    total: dict[tuple[str, int], Fraction] = {}
    for code, _, earner, *_, amount in rows:
        total[code, earner] = total.get((code, earner), Fraction(0)) + amount
    return total


def assert_same(result: Result, wanted: Expected, plan: Plan) -> None:
    standings = result.standings
    if standings is not None:
        for code, figures in wanted.metrics.items():
            assert [Fraction(n, 100) for n in standings.metrics[code].tolist()] == figures, code
        assert standings.active.tolist() == wanted.active
        for ladder, ranks in wanted.ranks.items():
            for which, levels in ranks.items():
                got = getattr(standings.ranks[ladder], which).tolist()
                assert got == levels, (ladder, which)
    for name in ("ledger", "retained", "held", "rewards"):
        assert_same_lines(getattr(result, name), getattr(wanted, name), plan)
    checks = {check.code: (check.allowed, check.paid) for check in result.checks}
    assert {
        code: (in_money(allowed, plan), in_money(paid, plan))
        for code, (allowed, paid) in checks.items()
    } == wanted.checks
    payable = [] if result.payable is None else result.payable.tolist()
    assert [in_money(units, plan) for units in payable] == wanted.payable
    size = result.member_count
    for name in sorted(set(result.state) | set(wanted.state)):
        got = result.state[name].tolist() if name in result.state else [0] * size
        figures = wanted.state.get(name, [Fraction(0)] * size)
        assert [Fraction(n, unit(name, plan)) for n in got] == figures, name


def unit(name: str, plan: Plan) -> int:
    """How many of a state's units make one of what it counts."""
    kind = name.partition(".")[0]
    if kind in ("due", "held", "limit", "wallet", "reward"):
        return int(10**plan.money.scale)
    return 100 if kind in ("metric", "pool", "pairs") else 1


@pytest.mark.parametrize("part", range(PARTS))
def test_lines_standings_and_state_equal_the_oracle(part: int):
    @seed(part)
    @settings(thorough, derandomize=False, database=None)
    @given(new_worlds)
    def compare(world: World) -> None:
        plan, snapshot = load(world.document), world.snapshot()
        assert_same(calculate(snapshot, plan), expected(snapshot, plan), plan)

    compare()


@quick
@given(worlds)
def test_commissions_at_payment_equal_the_oracle(world: World):
    world = at_payment(world)
    plan, snapshot = load(world.document), world.snapshot()

    result = calculate(snapshot, plan, PAYMENT)

    assert_same(result, expected(snapshot, plan, PAYMENT), plan)


@quick
@given(worlds, st.data())
def test_the_order_of_the_input_changes_nothing(world: World, data: st.DataObject):
    plan, snapshot = load(world.document), world.snapshot()
    shuffled = replace(
        world,
        lines=data.draw(st.permutations(world.lines)),
        refunds=data.draw(st.permutations(world.refunds)),
    ).snapshot(data.draw(st.permutations(range(len(world.members["id"])))))

    result, other = calculate(snapshot, plan), calculate(shuffled, plan)

    assert shuffled.content_hash() == snapshot.content_hash()
    assert other.result_hash() == result.result_hash() == calculate(snapshot, plan).result_hash()


@quick
@given(worlds)
def test_totals_are_the_sums_of_the_lines(world: World):
    plan = load(world.document)

    result = calculate(world.snapshot(), plan)

    sums = Counter(dict.fromkeys(result.totals, 0))
    for block in result.ledger:
        sums[plan.programmes[block.bonus].code] += sum(block.amount.tolist())
    assert dict(result.totals) == dict(sums)
    assert result.total == sum(result.earned().tolist())
    named = (*plan.triggered_by(PERIOD_CLOSE), *plan.limits)
    assert set(sums) == {programme.code for programme in named}


@quick
@given(worlds)
def test_every_line_is_its_base_times_its_rate(world: World):
    """Money of more places than a base has is beside it where it is paid as such."""
    plan = load(world.document)
    assume(plan.money.granularity == "line" and plan.money.scale <= 2)

    result = calculate(world.snapshot(), plan)

    for block in (*result.ledger, *result.retained, *result.held):
        programme = plan.programmes[block.bonus]
        if getattr(programme, "instalments", 1) > 1:
            continue
        factor = Fraction(getattr(programme, "factor", 10**6), 10**6)
        of_share = block.rate != 10**6
        for base, rate, amount, is_share in zip(
            block.base.tolist(), block.rate.tolist(), block.amount.tolist(), of_share, strict=True
        ):
            exact = Fraction(base, 100) * Fraction(rate, 10**6) * (factor if is_share else 1)
            money = plan.money
            assert in_money(amount, plan) == rounded(exact, money.scale, money.rounding)


@quick
@given(worlds, st.sampled_from([10**8, LARGEST_VOLUME // 40_000]))
def test_the_largest_volumes_are_exact_or_refused(world: World, times: int):
    def larger(lines: list[dict[str, int]]) -> list[dict[str, int]]:
        return [line | {code: times * line[code] for code in FIGURES} for line in lines]

    world = replace(world, lines=larger(world.lines), refunds=larger(world.refunds))
    plan, snapshot = load(world.document), world.snapshot()

    try:
        result = calculate(snapshot, plan)
    except CapacityError:
        return

    assert_same(result, expected(snapshot, plan), plan)
