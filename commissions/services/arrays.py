"""Whole columns between PostgreSQL and numpy, without a Python step for each row.

Reading: the server packs a column into one string (`string_agg(int8send(..))`), which numpy views
as an array; small columns come in the low bits of another one. Writing: binary COPY. Its rows are
length-prefixed fields, so a run of rows with the same fields left NULL is one structured array. A
thread hands it to the server while the next one is encoded.
"""

import ctypes
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import psycopg
from django.db import connection
from numpy.typing import NDArray
from psycopg.copy import QueuedLibpqWriter

Array = NDArray[Any]
Row = Mapping[str, Array | int | None]

ROWS_AT_ONCE = 2_048
"""Rows encoded in one go: few enough to stay in the processor's cache and the socket's buffer."""

LARGE = 4 * 2**20
"""Bytes from which on an array that is let go is given back to the system."""
KEPT = 64 * 2**20
"""Bytes of smaller things that a process keeps for the next ones."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Of glibc's `mallopt`."""

SENDERS = {"i8": "int8send", "i4": "int4send", "i2": "int2send"}
CASTS = {"i8": "bigint", "i4": "int", "i2": "smallint"}
HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"


def give_large_back() -> None:
    """Have this process return large arrays as soon as they are let go.

    By itself glibc raises that size up to 32 MiB with what a program frees, and keeps the smaller
    ones: half as much again as a close needs. With another C library nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)
        mallopt(_TRIM_THRESHOLD, KEPT)  # by itself it is small once the other one is set


def cursor() -> psycopg.Cursor[Any]:
    """A cursor of Django's connection that can speak the binary protocol."""
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection)


def read_columns(
    query: str,
    params: Mapping[str, Any] | None = None,
    within: Mapping[str, Mapping[str, int]] | None = None,
    /,
    **kinds: str,
) -> dict[str, Array]:
    """The named columns of a query as arrays; each kind is i8, i4 or i2. NULL is not allowed.

    read_columns("select id, pv from commerce_volumeentry", id="i8", pv="i8")

    `within`: columns that come in the low bits of another one, which is half as much work for the
    server: {"seller": {"day": 20}} for days from -2**19 to below 2**19. Whoever asks knows that
    they fit; a seller that leaves no room is refused by the server as out of range.
    """
    shared = within or {}
    inside = {name for others in shared.values() for name in others}
    words = {name: kind for name, kind in kinds.items() if name not in inside}
    # A NULL between the pieces costs less than an empty string.
    strings = ", ".join(
        f"string_agg({SENDERS[kind]}(({word_of(name, shared)})::{CASTS[kind]}), null)"
        for name, kind in words.items()
    )
    with cursor() as reader:
        reader.execute(f"select {strings} from ({query}) facts", params, binary=True)
        row = reader.fetchone() or ()
    columns = {
        name: np.frombuffer(data or b"", dtype=f">{kind}").astype(kind)
        for (name, kind), data in zip(words.items(), row, strict=True)
    }
    if len({column.size for column in columns.values()}) > 1:
        raise ValueError("a column that is read as an array holds NULL")
    for name, others in shared.items():
        columns |= split(columns[name], name, others, kinds)
    return columns


def word_of(name: str, shared: Mapping[str, Mapping[str, int]]) -> str:
    """SQL for a column and those within it, the last in the lowest bits.

    >>> word_of("seller", {"seller": {"day": 20, "kind": 8}})
    'seller::bigint * 268435456 + day * 256 + kind'
    """
    others = shared.get(name)
    if not others:
        return name
    room = sum(others.values())
    terms = [f"{name}::bigint * {1 << room}"]
    for other, bits in others.items():
        room -= bits
        terms.append(f"{other} * {1 << room}" if room else other)
    return " + ".join(terms)


