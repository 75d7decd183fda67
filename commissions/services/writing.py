"""Writing what a close comes to, and making sure that it stands there.

    with Beside(when=is_large(snapshot)) as beside:
        people = beside.do(write_people, run, standings, snapshot, plan)
        write(run, outcome, phases, people, beside)

The run's tables are its own, filled in the transaction that made them.
Of a large close the standings and one share of the lines are written beside, in a second session;
the standings while the bonuses are still worked out.
"""

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
from django.db import connection

from commissions.engine import Plan, Snapshot, Standings
from commissions.models import CommissionRun
from commissions.services import ledger_tables
from commissions.services.arrays import Array, read_columns
from commissions.services.calculation import Outcome, decimal_text
from commissions.services.carried import write_state
from commissions.services.ledger_lines import (
    Arranged,
    LineWriter,
    arranged,
    standing_columns,
    write_lines,
    write_standings,
)
from commissions.services.ledger_tables import (
    FROM_TABLE,
    Share,
    create_share,
    create_standings,
    index_share,
    index_standings,
    join_shares,
    shares_of,
)
from commissions.services.measured import found_by_sale, write_measured
from commissions.services.plans import bonus_ids
from commissions.services.progress import Phases
from commissions.services.reward_rows import given_by, write_rewards
from mlmcrm.beside import Beside

Sums = dict[str, Array]
"""By earner: `distributor_id`, how many `lines` and the sum of their `amount`s, in hundredths."""


class RunRefused(Exception):
    """The calculation does not hold; the message names the difference."""


def write(
    run: CommissionRun,
    outcome: Outcome,
    phases: Phases,
    people: Callable[[], None],
    beside: Beside,
) -> None:
    """Lines, what the run carries on, what it gives besides, and the wait for `people`, the
    standings that were begun. Raises RunRefused unless all of it is there."""
    phases.begin("write")
    bonuses = bonus_ids(run.period.frozen_plan)
    own, *others = shares_of(run, outcome.line_count, beside)
    lines = arranged(outcome.result, [share.start for share in others])
    elsewhere = [beside.do(write_beside, share, lines, bonuses, outcome) for share in others]
    create_share(own)
    write_share(own, lines, bonuses, outcome)
    write_state(run, outcome.carried)
    members = outcome.snapshot.members.id
    write_measured(run, outcome.result, outcome.plan, members)
    write_rewards(run, given_by(outcome.result, members, bonuses), outcome.plan, bonuses)
    phases.begin("index")
    index_share(own, found_by_sale(outcome.plan, bonuses))
    phases.begin("check")
    people()
    sums = sums_in(own)
    phases.begin("store")
    found = [sums, *(of_other() for of_other in elsewhere)]
    if others:
        join_shares([own, *others])
    refuse_unless_written(found, outcome)


def write_beside(share: Share, lines: Arranged, bonuses: list[int], outcome: Outcome) -> Sums:
    create_share(share)
    write_share(share, lines, bonuses, outcome)
    index_share(share, found_by_sale(outcome.plan, bonuses))
    return sums_in(share)


def write_share(share: Share, lines: Arranged, bonuses: list[int], outcome: Outcome) -> None:
    """A share of the lines; what refunds take back comes after all others."""
    writer = LineWriter(share.run, bonuses, first=share.start + 1)
    members, entries = outcome.snapshot.members.id, outcome.snapshot.lines.id
    earned = writer.rows_of(lines, members, entries, share.start, share.stop)
    after = (max(place - len(lines), 0) for place in (share.start, share.stop))
    undone = writer.rows_reversing(outcome.reversed, slice(*after))
    empty = set() if len(outcome.reversed["amount"]) else {"reverses_id"}
    if empty and lines.are_on_sums:
        empty.add("volume_entry_id")
    write_lines(share.table, chain(earned, undone), without={FROM_TABLE, *empty}, freeze=True)


def is_large(snapshot: Snapshot) -> bool:
    """Whether a second session is worth its start."""
    return len(snapshot.members) + len(snapshot.lines) >= ledger_tables.WORTH_TWO


def write_people(run: CommissionRun, standings: Standings, snapshot: Snapshot, plan: Plan) -> None:
    members = snapshot.members
    create_standings(run)
    columns = standing_columns(standings, snapshot, plan)
    write_standings(run, columns, members.id, members.parent("sponsor"))
    index_standings(run)


def sums_in(share: Share) -> Sums:
    with connection.cursor() as cursor:
        cursor.execute("set local work_mem = '256MB'")
    return read_columns(
        f"select distributor_id, count(*) as lines, sum(amount) as amount "
        f"from {share.table} group by distributor_id",
        distributor_id="i8",
        lines="i8",
        amount="i8",
    )


def refuse_unless_written(found: Sequence[Sums], outcome: Outcome) -> None:
    """Engine, tables and people agree: total, count and every person's sum. Raises RunRefused."""
    people = {name: np.concatenate([sums[name] for sums in found]) for name in found[0]}
    written, lines = int(people["amount"].sum()), int(people["lines"].sum())
    if (written, lines) != (outcome.total, outcome.line_count):
        raise RunRefused(
            f"The engine has {outcome.line_count} lines of {decimal_text(outcome.total)}, "
            f"the table {lines} of {decimal_text(written)}."
        )
    members = outcome.snapshot.members.id
    sums = np.zeros(members.size, np.int64)
    place = np.minimum(np.searchsorted(members, people["distributor_id"]), members.size - 1)
    strangers = int((members[place] != people["distributor_id"]).sum()) if members.size else 0
    if strangers:
        raise RunRefused(f"{strangers} earners are not among the members of the period.")
    np.add.at(sums, place, people["amount"])
    wrong = np.flatnonzero(sums != outcome.earned)
    if wrong.size:
        raise RunRefused(f"{wrong.size} distributors have another sum than the engine gave them.")
