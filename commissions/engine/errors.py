"""What the engine refuses, and how it says so.

The engine never guesses and never returns an approximate amount: it raises one of these instead.
"""

from __future__ import annotations

from typing import NamedTuple


class EngineError(ValueError):
    """The base of everything the engine refuses."""


class Fault(NamedTuple):
    """One thing wrong in a plan document: `$.bonuses[1].rates.table.gold[2]: ...`."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class PlanError(EngineError):
    """A plan document that says nothing computable; `faults` lists every reason found."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in faults))


class SnapshotError(EngineError):
    """Input facts that contradict each other or break what a snapshot promises."""


class CycleError(SnapshotError):
    """A distributor who stands above himself; `members` are ids in or below the circle."""

    def __init__(self, tree: str, members: list[int]) -> None:
        self.tree, self.members = tree, members
        shown = ", ".join(str(member) for member in members[:5])
        super().__init__(f"the {tree} tree goes in a circle at or above: {shown}")


class CapacityError(EngineError):
    """A sum or product that 64 bits can't hold; refused before it is computed."""
