"""What is measured of a member in a period: what, whose, since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from commissions.engine.plan.conditions import Condition
from commissions.engine.plan.orders import Orders
from commissions.engine.plan.reading import Amount, Between, Code, Rate
from commissions.engine.plan.terms import Steps, Tree


@dataclass(frozen=True, slots=True)
class Own:
    """What the member himself sold, bought or is."""

    scope: Literal["own"]


@dataclass(frozen=True, slots=True)
class Group:
    """The member's whole downline in a tree, without those who head a group of their own."""

    scope: Literal["group"]
    tree: Tree
    include_self: Annotated[bool, "Whether his own figures count into his group."]
    until: Annotated[
        Condition | None, "Who breaks away: he and all below him are left out; left out: nobody."
    ] = None


@dataclass(frozen=True, slots=True)
class Levels:
    """Those from one level below the member to another, by distance; level 1 is the frontline."""

    scope: Literal["levels"]
    tree: Tree
    first: Steps
    last: Steps


@dataclass(frozen=True, slots=True)
class Legs:
    """Of the member's legs, the largest first, the `first` to the `last`. A leg is one child in the
    tree with all below him; the member's own figure is in none.

    {"first": 1, "last": 1} is the strongest leg, {"first": 2} all others together.
    """

    scope: Literal["legs"]
    tree: Tree
    first: Annotated[int, Between(1, 1_000)]
    last: Annotated[
        Annotated[int, Between(1, 1_000)] | None, "Up to which one; null: all that follow."
    ] = None


@dataclass(frozen=True, slots=True)
class Company:
    """Everybody together; the same figure for each member."""

    scope: Literal["company"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of each member in a period: what, whose, since when.

    Own PV is {"what": "volume", "volume": "pv", "scope": {"scope": "own"}, ...}; active frontline
    members are {"what": "members", "where": {"is": "active"}, "scope": {"scope": "levels", ...}}.
    Counts are whole numbers; conditions and bands write them as "3".
    """

    code: Code
    name: Annotated[str, "What it is called where people read it: Group volume."]
    what: Annotated[
        Literal["volume", "members", "orders", "buyers", "sum"],
        "volume: sums a figure of order lines. members, orders, buyers: counts people, paid lines, "
        "or who bought (customers, or distributors for themselves). sum: other metrics of his "
        "added up, each so many times.",
    ]
    scope: Own | Group | Levels | Legs | Company
    volume: Annotated[
        Code | None, "Which figure is summed, and what of buyers must be above zero."
    ] = None
    least: Annotated[Amount, "Only buyers who bought at least so much of `volume` in all."] = 0
    kinds: Annotated[tuple[Code, ...] | None, "Only order lines of these kinds."] = None
    orders: Annotated[Orders | None, "Only lines of these orders."] = None
    where: Annotated[Condition | None, "Only people (or their lines) who meet this."] = None
    window: Annotated[
        Literal["period", "periods", "lifetime", "first_days"],
        "period: this one. periods: this and the last `length` - 1. lifetime: all up to now. "
        "first_days: lines up to `length` days after somebody joined (`since`), of this period and "
        "those before; people who joined up to `length` days after the one who is measured.",
    ] = "period"
    length: Annotated[int, Between(1, 1_000)] = 1
    since: Annotated[
        Literal["seller", "buyer", "member"],
        "Whose joining the first days of a line are counted from: that of its seller, of its buyer "
        "(a customer, say), or of the member who is measured.",
    ] = "seller"
    parts: Annotated[
        Mapping[Code, Rate] | None, "Of a sum: the metrics, and how many times each counts."
    ] = None
