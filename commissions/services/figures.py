"""PV, CV, GV, legs and ranks of everybody in a period: what pages show, whatever the plan measures.

Where the plan measures one of them itself (`known.meant`), its own figure is shown, with the order
kinds it counts. Where it does not, the period's order lines say it:

    pv, cv   of the own lines, less what came back of earlier ones
    gv       PV of oneself and everybody below in the sponsor tree
    legs     how many of those one sponsored have a GV above zero
"""

import numpy as np

from commissions.engine import Plan, Ranks, Snapshot, Standings
from commissions.engine.rounding import Int64s
from commissions.engine.trees import subtree_sums
from commissions.known import meant, seen

ONE = 100
"""Counts are held like volumes, in hundredths."""

Figures = dict[str, Int64s]


def figures_of(standings: Standings, snapshot: Snapshot, plan: Plan) -> Figures:
    """`pv`, `cv`, `gv` and `legs` in hundredths, one entry a member."""
    found = {code: standings.metrics[code] for code in meant(plan)}
    for volume in ("pv", "cv"):
        if volume not in found:
            found[volume] = own_volume(snapshot, volume)
    sponsor = snapshot.members.parent("sponsor")
    if "gv" not in found:
        found["gv"] = subtree_sums(sponsor, found["pv"], "group volume")
    if "legs" not in found:
        counted = sponsor[(sponsor >= 0) & (found["gv"] > 0)]
        found["legs"] = ONE * np.bincount(counted, minlength=sponsor.size).astype(np.int64)
    return found


def ranks_seen(standings: Standings, plan: Plan) -> Ranks:
    """Everybody's levels in the ladder that people see; none where the plan has none."""
    none = np.zeros(len(standings), np.int16)
    return standings.ranks.get(seen(plan).code, Ranks(none, none, none))


def own_volume(snapshot: Snapshot, volume: str) -> Int64s:
    sums = np.zeros(len(snapshot.members), np.int64)
    for part in (snapshot.lines, snapshot.refunds):
        np.add.at(sums, part.seller, part.volume(volume))
    return sums
