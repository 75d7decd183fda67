"""The plan language as a JSON Schema, and documents put in its order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from commissions.engine.plan.reading import (
    Between,
    Pattern,
    Scaled,
    hints,
    is_asked,
    key_of,
    tagged,
    written,
)


def schema(kind: Any, title: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of a record, its parts as definitions; docstrings are descriptions."""
    parts: dict[str, Any] = {}
    whole = schema_of(kind, parts)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **whole,
        "$defs": dict(sorted(parts.items())),
    }


def schema_of(kind: Any, parts: dict[str, Any]) -> dict[str, Any]:
    origin = get_origin(kind)
    if origin is Annotated:
        return schema_of_noted(kind, parts)
    if origin in (Union, UnionType):
        return {"anyOf": [schema_of(option, parts) for option in get_args(kind)]}
    if origin is Literal:
        return {"enum": list(get_args(kind))}
    if origin is tuple:
        return {"type": "array", "items": schema_of(get_args(kind)[0], parts)}
    if origin is Mapping:
        key, item = get_args(kind)
        names = schema_of(key, parts)
        return {
            "type": "object",
            "propertyNames": names,
            "additionalProperties": schema_of(item, parts),
        }
    if is_dataclass(kind):
        return schema_of_record(kind, parts)
    types: dict[Any, str] = {str: "string", int: "integer", bool: "boolean", NoneType: "null"}
    return {"type": types[kind]}


def schema_of_noted(kind: Any, parts: dict[str, Any]) -> dict[str, Any]:
    base, *notes = get_args(kind)
    found = schema_of(base, parts)
    for note in notes:
        if isinstance(note, Scaled):
            shape = rf"^(0|[1-9]\d*)(\.\d{{1,{note.places}}})?$"
            found = {"type": "string", "pattern": shape}
        elif isinstance(note, Between):
            found |= {"minimum": note.low, "maximum": note.high}
        elif isinstance(note, Pattern):
            found["pattern"] = f"^{note.shape}$"
        elif isinstance(note, str):
            found["description"] = note
    return found


def schema_of_record(kind: Any, parts: dict[str, Any]) -> dict[str, Any]:
    name = kind.__name__
    if name not in parts:
        parts[name] = {}
        parts[name] = {
            "type": "object",
            "description": " ".join((kind.__doc__ or "").split()),
            "properties": {
                key_of(field.name): schema_of(hints(kind)[field.name], parts)
                for field in written(kind)
            },
            "required": [key_of(field.name) for field in written(kind) if is_asked(field)],
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{name}"}


def ordered(kind: Any, value: Any) -> Any:
    """The document with the keys of each object as the language has them; what it does not know
    comes last. A store that forgets the order of keys gives them back in any."""
    if get_origin(kind) is Annotated:
        return ordered(get_args(kind)[0], value)
    if get_origin(kind) in (Union, UnionType):
        return ordered(fitting(get_args(kind), value), value)
    if get_origin(kind) is tuple and isinstance(value, list):
        return [ordered(get_args(kind)[0], item) for item in value]
    if not isinstance(value, dict):
        return value
    if get_origin(kind) is Mapping:
        return {key: ordered(get_args(kind)[1], item) for key, item in value.items()}
    if not is_dataclass(kind):
        return value
    record: Any = kind
    types = {key_of(field.name): hints(record)[field.name] for field in written(record)}
    known = {key: ordered(types[key], value[key]) for key in types if key in value}
    return known | {key: item for key, item in value.items() if key not in known}


def fitting(kinds: tuple[Any, ...], value: object) -> Any:
    """Which of several types a value is written as; the first where none fits."""
    records: tuple[Any, ...] = tuple(kind for kind in kinds if is_dataclass(kind))
    if isinstance(value, dict) and len(records) > 1:
        tag, by_tag = tagged(records)
        return by_tag.get(str(value.get(tag)), records[0])
    if isinstance(value, dict):
        return next((k for k in kinds if is_dataclass(k) or get_origin(k) is Mapping), kinds[0])
    return next((kind for kind in kinds if kind is not NoneType), kinds[0])
