"""The trees as a plain log, to hold the database against: who was put under whom, from which day.

Written from what the words mean, without a look at the index: a later entry replaces what was said
of its day and of all days after it.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta


@dataclass(frozen=True)
class Entry:
    who: int
    tree: str
    parent: int | None
    leg: int | None
    since: date


@dataclass
class Log:
    """People are ids; `today` is the day on which all is written."""

    today: date
    entries: list[Entry] = field(default_factory=list)
    joined: dict[int, date] = field(default_factory=dict)
    left: set[int] = field(default_factory=set)

    def place(self, who: int, tree: str, on: date | None = None, known: int | None = None):
        """(parent, leg) of somebody on a day, as the first `known` entries tell it."""
        on, found = on or self.today, (None, None)
        for entry in self.entries[:known]:
            if (entry.who, entry.tree) == (who, tree) and entry.since <= on:
                found = (entry.parent, entry.leg)
        return found

    def upline(
        self, who: int, tree: str, on: date | None = None, known: int | None = None
    ) -> list[int]:
        """Nearest first; a circle would never end and is an error of the product."""
        above: list[int] = []
        parent, _ = self.place(who, tree, on, known)
        while parent is not None:
            assert parent not in above
            above.append(parent)
            parent, _ = self.place(parent, tree, on, known)
        return above

    def lines(self, tree: str, on: date, known: int | None = None) -> dict[int, set[int]]:
        """Who stood anywhere below whom on a day, himself with him, of all who were there."""
        there = {
            entry.who for entry in self.entries[:known] if entry.tree == tree and entry.since <= on
        }
        if tree == "placement":
            placed = {who for who in there if self.place(who, tree, on, known)[0] is not None}
            there = placed | {self.place(who, tree, on, known)[0] for who in placed}
        lines: dict[int, set[int]] = {who: {who} for who in there}
        for who in there:
            for above in self.upline(who, tree, on, known):
                lines[above].add(who)
        return lines

    def directs(self, who: int | None, tree: str) -> list[int]:
        return [person for person in self.joined if self.place(person, tree)[0] == who]

    def members(self, tree: str) -> set[int]:
        if tree == "sponsor":
            return set(self.joined)
        placed = {person for person in self.joined if self.place(person, tree)[0] is not None}
        return placed | {self.place(person, tree)[0] for person in placed}

    def paths(self, tree: str) -> set[tuple[int, int, int, int | None]]:
        """(ancestor, descendant, distance, leg of the ancestor) of the tree as it is today."""
        rows = set()
        for who in self.members(tree):
            rows.add((who, who, 0, None))
            below = who
            for distance, above in enumerate(self.upline(who, tree), 1):
                leg = self.place(below, tree)[1]
                rows.add((above, who, distance, leg))
                below = above
        return rows

    def refuses(
        self, who: int, tree: str, parent: int | None, leg: int | None, since: date
    ) -> bool:
        """Whether somebody cannot be put there from that day on."""
        if self.place(who, tree) == (parent, leg) or since < self.joined[who]:
            return True
        if parent is None:
            return False
        if parent == who or since < self.joined[parent]:
            return True
        if tree == "sponsor" and parent in self.left:
            return True
        days = [since + timedelta(days=n) for n in range((self.today - since).days + 1)]
        if any(who in self.upline(parent, tree, day) for day in days):
            return True
        taken = {self.place(other, tree) for other in self.joined if other != who}
        return tree == "placement" and (parent, leg) in taken

    # Placement, by the words of genealogy/services/placement.py

    def legs(self, who: int) -> dict[int, int]:
        """Who stands in which leg under somebody."""
        placed = {other: self.place(other, "placement") for other in self.joined}
        return {leg: other for other, (parent, leg) in placed.items() if parent == who and leg}

    def people_below(self, who: int) -> int:
        return 1 + sum(self.people_below(other) for other in self.legs(who).values())

    def start(self, sponsor: int) -> int:
        """The sponsor, or the nearest above him with a place; else the top."""
        line = [sponsor, *self.upline(sponsor, "sponsor")]
        placed = (who for who in line if self.place(who, "placement")[0] is not None)
        return next(placed, line[-1])

    def breadth_first(self, start: int, width: int) -> tuple[int, int]:
        waiting = [start]
        while True:
            who = waiting.pop(0)
            legs = self.legs(who)
            for leg in range(1, width + 1):
                if leg not in legs:
                    return who, leg
                waiting.append(legs[leg])

    def least_populated(self, start: int, width: int) -> tuple[int, int]:
        legs = self.legs(start)
        for leg in range(1, width + 1):
            if leg not in legs:
                return start, leg
        leg = min(legs, key=lambda leg: (self.people_below(legs[leg]), leg))
        return self.least_populated(legs[leg], width)

    def outside(self, start: int, leg: int) -> tuple[int, int]:
        legs = self.legs(start)
        return self.outside(legs[leg], leg) if leg in legs else (start, leg)

    def weaker_leg(self, start: int, width: int) -> tuple[int, int]:
        """Where nothing was sold yet: by people."""
        legs = self.legs(start)
        weight = {
            leg: self.people_below(legs[leg]) if leg in legs else 0 for leg in range(1, width + 1)
        }
        return self.outside(start, min(weight, key=lambda leg: (weight[leg], leg)))
