"""What refunds undo of lines without an order line, where past periods are tried.

A trial knows all refunds beforehand. So each period is worked out again while it is at hand, once
for every later period of the trial in which sales of it came back, and what that undoes all in all
is kept until the trial comes there:

    July at hand     back by the end of August -10.00, by the end of September -15.00
    August           -10.00      September  -15.00 less -10.00

What it hands on less of money that waits, by each of those, is what the next period is told less.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np

from commissions.engine import Closed, Plan, Restated, Returns, Snapshot, restate
from commissions.engine.restatement import due_now, is_concerned, less_told
from commissions.engine.rounding import Int64s
from commissions.engine.rows import Rows, rows_of
from commissions.engine.snapshot import State
from commissions.models import CommissionPeriod, CommissionRun
from commissions.services import facts
from commissions.services.arrays import Lookup
from commissions.services.carried import read_corrections, read_less
from commissions.services.restatements import corrected, moved


@dataclass
class Restatement:
    """A period's lines without an order line, their earners by id; what later periods undo of them
    all in all, and what goes back into legs, by later period; and what was undone so far."""

    ids: Int64s
    rows: Rows
    undone: dict[int, Int64s] = field(default_factory=dict)
    given_back: dict[int, State] = field(default_factory=dict)
    so_far: Int64s = field(default_factory=lambda: np.empty(0, np.int64))


@dataclass
class HandedOn:
    """What a period would hand on of money that waits, where it is less, by the end of later
    periods, by member."""

    ids: Int64s = field(default_factory=lambda: np.empty(0, np.int64))
    waiting: dict[int, State] = field(default_factory=dict)

    def less(self, later: CommissionPeriod, snapshot: Snapshot) -> dict[str, Int64s]:
        """By how much the next period, of this snapshot, is told less by the end of a later one."""
        place, size = Lookup(snapshot.members.id)(self.ids), len(snapshot.members)
        waiting = self.waiting.get(later.pk, {})
        now = {name: moved(figures, place, size) for name, figures in waiting.items()}
        return less_told(now, snapshot.state)


class Sums:
    """The restatements of a trial's periods by one plan."""

    def __init__(self, periods: Sequence[CommissionPeriod], plan: Plan) -> None:
        self.periods, self.plan = list(periods), plan
        self.rule = plan.reversal
        self.is_needed = is_concerned(plan) and self.rule.commissions != "none"
        self.found: list[Restatement] = []
        self.handed_on = HandedOn()

    def later_than(self, period: CommissionPeriod) -> list[CommissionPeriod]:
        """The periods that may undo something of this one."""
        if not self.is_needed:
            return []
        return [other for other in self.periods if other.starts_on > period.ends_on]

    def due(
        self, period: CommissionPeriod, snapshot: Snapshot
    ) -> tuple[Snapshot, list[dict[str, Int64s]]]:
        """The snapshot with its carried figures corrected, and what the period undoes: earner,
        bonus, amount."""
        snapshot, lines = corrected(snapshot, self.of_old(period, snapshot)), []
        for one in self.found:
            if period.pk not in one.undone:
                continue
            place = Lookup(snapshot.members.id)(one.ids)
            rows = replace(one.rows, earner=place[one.rows.earner].astype(np.int64))
            undone, size = one.undone[period.pk], len(snapshot.members)
            amount, change = due_now(self.plan, rows, undone, one.so_far, snapshot.state, size)
            one.so_far = one.so_far + amount
            for name, figures in one.given_back[period.pk].items():
                change[name] = moved(figures, place, size)
            snapshot = corrected(snapshot, {0: change})
            earner = one.ids[one.rows.earner]
            lines.append({"earner": earner, "bonus": one.rows.bonus, "amount": amount})
        return corrected(snapshot, {0: self.handed_on.less(period, snapshot)}), lines

    def of_old(self, period: CommissionPeriod, snapshot: Snapshot) -> dict[int, State]:
        """How the period's own close was corrected because of periods from before the trial."""
        run = period.runs.get(kind=CommissionRun.Kind.CLOSE, status=CommissionRun.Status.DONE)
        stored = read_corrections(run.pk, Lookup(snapshot.members.id))
        old = CommissionRun.objects.filter(
            pk__in=stored, period__starts_on__lt=self.periods[0].starts_on
        )
        return {pk: stored[pk] for pk in old.values_list("pk", flat=True)}

    def work_out(
        self,
        period: CommissionPeriod,
        closed: Closed,
        refunds: Mapping[str, Int64s],
        at_payment: Mapping[int, Mapping[str, Int64s]],
    ) -> None:
        """Keep what every later period undoes of this one. `at_payment`: what they undo of what it
        paid at payment, by period."""
        rows = rows_of(closed.result.ledger)
        one = Restatement(closed.snapshot.members.id, rows, so_far=np.zeros_like(rows.amount))
        paid: dict[str, Int64s] = {}
        now, told = Restated(one.so_far, one.so_far), dict[str, Int64s]()
        waiting: dict[int, State] = {}
        for later in self.later_than(period):
            add_undone(paid, at_payment[later.pk], closed)
            less = self.told_less(period, later, closed.snapshot)
            returns, is_new = returns_until(later, closed.snapshot, refunds, paid | less)
            if is_new or not same(less, told):
                before, now, told = now.given_back, restate(closed, returns, self.rule), less
                one.undone[later.pk] = now.undone
                one.given_back[later.pk] = {
                    name: figures - before.get(name, 0) for name, figures in now.given_back.items()
                }
            waiting[later.pk] = now.waiting
        if one.undone:
            self.found.append(one)
        self.handed_on = HandedOn(one.ids, waiting)

    def told_less(
        self, period: CommissionPeriod, later: CommissionPeriod, snapshot: Snapshot
    ) -> dict[str, Int64s]:
        """By how much a period is told less by the end of a later one: of the first one the books
        say it, for what it was told is of the plan before."""
        if period != self.periods[0]:
            return self.handed_on.less(later, snapshot)
        run = period.runs.get(kind=CommissionRun.Kind.CLOSE, status=CommissionRun.Status.DONE)
        return read_less(run.pk, later.ends_on + timedelta(days=1), Lookup(snapshot.members.id))


