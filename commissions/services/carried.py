"""What one period hands to the next: ranks, carried legs, volumes of earlier periods, what was paid
once.

The engine names each figure (`pairs.binary.left`); a run stores those of its period under that name
and the next period reads the final run's. The ranks of the first ladder stand in the run's
standings, those of other ladders are stored beside the rest, as `ladder.<code>.highest`. What is
not paid out yet is in the wallets, so the engine's own memory of it (`wallet`) is not kept; and
what was paid at payment (`paid.partner`) is read from the ledger for the limits that count it.

Beside it a run keeps two things for who works periods out again, not for the next one
(`restatements`): how refunds of an earlier run's sales corrected what it started from itself, as
`restated.<run>.<name>`, and by how much what an earlier run started from is less now, as
`less.<run>.<name>`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from commissions.engine import LASTING, PAYMENT, Plan, Standings
from commissions.engine.plan import Ladder
from commissions.engine.rounding import Int64s
from commissions.known import seen
from commissions.models import CarriedState, CommissionRun
from commissions.services.arrays import Array, Lookup, cursor, read_columns
from commissions.services.plan_reading import loaded

RANKS = ("highest", "title")
NOT_KEPT = ("wallet", "paid")
RESTATED = "restated."
LESS = "less."
FEW = 5_000
"""People who are looked up one by one rather than read with all others."""

State = dict[str, Int64s]
Packed = bytes | memoryview


def read_state(run_id: int | None, lookup: Lookup, *, for_ranks: bool = False) -> State:
    """The figures a run carried on, by name, one entry a member; empty without a run.

    `for_ranks`: without those of bonuses and limits.
    """
    rows = CarriedState.objects.filter(run=run_id)
    rows = rows.exclude(key__startswith=RESTATED).exclude(key__startswith=LESS)
    for prefix in LASTING if for_ranks else ():
        rows = rows.exclude(key__startswith=prefix)
    stored = rows.values_list("key", "members", "figures")
    return {key: spread(members, figures, lookup) for key, members, figures in stored}


def read_corrections(run_id: int, lookup: Lookup) -> dict[int, State]:
    """How a run corrected what it started from, by earlier run and name, one entry a member."""
    rows = CarriedState.objects.filter(run=run_id, key__startswith=RESTATED)
    found: dict[int, State] = {}
    for key, members, figures in rows.values_list("key", "members", "figures"):
        run, _, name = key.removeprefix(RESTATED).partition(".")
        found.setdefault(int(run), {})[name] = spread(members, figures, lookup)
    return found


def read_less(run_id: int, before: date, lookup: Lookup) -> State:
    """By how much what a run started from is less, as the last close before a day found it."""
    prefix = f"{LESS}{run_id}."
    rows = CarriedState.objects.filter(
        key__startswith=prefix, run__status="done", run__period__starts_on__lt=before
    )
    found: State = {}
    last = rows.order_by("-run__period__starts_on").values_list("run_id", flat=True)[:1]
    for key, members, figures in rows.filter(run=last).values_list("key", "members", "figures"):
        found[key.removeprefix(prefix)] = spread(members, figures, lookup)
    return found


def spread(members: Packed, figures: Packed, lookup: Lookup) -> Int64s:
    """Packed figures at the places of their members. Who is not a member any more is left out."""
    place = lookup(np.frombuffer(members, "<i8").astype(np.int64))
    found = np.zeros(lookup.ids.size, np.int64)
    known = place >= 0
    found[place[known]] = np.frombuffer(figures, "<i8")[known]
    return found


@dataclass(frozen=True)
class Sparse:
    """The members with a figure under one name, and their figures, packed."""

    key: str
    members: bytes
    figures: bytes


def to_keep(
    state: Mapping[str, Int64s],
    standings: Standings,
    plan: Plan,
    member_ids: Int64s,
    corrections: Mapping[int, State],
    less: Mapping[int, State],
) -> list[Sparse]:
    """What a run carries on, by name in order; names without any figure are left out."""
    kept = {
        name: figures for name, figures in state.items() if name.partition(".")[0] not in NOT_KEPT
    }
    for prefix, by_run in ((RESTATED, corrections), (LESS, less)):
        for run, of_run in by_run.items():
            kept |= {f"{prefix}{run}.{name}": figures for name, figures in of_run.items()}
    return [
        packed(name, figures, member_ids)
        for name, figures in sorted((kept | other_ranks(standings, plan)).items())
        if figures.any()
    ]


def packed(name: str, figures: Int64s, member_ids: Int64s) -> Sparse:
    places = np.flatnonzero(figures)
    return Sparse(
        key=name,
        members=member_ids[places].astype("<i8").tobytes(),
        figures=figures[places].astype("<i8").tobytes(),
    )


def write_state(run: CommissionRun, kept: Iterable[Sparse]) -> None:
    table = CarriedState._meta.db_table
    with cursor() as writer:
        writer.executemany(
            f"insert into {table} (run_id, key, members, figures) values (%s, %s, %b, %b)",
            [(run.pk, one.key, one.members, one.figures) for one in kept],
        )


def stored_state(run: CommissionRun) -> list[Sparse]:
    """What a run carried on, as it stands in the table."""
    rows = run.state.order_by("key").values_list("key", "members", "figures")
    stored = [Sparse(key, bytes(members), bytes(figures)) for key, members, figures in rows]
    return sorted(stored, key=lambda one: one.key)


def state_hash(kept: Iterable[Sparse]) -> str:
    """SHA-256 over what is carried on, name by name."""
    digest = hashlib.sha256()
    for one in kept:
        digest.update(f"{one.key}:{len(one.members)};".encode())
        digest.update(one.members + one.figures)
    return digest.hexdigest()


def other_ranks(standings: Standings, plan: Plan) -> State:
    """Highest rank and title in each ladder but the first."""
    return {
        f"ladder.{ladder.code}.{which}": getattr(standings.ranks[ladder.code], which).astype("i8")
        for ladder in plan.ladders[1:]
        for which in RANKS
    }


def drop_state(run: CommissionRun) -> None:
    """Throw away what a superseded run carried on."""
    CarriedState.objects.filter(run=run).delete()


def counted_at_payment(plan: Plan) -> set[str]:
    """Bonuses paid at payment for which a limit may cut at the close."""
    cutting = (limit for limit in plan.limits if limit.enforcement != "refuse")
    named = {code for limit in cutting for code in limit.bonuses}
    return named & {bonus.code for bonus in plan.triggered_by(PAYMENT)}


def read_paid(run_id: int, lookup: Lookup, plan: Plan) -> State:
    """What those bonuses paid in the period, by member, from its run at payment."""
    return {
        f"paid.{code}": paid_by(run_id, code, lookup) for code in sorted(counted_at_payment(plan))
    }


def paid_by(run_id: int, code: str, lookup: Lookup) -> Int64s:
    rows = read_columns(
        "select l.distributor_id as id, sum(l.amount) as amount from commissions_ledgerentry l "
        "join commissions_bonus b on b.id = l.bonus_id and b.code = %(code)s "
        "where l.run_id = %(run)s group by 1",
        {"run": run_id, "code": code},
        id="i8",
        amount="i8",
    )
    place = lookup(rows["id"])
    known = place >= 0
    paid = np.zeros(lookup.ids.size, np.int64)
    paid[place[known]] = rows["amount"][known]
    return paid


def take_ranks(
    state: State, run_id: int | None, lookup: Lookup, plan: Plan
) -> dict[str, dict[str, NDArray[np.int16]]]:
    """Highest ranks and titles before this period by ladder, taken out of what was carried.

    In a ladder that has become shorter, whoever stood above its top stands at the top. The ladder
    that people see may have other ranks than that of the run: see `moved_levels`.
    """
    ranks: dict[str, dict[str, NDArray[np.int16]]] = {which: {} for which in RANKS}
    first = first_ranks(run_id, lookup, plan)
    stored = {name: state.pop(name) for name in list(state) if name.startswith("ladder.")}
    for place, ladder in enumerate(plan.ladders):
        for which in RANKS:
            levels = stored.get(f"ladder.{ladder.code}.{which}") if place else first[which]
            if levels is not None:
                ranks[which][ladder.code] = np.minimum(levels, len(ladder.ranks)).astype(np.int16)
    return ranks


def moved_levels(earlier: Ladder, ladder: Ladder) -> Int64s:
    """For each level of an earlier ladder, 0 first, the level of a later one.

    A rank keeps its code; of one that is gone, the next below that is still there counts.

        Bronze, Silver, Gold, Platinum  ->  Silver, Platinum:  0, 0, 1, 1, 2
    """
    moved = [0]
    for rank in earlier.ranks:
        moved.append(ladder.level(rank.code) or moved[-1])
    return np.array(moved, np.int64)


def ladder_of(run_id: int) -> Ladder:
    """The ladder that people see of the plan a run went by."""
    run = CommissionRun.objects.select_related("period__plan_version").get(pk=run_id)
    return seen(loaded(run.period.frozen_plan))


def first_ranks(run_id: int | None, lookup: Lookup, plan: Plan) -> dict[str, Array]:
    """Highest rank and title in the ladder that people see, from a run's standings, as levels of
    the plan's."""
    levels = {which: np.zeros(lookup.ids.size, np.int16) for which in RANKS}
    if run_id is None:
        return levels
    few = lookup.ids.size <= FEW
    rows = read_columns(
        "select distributor_id as id, highest_level as highest, title_level as title "
        "from commissions_standing where run_id = %(run)s and highest_level > 0"
        + (" and distributor_id = any(%(people)s)" if few else ""),
        {"run": run_id, "people": lookup.ids.tolist() if few else None},
        id="i8",
        highest="i2",
        title="i2",
    )
    place = lookup(rows["id"])
    known = place >= 0
    moved = moved_levels(ladder_of(run_id), seen(plan)).astype(np.int16)
    for which in RANKS:
        levels[which][place[known]] = moved[rows[which][known]]
    return levels
