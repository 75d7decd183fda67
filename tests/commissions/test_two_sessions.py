"""A close that reads and writes over two sessions comes to what it comes to over one."""

from importlib import import_module

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from commerce.services.orders import RefundLine, refund_order
from commissions import earnings
from commissions.explain import explain
from commissions.models import LedgerEntry
from commissions.services import ledger_tables, runs, writing
from commissions.services.claims import claim_volume
from commissions.services.finalize import approve_period, finalize_period
from commissions.services.periods import close_period
from commissions.services.replay import replay
from commissions.services.runs import calculate, start_run
from commissions.services.verification import find_breaks
from tests.cast import at, gather
from tests.commissions.steps import closed, the_period

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def company(transactional_db, monkeypatch):
    """October is closed and waits for its calculation, which no worker that is about is told of."""
    monkeypatch.setattr(runs, "send", lambda run_id: None)
    cast = gather()
    assert cast.plan
    orders = [cast.buys(cast.rosa, 3, at(f"2026-10-{day:02}")) for day in range(3, 23)]
    cast.buys("ben", 2, at("2026-10-05"))
    claim_volume()
    close_period(period=the_period("2026-10"), actor=cast.user("fiona"))
    cast.orders = orders
    return cast


@pytest.fixture
def two_sessions(monkeypatch):
    monkeypatch.setattr(ledger_tables, "WORTH_TWO", 2)


def calculated(company):
    run = start_run(period=the_period("2026-10"), actor=company.user("fiona"))
    calculate(run.pk)
    run.refresh_from_db()
    return run


def lines_of(run):
    with connection.cursor() as cursor:
        cursor.execute(
            "select id - (run_id::bigint << 32), bonus_id, distributor_id, source_distributor_id, "
            f"volume_entry_id, level, amount from {run.ledger_table} order by id"
        )
        return cursor.fetchall()


def tables_of(run):
    with connection.cursor() as cursor:
        cursor.execute(
            "select relname from pg_class where relkind in ('r', 'p') and relname ~ %s",
            [f"^{run.ledger_table}(_|$)"],
        )
        return {name for (name,) in cursor.fetchall()}


def test_two_shares_hold_the_lines_of_one(company, settings, monkeypatch):
    settings.CLOSE_SESSIONS = 1
    alone = calculated(company)
    expected = lines_of(alone)
    settings.CLOSE_SESSIONS = 2
    monkeypatch.setattr(ledger_tables, "WORTH_TWO", 2)

    run = calculated(company)

    assert (run.status, run.result_hash) == ("done", alone.result_hash)
    assert lines_of(run) == expected
    ledger = run.ledger_table
    assert tables_of(run) == {ledger, f"{ledger}_1", f"{ledger}_2"}
    with connection.cursor() as cursor:
        cursor.execute(f"select count(*) from {ledger}_2")
        assert 0 < cursor.fetchone()[0] < len(expected)


def test_the_final_ledger_is_found_explained_and_replayed(company, two_sessions):
    run = calculated(company)
    approve_period(period=the_period("2026-10"), actor=company.user("felix"))
    finalize_period(period=the_period("2026-10"), actor=company.user("felix"))

    lines = list(LedgerEntry.objects.filter(run=run))
    assert len(lines) == run.line_count
    for line in lines:
        found = earnings.line_by_key(line.pk)
        assert found is not None
        why = explain(found, for_staff=True)
        assert why.is_checked
        assert why.agrees
    assert list(find_breaks(strict=True)) == []
    assert all(proof.is_same for proof in replay(the_period("2026-10")))
    with pytest.raises(Exception, match="append-only"), connection.cursor() as cursor:
        cursor.execute(f"update {run.ledger_table}_2 set amount = amount + 1")


