"""The tables of a run: made by it, filled by COPY, indexed after, attached when the run is final.

A run writes `commissions_ledger_r<id>` and `commissions_standing_r<id>`. Nobody sees them through
LedgerEntry and Standing before they are attached as partitions.

A close writes its lines earner by earner, so that ranges of pages are all the index they need: an
earner's lines lie together, and so do line numbers. What is paid at once arrives in any order and
has B-trees instead. The lines of a sale made in a closed period are found by reading that period's
table once, for all its refunds.

A large close writes over two sessions, since one keeps one core busy: the standings and half of
the lines over one, the other half over the other. Each share is a table of its own, by ranges of
line numbers. What the second session writes is committed before the run is; it belongs to nobody
until the run takes it in, and the next attempt or the end of the run throws it away.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import connection

from commissions.models import CommissionRun
from commissions.models.ledger import PLACE_BITS
from mlmcrm.beside import Beside

LEDGER = "commissions_ledgerentry"
STANDING = "commissions_standing"
LEDGER_KINDS = {
    "id": "i8",
    "volume_entry_id": "i8",
    "base": "i8",
    "amount": "i8",
    "run_id": "i4",
    "bonus_id": "i4",
    "distributor_id": "i4",
    "source_distributor_id": "i4",
    "rate": "i4",
    "level": "i2",
    "rank_level": "i2",
    "reverses_id": "i8",
}
STANDING_KINDS = {
    "run_id": "i4",
    "distributor_id": "i4",
    "sponsor_id": "i4",
    "legs": "i4",
    "pv": "i8",
    "cv": "i8",
    "gv": "i8",
    "rank_level": "i2",
    "highest_level": "i2",
    "title_level": "i2",
    "active": "i1",
}
FROM_TABLE = "run_id"
"""The column whose default a run's own tables know."""
WORTH_TWO = 40_000
"""Lines, or people and sales, from which a second session is worth its start."""
RANGES = "with (pages_per_range = 16, autosummarize = on)"


@dataclass(frozen=True)
class Share:
    """The lines of a run from one place to before another, and the table they go into."""

    run: CommissionRun
    table: str
    start: int
    stop: int

    @property
    def numbers(self) -> tuple[int, int]:
        """The first line's number, and that after the last one's."""
        before = (self.run.pk << PLACE_BITS) + 1
        return before + self.start, before + self.stop


def shares_of(run: CommissionRun, lines: int, beside: Beside) -> list[Share]:
    """One share, or two where that is quicker. The other session gets less, and still less while
    it has not written the standings: it commits its share before this one can take it in."""
    table = run.ledger_table
    if not beside.is_apart or lines < WORTH_TWO:
        return [Share(run, table, 0, lines)]
    own = lines * (56 if beside.is_busy else 54) // 100
    return [Share(run, f"{table}_1", 0, own), Share(run, f"{table}_2", own, lines)]


def create_share(share: Share) -> None:
    """A table with the parent's checks; one of its own lets it be attached unscanned.

    The run is the same in every row: it comes from the table (FROM_TABLE). Indexes come after the
    rows, when they cost least.
    """
    run, (first, end) = share.run, share.numbers
    _execute(f"drop table if exists {share.table}")
    _execute(f"create table {share.table} (like {LEDGER} including constraints)")
    _execute(
        f"alter table {share.table} alter run_id set default {run.pk}, "
        f"{numbers_check(share.table, run, first, end)}"
    )


def numbers_check(table: str, run: CommissionRun, first: int, end: int) -> str:
    """Which lines a table takes, as one rule: each costs time in every row."""
    return (
        f"add constraint {table}_numbers check (run_id = {run.pk} and id >= {first} and id < {end})"
    )


def index_share(share: Share, found_by_sale: Collection[int] = ()) -> None:
    """The parent's index, under which a table is attached. `found_by_sale`: bonuses whose lines
    stories look up by their sale."""
    _execute("set local maintenance_work_mem = '1GB'")
    _execute(
        f"create index {share.table}_lines on {share.table} "
        f"using brin (distributor_id, id) {RANGES}"
    )
    if found_by_sale:
        index_sales(share.table, found_by_sale)


def index_sales(table: str, bonuses: Collection[int]) -> None:
    """Lets the lines of these bonuses be found by their sale; safe to run twice."""
    ids = ", ".join(str(bonus) for bonus in sorted(bonuses))
    _execute(
        f"create index if not exists {table}_sales on {table} (volume_entry_id) "
        f"where bonus_id in ({ids})"
    )


def join_shares(shares: Iterable[Share]) -> None:
    """Make the run's ledger of two shares, once both are written."""
    for share in shares:
        ledger, (first, end) = share.run.ledger_table, share.numbers
        if share.start == 0:
            _execute(
                f"create table {ledger} (like {LEDGER} including constraints) "
                "partition by range (id)"
            )
        _execute(
            f"alter table {ledger} attach partition {share.table} "
            f"for values from ({first}) to ({end})"
        )


def create_standings(run: CommissionRun) -> None:
    table = run.standing_table
    _execute(f"drop table if exists {table}")
    _execute(f"create table {table} (like {STANDING} including constraints)")
    _execute(
        f"alter table {table} alter run_id set default {run.pk}, "
        f"add constraint {table}_run check (run_id = {run.pk})"
    )


def index_standings(run: CommissionRun) -> None:
    table = run.standing_table
    _execute(f"create unique index {table}_owner on {table} (run_id, distributor_id)")


def attach_tables(run: CommissionRun) -> None:
    """Make the run's rows part of LedgerEntry and Standing; its indexes become theirs."""
    for parent, table in ((LEDGER, run.ledger_table), (STANDING, run.standing_table)):
        _execute(f"alter table {parent} attach partition {table} for values in ({run.pk})")
    _execute(f"analyze {run.ledger_table}, {run.standing_table}")


def attach_payment_table(run: CommissionRun) -> None:
    """The partition of a payment run exists from the opening of its period."""
    table = run.ledger_table
    _execute(f"create table {table} (like {LEDGER} including constraints including indexes)")
    first, end = run.pk << PLACE_BITS, (run.pk + 1) << PLACE_BITS
    _execute(f"alter table {table} {numbers_check(table, run, first + 1, end)}")
    _execute(f"create index {table}_earner on {table} (distributor_id, id)")
    _execute(f"create index {table}_id on {table} (id)")
    _execute(f"create index {table}_refunds on {table} (volume_entry_id)")
    _execute(f"alter table {LEDGER} attach partition {table} for values in ({run.pk})")


def drop_tables(run: CommissionRun) -> None:
    """Throw away the rows of a run that did not become final."""
    ledger = run.ledger_table
    for table in (ledger, f"{ledger}_1", f"{ledger}_2", run.standing_table):
        _execute(f"drop table if exists {table}")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
