"""What a run gives besides money, as rows: one a distributor, bonus and rank.

    given = given_by(result, members, bonuses)     # out of the engine's lines
    write_rewards(run, given, plan, bonuses)       # with the run, by COPY
    rewards_hash(stored_in(run))                   # for the certificate: the same as of `given`

A bonus may give by many lines, one for each order, say; they add up to one row. Plans that give
money alone cost nothing here.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.db import connection

from commissions.engine import Block, Plan, Result
from commissions.engine.rounding import Int64s
from commissions.models import CommissionRun, Reward
from commissions.services.arrays import Array, copy_rows, read_columns, slices

VARIOUS = -1
"""The rate of a row whose lines have several."""
KINDS = {
    "bonus_id": "i8",
    "distributor_id": "i8",
    "rank_level": "i2",
    "count": "i8",
    "base": "i8",
    "lines": "i4",
    "rate": "i8",
}

Given = Mapping[str, Array]
"""Columns of KINDS in the order of the rows."""


def given_by(result: Result, member_ids: Int64s, bonus_ids: Sequence[int]) -> Given:
    """The rows of a result: by bonus in the plan's order, then by distributor, then by rank.

    `bonus_ids`: of the plan's programmes. Two orders of 100.00 and 50.00 at 10 % in goods are one
    row of 15, of 2 lines, on 150.00.
    """
    lines = columns_of(result.rewards)
    order = np.lexsort((lines["rank_level"], lines["earner"], lines["bonus"]))
    lines = {name: column[order] for name, column in lines.items()}
    keys = np.stack([lines[name] for name in ("bonus", "earner", "rank_level")])
    is_first = np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0))[: order.size]
    first = np.flatnonzero(is_first)
    if not first.size:
        return {name: np.empty(0, kind) for name, kind in KINDS.items()}
    rate = lines["rate"]
    is_one = np.maximum.reduceat(rate, first) == np.minimum.reduceat(rate, first)
    found = {
        "bonus_id": np.array(bonus_ids, np.int64)[lines["bonus"][first]],
        "distributor_id": member_ids[lines["earner"][first]],
        "rank_level": lines["rank_level"][first],
        "count": np.add.reduceat(lines["amount"], first),
        "base": np.add.reduceat(lines["base"], first),
        "lines": np.diff(np.append(first, order.size)),
        "rate": np.where(is_one, rate[first], VARIOUS),
    }
    kept = found["count"] > 0
    return {name: column[kept] for name, column in found.items()}


def columns_of(blocks: Sequence[Block]) -> dict[str, Int64s]:
    """All lines of some blocks as one array a column."""
    names = ("earner", "rank_level", "amount", "base", "rate")
    found = {
        name: np.concatenate([np.empty(0, np.int64), *(getattr(block, name) for block in blocks)])
        for name in names
    }
    sizes = [len(block) for block in blocks]
    places = np.array([block.bonus for block in blocks], np.int64)
    return found | {"bonus": np.repeat(places, sizes)}


def write_rewards(run: CommissionRun, given: Given, plan: Plan, bonus_ids: Sequence[int]) -> None:
    """Store what a run gives, named and valued as the plan says it now."""
    size = len(given["count"])
    if not size:
        return
    columns = ", ".join(f"{name} {SQL_TYPES[kind]}" for name, kind in KINDS.items())
    with connection.cursor() as cursor:
        cursor.execute(f"create temporary table given (place bigint, {columns}) on commit drop")
    pieces = (
        (
            len(given["count"][part]),
            {
                "place": np.arange(1, size + 1)[part],
                **{name: column[part] for name, column in given.items()},
            },
        )
        for part in slices(size)
    )
    copy_rows("pg_temp.given", {"place": "i8", **KINDS}, pieces)
    params: dict[str, Any] = {"run": run.pk, "period": run.period_id, "various": VARIOUS}
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, params | names_of(plan, bonus_ids))
        cursor.execute("drop table pg_temp.given")


SQL_TYPES = {"i8": "bigint", "i4": "int", "i2": "smallint"}
_WRITE = """
insert into commissions_reward (run_id, period_id, place, bonus_id, distributor_id, rank_level,
    name, count, unit_value, base, lines, rate, status, asked_status, reason)
select %(run)s, %(period)s, g.place, g.bonus_id, g.distributor_id, g.rank_level,
       named.name, g.count, named.value, g.base, g.lines, nullif(g.rate, %(various)s),
       'granted', '', ''
from pg_temp.given g
join unnest(%(bonuses)s::bigint[], %(names)s::text[], %(values)s::bigint[])
  as named(bonus_id, name, value) on named.bonus_id = g.bonus_id
order by g.place
"""


def names_of(plan: Plan, bonus_ids: Sequence[int]) -> dict[str, list[Any]]:
    """What each bonus gives, and what one is said to be worth, in hundredths."""
    found = [
        (pk, bonus.reward)
        for pk, bonus in zip(bonus_ids, plan.bonuses, strict=False)
        if bonus.reward is not None
    ]
    return {
        "bonuses": [pk for pk, _ in found],
        "names": [reward.name for _, reward in found],
        "values": [reward.value for _, reward in found],
    }


def stored_in(run: CommissionRun) -> Given:
    """What a run gave, as it stands in the table."""
    rows = read_columns(
        "select place, bonus_id, distributor_id, rank_level, count, base, lines, "
        "coalesce(rate, %(various)s) as rate from commissions_reward where run_id = %(run)s",
        {"run": run.pk, "various": VARIOUS},
        place="i8",
        **KINDS,
    )
    order = np.argsort(rows["place"], kind="stable")
    return {name: rows[name][order] for name in KINDS}


def rewards_hash(given: Given) -> str:
    """SHA-256 over the rows, column by column."""
    digest = hashlib.sha256()
    for name in KINDS:
        digest.update(f"{name}:{given[name].size};".encode())
        digest.update(given[name].astype(">i8").tobytes())
    return digest.hexdigest()


def drop_rewards(run: CommissionRun) -> None:
    """Throw away what a superseded run gave."""
    Reward.objects.filter(run=run).delete()
