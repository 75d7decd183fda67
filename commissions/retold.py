"""The facts behind a ledger line, as its run saw them: as few of them as the line's story needs.

The seller, the people above him in the trees that are walked, and the one order line; of each
person the standing and what else his run measured of him (`services.measured`). However many stand
below, nobody there is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import connection

from commerce.models import VolumeEntry
from commissions.engine import Booked, Facts, Plan, Ranks, Snapshot, Standings, build_snapshot
from commissions.engine.figures import (
    behind,
    cuts_on,
    goes_by,
    is_decided_elsewhere,
    is_on_lines,
    paid_name,
)
from commissions.engine.plan import PLACEMENT, Bonus, ByPackage, PaysUpline
from commissions.engine.result import Block
from commissions.engine.rounding import Int64s
from commissions.known import STORED, TREES, meant
from commissions.models import CommissionPeriod, CommissionRun, LedgerEntry, Standing
from commissions.services import facts
from commissions.services.arrays import Array, Lookup, read_columns
from commissions.services.attributes import NOW, read_attributes, wanted_by
from commissions.services.carried import first_ranks
from commissions.services.measured import (
    WHICH,
    Figures,
    keeps_anything,
    metric_name,
    names_kept,
    other_ladders,
    rank_name,
    read_measured,
)

FARTHEST = 20_000
COLUMNS = {
    "distributor_id": "i8",
    "pv": "i8",
    "cv": "i8",
    "gv": "i8",
    "legs": "i8",
    "active": "i2",
    "rank_level": "i2",
    "title_level": "i2",
    "highest_level": "i2",
}
LEVELS = ("rank_level", "title_level", "highest_level")
BOOKED = {
    "distributor_id": "i8",
    "source": "i8",
    "level": "i2",
    "rank_level": "i2",
    "base": "i8",
    "rate": "i4",
    "amount": "i8",
}


@dataclass(frozen=True)
class Scene:
    """Facts that hold a line's story, the place of its order line in them, and what the books say
    of the bonuses it goes by."""

    facts: Facts
    line: int
    booked: Booked = field(default_factory=Booked)

    def place(self, distributor: int) -> int:
        return int(np.searchsorted(self.facts.snapshot.members.id, distributor))

    def ids(self, members: list[int]) -> list[int]:
        return [int(self.facts.snapshot.members.id[member]) for member in members]


def is_told(run: CommissionRun, plan: Plan) -> bool:
    """Whether what stories ask was kept, or is the standings alone."""
    is_kept = run.measured == CommissionRun.Measured.KEPT
    return is_kept or run.kind == CommissionRun.Kind.PAYMENT or not keeps_anything(plan)


def scene_of(
    line: LedgerEntry, bonus: Bonus, plan: Plan, entry: VolumeEntry, counts: dict[str, Decimal]
) -> Scene:
    """The facts that a line from a sale is told from. `counts`: what of the sale counted."""
    walks = [each.pays for each in (bonus, *behind(bonus, plan).values()) if is_on_lines(each)]
    trees = {pays.tree for pays in walks if isinstance(pays, PaysUpline)}
    people = upline(line, trees, entry.distributor_id)
    snapshot = chain(people, line, plan, entry, counts)
    if line.run.kind == CommissionRun.Kind.PAYMENT:
        return Scene(Facts(snapshot, plan), 0)
    ids = snapshot.members.id
    measured = read_measured(line.run_id, names_kept(plan), ids)
    standings = with_measured(stored_standings(line.run_id, ids, plan), measured, plan)
    known = Facts(snapshot, plan, standings, given=measured)
    return Scene(known, 0, booked(line, bonus, plan, known, measured))


def package_behind(bonus: Bonus, scene: Scene, line: LedgerEntry) -> str:
    """The name of the package whose rates were paid; empty where rates go by something else."""
    if not isinstance(bonus.rates, ByPackage):
        return ""
    held = [int(scene.facts.package[scene.place(line.distributor_id)])]
    if bonus.rates.whose == "smaller":
        source = line.source_distributor_id or line.distributor_id
        held.append(int(scene.facts.package[scene.place(source)]))
    return scene.facts.plan.packages[min(held)].name if min(held) >= 0 else ""


# Who stood under whom: as the run saw it, or at payment as it is.
_OF_CLOSE = {
    "sponsor": "select distributor_id, 'sponsor', sponsor_id from commissions_standing "
    "where run_id = %(run)s and distributor_id = up.parent",
    "enroller": "select id, 'enroller', enroller_id from genealogy_distributor "
    "where id = up.parent",
    "placement": f"(select id, 'placement', nullif(parent, 0) from ({facts.POSITIONS}) known "
    "where id = up.parent order by day desc, position desc limit 1)",
}
_OF_PAYMENT = {
    tree: f"select id, '{tree}', {column} from genealogy_distributor where id = up.parent"
    for tree, column in (
        ("sponsor", "sponsor_id"),
        ("enroller", "enroller_id"),
        ("placement", "placement_parent_id"),
    )
}
_ABOVE = """
with recursive up (id, tree, parent) as (
  select null::bigint, ''::text, %(seller)s::bigint
  union
  select above.* from up, lateral ({steps}) above (id, tree, parent)
  where above.parent is not null
)
select id, tree, parent from up where id is not null limit %(farthest)s
"""


def upline(line: LedgerEntry, trees: set[str], seller_id: int) -> dict[int, dict[str, int]]:
    """The seller first, and everybody above by any way through the trees: each one's parents."""
    is_close = line.run.kind == CommissionRun.Kind.CLOSE
    people: dict[int, dict[str, int]] = {seller_id: {}}
    steps = [(_OF_CLOSE if is_close else _OF_PAYMENT)[tree] for tree in sorted(trees)]
    if not steps:
        return people
    params = {
        "run": line.run_id,
        "seller": seller_id,
        "farthest": FARTHEST,
        "tree": PLACEMENT,
        "ends_on": line.period.ends_on,
        "known_at": line.period.cutoff_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ABOVE.format(steps=" union all ".join(steps)), params)
        for below, tree, above in cursor.fetchall():
            people.setdefault(below, {})[tree] = above
            people.setdefault(above, {})
    return people


