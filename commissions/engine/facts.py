"""Everything known of everybody in a period, worked out when it is first asked for, and kept.

    facts = Facts(snapshot, plan)
    facts.metric("gv")                  # hundredths of each member
    facts.paid_on("gv")                 # the same as the base of a bonus
    facts.meets(bonus.eligibility.when) # who meets it
    facts.ranks("rank").title

Metrics, activity and ladders ask for one another. Where they come back to themselves by way of
people further down (`dependencies.py`), the knot starts from nothing and is worked out again and
again until nothing changes. Each round settles at least one more level of the tree from below:

    gv stops at leaders, leaders have a gv of 500      A - B 300 - C 600
    round 1  gv 900, 900, 600: all leaders      round 2  gv 0, 300, 600: C alone
    round 3  gv 300, 300, 600: C alone          round 4  the same

A knot that goes round without settling is refused.

Measured and paid on. A refund of an earlier period's sale lowers what is measured now: ranks,
activity, conditions, bands, shares, limits. It does not lower what is paid on now, since what its
sale was paid is taken back where it was paid (`restatement`); both would take it twice.

    July 500.00, of which 250.00 come back in August; August 1,000.00      10 % of own volume
    July 50.00, August -25.00 for July and 100.00 for itself               125.00 for 1,250.00
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from hashlib import blake2b
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from commissions.engine import ladders, metrics, volumes
from commissions.engine.conditions import Climb, Finding, answer, answer_on, measure
from commissions.engine.errors import EngineError, SnapshotError
from commissions.engine.plan import Condition, Group, Plan
from commissions.engine.plan.dependencies import ACTIVE, LADDER, METRIC, Node, knots
from commissions.engine.result import Ranks, Standings
from commissions.engine.rounding import Int64s, added
from commissions.engine.snapshot import Lines, Snapshot, named_arrays
from commissions.engine.trees import Pointers, refuse_cycles, subtree_sums

Bools = NDArray[np.bool_]
Known = TypeVar("Known")


class Facts:
    """Of one snapshot by one plan. `state_out`: what is carried on, by name. `standings`: what is
    known already and not worked out again (nor what their windows carry on). `given`: figures that
    others decide, known already (`figures`); `noted`: those that were worked out. `stood`: other
    facts of the same people, by which everybody stands and every condition is answered."""

    def __init__(
        self,
        snapshot: Snapshot,
        plan: Plan,
        standings: Standings | None = None,
        stood: Facts | None = None,
        given: Mapping[str, Int64s] | None = None,
    ) -> None:
        refuse_unknown(snapshot, plan)
        self.snapshot, self.plan = snapshot, plan
        self.state_out: dict[str, Int64s] = {}
        self._kept: dict[tuple[Any, ...], Any] = {}
        self._answers: dict[Condition, Bools] = {}
        self._measured: dict[Condition, list[Finding]] = {}
        self.given: Mapping[str, Int64s] = given or {}
        self.noted: dict[str, Int64s] = {}
        self._begun: set[tuple[Any, ...]] = set()
        self._knots = knots(plan)
        self._stood = stood
        if standings is not None:
            self._kept[ACTIVE, ""] = standings.active
            self._kept |= {(METRIC, code): figures for code, figures in standings.metrics.items()}
            self._kept |= {(LADDER, code): ranks for code, ranks in standings.ranks.items()}
        self._fixed = frozenset(self._kept)

    # What is asked of the plan's parts

    def metric(self, code: str) -> Int64s:
        """A metric of each member; KeyError when the plan has none of that code."""
        found: Int64s = self._known((METRIC, code))
        return found

    def paid_on(self, code: str) -> Int64s:
        """A metric as the base of a bonus: of the period's lines alone, while everybody stands as
        he stands. A figure of people, or of more than this period, is paid on as it is measured."""
        metric = self.plan.metric(code)
        if metric.what == "sum":
            return metrics.added_up(metric, self, self.paid_on)
        is_measured = metric.what == "members" or metric.window != "period"
        if is_measured or not (self._stood or len(self.snapshot.refunds)):
            return self.metric(code)
        return self._once(("paid on", code), lambda: metrics.figure(metric, self._of_lines()))

    @property
    def active(self) -> Bools:
        found: Bools = self._known((ACTIVE, ""))
        return found

    def ranks(self, ladder: str) -> Ranks:
        found: Ranks = self._known((LADDER, ladder))
        return found

    def meets(self, condition: Condition | None, climb: Climb | None = None) -> Bools:
        """Who meets a condition, nothing asked being met by all. `climb`: of a ladder in work."""
        if self._stood is not None:
            return self._stood.meets(condition)
        if condition is None or climb is not None:
            return answer(condition, self, climb)
        if condition not in self._answers:
            self._answers[condition] = answer(condition, self)
        return self._answers[condition]

    def meets_on(
        self, condition: Condition | None, member: Pointers, day: NDArray[np.int32] | None
    ) -> Bools:
        """Of pairs of a member and a day who meets a condition then; None: at the period's end."""
        if self._stood is not None:
            return self._stood.meets_on(condition, member, day)
        if day is None or condition is None:
            return self.meets(condition)[member]
        return answer_on(condition, self, member, day)

    def measured(self, condition: Condition | None) -> list[Finding]:
        """The single questions of a condition with what they ask and what everybody has."""
        if condition is None:
            return []
        if condition not in self._measured:
            self._measured[condition] = measure(condition, self)
        return self._measured[condition]

    def aside(self) -> Facts:
        """The same facts, with a state of their own to write into."""
        other = copy(self)
        other.state_out = {}
        return other

    def standings(self) -> Standings:
        """All of it: every metric, who is active, every ladder."""
        figures = {metric.code: self.metric(metric.code) for metric in self.plan.metrics}
        ranks = {ladder.code: self.ranks(ladder.code) for ladder in self.plan.ladders}
        return Standings(figures, self.active, ranks)

    # What comes with the snapshot

    @property
    def package(self) -> NDArray[np.int16]:
        return self.snapshot.members.package

    def parent(self, tree: str) -> Pointers:
        """The pointers of a tree, found to be free of circles."""
        return self._once(("parent", tree), lambda: self._checked_tree(tree))

    def part(self, part: str) -> Lines:
        return self.snapshot.lines if part == "lines" else self.snapshot.refunds

    def carried(self, name: str) -> Int64s:
        """What was carried in under a name; zeros for a name that was not."""
        found = self.snapshot.state.get(name)
        return np.zeros(len(self.snapshot.members), np.int64) if found is None else found

    # Sums that several parts need

    def volume(self, code: str, part: str = "lines") -> Int64s:
        """A figure of each line, or of each refund: given or derived."""
        named = {volume.code: volume for volume in self.plan.volumes}
        return self._once(("volume", code, part), lambda: volumes.figure(named[code], self, part))

    def sold(self, what: str, volume: str | None, kinds: tuple[str, ...] | None) -> Int64s:
        """By seller: the sum of a figure over lines of the kinds, or their number x 100."""

        def both() -> Int64s:
            parts = ("lines", "refunds") if len(self.snapshot.refunds) else ("lines",)
            sums = [metrics.sum_of_lines(what, volume, kinds, self, part) for part in parts]
            return sums[0] if len(sums) == 1 else added(sums, f"personal {volume}")

        return self._once(("sold", what, volume, kinds), both)

    def whole_volume(self, volume: str, tree: str) -> Int64s:
        """A figure of each member and all below him, over lines of every kind."""
        return self._once(
            ("whole", volume, tree),
            lambda: subtree_sums(self.parent(tree), self.sold("volume", volume, None), volume),
        )

    def by_person(self, metric: str) -> Int64s:
        """What a metric of order lines has of each person by himself, in this period."""
        return metrics.by_person(self.plan.metric(metric), self)

    def cut_tree(self, scope: Group) -> Pointers:
        """The tree of a group metric without those who break away."""
        return metrics.cut_tree(scope, self)

    # How it is worked out

    def _of_lines(self) -> Facts:
        """Facts without refunds of earlier periods, in which everybody stands as he does here."""
        nothing = self.snapshot.refunds.kept(slice(0))
        snapshot = replace(self.snapshot, refunds=nothing)
        stood = self._stood or self
        return self._once(("of lines",), lambda: Facts(snapshot, self.plan, stood=stood))

    def _known(self, node: Node) -> Any:
        if self._stood is not None:
            return self._stood._known(node)
        if node not in self._kept:
            knot = self._knots.get(node)
            if knot is None:
                self._kept[node] = self._work(node)
            else:
                self._settle(knot)
        return self._kept[node]

    def _work(self, node: Node) -> Any:
        kind, code = node
        if kind == METRIC:
            return metrics.figure(self.plan.metric(code), self)
        if kind == ACTIVE:
            return self.meets(self.plan.activity)
        before = self._kept[node].paid_as if node in self._kept else self._blank(node).paid_as
        return ladders.stand(self.plan.ladder(code), self, before)

    def _settle(self, knot: tuple[Node, ...]) -> None:
        """Works the parts of a knot out from nothing, round by round, until none changes; those
        that are known already stay as they are."""
        knot = tuple(node for node in knot if node not in self._fixed)
        for node in knot:
            self._kept[node] = self._blank(node)
        try:
            self._go_round(knot)
        except EngineError:
            for node in knot:
                del self._kept[node]
            raise
        finally:
            self._answers.clear()

    def _go_round(self, knot: tuple[Node, ...]) -> None:
        seen: set[bytes] = set()
        before, now = b"", b"nothing"
        while now not in seen:
            seen.add(now)
            for node in knot:
                self._answers.clear()
                self._kept[node] = self._work(node)
            before, now = now, digest(self._kept[node] for node in knot)
        if now != before:
            names = ", ".join(f"{kind} {code}".strip() for kind, code in knot)
            raise EngineError(f"these depend on each other and never settle: {names}")

    def _blank(self, node: Node) -> Any:
        size = len(self.snapshot.members)
        if node[0] == LADDER:
            nothing = np.zeros(size, np.int16)
            return Ranks(nothing, nothing, nothing)
        return np.zeros(size, np.int64 if node[0] == METRIC else np.bool_)

    def _once(self, key: tuple[Any, ...], work: Callable[[], Known]) -> Known:
        if key not in self._kept:
            if key in self._begun:
                raise EngineError(f"{' '.join(map(str, key))} depends on itself")
            self._begun.add(key)
            try:
                self._kept[key] = work()
            finally:
                self._begun.discard(key)
        found: Known = self._kept[key]
        return found

    def _checked_tree(self, tree: str) -> Pointers:
        parent = self.snapshot.members.parent(tree)
        refuse_cycles(parent, self.snapshot.members.id, tree)
        return parent


def digest(values: Any) -> bytes:
    whole = blake2b(digest_size=16)
    for value in values:
        for _, array in named_arrays("", value):
            whole.update(np.ascontiguousarray(array).data)
    return whole.digest()


def refuse_unknown(snapshot: Snapshot, plan: Plan) -> None:
    """Raises SnapshotError for kinds, packages and ranks that the plan does not have."""
    for lines in (snapshot.lines, snapshot.refunds):
        if lines.kind.size and int(lines.kind.max()) >= len(plan.kinds):
            raise SnapshotError(f"a line is of kind {int(lines.kind.max())}, unknown to the plan")
    package = snapshot.members.package
    if package.size and int(package.max()) >= len(plan.packages):
        raise SnapshotError(f"a member has package {int(package.max())}, unknown to the plan")
    for ladder in plan.ladders:
        members = snapshot.members
        for levels in (members.given, members.title, members.highest):
            held = members.level_of(levels, ladder.code)
            if held.size and int(held.max()) > len(ladder.ranks):
                raise SnapshotError(f"a member holds rank {int(held.max())} of {ladder.code}")
