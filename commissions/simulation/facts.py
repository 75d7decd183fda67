"""From a company to what the engine is told of one period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from commissions.engine.orders import asked_of_buyers
from commissions.engine.plan import ENROLLER, PLACEMENT, SPONSOR, Plan, parts
from commissions.engine.result import NOBODY
from commissions.engine.snapshot import LEFT, Snapshot, build_snapshot
from commissions.simulation.calendar import Period
from commissions.simulation.company import (
    CUSTOMER,
    Carried,
    Company,
    Distributor,
    OrderLine,
    Refund,
)
from commissions.simulation.orders import is_given


@dataclass(frozen=True, slots=True)
class Moment:
    """A period's snapshot, with the names and lines that its indexes stand for."""

    period: Period
    snapshot: Snapshot
    names: tuple[str, ...]
    lines: tuple[OrderLine, ...]

    @property
    def index(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}


def moment(
    company: Company,
    period: Period,
    carried: Carried,
    lines: Sequence[OrderLine],
    refunds: Sequence[tuple[Refund, OrderLine]],
) -> Moment:
    """The period with these lines (less what of them came back in it) and refunds of earlier ones.

    There is who has joined by its end. Those whose day of joining is not known were there always.
    """
    there = [person for person in company.distributors.values() if is_there(person, period)]
    names = tuple(person.name for person in there)
    index = {name: place for place, name in enumerate(names)}
    who = {name: place for place, name in enumerate(company.distributors)}
    back = [sale.back(refund) for refund, sale in refunds]
    snapshot = build_snapshot(
        members=members(company.plan, there, index, carried, period.ends_on),
        lines=columns(company.plan, lines, index, who),
        refunds=columns(company.plan, back, index, who),
        state=arrays(carried.figures, names),
        starts_on=period.starts_on,
        ends_on=period.ends_on,
    )
    return Moment(period, snapshot, names, tuple(lines))


def is_there(person: Distributor, period: Period) -> bool:
    return CUSTOMER not in person.flags and (person.joined or 0) <= period.ends_on


def members(
    plan: Plan,
    there: Sequence[Distributor],
    index: Mapping[str, int],
    carried: Carried,
    ends_on: int,
) -> dict[str, Any]:
    joined = np.array([person.joined or 0 for person in there], np.int64)
    order = np.argsort(joined, kind="stable")
    sequence = np.empty(len(there), np.int64)
    sequence[order] = np.arange(len(there))
    return {
        "id": np.arange(1, len(there) + 1),
        "parents": {tree: pointers(there, tree, index) for tree in trees(there, plan)},
        "leg": [-1 if person.leg is None else person.leg for person in there],
        "owner": [index.get(person.owner, index[person.name]) for person in there],
        "joined": joined,
        "sequence": sequence,
        "package": [person.package for person in there],
        "flags": flags(there, ends_on),
        "given": levels(plan, there, "given", {}),
        "title": levels(plan, there, "title", carried.title),
        "highest": levels(plan, there, "highest", carried.highest),
    }


def trees(there: Iterable[Distributor], plan: Plan) -> tuple[str, ...]:
    """Sponsor and enroller trees there always are; the other where the plan or a place asks."""
    walked = {part.tree for _, part in parts(plan) if hasattr(part, "tree")}
    placed = PLACEMENT in walked or any(person.placement for person in there)
    return (SPONSOR, ENROLLER, PLACEMENT) if placed else (SPONSOR, ENROLLER)


def pointers(there: Iterable[Distributor], tree: str, index: Mapping[str, int]) -> list[int]:
    return [index.get(getattr(person, tree) or "", -1) for person in there]


def flags(there: Sequence[Distributor], ends_on: int) -> dict[str, list[bool]]:
    """Marks, and who has left by the period's last day."""
    known = sorted({flag for person in there for flag in person.flags})
    gone = [person.has_left(ends_on) for person in there]
    marks = {flag: [flag in person.flags for person in there] for flag in known}
    return marks | ({LEFT: gone} if any(gone) else {})


def levels(
    plan: Plan,
    there: Sequence[Distributor],
    name: str,
    carried: Mapping[str, Mapping[str, int]],
) -> dict[str, list[int]]:
    """By ladder: what an earlier period handed on, else what the file says, else no rank."""
    return {
        ladder.code: [
            carried.get(ladder.code, {}).get(person.name, getattr(person, name).get(ladder.code, 0))
            for person in there
        ]
        for ladder in plan.ladders
    }


def columns(
    plan: Plan, lines: Sequence[OrderLine], index: Mapping[str, int], who: Mapping[str, int]
) -> dict[str, Any]:
    """`who`: a number for everybody who buys, the same in all periods of a run."""
    buyer = {
        "number": [line.number for line in lines],
        "joined": [line.since for line in lines],
        "who": [who.get(line.buyer, NOBODY) for line in lines],
    }
    return {
        "id": np.arange(1, len(lines) + 1),
        "seller": [index[line.seller] for line in lines],
        "kind": [line.kind for line in lines],
        "day": [line.day for line in lines],
        "volumes": volumes(plan, lines),
        "buyer": {what: buyer[what] for what in sorted(asked_of_buyers(plan))},
    }


def volumes(plan: Plan, lines: Sequence[OrderLine]) -> dict[str, list[int]]:
    codes = [volume.code for volume in plan.volumes if is_given(volume)]
    return {code: [line.volumes.get(code, 0) for line in lines] for code in codes}


def arrays(
    figures: Mapping[str, Mapping[str, int]], names: Sequence[str]
) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
    return {
        name: np.array([known.get(who, 0) for who in names], np.int64)
        for name, known in figures.items()
    }
