"""What refunds undo of lines without an order line, where past periods are tried.

A trial knows all refunds beforehand. So each period is worked out again while it is at hand, once
for every later period of the trial in which sales of it came back, and what that undoes all in all
is kept until the trial comes there:

    July at hand     back by the end of August -10.00, by the end of September -15.00
    August           -10.00      September  -15.00 less -10.00
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from commissions.engine import Closed, Plan, Returns, Snapshot, restate
from commissions.engine.restatement import Rows, due_now, is_concerned, rows_of
from commissions.engine.rounding import Int64s
from commissions.engine.snapshot import State
from commissions.models import CommissionPeriod, CommissionRun
from commissions.services import facts
from commissions.services.arrays import Lookup
from commissions.services.carried import read_corrections
from commissions.services.restatements import corrected


@dataclass
class Restatement:
    """A period's lines without an order line, their earners by id; what later periods undo of them
    all in all, and what goes back into legs, by later period; and what was undone so far."""

    ids: Int64s
    rows: Rows
    undone: dict[int, Int64s] = field(default_factory=dict)
    given_back: dict[int, State] = field(default_factory=dict)
    so_far: Int64s = field(default_factory=lambda: np.empty(0, np.int64))


class Sums:
    """The restatements of a trial's periods by one plan."""

    def __init__(self, periods: Sequence[CommissionPeriod], plan: Plan) -> None:
        self.periods, self.plan = list(periods), plan
        self.is_needed = is_concerned(plan) and plan.reversal.commissions != "none"
        self.found: list[Restatement] = []

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
                change[name] = np.zeros(size, np.int64)
                change[name][place] = figures
            snapshot = corrected(snapshot, {0: change})
            earner = one.ids[one.rows.earner]
            lines.append({"earner": earner, "bonus": one.rows.bonus, "amount": amount})
        return snapshot, lines

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
        before: State = {}
        for later in self.later_than(period):
            add_undone(paid, at_payment[later.pk], closed)
            returns, is_new = returns_until(later, closed.snapshot, refunds, paid)
            if is_new:
                now = restate(closed, returns, self.plan.reversal)
                one.undone[later.pk] = now.undone
                one.given_back[later.pk] = {
                    name: figures - before.get(name, 0) for name, figures in now.given_back.items()
                }
                before = now.given_back
        if one.undone:
            self.found.append(one)


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
    later: CommissionPeriod, snapshot: Snapshot, refunds: Mapping[str, Int64s], paid: State
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
        paid=dict(paid),
    )
    return returns, bool((back["day"] >= facts.day_number(later.starts_on)).any())