@pytest.mark.parametrize("is_final", [True, False])
def test_an_upgrade_to_lean_lines_keeps_them_all(company, two_sessions, is_final):
    run = calculated(company)
    if is_final:
        approve_period(period=the_period("2026-10"), actor=company.user("felix"))
        finalize_period(period=the_period("2026-10"), actor=company.user("felix"))
    operations = import_module("commissions.migrations.0024_lean_lines").Migration.operations
    lines, standings = lines_of(run), standings_of(run)

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        for operation in reversed(operations):
            cursor.execute(operation.reverse_sql)
        assert kinds_in(run.ledger_table)["distributor_id"] == "bigint"
        cursor.execute(f"select distinct period_id from {run.ledger_table}")
        assert cursor.fetchall() == [(run.period_id,)]
        for operation in operations:
            cursor.execute(operation.sql)

        assert kinds_in(run.ledger_table)["distributor_id"] == "integer"
        assert lines_of(run) == lines
        assert standings_of(run) == standings
        assert LedgerEntry.objects.filter(run=run).count() == is_final * run.line_count
        assert list(find_breaks(strict=is_final)) == []
        if is_final:
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                cursor.execute(f"update {run.ledger_table}_2 set amount = amount + 1")
        transaction.set_rollback(True)


def standings_of(run):
    with connection.cursor() as cursor:
        cursor.execute(
            "select distributor_id, sponsor_id, legs, pv, cv, gv, rank_level, highest_level, "
            f"title_level, active from {run.standing_table} order by 1"
        )
        return cursor.fetchall()


def kinds_in(table):
    with connection.cursor() as cursor:
        cursor.execute(
            "select attname, atttypid::regtype::text from pg_attribute "
            "where attrelid = to_regclass(%s)",
            [table],
        )
        return dict(cursor.fetchall())


def test_refunds_of_a_later_month_are_in_the_last_share(company, two_sessions):
    calculated(company)
    approve_period(period=the_period("2026-10"), actor=company.user("felix"))
    finalize_period(period=the_period("2026-10"), actor=company.user("felix"))
    for order in company.orders[:2]:
        refund_order(
            order=order,
            lines=[RefundLine(order.items.get(), 1)],
            actor=company.user("fiona"),
            reason="Came back",
            refunded_at=at("2026-11-06"),
        )
    claim_volume()

    closed(company, "2026-11")

    taken_back = LedgerEntry.objects.filter(reverses_id__isnull=False, run__kind="close")
    assert [str(line.amount) for line in taken_back] == ["-5.00", "-5.00"]
    assert list(find_breaks(strict=True)) == []


def test_what_breaks_after_the_second_share_is_committed_leaves_nothing(
    company, two_sessions, monkeypatch
):
    def connection_lost(*arguments):
        raise OperationalError("the connection is gone")

    run = start_run(period=the_period("2026-10"), actor=company.user("fiona"))
    with monkeypatch.context() as broken:
        broken.setattr(writing, "join_shares", connection_lost)
        with pytest.raises(OperationalError):
            calculate(run.pk)
    assert tables_of(run) == {f"{run.ledger_table}_2"}

    calculate(run.pk)

    run.refresh_from_db()
    assert (run.status, run.attempts) == ("done", 2)
    assert len(lines_of(run)) == run.line_count


def test_a_run_that_fails_or_is_superseded_leaves_no_table(company, two_sessions, monkeypatch):
    with monkeypatch.context() as wrong:
        wrong.setattr(runs, "compare", lambda *_: 1 / 0)
        failed = calculated(company)
    assert (failed.status, tables_of(failed)) == ("failed", set())
    first = calculated(company)

    second = calculated(company)

    first.refresh_from_db()
    assert (first.status, second.status) == ("superseded", "done")
    assert tables_of(first) == set()


def test_a_share_that_cannot_be_written_fails_the_run(company, two_sessions, monkeypatch):
    written = writing.write_share

    def one_fails(share, *arguments):
        if share.start:
            raise ValueError("no such line")
        written(share, *arguments)

    monkeypatch.setattr(writing, "write_share", one_fails)

    run = calculated(company)

    assert (run.status, tables_of(run)) == ("failed", set())
    assert the_period("2026-10").status == "closed"


def test_within_a_transaction_it_works_alone(company, two_sessions):
    """Of what that one has not committed a second session sees nothing."""
    with transaction.atomic():
        company.buys(company.rosa, 1, at("2026-11-03"))
        claim_volume()
        run = calculated(company)
        assert (run.status, tables_of(run)) == ("done", {run.ledger_table})
        approve_period(period=the_period("2026-10"), actor=company.user("felix"))
        finalize_period(period=the_period("2026-10"), actor=company.user("felix"))
        assert closed(company, "2026-11").status == "finalized"
