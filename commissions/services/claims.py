"""What is paid at once: volume entries are claimed, each once, and their commissions posted.

Every volume entry that is recorded lands in a queue of the database (`commissions_volumequeue`, by
trigger), so it is found without a search and never forgotten. A batch is one transaction: claim,
lines, postings, projections, events; the claim's primary key is what makes it happen once. One
claimer works at a time, so that a refund always finds the lines of its sale.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import structlog
from django.db import connection, transaction
from django.utils import timezone
from numpy.typing import NDArray

from accounts.events import told_together
from commissions.engine import PAYMENT, Plan, Snapshot, build_snapshot, calculate
from commissions.engine.plan import ENROLLER, PLACEMENT, SPONSOR, parts
from commissions.models import CommissionPeriod, CommissionRun
from commissions.models.ledger import PLACE_BITS
from commissions.services import earned_events, estimate_news, projections
from commissions.services.arrays import Array, Lookup, read_columns
from commissions.services.attributes import (
    keep_still,
    next_change,
    read_attributes,
    wanted_at_payment,
)
from commissions.services.facts import (
    day_number,
    entries,
    entry_columns,
    entry_kinds,
    lines_of,
)
from commissions.services.ledger_lines import LineWriter, arranged, write_lines
from commissions.services.opening import (
    ONE_DAY,
    PeriodRefused,
    fix_plan,
    month_of,
    payment_run,
    period_for,
)
from commissions.services.plan_reading import loaded
from commissions.services.plans import bonus_ids
from commissions.services.reversals import reversed_at_payment
from commissions.services.wallets import post_commissions
from mlmcrm.locks import advisory_lock

logger = structlog.get_logger(__name__)

BATCH = 50_000
WHOLE_COMPANY_FROM = 2_000
"""Entries in a batch from which on everybody is read instead of the uplines of a few."""
NEWS_FOR = timedelta(days=2)
"""Older than this an entry is history being imported, and nobody is told of each line."""


@dataclass(frozen=True)
class Batch:
    """Entries of one period, claimed in this transaction; columns in order of entry id.

    On all its days everybody holds the same of what the plan asks at payment, as known at
    `claimed_at`.
    """

    period: CommissionPeriod
    run: CommissionRun
    plan: Plan
    entries: dict[str, Array]
    day: date
    claimed_at: datetime

    @property
    def sales(self) -> NDArray[np.bool_]:
        return np.equal(self.entries["refund"], 0)

    def __len__(self) -> int:
        return len(self.entries["id"])


def claim_volume() -> int:
    """Claim everything that waits, batch by batch; returns the number of entries.

    Safe at any time and from anywhere: what is claimed is claimed once.
    """
    total = 0
    while claimed := claim_batch():
        total += claimed
    return total


@transaction.atomic
@told_together()
def claim_batch(limit: int = BATCH) -> int:
    """Claim the oldest waiting entries of one period, with the figures they change."""
    batch = take_batch(limit)
    if batch is None:
        return 0
    snapshot, lines = settle(batch)
    projections.add_claimed(batch.period, snapshot, lines)
    estimate_news.note_sales(batch.period, batch.plan, batch.entries["distributor"])
    return len(batch)


def claim_rest() -> int:
    """Claim what is left within a transaction that closes a period, leaving projections to it."""
    total = 0
    while batch := take_batch(BATCH):
        settle(batch)
        total += len(batch)
    return total


def unclaimed_count(period: CommissionPeriod) -> int:
    """Entries that wait although they count on or before the period's last day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from commissions_volumequeue q "
            "join commerce_volumeentry v on v.id = q.volume_entry_id where v.counts_on <= %s",
            [period.ends_on],
        )
        count: int = cursor.fetchone()[0]
    return count


# Taking


def lock_claims() -> None:
    """Be the only one who claims until the transaction ends; before the clock is stopped."""
    advisory_lock("commissions.claims")


