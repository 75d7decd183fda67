"""Rank bonus: a flat amount when a distributor reaches a rank for the first time, ever.

Reached now means: qualified in this period, and never before (`highest_level` of the snapshot). Who
rises over several ranks at once is paid for each of them (`skipped_ranks` pay_all) or for the last
one alone (reached_only). Unranked last month, Gold now, at 10.00, 15.00 and 25.00: three lines of
50.00 together, or one of 25.00.

The base of a line is the flat amount and its rate is 1, so that amount = base x rate holds here
too.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from commissions.engine.plan import Bonus, Rank
from commissions.engine.result import NOBODY, Block, Standings
from commissions.engine.rounding import MILLION
from commissions.engine.snapshot import Members, Snapshot
from commissions.engine.walk import Reason, barred


def pay(
    snapshot: Snapshot, ranks: tuple[Rank, ...], bonus: Bonus, standings: Standings
) -> Iterator[Block]:
    """One block a rank, its lines in order of the members; no source, no order line."""
    eligible = barred(bonus, standings) == Reason.NONE
    for rank in ranks:
        reached = first_reached(rank.level, bonus, snapshot.members, standings)
        earner = np.flatnonzero(reached & eligible).astype(np.int32)
        nobody = np.full(earner.size, NOBODY, np.int32)
        amount = np.full(earner.size, bonus.amounts[rank.level], np.int64)
        rate = np.full(earner.size, MILLION, np.int32)
        level = np.full(earner.size, rank.level, np.int16)
        yield Block(bonus.position, 0, earner, nobody, nobody, amount, rate, amount, level)


def first_reached(
    level: int, bonus: Bonus, members: Members, standings: Standings
) -> NDArray[np.bool_]:
    """Who is paid for this rank now: it lies above the highest ever and not above today's."""
    now = standings.rank_level
    reached = now >= level if bonus.skipped_ranks == "pay_all" else now == level
    return reached & (members.highest_level < level)