def split(
    word: Array, name: str, others: Mapping[str, int], kinds: Mapping[str, str]
) -> dict[str, Array]:
    """The columns in a word, whose bits are used up."""
    found: dict[str, Array] = {}
    for other, bits in reversed(list(others.items())):
        half = 1 << (bits - 1)
        word += half
        low = word & ((1 << bits) - 1)
        low -= half
        word >>= bits
        found[other] = low.astype(kinds[other], copy=False)
    return found | {name: word}


class Lookup:
    """From ids to places in an array of ascending ids: a table, or a search if that is huge."""

    def __init__(self, ids: NDArray[np.int64]) -> None:
        self.ids = ids
        highest = int(ids[-1]) if ids.size else 0
        self.table: NDArray[np.int32] | None = None
        if ids.size and int(ids[0]) >= 0 and highest < 8 * ids.size + 1_000_000:
            self.table = np.full(highest + 1, -1, np.int32)
            self.table[ids] = np.arange(ids.size, dtype=np.int32)

    def __call__(self, wanted: NDArray[np.int64]) -> NDArray[np.int32]:
        """The place of each wanted id, -1 where it is not among them."""
        if not self.ids.size:
            return np.full(wanted.size, -1, np.int32)
        if self.table is not None:
            inside = (wanted >= 0) & (wanted < self.table.size)
            return np.where(inside, self.table[np.where(inside, wanted, 0)], np.int32(-1))
        place = np.minimum(np.searchsorted(self.ids, wanted), self.ids.size - 1)
        return np.where(self.ids[place] == wanted, place, -1).astype(np.int32)


class BinaryRows:
    """Encodes rows of one table for COPY; a column that is None is NULL in all rows of a piece."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self.kinds = dict(kinds)
        self.buffers: dict[tuple[str, ...], Array] = {}
        self.constants: dict[tuple[tuple[str, ...], str], int] = {}

    def encode(self, row: Row, count: int) -> bytes:
        given = tuple(name for name in self.kinds if row[name] is not None)
        buffer = self.buffers.get(given)
        if buffer is None or len(buffer) < count:
            buffer = self.buffers[given] = self.empty(given, max(count, ROWS_AT_ONCE))
            self.constants = {
                key: value for key, value in self.constants.items() if key[0] != given
            }
        part = buffer[:count]
        for name in given:
            value = row[name]
            if not isinstance(value, int):
                part[name] = value
            elif self.constants.get((given, name)) != value:
                buffer[name] = self.constants[given, name] = value
        return part.tobytes()

    def empty(self, given: Sequence[str], count: int) -> Array:
        fields: list[tuple[str, str]] = [("fields", ">i2")]
        for name, kind in self.kinds.items():
            fields.append((f"{name} length", ">i4"))
            if name in given:
                fields.append((name, f">{kind}"))
        buffer = np.empty(count, np.dtype(fields))
        buffer["fields"] = len(self.kinds)
        for name in self.kinds:
            present = buffer.dtype.fields is not None and name in buffer.dtype.fields
            buffer[f"{name} length"] = buffer.dtype[name].itemsize if present else -1
        return buffer


def copy_rows(
    table: str,
    kinds: Mapping[str, str],
    pieces: Iterable[tuple[int, Row]],
    *,
    freeze: bool = False,
) -> int:
    """COPY pieces of rows into a table; returns how many rows. `freeze` only for a new table."""
    encoder, total = BinaryRows(kinds), 0
    options = "format binary, freeze" if freeze else "format binary"
    with cursor() as writer:
        statement = f"copy {table} ({', '.join(kinds)}) from stdin ({options})"
        with writer.copy(statement, writer=QueuedLibpqWriter(writer)) as copy:
            copy.write(HEADER)
            for count, row in pieces:
                copy.write(encoder.encode(row, count))
                total += count
            copy.write(TRAILER)
    return total


def slices(stop: int, rows: int = ROWS_AT_ONCE, start: int = 0) -> Iterable[slice]:
    return (slice(first, min(first + rows, stop)) for first in range(start, stop, rows))
