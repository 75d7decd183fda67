"""What a run measures beside the standings: kept with it, thrown away with it, or made up for."""

import numpy as np
import pytest
from django.db import DatabaseError, connection, transaction

from commissions import earnings
from commissions.explain import explain
from commissions.models import CommissionRun, LedgerEntry, MeasuredPart
from commissions.services import remeasuring
from commissions.services.claims import claim_volume
from commissions.services.measured import EACH, packed_parts, read_measured
from commissions.services.runs import calculate, start_run
from tests.cast import Cast, at
from tests.commissions.plans import bonus, demo, pay_by
from tests.commissions.steps import calculated, closed, the_period

pytestmark = pytest.mark.django_db

LEG = {"is": "legs_with_volume", "legs": 1, "tree": "sponsor", "volume": "pv", "figure": "50.00"}
NAME = "volume_legs.sponsor.pv.5000"


def asking() -> dict:
    """Paid is who has a leg of 50.00: Asha, Ben and Chloe."""
    document = demo()
    bonus(document, "unilevel")["eligibility"] = {"when": LEG, "otherwise": "compress"}
    return document


def buy_in_october(cast: Cast, document: dict) -> None:
    pay_by(cast, document)
    cast.buys("ben", 5, at("2026-10-05"))
    cast.buys("chloe", 6, at("2026-10-06"))
    cast.buys("dmitri", 10, at("2026-10-07"))
    claim_volume()


def legs(cast: Cast, run: CommissionRun) -> list[int]:
    people = [cast.asha, cast.ben, cast.chloe, cast.dmitri, cast.stella]
    return read_measured(run.pk, [NAME], [person.pk for person in people])[NAME].tolist()


def forget(run: CommissionRun, **changes: str) -> None:
    """As if it had been made before anything was kept."""
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute("delete from commissions_measuredpart")
        cursor.execute("set local session_replication_role = origin")
    CommissionRun.objects.filter(pk=run.pk).update(measured="not_yet", **changes)


def test_a_run_keeps_what_the_plan_asks_beyond_standings(cast: Cast) -> None:
    buy_in_october(cast, asking())

    run = calculated(cast, "2026-10")

    assert run.measured == "kept"
    assert set(MeasuredPart.objects.values_list("run", "name")) == {(run.pk, NAME)}
    assert legs(cast, run) == [100, 100, 100, 0, 0]


def test_a_plan_that_asks_for_standings_alone_keeps_nothing(cast: Cast) -> None:
    buy_in_october(cast, demo())

    run = calculated(cast, "2026-10")

    assert run.measured == "kept"
    assert not MeasuredPart.objects.exists()


def test_what_a_superseded_run_measured_goes_with_it(cast: Cast) -> None:
    buy_in_october(cast, asking())
    first = calculated(cast, "2026-10")

    second = start_run(period=the_period("2026-10"), actor=cast.user("fiona"))
    calculate(second.pk)

    assert set(MeasuredPart.objects.values_list("run", flat=True)) == {second.pk} != {first.pk}


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("update commissions_measuredpart set part = 0", "is final"),
        ("delete from commissions_measuredpart", "is final"),
        ("truncate commissions_measuredpart", "is final"),
        (
            "insert into commissions_measuredpart (run_id, name, part, figures) "
            "select run_id, 'other', part, figures from commissions_measuredpart",
            "is written once",
        ),
        (
            "insert into commissions_measuredpart (run_id, name, part, figures) "
            "select 0, name, part, figures from commissions_measuredpart",
            "is written once",
        ),
    ],
)
def test_what_a_run_measured_cannot_be_changed(cast: Cast, statement: str, message: str) -> None:
    buy_in_october(cast, asking())
    run = calculated(cast, "2026-10")

    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        with pytest.raises(DatabaseError, match=message), transaction.atomic():
            cursor.execute(statement)

    assert legs(cast, run) == [100, 100, 100, 0, 0]


def test_a_part_has_a_figure_for_each_id(cast: Cast) -> None:
    buy_in_october(cast, asking())
    run = calculated(cast, "2026-10")
    forget(run)

    with pytest.raises(DatabaseError, match="measuredpart_whole"), transaction.atomic():
        MeasuredPart.objects.create(run=run, name=NAME, part=0, figures=bytes(EACH + 1))


def test_a_run_of_before_is_measured_afterwards(cast: Cast) -> None:
    buy_in_october(cast, asking())
    closed(cast, "2026-10")
    run = the_period("2026-10").runs.get(kind="close")
    line = LedgerEntry.objects.filter(run=run, bonus__code="unilevel").first()
    assert line is not None
    forget(run)

    waiting = explain(earnings.line_by_key(line.pk), for_staff=True)
    remeasuring.catch_up()
    told = explain(earnings.line_by_key(line.pk), for_staff=True)

    assert (waiting.is_waiting, waiting.steps, waiting.is_checked) == (True, [], False)
    assert (told.is_waiting, told.is_checked, told.agrees) == (False, True, True)
    assert legs(cast, run) == [100, 100, 100, 0, 0]
    assert remeasuring.catch_up() is None


def test_what_another_engine_closed_is_lost(cast: Cast) -> None:
    buy_in_october(cast, asking())
    closed(cast, "2026-10")
    run = the_period("2026-10").runs.get(kind="close")
    line = LedgerEntry.objects.filter(run=run, bonus__code="unilevel").first()
    assert line is not None
    forget(run, engine_version="1.0")

    remeasuring.catch_up()
    why = explain(earnings.line_by_key(line.pk), for_staff=True)

    assert (why.is_lost, why.is_waiting, why.steps) == (True, False, [])
    assert not MeasuredPart.objects.exists()


def test_a_run_of_before_that_asks_for_nothing_is_only_marked(cast: Cast) -> None:
    buy_in_october(cast, demo())
    run = calculated(cast, "2026-10")
    forget(run)

    assert remeasuring.catch_up() is None
    run.refresh_from_db()
    assert run.measured == "kept"


@pytest.mark.parametrize("largest", [1, 127, 128, 40_000, 2**31, 2**62])
def test_figures_are_packed_as_narrow_as_they_fit(largest: int) -> None:
    ids = np.array([3, EACH - 1, EACH, 7 * EACH + 5], np.int64)
    figures = np.array([largest, -1, 0, 2], np.int64)

    parts, packed = packed_parts(ids, figures)

    width = next(size for size in (1, 2, 4, 8) if largest < 2 ** (8 * size - 1))
    assert parts == [0, 7]
    assert [len(each) for each in packed] == [EACH * width] * 2
    first = np.frombuffer(packed[0], f"<i{width}")
    assert (first[3], first[EACH - 1], int(np.count_nonzero(first))) == (largest, -1, 2)
