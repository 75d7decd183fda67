"""Plan documents and the records they become: one definition for reading, schema and help.

The plan language is a set of frozen dataclasses, in the modules beside this one. Their fields,
types and sentences are all there is: `read` turns a JSON document into records and names every
fault by its path, `schema` turns the same classes into a JSON Schema, no third place has to agree.

    @dataclass(frozen=True, slots=True)
    class Money:
        \"\"\"How exact figures become money.\"\"\"
        scale: Annotated[int, Between(0, 6), "Decimal places."]
        rounding: Annotated[Literal["half_even", "half_up"], "What happens to the rest."]

    read(Money, {"scale": 2, "rounding": "floor"}, "$.money", faults)
    # $.money.rounding: must be one of half_even, half_up, not "floor"

A field with a default may be left out, every other one must be there. Money and volumes are decimal
strings of at most two places ("12.50" is 1250 hundredths), rates of at most six ("0.025" is 25000
millionths); a number that does not fit exactly is a fault. What nobody asked for is a fault too: a
plan can't carry a rule that the engine would silently ignore.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from unicodedata import category

from commissions.engine.errors import Fault

HUNDREDTHS, MILLIONTHS = 2, 6
LARGEST = Decimal(10) ** 13
DECIMAL = re.compile(r"(0|[1-9]\d*)(\.\d+)?")
CODE = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class Scaled:
    """A decimal string of at most so many places, held as an integer."""

    places: int


@dataclass(frozen=True, slots=True)
class Between:
    """The lowest and the highest whole number allowed."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a text must look like, and the words for it."""

    shape: str
    words: str


Amount = Annotated[int, Scaled(HUNDREDTHS)]
Rate = Annotated[int, Scaled(MILLIONTHS)]
Code = Annotated[str, Pattern(CODE.pattern, "lower case letters, digits, underscores")]

Faults = list[Fault]


def content_hash(document: object) -> str:
    """SHA-256 of the canonical JSON: the same for any order of keys and any white space."""
    text = json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


# Reading


def read(kind: Any, value: object, path: str, faults: Faults) -> Any:
    """The value as the annotated type; after a fault a stand-in that nobody may use."""
    if get_origin(kind) is Annotated:
        base, *notes = get_args(kind)
        return read_noted(base, notes, value, path, faults)
    if get_origin(kind) in (Union, UnionType):
        return read_union(get_args(kind), value, path, faults)
    if get_origin(kind) is Literal:
        return read_choice(get_args(kind), value, path, faults)
    if get_origin(kind) is tuple:
        return read_list(get_args(kind)[0], value, path, faults)
    if get_origin(kind) is Mapping:
        key_kind, item_kind = get_args(kind)
        return read_mapping(key_kind, item_kind, value, path, faults)
    if is_dataclass(kind):
        return read_record(kind, value, path, faults)
    return read_plain(kind, value, path, faults)


def read_noted(base: Any, notes: list[Any], value: object, path: str, faults: Faults) -> Any:
    for note in notes:
        if isinstance(note, Scaled):
            return read_scaled(value, note.places, path, faults)
    got = read(base, value, path, faults)
    for note in notes:
        if isinstance(note, Between) and not (type(value) is int and note.low <= got <= note.high):
            if type(value) is int:
                faults.append(Fault(path, f"must be a whole number from {note.low} to {note.high}"))
            return note.low
        wrong_text = isinstance(note, Pattern) and isinstance(got, str) and isinstance(value, str)
        if wrong_text and not re.fullmatch(note.shape, got):
            faults.append(Fault(path, f'"{got}" is not made of {note.words}'))
    return got


def read_scaled(value: object, places: int, path: str, faults: Faults) -> int:
    if not isinstance(value, str) or not DECIMAL.fullmatch(value):
        wanted = 'must be a decimal in quotes such as "12.50", not negative'
        faults.append(Fault(path, f"{wanted}; it is {shown(value)}"))
        return 0
    number = Decimal(value)
    if number > LARGEST or -int(number.normalize().as_tuple().exponent) > places:
        faults.append(Fault(path, f'"{value}" has more than {places} decimals or is too large'))
        return 0
    return int(number.scaleb(places))


