"""Reads a JSON document field by field and remembers every fault with its path.

A `Reader` stands on one object of the document. Each getter takes a key, returns a typed value and
notes a fault when the value is missing or of the wrong kind; it then returns a harmless stand-in,
so that one pass finds all faults. `close()` notes the keys nobody asked for: a plan can't carry a
rule that the engine would silently ignore.

    reader.choice("rounding", {"half_even", "half_up", "down"})
    # $.money.rounding: must be one of down, half_even, half_up, not "floor"

Money and rates are decimal strings. "12.50" becomes 1250 hundredths, "0.025" becomes 25000
millionths; "0.0000001" is a fault, since it can't be held exactly.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any

from commissions.engine.errors import Fault

HUNDREDTHS, MILLIONTHS = 2, 6
LARGEST = Decimal(10) ** 13
DECIMAL = re.compile(r"(0|[1-9]\d*)(\.\d+)?")
CODE = re.compile(r"[a-z][a-z0-9_]{0,31}")
ABSENT = object()


def content_hash(document: object) -> str:
    """SHA-256 of the canonical JSON: the same for any order of keys and any white space."""
    text = json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


class Reader:
    """One object of the document, at `path`; all readers of a document share one list of faults."""

    def __init__(self, value: object, path: str, faults: list[Fault]) -> None:
        self.path, self.faults = path, faults
        self.seen: set[str] = set()
        self.usable = isinstance(value, dict)
        if not self.usable and value is not ABSENT:
            self.fault("", f"must be an object, not {json.dumps(value, default=str)}")
        self.value: dict[str, Any] = value if isinstance(value, dict) else {}

    def fault(self, key: str, message: str) -> None:
        self.faults.append(Fault(f"{self.path}.{key}" if key else self.path, message))

    def get(self, key: str) -> Any:
        """The raw value; None when absent, which is a fault already noted."""
        self.seen.add(key)
        if key not in self.value and self.usable:
            self.fault(key, "is missing")
        return self.value.get(key)

    def close(self) -> None:
        for key in sorted(set(self.value) - self.seen):
            self.fault(key, "is not a field of the plan language")

    def text(self, key: str) -> str:
        value = self.get(key)
        if key in self.value and (not isinstance(value, str) or not value.strip()):
            self.fault(key, "must be a text that is not empty")
        return value if isinstance(value, str) else ""

    def code(self, key: str) -> str:
        value = self.text(key)
        if value and not CODE.fullmatch(value):
            self.fault(key, f'"{value}" is no code: lower case letters, digits, underscores')
        return value

    def choice(self, key: str, allowed: Collection[str]) -> str:
        value = self.get(key)
        if isinstance(value, str) and value in allowed:
            return value
        if key in self.value:
            options = ", ".join(sorted(allowed))
            self.fault(key, f"must be one of {options}, not {json.dumps(value, default=str)}")
        return next(iter(sorted(allowed)))

    def whole(self, key: str, low: int, high: int) -> int:
        value = self.get(key)
        if type(value) is int and low <= value <= high:
            return value
        if key in self.value:
            self.fault(key, f"must be a whole number from {low} to {high}")
        return low

    def flag(self, key: str) -> bool:
        value = self.get(key)
        if key in self.value and not isinstance(value, bool):
            self.fault(key, "must be true or false")
        return value is True

    def amount(self, key: str) -> int:
        """A decimal string of at most two places, as hundredths."""
        return (
            self.scaled(self.get(key), key, HUNDREDTHS) if key in self.value else self.absent(key)
        )

    def rate(self, key: str) -> int:
        """A decimal string of at most six places, as millionths."""
        return (
            self.scaled(self.get(key), key, MILLIONTHS) if key in self.value else self.absent(key)
        )

    def absent(self, key: str) -> int:
        self.get(key)
        return 0

    def scaled(self, value: object, key: str, places: int) -> int:
        if not isinstance(value, str) or not DECIMAL.fullmatch(value):
            self.fault(key, 'must be a decimal in quotes such as "12.50", not negative')
            return 0
        number = Decimal(value)
        if number > LARGEST or -int(number.normalize().as_tuple().exponent) > places:
            self.fault(key, f'"{value}" has more than {places} decimals or is too large')
            return 0
        return int(number.scaleb(places))

    def child(self, key: str) -> Reader:
        value = self.get(key)
        value = value if key in self.value else ABSENT
        return Reader(value, f"{self.path}.{key}", self.faults)

    def children(self, key: str) -> Iterator[Reader]:
        for index, value in enumerate(self.items(key)):
            yield Reader(value, f"{self.path}.{key}[{index}]", self.faults)

    def items(self, key: str) -> list[Any]:
        value = self.get(key)
        if key in self.value and not isinstance(value, list):
            self.fault(key, "must be a list")
        return value if isinstance(value, list) else []

    def rates(self, key: str, longest: int) -> tuple[int, ...]:
        """A list of rates, one a step, at most `longest`."""
        values = self.items(key)
        if len(values) > longest:
            self.fault(key, f"has {len(values)} rates for at most {longest} steps")
        return tuple(self.scaled(v, f"{key}[{i}]", MILLIONTHS) for i, v in enumerate(values))

    def choices(self, key: str, allowed: Collection[str]) -> tuple[str, ...]:
        """A list of different choices, kept in the document's order."""
        kept: list[str] = []
        for index, value in enumerate(self.items(key)):
            if isinstance(value, str) and value in allowed and value not in kept:
                kept.append(value)
            else:
                self.fault(f"{key}[{index}]", f"{json.dumps(value, default=str)} is not allowed")
        return tuple(kept)
