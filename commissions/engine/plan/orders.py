"""Which orders count, where it goes by who bought and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from commissions.engine.plan.reading import Between


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders by their buyer, a customer or the distributor himself: how many he made before, how
    long he has been there.

    {"last": 1} are first orders, {"first": 2} all others, {"within_days": 30} those that a buyer
    makes up to 30 days after he joined.
    """

    first: Annotated[int, Between(1, 1_000_000), "From a buyer's how-manieth order on."] = 1
    last: Annotated[
        Annotated[int, Between(1, 1_000_000)] | None, "Up to which one; null: all that follow."
    ] = None
    within_days: Annotated[
        Annotated[int, Between(0, 36_500)] | None, "Up to so many days after the buyer joined."
    ] = None
