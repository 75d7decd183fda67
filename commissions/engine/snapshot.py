"""What the engine is told: who stands under whom, what was sold, what was carried in.

Struct of arrays, no objects. A snapshot holds a period (or, for commissions at payment, a handful
of just paid lines with the people around them). Pointers are indexes into the member arrays, -1 for
nobody. Volumes and money are hundredths in int64, days are counted from 1970-01-01.

`lines` carry what is left of each sale line after the refunds of the *same* period. Refunds of
sales of earlier periods come as `refunds`, in negative figures: they lower the volumes of this
period, they earn nothing, and the commissions of their sale are undone by `reversal.reverse` and
`restatement.restate`.

    sale of 10 jars at 4.00 CV, 3 of them returned in the month -> one line with cv 2800
    2 more of them returned the month after                     -> one refund with cv -800

`build_snapshot` puts members and lines in the order of their ids, whatever order they come in, so
that the same facts give the same bytes; all results are indexes into the snapshot it returns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from commissions.engine.columns import (
    Columns,
    Given,
    Order,
    Pointers,
    ascending,
    column,
    new_places,
    refuse_names,
    refuse_outside,
    take_flags,
    take_mapping,
)
from commissions.engine.errors import SnapshotError
from commissions.engine.rounding import Int64s, largest

LARGEST_VOLUME = 10**15
"""Hundredths on one line: ten trillion units of currency."""

LEFT = "status.left"
"""The mark of who has left the company by the day that counts; no plan can name a mark like it."""

State = Mapping[str, Int64s]
"""What a period carries on to the next: one figure a member under each name; a name that is not
there stands for zeros. `pairs.binary.left` is the carried left leg of the bonus `binary`."""


@dataclass(frozen=True, slots=True)
class Members:
    """N distributors, one entry each in every array.

    `parents`: pointers by tree; a tree the company does not have is left out. `leg`: place under
    the placement parent, 0 the left one, -1 none. `owner`: index of the position that stands for
    the person; himself where he has one position. `joined`: day. `sequence`: order of joining.
    `package`: place in plan.packages, -1 none. `flags`: marks by name, `LEFT` for who has left.
    `given`: levels by ladder, for ladders whose source is given. `highest`, `title`: levels by
    ladder before this period.
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

    def flagged(self, name: str) -> NDArray[np.bool_]:
        """Who carries a mark; nobody one that is not known."""
        found = self.flags.get(name)
        return np.zeros(len(self), np.bool_) if found is None else found

    def level_of(self, levels: Mapping[str, NDArray[np.int16]], ladder: str) -> NDArray[np.int16]:
        """`given`, `highest` or `title` of a ladder; zeros where nothing is known."""
        found = levels.get(ladder)
        return np.zeros(len(self), np.int16) if found is None else found


@dataclass(frozen=True, slots=True)
class Lines:
    """M order lines. `id`: volume entry; `seller`: member index credited with the sale; `kind`:
    place in plan.kinds; `day`: when it counts; `volumes`: its figures by code; `buyer`: what a plan
    asks of who bought, `buyer["number"]` the how-manieth order of his it is, `buyer["joined"]` the
    day he joined, `buyer["who"]` a number of his own. Those of a refund are those of its sale."""

    id: Int64s
    seller: Pointers
    kind: NDArray[np.int8]
    day: NDArray[np.int32]
    volumes: Mapping[str, Int64s]
    buyer: Mapping[str, Int64s] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.id)

    def of_buyer(self, what: str) -> Int64s:
        """`number`, `joined` or `who`. Raises SnapshotError where it was not given."""
        if not len(self):
            return np.zeros(0, np.int64)
        if what not in self.buyer:
            raise SnapshotError(f"the plan asks who bought, and the {what} of buyers is not given")
        return self.buyer[what]

    def volume(self, code: str) -> Int64s:
        """A figure by code. Raises SnapshotError for one that was not given."""
        if code not in self.volumes:
            raise SnapshotError(f"the order lines have no figure {code}")
        return self.volumes[code]

    def kept(self, keep: NDArray[np.bool_] | slice) -> Lines:
        volumes = {code: figures[keep] for code, figures in self.volumes.items()}
        buyer = {what: figures[keep] for what, figures in self.buyer.items()}
        return Lines(
            self.id[keep], self.seller[keep], self.kind[keep], self.day[keep], volumes, buyer
        )


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


MEMBER_TYPES: Columns = {
    "id": np.int64, "leg": np.int8, "owner": np.int32, "joined": np.int32,
    "sequence": np.int64, "package": np.int16,
}  # fmt: skip
LINE_TYPES: Columns = {"id": np.int64, "seller": np.int32, "kind": np.int8, "day": np.int32}
LEVELS = ("given", "highest", "title")
OF_BUYER = ("number", "joined", "who")
MOST_LEVELS = 1_000
EITHER_SIGN = "margin"


