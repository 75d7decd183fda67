"""States that only move along drawn edges, in Python and in the database alike."""

from collections.abc import Mapping
from typing import Any

from django.db import models

Edges = Mapping[str, tuple[str, ...]]


class TransitionRefused(Exception):
    """The row was not in a state from which this step is allowed."""

    def __init__(self, instance: models.Model, current: str, target: str) -> None:
        self.current, self.target = current, target
        label = instance._meta.verbose_name
        super().__init__(f"This {label} is {current}; it cannot become {target}.")


def sources(edges: Edges, target: str) -> list[str]:
    """The states from which the target may be reached."""
    return [state for state, targets in edges.items() if target in targets]


def advance(instance: models.Model, to: str, edges: Edges, **fields: Any) -> None:
    """Move one row to a new status by a conditional UPDATE, setting the other fields with it.

    The statement names the states it may come from, so of two racing callers one wins and the
    other gets TransitionRefused. The instance carries the new values afterwards.
    """
    rows = type(instance)._default_manager.filter(pk=instance.pk, status__in=sources(edges, to))
    if not rows.update(status=to, **fields):
        instance.refresh_from_db(fields=["status"])
        raise TransitionRefused(instance, instance.status, to)  # type: ignore[attr-defined]
    for name, value in {"status": to, **fields}.items():
        setattr(instance, name, value)
