"""What the engine is told: who stands under whom, what was sold, what was carried in.

Struct of arrays, no objects. A snapshot holds a period (or, for commissions at payment, a handful of
just paid lines with the people around them). Pointers are indexes into the member arrays, -1 for
nobody. Volumes and money are hundredths in int64, days are counted from 1970-01-01.

`lines` carry what is left of each sale line after the refunds of the *same* period. Refunds of
sales of earlier periods come as `refunds`, in negative figures: they lower the volumes of this
period, they earn nothing, and the commissions of their sale are undone by `reversal.reverse`.

    sale of 10 jars at 4.00 CV, 3 of them returned in the month -> one line with cv 2800
    2 more of them returned the month after                     -> one refund with cv -800

`build_snapshot` puts members and lines in the order of their ids, whatever order they come in, so
that the same facts give the same bytes; all results are indexes into the snapshot it returns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from commissions.engine.errors import SnapshotError
from commissions.engine.rounding import Int64s, largest

LARGEST_VOLUME = 10**15
"""Hundredths on one line: ten trillion units of currency."""

Pointers = NDArray[np.int32]
State = Mapping[str, Int64s]
"""What a period carries on to the next: one figure a member under each name; a name that is not
there stands for zeros. `pairs.binary.left` is the carried left leg of the bonus `binary`."""


@dataclass(frozen=True, slots=True)
class Members:
    """N distributors, one entry each in every array.

    `parents`: pointers by tree; a tree the company does not have is left out. `leg`: place under the
    placement parent, 0 the left one, -1 none. `owner`: index of the position that stands for the
    person; himself where he has one position. `joined`: day. `sequence`: order of joining.
    `package`: place in plan.packages, -1 none. `flags`: marks by name. `given`: levels by ladder, for
    ladders whose source is given. `highest`, `title`: levels by ladder before this period.
    """

    id: Int64s
    parents: Mapping[str, Pointers]
    leg: NDArray[np.int8]
    owner: Pointers
    joined: NDArray[np.int32]
    sequence: Int64s
    package: NDArray[np.int16]
    flags: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    given: Mapping[str, NDArray[np.int16]] = field(default_factory=dict)
    highest: Mapping[str, NDArray[np.int16]] = field(default_factory=dict)
    title: Mapping[str, NDArray[np.int16]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.id)

    def parent(self, tree: str) -> Pointers:
        """The pointers of a tree. Raises SnapshotError for one the snapshot does not have."""
        if tree not in self.parents:
            raise SnapshotError(f"the plan walks the {tree} tree, which was not given")
        return self.parents[tree]

    def level_of(self, levels: Mapping[str, NDArray[np.int16]], ladder: str) -> NDArray[np.int16]:
        """`given`, `highest` or `title` of a ladder; zeros where nothing is known."""
        found = levels.get(ladder)
        return np.zeros(len(self), np.int16) if found is None else found


@dataclass(frozen=True, slots=True)
class Lines:
    """M order lines. `id`: volume entry; `seller`: member index credited with the sale; `kind`:
    place in plan.kinds; `day`: when it counts; `volumes`: its figures by code."""

    id: Int64s
    seller: Pointers
    kind: NDArray[np.int8]
    day: NDArray[np.int32]
    volumes: Mapping[str, Int64s]

    def __len__(self) -> int:
        return len(self.id)

    def volume(self, code: str) -> Int64s:
        """A figure by code. Raises SnapshotError for one that was not given."""
        if code not in self.volumes:
            raise SnapshotError(f"the order lines have no figure {code}")
        return self.volumes[code]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`starts_on`, `ends_on`: first and last day of the period."""

    members: Members
    lines: Lines
    refunds: Lines
    starts_on: int
    ends_on: int
    state: State = field(default_factory=dict)

    def content_hash(self) -> str:
        """SHA-256 over all facts in canonical order: the hash of the period's input."""
        digest = hashlib.sha256(f"{self.starts_on};{self.ends_on};".encode())
        parts = (("members", self.members), ("lines", self.lines), ("refunds", self.refunds))
        for part, values in (*parts, ("state", self.state)):
            for name, array in named_arrays(part, values):
                digest.update(f"{name}:{array.dtype.str}:{array.size};".encode())
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def named_arrays(name: str, value: object) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Every array in a record or mapping with its dotted name; mappings in order of their keys."""
    if isinstance(value, np.ndarray):
        yield name, value
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield from named_arrays(f"{name}.{key}", value[key])
    elif is_dataclass(value):
        for item in fields(value):
            yield from named_arrays(f"{name}.{item.name}", getattr(value, item.name))


MEMBER_TYPES = {
    "id": np.int64, "leg": np.int8, "owner": np.int32, "joined": np.int32,
    "sequence": np.int64, "package": np.int16,
}  # fmt: skip
LINE_TYPES = {"id": np.int64, "seller": np.int32, "kind": np.int8, "day": np.int32}
LEFT_OUT = {"leg": -1, "package": -1}


def build_snapshot(
    *,
    members: Mapping[str, ArrayLike | Mapping[str, ArrayLike]],
    lines: Mapping[str, ArrayLike | Mapping[str, ArrayLike]],
    refunds: Mapping[str, ArrayLike | Mapping[str, ArrayLike]] | None = None,
    state: Mapping[str, ArrayLike] | None = None,
    starts_on: int = 0,
    ends_on: int = 0,
) -> Snapshot:
    """Checks the arrays, puts them in order of id and returns the snapshot.

    Keys are the field names of Members and Lines. `members` needs `id` and `parents`; `leg`,
    `package` default to none, `owner` to oneself, `joined` to `starts_on`, `sequence` to the order
    of ids. `lines` need `id`, `seller`, `kind`, `volumes`; `day` defaults to `ends_on`. Any integer
    type that fits is taken. Raises SnapshotError for unknown names, lengths that differ, ids that
    repeat, pointers out of range, a line with a negative volume, a refund with a positive one, or
    figures above LARGEST_VOLUME. `margin` alone may have either sign.
    """
    raise NotImplementedError
