"""What a story is told from: some people and one order line, and what the close measured of them.

few = Few(snapshot, plan, calculate(snapshot, plan), people=upward(snapshot, seller), line=7)
trace(few.facts, "unilevel", 0, booked=few.booked(plan.bonus("unilevel")))
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from commissions.engine import Facts, Plan, Result, Snapshot, Standings
from commissions.engine.explain import Booked
from commissions.engine.figures import (
    behind,
    cuts_on,
    goes_by,
    is_decided_elsewhere,
    ladders_asked,
    metrics_asked,
    paid_name,
)
from commissions.engine.plan import Bonus
from commissions.engine.result import Block, Ranks

PLAIN = ("id", "leg", "joined", "sequence", "package")
BY_NAME = ("flags", "given", "highest", "title")


def upward(snapshot: Snapshot, *people: int) -> NDArray[np.int32]:
    """People and everybody above them by any way through the trees."""
    found, ahead = set(people), list(people)
    while ahead:
        person = ahead.pop()
        above = {int(up[person]) for up in snapshot.members.parents.values()} - {-1}
        ahead += above - found
        found |= above
    return np.array(sorted(found), np.int32)


@dataclass(frozen=True)
class Few:
    """`people`: their places in the whole company, ascending; `line`: that of the order line."""

    whole: Snapshot
    plan: Plan
    close: Result
    people: NDArray[np.int32]
    line: int | None = None

    @property
    def facts(self) -> Facts:
        measured = {name: figures[self.people] for name, figures in self.close.measured.items()}
        return Facts(self.snapshot(), self.plan, self.standings(), given=measured)

    def place(self, people: Any) -> Any:
        """Where people of the whole company are among these; -1 for all others."""
        places = np.full(len(self.whole.members) + 1, -1, np.int32)
        places[self.people] = np.arange(len(self.people))
        return places[people]

    def snapshot(self) -> Snapshot:
        members, few = self.whole.members, self.people
        people = replace(
            members,
            **{name: getattr(members, name)[few] for name in PLAIN},
            **{
                kind: {name: each[few] for name, each in getattr(members, kind).items()}
                for kind in BY_NAME
            },
            owner=np.arange(len(few), dtype=np.int32),
            parents={tree: self.place(up[few]) for tree, up in members.parents.items()},
        )
        lines = self.whole.lines.kept(slice(0))
        if self.line is not None:
            lines = self.whole.lines.kept(slice(self.line, self.line + 1))
            lines = replace(lines, seller=self.place(lines.seller))
        refunds = self.whole.refunds.kept(slice(0))
        return replace(self.whole, members=people, lines=lines, refunds=refunds, state={})

    def standings(self) -> Standings:
        """Only what stories may ask of people as they stand."""
        whole, few = self.close.standings, self.people
        assert whole is not None
        first = {ladder.code for ladder in self.plan.ladders[:1]}
        ranks = {code: whole.ranks[code] for code in sorted(ladders_asked(self.plan) | first)}
        return Standings(
            metrics={code: whole.metrics[code][few] for code in sorted(metrics_asked(self.plan))},
            active=whole.active[few],
            ranks={
                code: Ranks(each.paid_as[few], each.title[few], each.highest[few])
                for code, each in ranks.items()
            },
        )

    def booked(self, bonus: Bonus) -> Booked:
        named = behind(bonus, self.plan)
        elsewhere = [code for code, each in named.items() if is_decided_elsewhere(each)]
        summed = [limit.code for limit in cuts_on(bonus, self.plan)]
        summed += goes_by(bonus) if summed else ()
        return Booked(
            lines={code: list(self.on_line(code)) for code in elsewhere},
            sums={code: self.close.measured[paid_name(code)][self.people] for code in summed},
        )

    def on_line(self, code: str) -> Iterator[Block]:
        for block in self.close.ledger:
            if self.plan.programmes[block.bonus].code == code:
                mine = block.kept(block.line == self.line)
                yield replace(
                    mine,
                    earner=self.place(mine.earner),
                    source=self.place(mine.source),
                    line=np.zeros_like(mine.line),
                )
