"""What the linter says of a plan that can be computed but may not be meant."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """error: a part that can't do what it says. warning: worth a second look. compliance: may be
    simulated, never activated."""

    path: str
    severity: Literal["error", "warning", "compliance"]
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.severity}: {self.message}"
