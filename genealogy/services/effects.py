"""What moves and terminations would do elsewhere, said beforehand by the apps further down.

An app further down registers what it can say; the service that keeps moves registers where the
answer is kept. Neither needs to know the other. A small company is answered at once, a large one by
a task of the app:

    if effects.fit_request():
        move.preview = effects.work_out(changes)        # {"commissions": {...}}, to be stored
    else:
        effects.order(str(move.pk))                     # with the move's row, in one transaction
    effects.shown(move.preview)                         # templates, each with its facts
    effects.touched_by(distributor)                     # what a termination would touch
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction

from genealogy.models import Distributor


class EffectsRefused(Exception):
    """The changes cannot be worked out; the message says why."""


@dataclass(frozen=True)
class Change:
    """Somebody under another parent in one tree; without a parent at its top, or out of it.

    `leg`: counted from 1, in the placement tree only.
    """

    distributor_id: int
    tree: str
    new_parent_id: int | None
    leg: int | None = None


Changes = tuple[Change, ...]
Effects = dict[str, Any]
"""What one app says, as JSON: money and volumes in whole hundredths."""


@dataclass(frozen=True)
class Progress:
    """How far an order is: so many of so many steps are behind it."""

    done: int
    of: int
    label: str


@dataclass(frozen=True)
class Touched:
    """Something of a distributor's that a termination touches: an amount under its name."""

    label: str
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Shown:
    """What one app said, and the template that shows it under the name `effects`."""

    template: str
    effects: Any


@dataclass(frozen=True)
class Source:
    """An app further down, and what it says of changes.

    `code` names its part in what is stored. `work_out` only reads, raises EffectsRefused, and may
    take long where `fits_request` says no; then `send` orders it of a task, by the reference of
    whoever keeps the answer. `progress`: of such an order, None when nobody is at it.
    `read`: what was stored, as `template` shows it. `touches`: what a distributor has there.
    """

    code: str
    template: str
    fits_request: Callable[[], bool]
    work_out: Callable[[Changes], Effects]
    send: Callable[[str], None]
    progress: Callable[[str], Progress | None]
    read: Callable[[Effects], Any]
    touches: Callable[[Distributor], Iterable[Touched]]


@dataclass(frozen=True)
class Keeper:
    """Where orders come from and answers are kept: rows, known by a reference.

    `changes_of`: what is asked, None when nothing is asked any more. `waiting`: references without
    the answer of a source, by its code. `keep`: store a source's answer; twice does no harm.
    """

    changes_of: Callable[[str], Changes | None]
    waiting: Callable[[str], list[str]]
    keep: Callable[[str, str, Effects], None]


_SOURCES: dict[str, Source] = {}
_KEEPERS: list[Keeper] = []


def register_effects(source: Source) -> None:
    """Let an app further down say what changes would do. Called in `ready()`."""
    _SOURCES[source.code] = source


def register_keeper(keeper: Keeper) -> None:
    """Say where orders are read and answers kept; the last one counts. Called in `ready()`."""
    _KEEPERS[:] = [keeper]


def fit_request() -> bool:
    """Whether nobody would have to wait long for `work_out`."""
    return all(source.fits_request() for source in _SOURCES.values())


def work_out(changes: Changes) -> dict[str, Effects]:
    """What every app says, by its code. Only reads. Raises EffectsRefused.

    Call it before the transaction that makes the changes: it reads the company for a while.
    """
    return {code: source.work_out(changes) for code, source in _SOURCES.items()}


def order(reference: str) -> None:
    """Have the tasks of all apps work out what the keeper has under the reference.

    The tasks go out when the caller's transaction commits; a lost one is made up for by a sweep.
    """
    for source in _SOURCES.values():
        transaction.on_commit(partial(source.send, reference), robust=True)


def is_complete(stored: Mapping[str, Effects]) -> bool:
    """Whether every app has said what it has to say."""
    return stored.keys() >= _SOURCES.keys()


def progress(reference: str) -> list[Progress]:
    """How far the tasks are that work at an order."""
    found = (source.progress(reference) for source in _SOURCES.values())
    return [each for each in found if each is not None]


def shown(stored: Mapping[str, Effects]) -> list[Shown]:
    """What was stored, ready for the page, in the order in which the apps registered."""
    return [
        Shown(source.template, source.read(stored[code]))
        for code, source in _SOURCES.items()
        if code in stored
    ]


def touched_by(distributor: Distributor) -> list[Touched]:
    """All that a termination of the distributor would touch in the apps further down."""
    return [each for source in _SOURCES.values() for each in source.touches(distributor)]


# For the tasks of the sources


def changes_of(reference: str) -> Changes | None:
    """What is asked under a reference; None when nobody asks any more."""
    return _KEEPERS[0].changes_of(reference) if _KEEPERS else None


def waiting(code: str) -> list[str]:
    """The references that wait for the answer of a source."""
    return _KEEPERS[0].waiting(code) if _KEEPERS else []


def keep(reference: str, code: str, effects: Effects) -> None:
    """Store the answer of a source with the order."""
    if _KEEPERS:
        _KEEPERS[0].keep(reference, code, effects)
