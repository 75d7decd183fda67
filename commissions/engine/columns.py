"""Columns of numbers as they are taken into a snapshot: of one length, one type, in one order.

Any integer type that fits is taken, nothing wraps around and nothing is rounded:

    column("lines.seller", [0, 70_000], 2, np.int16)
    # SnapshotError: lines.seller must lie from -32768 to 32767

People and lines are put in order of their ids; `ascending` finds the order, and `new_places` says
where each old place went, so that pointers can follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from commissions.engine.errors import SnapshotError
from commissions.engine.rounding import Int64s

Pointers = NDArray[np.int32]
Columns = Mapping[str, type[np.signedinteger]]
Given = Mapping[str, ArrayLike | Mapping[str, ArrayLike]]
Order = NDArray[np.intp] | None


def refuse_names(what: str, given: Given, known: set[str], needed: tuple[str, ...]) -> None:
    if not known >= set(given) >= set(needed):
        words = f"{', '.join(needed)} and may have {', '.join(sorted(known - set(needed)))}"
        raise SnapshotError(f"{what} must have {words}, not {', '.join(sorted(given))}")


def take_mapping(
    what: str, given: object, size: int, kind: type[np.signedinteger], order: Order = None
) -> dict[str, NDArray[Any]]:
    """Columns by name, moved into the order."""
    if not isinstance(given, Mapping):
        raise SnapshotError(f"{what} must be columns by name")
    taken = {name: column(f"{what}.{name}", given[name], size, kind) for name in sorted(given)}
    return taken if order is None else {name: values[order] for name, values in taken.items()}


def take_flags(given: object, size: int, order: Order) -> dict[str, NDArray[np.bool_]]:
    if not isinstance(given, Mapping):
        raise SnapshotError("members.flags must be columns by name")
    marks = {name: np.asarray(values) for name, values in given.items()}
    numbers = {n: m.astype(np.int8) if m.dtype == np.bool_ else m for n, m in marks.items()}
    for name, values in numbers.items():
        refuse_outside(f"members.flags.{name}", values, 0, 2)
    taken = take_mapping("members.flags", numbers, size, np.int8, order)
    return {name: values.astype(np.bool_) for name, values in taken.items()}


def column(
    what: str, given: object, size: int | None, kind: type[np.signedinteger]
) -> NDArray[Any]:
    """A contiguous array of the type; no float, no silent wrap-around, of the length asked for."""
    array = np.asarray(given)
    if array.size and array.dtype.kind not in "iu":
        raise SnapshotError(f"{what} must be whole numbers, not {array.dtype}")
    if array.size and array.dtype != kind:
        limits = np.iinfo(kind)
        refuse_outside(what, array, int(limits.min), int(limits.max) + 1)
    if array.ndim != 1 or (size is not None and len(array) != size):
        wanted = "flat" if size is None else f"flat and {size} long"
        raise SnapshotError(f"{what} must be {wanted}, like the ids")
    return np.ascontiguousarray(array, dtype=kind)


def refuse_outside(what: str, values: NDArray[Any], low: int, end: int) -> None:
    if values.size and (int(values.min()) < low or int(values.max()) >= end):
        raise SnapshotError(f"{what} must lie from {low} to {end - 1}")


def ascending(what: str, ids: Int64s) -> Order:
    """The permutation that sorts the ids, None when they are in order; refuses repeated ids."""
    if (ids[1:] > ids[:-1]).all():
        return None
    order = np.argsort(ids, kind="stable")
    repeated = np.flatnonzero(np.diff(ids[order]) == 0)
    if repeated.size:
        raise SnapshotError(f"{what}.id {int(ids[order[repeated[0]]])} appears twice")
    return order


def new_places(order: Order) -> Pointers | None:
    """Where each old index stands now, -1 staying -1 (it is the last entry); None: all stay."""
    if order is None:
        return None
    places = np.empty(len(order) + 1, np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    places[-1] = -1
    return places
