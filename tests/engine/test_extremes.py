"""Shapes and sizes that nobody has: a chain of 5,000, a star of 100,000, the largest volumes.

What must come out is known in closed form, so that no second calculation is needed.
"""

from fractions import Fraction

import numpy as np
import pytest

from commissions.engine.calculate import calculate
from commissions.engine.errors import CapacityError
from commissions.engine.snapshot import LARGEST_VOLUME, Snapshot, build_snapshot
from tests.engine.documents import (
    all_of,
    at_least,
    bonus,
    by_step,
    document,
    group,
    ladder,
    levels,
    load,
    metric,
    upline,
)

CHAIN, STAR = 5_000, 100_000
GIVEN = ("pv", "cv", "margin")

LEADERS = {
    "count": "generations", "boundary": {"is": "rank", "ladder": "rank", "rank": "bronze",
    "which": "paid_as"}, "boundary_belongs_to": "generation_he_closes", "pays": "boundary",
}  # fmt: skip
CIRCLE = {"pays": "everyone", "boundary_belongs_to": "next_generation"}
PAIRS = {
    "who": "pairs", "tree": "placement", "volume": "cv", "cycle": None, "after_payout": "carry",
    "if_ineligible": "keep_both", "carry_cap": None,
}  # fmt: skip


def plan():
    """Walks of several kinds, pairs, and a rank for a team of 1,000.00 with two people near."""
    front = metric("front", what="members", scope=levels(1, 2))
    asked = {"bronze": all_of(at_least("gv", "1000"), at_least("front", "2"))}
    return load(
        document(
            metrics=[metric("pv"), metric("gv", volume="pv", scope=group()), front],
            ladders=[ladder(asked)],
            bonuses=[
                bonus("unilevel", pays=upline(2), rates=by_step("0.10", "0.05")),
                bonus("leaders", pays=upline(3, steps=LEADERS), rates=by_step("0.03", "0.02")),
                bonus(
                    "circle", pays=upline(2, steps=LEADERS | CIRCLE), rates=by_step("0.01", "0.01")
                ),
                bonus("binary", pays=PAIRS, rates=by_step("0.10")),
            ],
        )
    )


def company(parents: np.ndarray, figure: int, lines: np.ndarray) -> Snapshot:
    """A chain, each placed to the left of his upline; every line with the same figures."""
    return build_snapshot(
        members={
            "id": np.arange(len(parents)),
            "parents": {"sponsor": parents, "placement": parents},
            "leg": np.where(parents < 0, -1, 0),
        },
        lines={
            "id": np.arange(len(lines)),
            "seller": lines,
            "kind": np.zeros(len(lines), np.int8),
            "volumes": {code: np.full(len(lines), figure) for code in GIVEN},
        },
    )


def amounts(result, plan, code: str) -> list[tuple[int, int, int]]:
    """(level, lines, sum) of each block of a bonus."""
    return [
        (block.level, len(block), int(block.amount.sum()))
        for block in result.ledger
        if plan.programmes[block.bonus].code == code
    ]


def by_level(blocks: list[tuple[int, int, int]]) -> dict[int, int]:
    """How many lines each level has."""
    lines: dict[int, int] = {}
    for level, many, _ in blocks:
        lines[level] = lines.get(level, 0) + many
    return lines


def test_a_chain_of_five_thousand():
    rules = plan()
    parents = np.arange(-1, CHAIN - 1)

    result = calculate(company(parents, 100_00, np.arange(CHAIN)), rules)

    below = np.arange(CHAIN - 1, -1, -1)
    bronze = below >= 9
    standings = result.standings
    assert standings.metrics["gv"].tolist() == ((below + 1) * 100_00).tolist()
    assert standings.metrics["front"].tolist() == (np.minimum(below, 2) * 100).tolist()
    assert (standings.ranks["rank"].paid_as == bronze).all()
    assert amounts(result, rules, "unilevel") == [
        (1, CHAIN - 1, (CHAIN - 1) * 10_00),
        (2, CHAIN - 2, (CHAIN - 2) * 5_00),
    ]
    assert amounts(result, rules, "leaders") == [
        (1, CHAIN - 1, (CHAIN - 1) * 3_00),
        (2, CHAIN - 2, (CHAIN - 2) * 2_00),
    ]
    # The last nine are no leaders: they stand in the first generation of those below them. The
    # first leader above anybody belongs to the second, and with the next one the steps are used up.
    circle = by_level(amounts(result, rules, "circle"))
    assert circle == {1: sum(range(9)), 2: CHAIN - 1}
    assert amounts(result, rules, "binary") == []
    assert result.state["pairs.binary.left"].tolist() == (below * 100_00).tolist()


def test_a_star_of_a_hundred_thousand():
    rules = plan()
    parents = np.zeros(STAR, np.int64)
    parents[0] = -1

    result = calculate(star(parents), rules)

    assert result.standings.metrics["gv"][0] == STAR * 100_00
    assert result.standings.metrics["front"][0] == (STAR - 1) * 100
    assert result.standings.ranks["rank"].paid_as.tolist() == [1] + [0] * (STAR - 1)
    assert amounts(result, rules, "unilevel") == [(1, STAR - 1, (STAR - 1) * 10_00)]
    assert amounts(result, rules, "leaders") == [(1, STAR - 1, (STAR - 1) * 3_00)]
    assert amounts(result, rules, "circle") == [(2, STAR - 1, (STAR - 1) * 1_00)]
    assert amounts(result, rules, "binary") == [(0, 1, 10_00)]
    assert result.earned()[0] == result.total


def star(parents: np.ndarray) -> Snapshot:
    """All under the first in the sponsor tree; the second and the third are his two legs."""
    size = len(parents)
    placement = np.full(size, -1)
    placement[1:3] = 0
    leg = np.full(size, -1, np.int8)
    leg[1:3] = [0, 1]
    return build_snapshot(
        members={
            "id": np.arange(size),
            "parents": {"sponsor": parents, "placement": placement},
            "leg": leg,
        },
        lines={
            "id": np.arange(size),
            "seller": np.arange(size),
            "kind": np.zeros(size, np.int8),
            "volumes": {code: np.full(size, 100_00) for code in GIVEN},
        },
    )


def test_the_largest_base_of_a_rate_is_paid_to_the_cent_and_one_above_is_refused():
    rules = load(document(bonuses=[bonus(pays=upline(1), rates=by_step("0.123457"))]))
    most = (2**63 - 1) // 123_457

    def pay(base: int) -> int:
        result = calculate(company(np.array([-1, 0]), base, np.array([1])), rules)
        return result.totals["unilevel"]

    assert most < LARGEST_VOLUME
    assert pay(most) == round(Fraction(most * 123_457, 10**6))
    with pytest.raises(CapacityError):
        pay(most + 1)


@pytest.mark.parametrize(("lines", "fits"), [(9_223, True), (9_224, False)])
def test_a_sum_beyond_sixty_four_bits_is_refused_and_one_below_is_exact(lines, fits):
    rules = load(document())
    snapshot = company(np.array([-1, 0]), LARGEST_VOLUME, np.full(lines, 1))

    if not fits:
        with pytest.raises(CapacityError):
            calculate(snapshot, rules)
        return

    assert calculate(snapshot, rules).standings.metrics["gv"].tolist() == [lines * 10**15] * 2