def read_union(kinds: tuple[Any, ...], value: object, path: str, faults: Faults) -> Any:
    others = [kind for kind in kinds if kind is not NoneType]
    if value is None and len(others) < len(kinds):
        return None
    if len(others) == 1:
        return read(others[0], value, path, faults)
    if not all(is_dataclass(kind) for kind in others):
        wanted = next(
            kind for kind in others if (get_origin(kind) is Mapping) == isinstance(value, dict)
        )
        return read(wanted, value, path, faults)
    tag, by_tag = tagged(tuple(others))
    if not isinstance(value, dict):
        faults.append(Fault(path, f'must be an object with "{tag}", not {shown(value)}'))
        return None
    named = value.get(tag)
    if isinstance(named, str) and named in by_tag:
        return read_record(by_tag[named], value, path, faults)
    options = ", ".join(sorted(by_tag))
    got = shown(named) if tag in value else "nothing"
    faults.append(Fault(f"{path}.{tag}", f"must be one of {options}, not {got}"))
    return None


@cache
def tagged(kinds: tuple[Any, ...]) -> tuple[str, dict[str, Any]]:
    """The field that tells these records apart, and the record for each of its values."""
    tag = fields(kinds[0])[0].name
    by_tag = {value: kind for kind in kinds for value in get_args(bare(hints(kind)[tag]))}
    return key_of(tag), by_tag


def key_of(name: str) -> str:
    """The document's word for a field: `is_` is written "is"."""
    return name.rstrip("_")


def bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


@cache
def hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def read_choice(options: tuple[str, ...], value: object, path: str, faults: Faults) -> str:
    if isinstance(value, str) and value in options:
        return value
    faults.append(Fault(path, f"must be one of {', '.join(options)}, not {shown(value)}"))
    return options[0]


def read_list(kind: Any, value: object, path: str, faults: Faults) -> tuple[Any, ...]:
    if not isinstance(value, list):
        faults.append(Fault(path, f"must be a list, not {shown(value)}"))
        return ()
    return tuple(read(kind, item, f"{path}[{place}]", faults) for place, item in enumerate(value))


def read_mapping(
    key_kind: Any, kind: Any, value: object, path: str, faults: Faults
) -> dict[str, Any]:
    if not isinstance(value, dict):
        faults.append(Fault(path, f"must be an object, not {shown(value)}"))
        return {}
    for key in value:
        read(key_kind, key, f"{path}.{key}", faults)
    return {key: read(kind, item, f"{path}.{key}", faults) for key, item in value.items()}


def read_record(kind: Any, value: object, path: str, faults: Faults) -> Any:
    if not isinstance(value, dict):
        faults.append(Fault(path, f"must be an object, not {shown(value)}"))
        return None
    given: dict[str, Any] = {}
    known = {key_of(field.name): field for field in written(kind)}
    for key, field in known.items():
        if key in value:
            wanted = hints(kind)[field.name]
            given[field.name] = read(wanted, value[key], f"{path}.{key}", faults)
        elif is_asked(field):
            faults.append(Fault(f"{path}.{key}", "is missing"))
            given[field.name] = None
    for key in sorted(set(value) - set(known)):
        near = f"; known here: {', '.join(sorted(known))}"
        faults.append(Fault(f"{path}.{key}", f"is not a field of the plan language{near}"))
    return kind(**given)


def written(kind: Any) -> list[Field[Any]]:
    """The fields that a document may have; those with an underscore in front are the engine's."""
    return [field for field in fields(kind) if not field.name.startswith("_")]


def is_asked(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def is_text(value: str) -> bool:
    """Whether it says something, without characters that can't be shown or stored."""
    return bool(value.strip()) and not any(category(letter) in ("Cc", "Cs") for letter in value)


PLAIN: dict[Any, tuple[Callable[[object], bool], str, object]] = {
    str: (lambda value: isinstance(value, str) and is_text(value), "a text", ""),
    bool: (lambda value: isinstance(value, bool), "true or false", False),
    int: (lambda value: type(value) is int, "a whole number", 0),
}


def read_plain(kind: Any, value: object, path: str, faults: Faults) -> Any:
    fits, words, stand_in = PLAIN[kind]
    if fits(value):
        return value
    faults.append(Fault(path, f"must be {words}, not {shown(value)}"))
    return stand_in