def same(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(figures, other[name]) for name, figures in one.items()
    )


def add_undone(paid: dict[str, Int64s], undone: Mapping[str, Int64s], closed: Closed) -> None:
    """Adds what was undone of bonuses at payment that the closed period's limits count."""
    place = Lookup(closed.snapshot.members.id)(undone["earner"])
    for bonus in np.unique(undone["bonus"]).tolist():
        name = f"paid.{closed.plan.programmes[bonus].code}"
        if name in closed.snapshot.state:
            mine = undone["bonus"] == bonus
            paid[name] = paid.get(name, np.zeros(len(closed.snapshot.members), np.int64)).copy()
            np.add.at(paid[name], place[mine], undone["amount"][mine])


def returns_until(
    later: CommissionPeriod, snapshot: Snapshot, refunds: Mapping[str, Int64s], told: State
) -> tuple[Returns, bool]:
    """What came back of the snapshot's lines after their period up to the end of a later one, and
    whether anything did in the later one itself."""
    line = Lookup(snapshot.lines.id)(refunds["sale"])
    until = facts.day_number(later.ends_on)
    taken = np.flatnonzero((line >= 0) & (refunds["own"] == 0) & (refunds["day"] <= until))
    back = {name: column[taken] for name, column in refunds.items()}
    returns = Returns(
        line=line[taken],
        quantity=back["sold"] - back["own_returned"],
        returned=back["returned"],
        days=back["day"] - back["sale_day"],
        volumes={name: back[name] for name in facts.VOLUMES},
        told=dict(told),
    )
    return returns, bool((back["day"] >= facts.day_number(later.starts_on)).any())