def chain(
    people: dict[int, dict[str, int]],
    line: LedgerEntry,
    plan: Plan,
    entry: VolumeEntry,
    counts: dict[str, Decimal],
) -> Snapshot:
    """The seller and the people above, each under the next, and the one order line."""
    place = {pk: n for n, pk in enumerate(people)}
    held = held_by(list(people), plan, *moment_of(line, entry)) if wanted_by(plan) else {}
    joined = joined_days(list(people))
    return build_snapshot(
        members={
            "id": list(people),
            "parents": {
                tree: [place.get(parents.get(tree, 0), -1) for parents in people.values()]
                for tree in TREES
            },
            "joined": [joined[pk] for pk in people],
            **held,
        },
        lines={
            "id": [entry.pk],
            "seller": [0],
            "kind": [plan.kinds.index(entry.order_class)],
            "day": [facts.day_number(entry.counts_on)],
            "volumes": {code: [int(value * 100)] for code, value in counts.items()},
            "buyer": facts.buyer_of(entry, plan),
        },
        starts_on=facts.day_number(line.period.starts_on),
        ends_on=facts.day_number(line.period.ends_on),
    )


def joined_days(ids: list[int]) -> dict[int, int]:
    """The day each of these people joined."""
    rows = read_columns(
        "select id, joined_on - date '1970-01-01' as day from genealogy_distributor "
        "where id = any(%(ids)s)",
        {"ids": ids},
        id="i8",
        day="i4",
    )
    return dict(zip(rows["id"].tolist(), rows["day"].tolist(), strict=True))


def moment_of(line: LedgerEntry, entry: VolumeEntry) -> tuple[date, datetime | None]:
    """Of which day, and as known when, a line's run took what people hold."""
    if line.run.kind == CommissionRun.Kind.CLOSE:
        return line.period.ends_on, line.period.cutoff_at
    return entry.counts_on, entry.claim.claimed_at


def held_by(
    people: Sequence[int], plan: Plan, on: date, known_at: datetime | None
) -> dict[str, Any]:
    """Packages, marks and given ranks of a few people in the order in which they are named."""
    ids = np.array(people, np.int64)
    order = np.argsort(ids, kind="stable")
    found = read_attributes(
        plan, Lookup(ids[order]), on=on, known_at=known_at or NOW, people=people
    )
    back = np.argsort(order, kind="stable")
    return {
        name: {code: column[back] for code, column in columns.items()}
        if isinstance(columns, dict)
        else columns[back]
        for name, columns in found.items()
    }


# What is known of these people


def stored_standings(run_id: int, ids: Int64s, plan: Plan) -> Standings:
    """The standings that a run stored of people, ids ascending; nothing where there is none."""
    names = ", ".join(name for name in COLUMNS if name != "active")
    rows = read_columns(
        f"select {names}, active::int as active from commissions_standing "
        "where run_id = %(run)s and distributor_id = any(%(ids)s)",
        {"run": run_id, "ids": ids.tolist()},
        **COLUMNS,
    )
    rows["legs"] *= 100
    place = Lookup(ids)(rows.pop("distributor_id"))
    return as_standings({name: spread(place, rows[name], ids.size) for name in rows}, plan)


def spread(place: Array, values: Array, size: int) -> Array:
    spread = np.zeros(size, values.dtype)
    spread[place] = values
    return spread


