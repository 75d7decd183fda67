"""What holds between the parts of a plan: every name leads somewhere, every part can be computed."""

from __future__ import annotations

from collections.abc import Iterator

from commissions.engine.errors import Fault
from commissions.engine.plan import Plan


def check(plan: Plan) -> Iterator[Fault]:
    """Every fault of a plan that could be read, by the path of the part that has it."""
    yield from ()
