"""As what people were paid on another day: known to an app further down, which says it here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class RankSource:
    """Whether ranks are known of a day, and their names by distributor; who had none is left out.

    Both are asked with the day and the moment at which it was known so, None for today.
    """

    are_known: Callable[[date, datetime | None], bool]
    names_of: Callable[[list[int], date, datetime | None], dict[int, str]]


_SOURCES: list[RankSource] = []


def register_ranks(source: RankSource) -> None:
    """Let an app further down tell the ranks of other days. Called in `ready()`."""
    if source not in _SOURCES:
        _SOURCES.append(source)


def are_known(on: date, known_at: datetime | None) -> bool:
    return any(source.are_known(on, known_at) for source in _SOURCES)


def names_of(ids: list[int], on: date, known_at: datetime | None) -> dict[int, str]:
    names: dict[int, str] = {}
    for source in _SOURCES:
        names |= source.names_of(ids, on, known_at)
    return names
