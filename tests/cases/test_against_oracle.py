"""The plans of the published cases on made-up companies: the engine and the oracle agree.

A case shows a plan on a few people whom its source chose. Here each plan meets companies that
nobody chose, three periods in a row, with refunds and what was carried: crowded legs, people
without rank or package, orders of every kind.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from commissions.engine.calculate import calculate
from commissions.engine.plan import HasFlag, Plan, Volume, parts
from commissions.engine.plan.loading import load_plan
from commissions.engine.snapshot import Snapshot, build_snapshot
from commissions.simulation.orders import is_given
from commissions.simulation.people import places
from tests.cases.cases import HERE, published
from tests.engine.oracle import expected
from tests.engine.test_against_oracle import assert_same

PLANS = [path for code in published() for path in sorted((HERE / code).glob("plan*.json"))]
PERIODS, DAYS, FIRST = 3, 30, 19_000


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("path", PLANS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_engine_and_oracle_agree_on_companies_nobody_chose(path, seed):
    plan, chance = plan_of(path), random.Random(f"{path.parent.name}{path.stem}{seed}")

    for snapshot in snapshots(plan, chance):
        assert_same(calculate(snapshot, plan), expected(snapshot, plan), plan)


def plan_of(path) -> Plan:
    return load_plan(json.loads(path.read_text(encoding="utf-8")))


def snapshots(plan: Plan, chance: random.Random) -> Iterator[Snapshot]:
    """The same people in successive periods, each starting from what the one before carried."""
    people, state = members(plan, chance), {}
    size = len(people["id"])
    for period in range(PERIODS):
        first = FIRST + period * DAYS
        snapshot = build_snapshot(
            members=people,
            lines=lines(plan, chance, size, first, sign=1),
            refunds=lines(plan, chance, size, first, sign=-1),
            state=state,
            starts_on=first,
            ends_on=first + DAYS - 1,
        )
        yield snapshot
        result = calculate(snapshot, plan)
        state = dict(result.state)
        ranks = result.standings.ranks
        people = people | {
            "title": {code: known.title for code, known in ranks.items()},
            "highest": {code: known.highest for code, known in ranks.items()},
        }


def members(plan: Plan, chance: random.Random) -> dict[str, Any]:
    size = chance.randint(4, 14)
    legs: list[int] = [-1] * size
    placed = [-1] * size
    free = [(0, leg) for leg in range(min(places(plan), 3))]
    for place in range(1, size):
        if chance.random() < 0.9:
            placed[place], legs[place] = free.pop(chance.randrange(len(free)))
            free += [(place, leg) for leg in range(min(places(plan), 3))]
    flags = {part.flag for _, part in parts(plan) if isinstance(part, HasFlag)}
    return {
        "id": np.arange(1, size + 1),
        "parents": {"sponsor": above(size, chance), "enroller": above(size, chance),
                    "placement": placed},
        "leg": legs,
        "owner": [chance.choice([place, place // 2 * 2]) for place in range(size)],
        "joined": [FIRST - 40 + chance.randrange(40 + DAYS) for _ in range(size)],
        "package": [chance.randrange(-1, len(plan.packages)) for _ in range(size)],
        "flags": {flag: [chance.random() < 0.8 for _ in range(size)] for flag in sorted(flags)},
        "given": {
            ladder.code: [chance.randrange(len(ladder.ranks) + 1) for _ in range(size)]
            for ladder in plan.ladders
        },
    }  # fmt: skip


def above(size: int, chance: random.Random) -> list[int]:
    """A tree in which some stand under the one just before them, so that it gets deep."""
    return [-1] + [
        place - 1 if chance.random() < 0.5 else chance.randrange(place) for place in range(1, size)
    ]


def lines(plan: Plan, chance: random.Random, size: int, first: int, sign: int) -> dict[str, Any]:
    count = chance.randrange(20) if sign > 0 else chance.randrange(3)
    given: list[Volume] = [volume for volume in plan.volumes if is_given(volume)]
    scale = chance.choice([100, 10_000, 1_000_000])
    return {
        "id": np.arange(1, count + 1),
        "seller": [chance.randrange(size) for _ in range(count)],
        "kind": [chance.randrange(len(plan.kinds)) for _ in range(count)],
        "day": [first + chance.randrange(DAYS) for _ in range(count)],
        "buyer": {
            "number": [chance.randrange(1, 4) for _ in range(count)],
            "joined": [first - chance.randrange(60) for _ in range(count)],
            "who": [chance.randrange(1, 4) for _ in range(count)],
        },
        "volumes": {
            volume.code: [sign * chance.randrange(0, 5 * scale) for _ in range(count)]
            for volume in given
        },
    }
