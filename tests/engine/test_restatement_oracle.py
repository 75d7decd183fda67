"""What refunds undo of lines without an order line, on random plans and companies."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from commissions.engine.calculate import WAITING, calculate
from commissions.engine.restatement import Closed, Restated, is_concerned, restate
from commissions.engine.returned import Returns
from commissions.engine.rows import more, rows_of
from tests.engine.documents import load
from tests.engine.oracle.reversals import Return, undone
from tests.engine.strategies import FIGURES, World, worlds

thorough = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def line_by_line(world: World) -> World:
    """Rounded line by line: how a member's lines share his rounded sum the oracle leaves open."""
    whole = {**world.document, "money": {**world.document["money"], "granularity": "line"}}
    return replace(world, document=whole)


@st.composite
def refunds(draw: st.DrawFn, world: World) -> list[dict[int, int]]:
    """Periods after the close: of which lines how many more of their ten pieces come back."""
    left = dict.fromkeys(range(len(world.lines)), 10)
    periods = []
    for _ in range(draw(st.integers(1, 4))):
        back = {place: draw(st.integers(0, left[place])) for place in left if draw(st.booleans())}
        for place, pieces in back.items():
            left[place] -= pieces
        periods.append({place: pieces for place, pieces in back.items() if pieces})
    return periods


def came_back(world: World, periods: Sequence[Mapping[int, int]]) -> Returns:
    """So many tenths of the lines, in hundredths rounded down on what has come back so far."""
    so_far: dict[int, int] = {}
    entries: list[tuple[int, int, dict[str, int]]] = []
    for back in periods:
        for place, pieces in back.items():
            before = so_far.get(place, 0)
            so_far[place] = before + pieces
            line = world.lines[place]
            volumes = {
                code: line[code] * before // 10 - line[code] * so_far[place] // 10
                for code in FIGURES
            }
            entries.append((place, pieces, volumes))
    size = len(entries)
    return Returns(
        line=np.array([place for place, _, _ in entries], np.int32),
        quantity=np.full(size, 10),
        returned=np.array([pieces for _, pieces, _ in entries], np.int64),
        days=np.zeros(size, np.int64),
        volumes={
            code: np.array([volumes[code] for _, _, volumes in entries], np.int64)
            for code in FIGURES
        },
    )


def to_oracle(returns: Returns) -> dict[int, Return]:
    found: dict[int, Return] = {}
    for place in set(returns.line.tolist()):
        mine = returns.line == place
        volumes = {
            code: Fraction(-int(figures[mine].sum()), 100)
            for code, figures in returns.volumes.items()
        }
        found[place] = Return(Fraction(int(returns.returned[mine].sum()), 10), volumes)
    return found


def by_key(closed: Closed, restated: Restated) -> dict[Any, Fraction]:
    rows, unit = rows_of(closed.result.ledger), 10**closed.plan.money.scale
    found: dict[Any, Fraction] = {}
    for place in range(len(rows.amount)):
        code = closed.plan.programmes[int(rows.bonus[place])].code
        columns = (rows.level, rows.earner, rows.source, rows.rank_level)
        key = (code, *(int(column[place]) for column in columns))
        found[key] = found.get(key, Fraction(0)) + Fraction(int(restated.undone[place]), unit)
    return {key: amount for key, amount in found.items() if amount}


@st.composite
def less_told(draw: st.DrawFn, world: World) -> dict[str, list[int]]:
    """By how much what waited for the period is less by now, because of periods before it."""
    if draw(st.sampled_from([True, False])):
        return {}
    return {
        name: [-draw(st.integers(0, figure)) for figure in figures]
        for name, figures in world.state.items()
        if name.startswith(WAITING)
    }


def waiting(closed: Closed, restated: Restated) -> dict[str, list[Fraction]]:
    unit = 10**closed.plan.money.scale
    return {
        name: [Fraction(figure, 100 if name.startswith("pool.") else unit) for figure in figures]
        for name, figures in ((n, f.tolist()) for n, f in restated.waiting.items())
    }


@thorough
@given(worlds.map(line_by_line), st.data())
def test_what_is_undone_equals_the_oracle(world: World, data: st.DataObject):
    rules, snapshot = load(world.document), world.snapshot()
    assume(is_concerned(rules) and world.lines)
    closed = Closed(snapshot, rules, calculate(snapshot, rules))
    returns, told = came_back(world, data.draw(refunds(world))), data.draw(less_told(world))
    places = [sorted(world.members["id"]).index(member) for member in world.members["id"]]
    in_order = {name: [0] * len(places) for name in told}
    for name, figures in told.items():
        for place, figure in zip(places, figures, strict=True):
            in_order[name][place] = figure
    returns = replace(returns, told={name: np.array(f) for name, f in in_order.items()})

    restated = restate(closed, returns, rules.reversal)

    expected = undone(snapshot, rules, to_oracle(returns), in_order)
    assert by_key(closed, restated) == expected.lines
    assert waiting(closed, restated) == expected.waiting


@thorough
@given(worlds, st.data())
def test_parts_add_up_and_never_come_to_more_than_was_earned(world: World, data: st.DataObject):
    rules, snapshot = load(world.document), world.snapshot()
    assume(is_concerned(rules) and world.lines)
    closed = Closed(snapshot, rules, calculate(snapshot, rules))
    periods = data.draw(refunds(world))
    amount = rows_of(closed.result.ledger).amount
    so_far, most = np.zeros_like(amount), np.zeros_like(amount)

    for last in range(1, len(periods) + 1):
        restated = restate(closed, came_back(world, periods[:last]), rules.reversal)
        step = more(restated.undone, so_far)
        so_far = so_far + step
        most = np.maximum(most, np.abs(restated.undone))

        assert (step * np.sign(amount) <= 0).all()
        assert (np.abs(so_far) <= np.abs(amount)).all()
        assert (np.abs(so_far) == most).all()
        assert (restated.retained * np.sign(rows_of(closed.result.retained).amount) <= 0).all()


@thorough
@given(worlds)
def test_nothing_returned_undoes_nothing(world: World):
    """Worked out again on the same sales, every line comes out as it was."""
    rules, snapshot = load(world.document), world.snapshot()
    assume(is_concerned(rules) and world.lines)
    closed = Closed(snapshot, rules, calculate(snapshot, rules))
    none = np.zeros(1, np.int64)
    returns = Returns(none.astype(np.int32), none + 10, none, none, dict.fromkeys(FIGURES, none))

    restated = restate(closed, returns, rules.reversal)

    assert not restated.undone.any()
    assert not restated.retained.any()
    assert not any(figures.any() for figures in restated.given_back.values())