def take_batch(limit: int) -> Batch | None:
    """Entries of the earliest waiting period, taken from the queue and claimed; None when none."""
    lock_claims()
    day = earliest_day()
    if day is None:
        return None
    try:
        period = period_for(day)
        plan = loaded(fix_plan(period))
    except PeriodRefused as refusal:
        logger.warning("volume waits", day=str(day), reason=str(refusal))
        return None
    run = payment_run(period)
    claimed_at = moment_of_claim(plan)
    until = next_change(plan, after=day, known_at=claimed_at) or period.ends_on + ONE_DAY
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "run": run.pk,
                "starts_on": period.starts_on,
                "ends_on": min(period.ends_on, until - ONE_DAY),
                "limit": limit,
                "claimed_at": claimed_at,
            },
        )
        ids = sorted(row[0] for row in cursor.fetchall())
    if not ids:
        return None
    kinds = entry_kinds(plan) | _MORE_KINDS
    found = read_columns(entries_query(plan), {"ids": ids}, **kinds)
    order = np.argsort(found["id"], kind="stable")
    found = {name: column[order] for name, column in found.items()}
    return Batch(period, run, plan, found, day, claimed_at)


def moment_of_claim(plan: Plan) -> datetime:
    """The time, behind whoever is recording just now what the plan asks of people at payment."""
    if wanted_at_payment(plan):
        keep_still()
    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def earliest_day() -> date | None:
    """The first day on which something waits, up to the end of this month."""
    until = month_of(timezone.localdate()).ends_on
    with connection.cursor() as cursor:
        cursor.execute(
            "select min(v.counts_on) from commissions_volumequeue q "
            "join commerce_volumeentry v on v.id = q.volume_entry_id "
            "where v.counts_on <= %s",
            [until],
        )
        day: date | None = cursor.fetchone()[0]
    return day


# A refund waits until its sale is claimed, or is among those taken now.
_CLAIM = """
with taken as (
  select v.id, v.reverses_id from commissions_volumequeue q
  join commerce_volumeentry v on v.id = q.volume_entry_id
  where v.counts_on between %(starts_on)s and %(ends_on)s
  order by v.id limit %(limit)s
), ready as (
  select t.id from taken t where t.reverses_id is null
    or exists (select 1 from taken s where s.id = t.reverses_id)
    or exists (select 1 from commissions_volumeclaim c where c.volume_entry_id = t.reverses_id)
), claimed as (
  insert into commissions_volumeclaim (volume_entry_id, run_id, claimed_at)
  select id, %(run)s, %(claimed_at)s from ready order by id
  on conflict (volume_entry_id) do nothing returning volume_entry_id
), done as (
  delete from commissions_volumequeue where volume_entry_id in (select id from ready)
)
select volume_entry_id from claimed
"""
_MORE_KINDS = {"refund": "i2", "moment": "i8"}


def entries_query(plan: Plan) -> str:
    return f"""
        select {entry_columns(plan)}, (v.kind = 'refund')::int as refund,
               extract(epoch from v.occurred_at)::bigint as moment
        from {entries(plan)} where v.id = any(%(ids)s)
    """


# Settling


def settle(batch: Batch) -> tuple[Snapshot, dict[str, Array]]:
    """Write the lines of a claimed batch, post them and tell the earners of what is new."""
    run = CommissionRun.objects.select_for_update(no_key=True).get(pk=batch.run.pk)
    snapshot, plan = involved(batch), batch.plan
    result = calculate(snapshot, plan, PAYMENT)
    first = run.line_count + 1
    writer = LineWriter(run, bonus_ids(fix_plan(batch.period)), first)
    earned = writer.rows_of(arranged(result), snapshot.members.id, snapshot.lines.id)
    write_lines(run.ledger_table, earned)
    refunds = batch.entries["id"][~batch.sales].tolist()
    if refunds:
        undone = writer.rows_reversing(reversed_at_payment(refunds, plan))
        write_lines(run.ledger_table, undone)
    lines = lines_from(run, first)
    if len(lines["id"]):
        run.line_count = writer.next - 1
        run.total_amount += Decimal(int(lines["amount"].sum())).scaleb(-2)
        run.save(update_fields=["line_count", "total_amount"])
        post_lines(batch, first, lines)
        tell_earners(batch, lines)
    return snapshot, lines


