"""What a run measured beside the standings, kept for the stories of its lines and read by the few.

A standing has PV, CV, GV, legs, activity and the ranks that people see. What else the plan asks of
somebody (other metrics, legs of a size or with a rank, other ladders, what was paid in all where a
cut is shared: `engine.figures`) the close has worked out anyway. It is kept by name, so many ids a
row (`MeasuredPart`): a story reads one short row for each name and person, whatever the size of the
company, and a plan that asks for nothing else keeps nothing.

Runs made before anything was kept are worked out again in the background (`remeasuring`).
"""

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from commissions.engine import Plan, Result
from commissions.engine.figures import (
    asked_in_stories,
    behind,
    is_decided_elsewhere,
    is_of_many,
    ladders_asked,
    metrics_asked,
    name_of,
    paid_name,
    summed_up,
    told_bonuses,
)
from commissions.engine.rounding import Int64s
from commissions.known import meant
from commissions.models import CommissionRun, MeasuredPart
from commissions.services.arrays import Array, cursor

EACH = MeasuredPart.EACH
WIDTHS = ("<i1", "<i2", "<i4", "<i8")
WHICH = ("paid_as", "title", "highest")

Figures = dict[str, Int64s]


# What there is to keep


def names_kept(plan: Plan) -> list[str]:
    """The names of all figures that a run by this plan keeps."""
    of_metrics = [metric_name(code) for code in sorted(metrics_asked(plan) - set(meant(plan)))]
    of_ladders = [rank_name(code, which) for code in other_ladders(plan) for which in WHICH]
    of_many = {name_of(part) for part in asked_in_stories(plan) if is_of_many(part)}
    return of_metrics + of_ladders + sorted(of_many) + [paid_name(c) for c in summed_up(plan)]


def metric_name(code: str) -> str:
    return f"metric.{code}"


def rank_name(ladder: str, which: str) -> str:
    return f"rank.{ladder}.{which}"


def other_ladders(plan: Plan) -> list[str]:
    """Ladders of which stories ask, but for the one that people see."""
    return sorted(ladders_asked(plan) - {ladder.code for ladder in plan.ladders[:1]})


def decided_elsewhere(plan: Plan) -> list[str]:
    """Bonuses that stories of others go by, and whose own lines no order line tells alone: the
    run's table finds those of a sale (`ledger_tables.index_sales`)."""
    named = [behind(bonus, plan) for bonus in told_bonuses(plan)]
    found = {code for each in named for code, one in each.items() if is_decided_elsewhere(one)}
    return sorted(found)


def found_by_sale(plan: Plan, bonuses: Sequence[int]) -> list[int]:
    """The ids of those, out of the ids of all programmes in their order."""
    codes = [programme.code for programme in plan.programmes]
    return [bonuses[codes.index(code)] for code in decided_elsewhere(plan)]


def keeps_anything(plan: Plan) -> bool:
    return bool(names_kept(plan) or decided_elsewhere(plan))


def measured_by(result: Result, plan: Plan) -> Iterator[tuple[str, Array]]:
    """Each figure with its name, one entry a member."""
    standings = result.standings
    if standings is None:
        return
    for name in names_kept(plan):
        kind, _, rest = name.partition(".")
        if kind == "metric":
            yield name, standings.metrics[rest]
        elif kind == "rank":
            ladder, _, which = rest.rpartition(".")
            yield name, getattr(standings.ranks[ladder], which)
        else:
            yield name, result.measured[name]


# In the table


def write_measured(run: CommissionRun, result: Result, plan: Plan, member_ids: Int64s) -> None:
    """Store what the run keeps. `member_ids` ascending, those of the result's members."""
    table = MeasuredPart._meta.db_table
    with cursor() as writer:
        for name, figures in measured_by(result, plan):
            parts, packed = packed_parts(member_ids, figures)
            writer.execute(
                f"insert into {table} (run_id, name, part, figures) "
                "select %s, %s, * from unnest(%s::bigint[], %b::bytea[])",
                [run.pk, name, parts, packed],
            )


def packed_parts(member_ids: Int64s, figures: Array) -> tuple[list[int], list[bytes]]:
    """The ranges of ids in which somebody has a figure, and each one's figures, packed."""
    some = np.flatnonzero(figures)
    if not some.size:
        return [], []
    ids, figures = member_ids[some], figures[some]
    kind = narrowest(figures)
    parts, row = np.unique(ids // EACH, return_inverse=True)
    cells = np.zeros((parts.size, EACH), kind)
    cells[row, ids % EACH] = figures
    return parts.tolist(), [each.tobytes() for each in cells]


def narrowest(figures: Array) -> str:
    low, high = int(figures.min()), int(figures.max())
    fitting = (kind for kind in WIDTHS if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return next(fitting)


def read_measured(run_id: int, names: Collection[str], ids: Sequence[int]) -> Figures:
    """The figures of some people under each name, in the order of the ids; 0 for who has none."""
    wanted = np.array(ids, np.int64)
    found = {name: np.zeros(wanted.size, np.int64) for name in names}
    if not found:
        return {}
    part, place = wanted // EACH, wanted % EACH
    rows = MeasuredPart.objects.filter(
        run=run_id, name__in=list(names), part__in=np.unique(part).tolist()
    )
    for name, number, packed in rows.values_list("name", "part", "figures"):
        cells = np.frombuffer(packed, WIDTHS[(len(packed) // EACH).bit_length() - 1])
        mine = part == number
        found[name][mine] = cells[place[mine]]
    return found


def drop_measured(run: CommissionRun) -> None:
    """Throw away what a superseded run measured."""
    MeasuredPart.objects.filter(run=run).delete()
