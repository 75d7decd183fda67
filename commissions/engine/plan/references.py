"""Whether the names in a plan lead somewhere, and the sentences for those that don't."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Protocol

from commissions.engine.errors import Fault
from commissions.engine.plan import NO_RANK, Plan


class Coded(Protocol):
    """Anything of a plan that others name by its code."""

    @property
    def code(self) -> str: ...


def codes_of(items: Iterable[Coded]) -> list[str]:
    return [item.code for item in items]


def refers(
    path: str, code: str | None, known: Collection[str], what: str, where: str = "of this plan"
) -> Iterator[Fault]:
    """A fault where the name leads nowhere; nothing named is none."""
    if code is not None and code not in known:
        there = f": {', '.join(sorted(known))}" if known else "; there is none"
        yield Fault(path, f'"{code}" is no {what} {where}{there}')


def rank_refers(
    path: str, code: str, ladder: str, plan: Plan, *, none_too: bool = False
) -> Iterator[Fault]:
    """A fault for what is no rank of that ladder; silent where the ladder itself is unknown."""
    if ladder not in codes_of(plan.ladders) or (none_too and code == NO_RANK):
        return
    known = codes_of(plan.ladder(ladder).ranks)
    if code not in known:
        there = ", ".join([*known, NO_RANK] if none_too else known)
        yield Fault(path, f'"{code}" is no rank of the ladder "{ladder}": {there}')


def repeats(path: str, codes: Sequence[str], taken: Collection[str] = ()) -> Iterator[Fault]:
    """A fault for each code that was there before; `path` has {} for the place."""
    seen = set(taken)
    for place, code in enumerate(codes):
        if code in seen:
            yield Fault(path.format(place), f'"{code}" is there twice')
        seen.add(code)
