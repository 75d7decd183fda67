"""As much of JSON Schema as the plan language uses, to try its schema on documents."""

import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
KNOWN = {
    "$schema", "$defs", "$ref", "title", "description", "type", "enum", "anyOf", "pattern",
    "minimum", "maximum", "items", "properties", "required", "additionalProperties",
    "propertyNames",
}  # fmt: skip


def schema_faults(value: Any, whole: Schema) -> Iterator[str]:
    """Paths at which the value does not fit, "$" for the value itself; of alternatives that all
    fail the path they stand at."""
    yield from faults(value, whole, whole, "$")


def faults(value: Any, part: Schema, whole: Schema, path: str) -> Iterator[str]:
    assert set(part) <= KNOWN, f"the validator does not know {set(part) - KNOWN}"
    if "$ref" in part:
        name = part["$ref"].removeprefix("#/$defs/")
        yield from faults(value, whole["$defs"][name], whole, path)
    options = part.get("anyOf", [])
    if options and all(any(faults(value, option, whole, path)) for option in options):
        yield path
    if not fits(value, part):
        yield path
    elif isinstance(value, dict) and "type" in part:
        yield from of_object(value, part, whole, path)
    elif isinstance(value, list) and "items" in part:
        for place, item in enumerate(value):
            yield from faults(item, part["items"], whole, f"{path}[{place}]")


def fits(value: Any, part: Schema) -> bool:
    if "type" in part:
        right = isinstance(value, KINDS[part["type"]])
        if not right or (isinstance(value, bool) and part["type"] == "integer"):
            return False
    if "enum" in part and value not in part["enum"]:
        return False
    if "pattern" in part and not re.search(part["pattern"], value):
        return False
    return part.get("minimum", float("-inf")) <= as_number(value, part)


def as_number(value: Any, part: Schema) -> float:
    """The value if it is within its maximum, below every minimum if not."""
    if "maximum" not in part:
        return float(value) if isinstance(value, int) else float("inf")
    return float(value) if value <= part["maximum"] else float("-inf")


def of_object(value: dict[str, Any], part: Schema, whole: Schema, path: str) -> Iterator[str]:
    properties = part.get("properties", {})
    yield from (f"{path}.{name}" for name in part.get("required", ()) if name not in value)
    for name, item in value.items():
        rest = part.get("additionalProperties", True)
        if name in properties:
            yield from faults(item, properties[name], whole, f"{path}.{name}")
        elif rest is False:
            yield f"{path}.{name}"
        elif isinstance(rest, dict):
            yield from faults(item, rest, whole, f"{path}.{name}")
            yield from faults(name, part.get("propertyNames", {}), whole, f"{path}.{name}")
