"""A close as it should not be written: the control that the fault runner has to fail on.

It pays in pieces as it goes, each committed by itself, under no key: when its worker dies, the task
is delivered again and begins from the start, and what was paid before is paid twice.
"""

from celery import shared_task
from django.db import connection

from commissions.models import CommissionPeriod
from commissions.services.calculation import read_facts, work_out_closed

PIECE = 100
TABLES = """
create table if not exists naive_line (distributor_id bigint, amount bigint);
create table if not exists naive_wallet (distributor_id bigint primary key, balance bigint);
create table if not exists naive_done (code text)
"""


@shared_task(name="tests.faults.naive.close")
def close(code: str) -> None:
    period = CommissionPeriod.objects.get(code=code)
    outcome = work_out_closed(period, read_facts(period))
    members = outcome.snapshot.members.id
    for block in outcome.result.blocks(rows=PIECE):
        pay(members[block.earner].tolist(), block.amount.tolist())
    with connection.cursor() as cursor:
        cursor.execute("insert into naive_done values (%s)", [code])


def pay(earners: list[int], amounts: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into naive_line select * from unnest(%s::bigint[], %s::bigint[])",
            [earners, amounts],
        )
        cursor.execute(
            "insert into naive_wallet as w select earner, sum(amount) from "
            "unnest(%s::bigint[], %s::bigint[]) as t(earner, amount) group by earner "
            "on conflict (distributor_id) do update set balance = w.balance + excluded.balance",
            [earners, amounts],
        )


def make_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute(TABLES)


def paid() -> dict[str, int]:
    """What came to be paid, in the terms of the undisturbed close."""
    with connection.cursor() as cursor:
        cursor.execute("select count(*), coalesce(sum(amount), 0)::bigint from naive_line")
        lines, total = cursor.fetchone()
    return {"close_lines": lines, "close_total": int(total)}


def is_done() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select exists (select 1 from naive_done)")
        return bool(cursor.fetchone()[0])