def involved(batch: Batch) -> Snapshot:
    """The batch's sales with their sellers and everybody above them in any tree."""
    claimed, plan = batch.entries, batch.plan
    everybody = len(batch) >= WHOLE_COMPANY_FROM
    trees = trees_at_payment(plan)
    people = read_columns(
        people_query(trees, everybody=everybody),
        {"sellers": np.unique(claimed["distributor"]).tolist()},
        id="i8",
        joined="i4",
        **dict.fromkeys(trees, "i8"),
    )
    order = np.argsort(people["id"], kind="stable")
    people = {name: column[order] for name, column in people.items()}
    lookup = Lookup(people["id"])
    parents = {tree: lookup(people[tree]) for tree in trees}
    held = (
        read_attributes(
            plan,
            lookup,
            on=batch.day,
            known_at=batch.claimed_at,
            people=None if everybody else people["id"].tolist(),
        )
        if wanted_at_payment(plan)
        else {}
    )
    sales, refunds = (
        lines_of({name: column[chosen] for name, column in claimed.items()}, lookup)
        for chosen in (batch.sales, ~batch.sales)
    )
    return build_snapshot(
        members={"id": people["id"], "joined": people["joined"], "parents": parents, **held},
        lines=sales,
        refunds=refunds,
        starts_on=day_number(batch.period.starts_on),
        ends_on=day_number(batch.period.ends_on),
    )


PARENTS = {SPONSOR: "sponsor_id", ENROLLER: "enroller_id", PLACEMENT: "placement_parent_id"}


def trees_at_payment(plan: Plan) -> list[str]:
    """Sponsor and enroller trees always; the other where a bonus at payment walks it."""
    walked = {part.tree for _, part in parts(plan.triggered_by(PAYMENT)) if hasattr(part, "tree")}
    return [tree for tree in PARENTS if tree != PLACEMENT or tree in walked]


def people_query(trees: list[str], *, everybody: bool) -> str:
    """SQL for people with their parents, 0 for none: everybody, or the sellers and all above."""
    columns = [PARENTS[tree] for tree in trees]
    parents = ", ".join(f"coalesce({PARENTS[tree]}, 0) as {tree}" for tree in trees)
    chosen = f"select id, {parents}, joined_on - date '1970-01-01' as joined from"
    if everybody:
        return f"{chosen} genealogy_distributor"
    own, above = (", ".join(f"{of}.{column}" for column in columns) for of in ("d", "up"))
    return f"""
        with recursive up as (
          select d.id, {own}, d.joined_on from genealogy_distributor d
          where d.id = any(%(sellers)s)
          union
          select d.id, {own}, d.joined_on from up
          join genealogy_distributor d on d.id in ({above})
        )
        {chosen} up
    """


def lines_from(run: CommissionRun, first: int) -> dict[str, Array]:
    """The run's lines from a place on, as they stand in the table."""
    return read_columns(
        f"select id, bonus_id as bonus, distributor_id as earner, volume_entry_id as entry, amount "
        f"from {run.ledger_table} where id >= %(first)s",
        {"first": (run.pk << PLACE_BITS) + first},
        id="i8",
        bonus="i8",
        earner="i8",
        entry="i8",
        amount="i8",
    )


def post_lines(batch: Batch, first: int, lines: dict[str, Array]) -> None:
    earners, place = np.unique(lines["earner"], return_inverse=True)
    sums = np.zeros(earners.size, np.int64)
    np.add.at(sums, place, lines["amount"])
    if not sums.any():
        return
    digest = hashlib.sha256(lines["id"].tobytes() + lines["amount"].tobytes()).hexdigest()
    post_commissions(
        key=f"payment:{batch.period.code}:{first}",
        request_hash=digest,
        kind="commission",
        memo=f"Commission at payment, {batch.period.name}, {len(lines['id'])} lines",
        owed="select * from unnest(%(earners)s::bigint[], %(sums)s::bigint[])"
        " as t(distributor_id, amount)",
        params={"earners": earners.tolist(), "sums": sums.tolist()},
        currency=batch.period.currency,
        actor=None,
    )


def tell_earners(batch: Batch, lines: dict[str, Array]) -> None:
    """Events for what happened lately, none for history that is being imported."""
    since = int((timezone.now() - NEWS_FOR).timestamp())
    recent = batch.entries["id"][batch.entries["moment"] >= since]
    news = np.isin(lines["entry"], recent)
    if news.any():
        earned_events.publish_lines(
            {name: column[news] for name, column in lines.items()}, batch.period.currency
        )