def as_standings(columns: dict[str, Array], plan: Plan) -> Standings:
    """Columns of standings as the engine holds them."""
    paid_as, title, highest = (columns[name] for name in LEVELS)
    return Standings(
        metrics={code: columns[code] for code in meant(plan)},
        active=columns["active"].astype(np.bool_),
        ranks={ladder.code: Ranks(paid_as, title, highest) for ladder in plan.ladders[:1]},
    )


def with_measured(standings: Standings, measured: Figures, plan: Plan) -> Standings:
    """Standings with the metrics and ladders that the run measured beside them."""
    metrics = {
        metric.code: measured[metric_name(metric.code)]
        for metric in plan.metrics
        if metric_name(metric.code) in measured
    }
    ranks = {
        ladder: Ranks(*(measured[rank_name(ladder, which)].astype("i2") for which in WHICH))
        for ladder in other_ladders(plan)
    }
    return replace(
        standings,
        metrics={**standings.metrics, **metrics},
        ranks={**standings.ranks, **ranks},
    )


def booked(line: LedgerEntry, bonus: Bonus, plan: Plan, known: Facts, measured: Figures) -> Booked:
    """What of the bonuses it goes by the order line does not tell: lines of those that pay once or
    in parts, and what was paid in all where a limit's cut is borne by each line."""
    named = behind(bonus, plan)
    elsewhere = [code for code, each in named.items() if is_decided_elsewhere(each)]
    summed = [limit.code for limit in cuts_on(bonus, plan)]
    summed += goes_by(bonus) if summed else ()
    return Booked(
        lines={code: [lines_of_sale(line, code, plan, known)] for code in elsewhere},
        sums={code: measured[paid_name(code)] for code in summed},
    )


def lines_of_sale(line: LedgerEntry, code: str, plan: Plan, known: Facts) -> Block:
    """What a bonus paid the people at hand on the sale of a line, as its run's ledger has it."""
    rows = read_columns(
        "select l.*, coalesce(source_distributor_id, 0) as source from commissions_ledgerentry l "
        "where run_id = %(run)s and bonus_id = %(bonus)s and volume_entry_id = %(sale)s "
        "and reverses_id is null",
        {
            "run": line.run_id,
            "bonus": line.bonus.version.bonuses.get(code=code).pk,
            "sale": line.volume_entry_id,
        },
        **BOOKED,
    )
    place = Lookup(known.snapshot.members.id)
    return Block(
        bonus=[programme.code for programme in plan.programmes].index(code),
        level=int(rows["level"][0]) if rows["level"].size else 0,
        earner=place(rows["distributor_id"]),
        source=place(rows["source"]),
        line=np.zeros(rows["level"].size, np.int32),
        base=rows["base"],
        rate=rows["rate"],
        amount=rows["amount"],
        rank_level=rows["rank_level"],
    )


# Somebody alone


def standing_facts(
    standing: Standing, run: CommissionRun, period: CommissionPeriod, plan: Plan
) -> Facts:
    """One distributor as he stood in a run, for what the ranks asked of him."""
    measured = read_measured(run.pk, names_kept(plan), [standing.distributor_id])
    return alone([standing], period, plan, measured)


def alone(
    standings: list[Standing],
    period: CommissionPeriod,
    plan: Plan,
    measured: Figures | None = None,
) -> Facts:
    """People by themselves, as they stood in a period; in the order of their ids."""
    people = [standing.distributor_id for standing in standings]
    snapshot = build_snapshot(
        members={
            "id": people,
            **held_by(people, plan, period.ends_on, period.cutoff_at),
            "parents": {tree: [-1] * len(standings) for tree in TREES},
            "joined": [facts.day_number(standing.distributor.joined_on) for standing in standings],
        },
        lines={"id": [], "seller": [], "kind": [], "volumes": dict.fromkeys(facts.VOLUMES, ())},
        starts_on=facts.day_number(period.starts_on),
        ends_on=facts.day_number(period.ends_on),
    )
    columns = {
        name: np.array(
            [int(getattr(row, name) * (100 if name in STORED else 1)) for row in standings],
            COLUMNS[name],
        )
        for name in COLUMNS
        if name != "distributor_id"
    }
    known = as_standings(columns, plan)
    if measured is None:
        return Facts(snapshot, plan, known)
    return Facts(snapshot, plan, with_measured(known, measured, plan), given=measured)


def highest_before(line: LedgerEntry, plan: Plan) -> int:
    """The highest rank ever before this period, from the standings of the period before."""
    earlier = CommissionPeriod.objects.filter(starts_on__lt=line.period.starts_on)
    before = earlier.order_by("-starts_on").values("pk")[:1]
    final = CommissionRun.objects.filter(period__in=before, kind="close", status="done")
    run = final.values_list("pk", flat=True).first()
    if run is None:
        return 0
    found = first_ranks(run, Lookup(np.array([line.distributor_id], np.int64)), plan)
    return int(found["highest"][0])