def build_snapshot(
    *,
    members: Given,
    lines: Given,
    refunds: Given | None = None,
    state: Mapping[str, ArrayLike] | None = None,
    starts_on: int = 0,
    ends_on: int = 0,
) -> Snapshot:
    """Checks the arrays, puts them in order of id and returns the snapshot.

    Keys are the field names of Members and Lines. `members` needs `id` and `parents`; `leg`,
    `package` default to none, `owner` to oneself, `joined` to `starts_on`, `sequence` to the order
    of ids. `lines` need `id`, `seller`, `kind`, `volumes`; `day` defaults to `ends_on`, `buyer` to
    nothing. Any integer type that fits is taken. Raises SnapshotError for unknown names, lengths
    that differ, ids that repeat, pointers out of range, a line with a negative volume, a refund
    with a positive one, or figures above LARGEST_VOLUME. `margin` alone may have either sign.
    """
    if ends_on < starts_on:
        raise SnapshotError(f"the period ends on day {ends_on}, before it starts on {starts_on}")
    people, order = take_members(members, starts_on)
    places = new_places(order)
    sold = take_lines("lines", lines, ends_on, low=0, high=LARGEST_VOLUME)
    nothing: Given = {
        "id": (),
        "seller": (),
        "kind": (),
        "volumes": dict.fromkeys(sold.volumes, ()),
    }
    back = take_lines("refunds", refunds or nothing, ends_on, low=-LARGEST_VOLUME, high=0)
    for what, taken in (("lines", sold), ("refunds", back)):
        refuse_outside(f"{what}.seller", taken.seller, 0, len(people))
    if places is not None:
        sold = replace(sold, seller=places[sold.seller])
        back = replace(back, seller=places[back.seller])
    carried = take_mapping("state", state or {}, len(people), np.int64, order)
    return Snapshot(people, sold, back, starts_on, ends_on, carried)


def take_members(given: Given, starts_on: int) -> tuple[Members, Order]:
    """The members in order of id, and the permutation that put them there."""
    known = {item.name for item in fields(Members)}
    refuse_names("members", given, known, needed=("id", "parents"))
    ids = column("members.id", given["id"], None, np.int64)
    size = len(ids)
    order = ascending("members", ids)
    oneself = np.arange(size, dtype=np.int32)
    alike = {"leg": -1, "package": -1, "joined": starts_on}
    taken: dict[str, Any] = {
        name: np.full(size, alike[name], MEMBER_TYPES[name])
        if name in alike and name not in given
        else column(f"members.{name}", given.get(name, oneself), size, MEMBER_TYPES[name])
        for name in MEMBER_TYPES
    }
    taken["parents"] = take_mapping("members.parents", given["parents"], size, np.int32)
    refuse_bad_members(taken, size)
    for name in LEVELS:
        levels = take_mapping(f"members.{name}", given.get(name, {}), size, np.int16, order)
        for ladder, values in levels.items():
            refuse_outside(f"members.{name}.{ladder}", values, 0, MOST_LEVELS + 1)
        taken[name] = levels
    taken["flags"] = take_flags(given.get("flags", {}), size, order)
    if (places := new_places(order)) is not None:
        move_members(taken, order, places)
    if "sequence" not in given:
        taken["sequence"] = np.arange(size, dtype=np.int64)
    return Members(**taken), order


def refuse_bad_members(taken: Mapping[str, Any], size: int) -> None:
    for tree, parent in taken["parents"].items():
        refuse_outside(f"members.parents.{tree}", parent, -1, size)
    refuse_outside("members.owner", taken["owner"], 0, size)
    refuse_outside("members.leg", taken["leg"], -1, 128)
    refuse_outside("members.package", taken["package"], -1, MOST_LEVELS)


def move_members(taken: dict[str, Any], order: Order, places: Pointers) -> None:
    """Plain columns and pointers in the new order; pointers lead to the new places."""
    for name in MEMBER_TYPES:
        taken[name] = taken[name][order]
    taken["owner"] = places[taken["owner"]]
    taken["parents"] = {tree: places[up[order]] for tree, up in taken["parents"].items()}


def take_lines(what: str, given: Given, ends_on: int, *, low: int, high: int) -> Lines:
    """The lines in order of id, sellers as they were given."""
    known = {item.name for item in fields(Lines)}
    refuse_names(what, given, known, needed=("id", "seller", "kind", "volumes"))
    ids = column(f"{what}.id", given["id"], None, np.int64)
    size = len(ids)
    taken: dict[str, Any] = {
        name: column(f"{what}.{name}", given[name], size, kind)
        if name in given
        else np.full(size, ends_on, kind)
        for name, kind in LINE_TYPES.items()
    }
    order = ascending(what, ids)
    volumes = take_mapping(f"{what}.volumes", given["volumes"], size, np.int64, order)
    buyer = take_mapping(f"{what}.buyer", given.get("buyer", {}), size, np.int64, order)
    if unknown := set(buyer) - set(OF_BUYER):
        raise SnapshotError(f"{what}.buyer has {', '.join(OF_BUYER)}, not {', '.join(unknown)}")
    for code, values in volumes.items():
        if code != EITHER_SIGN:
            refuse_outside(f"{what}.{code}", values, low, high + 1)
        elif largest(values) > LARGEST_VOLUME:
            raise SnapshotError(f"{what}.{code} must lie within {LARGEST_VOLUME} hundredths")
    refuse_outside(f"{what}.kind", taken["kind"], 0, 128)
    if order is not None:
        taken = {name: values[order] for name, values in taken.items()}
    return Lines(**taken, volumes=volumes, buyer=buyer)
