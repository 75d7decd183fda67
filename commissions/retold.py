"""The facts behind a ledger line, as its run saw them: as few of them as the line's story needs.

Most bonuses go by what a standing stores, so the seller, the people above him in the trees that are
walked and the one order line are enough. A bonus that goes by more (other metrics, what limits cut)
is told from the whole company, read again as it was at the cut-off and kept for the next question.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

import numpy as np
from django.db import connection

from commerce.models import VolumeEntry
from commissions.engine import Facts, Plan, Ranks, Snapshot, Standings, build_snapshot
from commissions.engine.plan import PLACEMENT, Bonus, OfCommissions, parts
from commissions.known import TREES, is_told_by_line, is_told_by_sale, is_told_by_standings
from commissions.models import CommissionPeriod, CommissionRun, LedgerEntry, Standing
from commissions.services import facts
from commissions.services.plans import loaded
from commissions.services.restatements import facts_of
from genealogy.models import Distributor

FARTHEST = 5_000
LARGEST_TOLD = 5_000
"""People below up to whom a page works out what a rank asked."""
FIGURES = ("pv", "cv", "gv", "legs")
LEVELS = {"paid_as": "rank_level", "title": "title_level", "highest": "highest_level"}


@dataclass(frozen=True)
class Scene:
    """Facts that hold a line's story, and the place of its order line in them."""

    facts: Facts
    line: int

    def places(self, distributor: int) -> int:
        return int(np.searchsorted(self.facts.snapshot.members.id, distributor))

    def ids(self, members: list[int]) -> list[int]:
        return [int(self.facts.snapshot.members.id[member]) for member in members]


def scene_of(
    line: LedgerEntry, bonus: Bonus, plan: Plan, entry: VolumeEntry, counts: dict[str, Decimal]
) -> Scene:
    """The facts that a line from a sale is told from. `counts`: what of the sale counted."""
    involved = list(behind(bonus, plan))
    if line.run.kind == CommissionRun.Kind.CLOSE and not is_told_by_few(involved, plan):
        whole = whole_company(line.run_id)
        return Scene(whole, int(np.searchsorted(whole.snapshot.lines.id, entry.pk)))
    trees = {tree for each in involved for tree in trees_of(each)}
    snapshot = chain(upline(line, trees, entry.distributor_id), line, plan, entry, counts)
    return Scene(Facts(snapshot, plan, stored_standings(line, snapshot, plan)), 0)


def is_told_by_few(involved: list[Bonus], plan: Plan) -> bool:
    """Whether the seller, the people above him and the one order line say all that these go by."""
    cuts = any(limit.enforcement != "refuse" for limit in plan.limits)
    return all(
        is_told_by_standings(each, plan)
        and is_told_by_sale(each)
        and not (cuts and isinstance(each.base, OfCommissions) and each.base.after_limits)
        for each in involved
    )


def behind(bonus: Bonus, plan: Plan) -> Iterator[Bonus]:
    """The bonus and all those whose lines it goes by."""
    yield bonus
    named = bonus.base.bonuses if isinstance(bonus.base, OfCommissions) else ()
    named += bonus.exclusion.bonuses if bonus.exclusion else ()
    for code in named:
        if code != bonus.code:
            yield from behind(plan.bonus(code), plan)


def trees_of(part_of: Bonus | Plan) -> set[str]:
    return {part.tree for _, part in parts(part_of) if hasattr(part, "tree")}


@lru_cache(maxsize=2)
def whole_company(run_id: int) -> Facts:
    """All that a run went by, worked out again."""
    run = CommissionRun.objects.select_related("period__plan_version").get(pk=run_id)
    plan = loaded(run.period.frozen_plan)
    return Facts(facts_of(run), plan)


