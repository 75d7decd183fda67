"""What the engine is told: who stands under whom, and what was sold. Struct of arrays, no objects.

A snapshot holds a period (or, for commissions at payment, a handful of just paid lines with the
people around them). Pointers are indexes into the member arrays, -1 for nobody. Volumes and money
are hundredths in int64.

`lines` carry what is left of each sale line after the refunds of the *same* period. Refunds of
sales of earlier periods come as `refunds`, in negative figures: they lower PV, CV and GV of this
period, they earn nothing, and the commissions of their sale are undone by `reversal.reverse`.

    sale of 10 jars at 4.00 CV, 3 of them returned in the month -> one line with cv 2800
    2 more of them returned the month after                     -> one refund with cv -800

`build_snapshot` puts members and lines in the order of their ids, whatever order they come in, so
that the same facts give the same bytes; all results are indexes into the snapshot it returns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from commissions.engine.errors import SnapshotError
from commissions.engine.plan import ORDER_CLASSES
from commissions.engine.rounding import Int64s, largest

LARGEST_VOLUME = 10**15
"""Hundredths on one line: ten trillion units of currency."""


@dataclass(frozen=True, slots=True)
class Members:
    """N distributors. `highest_level`: highest rank level ever reached before this period."""

    id: Int64s
    sponsor: NDArray[np.int32]
    enroller: NDArray[np.int32]
    highest_level: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.id)

    def parent(self, tree: str) -> NDArray[np.int32]:
        """The pointers of the named tree."""
        return self.sponsor if tree == "sponsor" else self.enroller


@dataclass(frozen=True, slots=True)
class Lines:
    """M order lines. `id`: volume entry; `seller`: member index credited with the sale;
    `order_class`: index into plan.ORDER_CLASSES."""

    id: Int64s
    seller: NDArray[np.int32]
    order_class: NDArray[np.int8]
    pv: Int64s
    cv: Int64s
    margin: Int64s

    def __len__(self) -> int:
        return len(self.id)

    @classmethod
    def none(cls) -> Lines:
        return cls(*(np.empty(0, kind) for kind in LINE_TYPES.values()))


@dataclass(frozen=True, slots=True)
class Snapshot:
    members: Members
    lines: Lines
    refunds: Lines

    def content_hash(self) -> str:
        """SHA-256 over all facts in canonical order: the hash of the period's input."""
        digest = hashlib.sha256()
        for part in (self.members, self.lines, self.refunds):
            for field in fields(part):
                array = np.ascontiguousarray(getattr(part, field.name))
                digest.update(f"{field.name}:{array.dtype.str}:{array.size};".encode())
                digest.update(array.data)
        return digest.hexdigest()


Columns = dict[str, type[np.signedinteger]]

MEMBER_TYPES: Columns = {
    "id": np.int64,
    "sponsor": np.int32,
    "enroller": np.int32,
    "highest_level": np.int16,
}
LINE_TYPES: Columns = {
    "id": np.int64,
    "seller": np.int32,
    "order_class": np.int8,
    "pv": np.int64,
    "cv": np.int64,
    "margin": np.int64,
}  # fmt: skip


def build_snapshot(
    *,
    members: Mapping[str, ArrayLike],
    lines: Mapping[str, ArrayLike],
    refunds: Mapping[str, ArrayLike] | None = None,
) -> Snapshot:
    """Checks the arrays, puts them in order of id and returns the snapshot.

    The dicts have the field names of Members and Lines; any integer type that fits is taken.
    Raises SnapshotError for lengths that differ, ids that repeat, pointers out of range, a line
    with negative pv or cv, a refund with positive figures, or a volume above LARGEST_VOLUME.
    """
    people = Members(**columns("members", members, MEMBER_TYPES))
    sold = Lines(**columns("lines", lines, LINE_TYPES))
    returned = Lines(**columns("refunds", refunds, LINE_TYPES)) if refunds else Lines.none()
    for tree in ("sponsor", "enroller"):
        refuse_outside(f"members.{tree}", people.parent(tree), -1, len(people))
    refuse_outside("members.highest_level", people.highest_level, 0, 1_000)
    check_lines("lines", sold, len(people), low=0, high=LARGEST_VOLUME)
    check_lines("refunds", returned, len(people), low=-LARGEST_VOLUME, high=0)
    people, places = members_by_id(people)
    return Snapshot(people, lines_by_id(sold, places), lines_by_id(returned, places))


def columns(
    what: str, given: Mapping[str, ArrayLike], types: Columns
) -> dict[str, NDArray[np.signedinteger]]:
    """The named columns as contiguous arrays of their types; no float, no silent wrap-around."""
    if set(given) != set(types):
        raise SnapshotError(f"{what} must have exactly the columns {', '.join(types)}")
    taken = {}
    for name, kind in types.items():
        array = np.asarray(given[name])
        if array.size and array.dtype.kind not in "iu":
            raise SnapshotError(f"{what}.{name} must be whole numbers, not {array.dtype}")
        if array.size and array.dtype != kind:
            limits = np.iinfo(kind)
            refuse_outside(f"{what}.{name}", array, int(limits.min), int(limits.max) + 1)
        taken[name] = np.ascontiguousarray(array, dtype=kind)
    if len({array.shape for array in taken.values()}) > 1 or taken["id"].ndim != 1:
        raise SnapshotError(f"the columns of {what} must be flat and of one length")
    return taken


def refuse_outside(what: str, values: NDArray[np.signedinteger], low: int, end: int) -> None:
    if values.size and (int(values.min()) < low or int(values.max()) >= end):
        raise SnapshotError(f"{what} must lie from {low} to {end - 1}")


def check_lines(what: str, lines: Lines, members: int, *, low: int, high: int) -> None:
    refuse_outside(f"{what}.seller", lines.seller, 0, members)
    refuse_outside(f"{what}.order_class", lines.order_class, 0, len(ORDER_CLASSES))
    refuse_outside(f"{what}.pv", lines.pv, low, high + 1)
    refuse_outside(f"{what}.cv", lines.cv, low, high + 1)
    if largest(lines.margin) > LARGEST_VOLUME:
        raise SnapshotError(f"{what}.margin must lie within {LARGEST_VOLUME} hundredths")


def ascending(what: str, ids: Int64s) -> NDArray[np.intp] | None:
    """The permutation that sorts the ids, None when they are in order; refuses repeated ids."""
    if (ids[1:] > ids[:-1]).all():
        return None
    order = np.argsort(ids, kind="stable")
    repeated = np.flatnonzero(np.diff(ids[order]) == 0)
    if repeated.size:
        raise SnapshotError(f"{what}.id {int(ids[order[repeated[0]]])} appears twice")
    return order


def members_by_id(members: Members) -> tuple[Members, NDArray[np.int32] | None]:
    """Members in order of id, with the new place of each old index (None: all stay)."""
    order = ascending("members", members.id)
    if order is None:
        return members, None
    places = np.empty(len(members) + 1, np.int32)
    places[order] = np.arange(len(members), dtype=np.int32)
    places[-1] = -1
    moved = Members(
        id=members.id[order],
        sponsor=places[members.sponsor[order]],
        enroller=places[members.enroller[order]],
        highest_level=members.highest_level[order],
    )
    return moved, places


def lines_by_id(lines: Lines, places: NDArray[np.int32] | None) -> Lines:
    if places is not None:
        lines = replace(lines, seller=places[lines.seller])
    order = ascending("lines", lines.id)
    if order is None:
        return lines
    return Lines(*(getattr(lines, field.name)[order] for field in fields(lines)))
