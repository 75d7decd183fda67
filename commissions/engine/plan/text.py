"""The document in a text: JSON as it is written down, and nothing that readers differ about.

A key that stands twice, NaN, and a number of thousands of digits are JSON to some readers; which of
two rates is meant nobody can tell, so that none is taken.
"""

from __future__ import annotations

import json
from typing import Any


class DocumentRefused(ValueError):
    """A text that holds no JSON document; where, and why."""

    def __init__(self, place: str, reason: str, line: int = 0) -> None:
        self.place, self.reason, self.line = place, reason, line
        super().__init__(f"{place[:1].upper()}{place[1:]}: this {reason}.")


def parsed(text: str) -> Any:
    """The document in a text. Raises DocumentRefused."""
    try:
        return json.loads(text, parse_constant=_no_number, object_pairs_hook=_each_key_once)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DocumentRefused(place, f"is no JSON: {error.msg}", error.lineno) from error
    except RecursionError as error:
        raise DocumentRefused("the document", "is nested too deeply") from error
    except DocumentRefused:
        raise
    except ValueError as error:
        raise DocumentRefused("the document", "has a number of too many digits") from error


def _no_number(word: str) -> Any:
    raise DocumentRefused("the document", f"has {word}, which is no number")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise DocumentRefused("the document", f'has "{key}" twice in one object')
        found[key] = value
    return found