def line_below(distributor: int, run: CommissionRun, plan: Plan) -> Snapshot | None:
    """Somebody and everybody below him in the trees the plan looks at, as a run saw them; None for
    more than LARGEST_TOLD people."""
    cut = facts.cut_of(run.period)
    trees = sorted(trees_of(plan) & {"sponsor", "placement"})
    params = cut.params | {"top": distributor, "trees": trees, "most": LARGEST_TOLD + 1}
    with connection.cursor() as cursor:
        cursor.execute(_BELOW, params)
        people = tuple(pk for (pk,) in cursor.fetchall())
    if len(people) > LARGEST_TOLD:
        return None
    return facts.read_snapshot(replace(cut, people=people), plan)


# Whoever ever stood there, so perhaps some too many: where they stood then is read afterwards.
_BELOW = """
with recursive below (id) as (
  select %(top)s::bigint
  union
  select next.id from below, lateral (
    select p.distributor_id as id from genealogy_distributorposition p
    where p.parent_id = below.id and p.tree = any(%(trees)s)
    union all
    select d.id from genealogy_distributor d where d.enroller_id = below.id
  ) next
)
select id from below limit %(most)s
"""


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
    joined = dict(Distributor.objects.filter(pk__in=people).values_list("pk", "joined_on"))
    return build_snapshot(
        members={
            "id": list(people),
            "parents": {
                tree: [place.get(parents.get(tree, 0), -1) for parents in people.values()]
                for tree in TREES
            },
            "joined": [facts.day_number(joined[pk]) for pk in people],
        },
        lines={
            "id": [entry.pk],
            "seller": [0],
            "kind": [plan.kinds.index(entry.order_class)],
            "day": [facts.day_number(entry.counts_on)],
            "volumes": {code: [int(value * 100)] for code, value in counts.items()},
        },
        starts_on=facts.day_number(line.period.starts_on),
        ends_on=facts.day_number(line.period.ends_on),
    )


def stored_standings(line: LedgerEntry, snapshot: Snapshot, plan: Plan) -> Standings | None:
    """The standings of a run in the order of the snapshot; None at payment: nobody has one."""
    if line.run.kind == CommissionRun.Kind.PAYMENT:
        return None
    ids = snapshot.members.id.tolist()
    found = Standing.objects.filter(run=line.run_id, distributor__in=ids)
    by_owner = {standing.distributor_id: standing for standing in found}
    return as_arrays([by_owner.get(pk) for pk in ids], plan)


def as_arrays(rows: list[Standing | None], plan: Plan) -> Standings:
    """Stored standings as the engine holds them; nothing where there is none."""

    def column(name: str, kind: str, scale: int = 1) -> np.ndarray:
        return np.array([int(getattr(row, name) * scale) if row else 0 for row in rows], kind)

    levels = {which: column(name, "i2") for which, name in LEVELS.items()}
    return Standings(
        metrics={code: column(code, "i8", 100) for code in FIGURES},
        active=column("active", "?"),
        ranks={plan.ladders[0].code: Ranks(**levels)},
    )


def standing_facts(standing: Standing, line: LedgerEntry, plan: Plan) -> Facts | None:
    """One distributor as he stood in a run, for what the ranks asked of him.

    Where that rests on people below, these are read as the run saw them; None where they are too
    many for a page.
    """
    asked_for = [rank.when for rank in plan.ladders[0].ranks]
    if not all(is_told_by_standings(condition, plan) for condition in asked_for):
        if not is_told_by_line(plan):
            return whole_company(line.run_id)
        below = line_below(standing.distributor_id, line.run, plan)
        return below and Facts(below, plan)
    return alone([standing], line.period, plan)


def alone(standings: list[Standing], period: CommissionPeriod, plan: Plan) -> Facts:
    """People by themselves, as they stood in a period; in the order of their ids."""
    snapshot = build_snapshot(
        members={
            "id": [standing.distributor_id for standing in standings],
            "parents": {tree: [-1] * len(standings) for tree in TREES},
            "joined": [facts.day_number(standing.distributor.joined_on) for standing in standings],
        },
        lines={"id": [], "seller": [], "kind": [], "volumes": dict.fromkeys(facts.VOLUMES, ())},
        starts_on=facts.day_number(period.starts_on),
        ends_on=facts.day_number(period.ends_on),
    )
    return Facts(snapshot, plan, as_arrays(list(standings), plan))
