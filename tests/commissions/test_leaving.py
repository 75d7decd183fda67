"""Whoever has left is paid nothing from that day on, in the books as in the simulator.

Asha - Ben - Chloe - Dmitri      Chloe leaves on 20 October and comes back on 20 November
"""

from collections import Counter
from datetime import date

import pytest

from commissions import earnings
from commissions.explain import explain
from commissions.models import LedgerEntry
from commissions.services import projections
from commissions.services.claims import claim_volume
from commissions.services.replay import replay
from commissions.services.verification import find_breaks
from genealogy.models import DistributorAttribute
from genealogy.services.terminations import reinstate_distributor, terminate_distributor
from tests.cast import at
from tests.commissions.exported import booked, simulated
from tests.commissions.plans import demo, pay_by
from tests.commissions.steps import closed, the_period

pytestmark = pytest.mark.django_db
MONTHS = ("2026-09", "2026-10", "2026-11")


def a_month(cast, month: str) -> None:
    for name, pieces, day in (("ben", 10, "05"), ("chloe", 10, "06"), ("dmitri", 10, "07")):
        cast.buys(name, pieces, at(f"{month}-{day}"))
    claim_volume()


def earners(month: str, bonus: str = "unilevel") -> set[str]:
    lines = LedgerEntry.objects.filter(run__period__code=month, bonus__code=bonus)
    return set(lines.values_list("distributor__display_name", flat=True))


def at_the_close(lines: Counter) -> Counter:
    """Without bonuses at payment: the books go by the day of the order, files by the period."""
    return Counter({line: count for line, count in lines.items() if line[1] != "partner"})


def leaves_in_october(cast, time_machine) -> None:
    time_machine.move_to(at("2026-10-20"))
    terminate_distributor(
        distributor=cast.chloe, downline="stay", reason="Asked to leave", actor=cast.user("ada")
    )


def test_whoever_has_left_is_passed_over_until_he_is_back(cast, time_machine, tmp_path):
    document = demo()
    pay_by(cast, document)
    for month in MONTHS[:2]:
        a_month(cast, month)
    leaves_in_october(cast, time_machine)
    time_machine.move_to(at("2026-11-10"))
    september, state = closed(cast, MONTHS[0]), None
    october = closed(cast, MONTHS[1])

    assert earners(MONTHS[0]) == {"Ben Cole", "Chloe Martin"}
    assert earners(MONTHS[1]) == {"Ben Cole"}
    for period in (september, october):
        lines, state = simulated(tmp_path / period.code, document, period, state)
        assert at_the_close(booked(period)) == at_the_close(lines)

    time_machine.move_to(at("2026-11-20"))
    cast.chloe.refresh_from_db()
    reinstate_distributor(distributor=cast.chloe, reason="Came back", actor=cast.user("ada"))
    a_month(cast, MONTHS[2])
    closed(cast, MONTHS[2])

    assert earners(MONTHS[2]) == {"Ben Cole", "Chloe Martin"}
    for month in MONTHS:
        assert [proof.name for proof in replay(the_period(month)) if not proof.is_same] == []
    assert list(find_breaks(strict=True)) == []
    assert list(projections.differences()) == []


def test_the_story_says_who_had_left(cast, time_machine):
    pay_by(cast, demo())
    a_month(cast, MONTHS[1])
    leaves_in_october(cast, time_machine)
    closed(cast, MONTHS[1])

    line = LedgerEntry.objects.filter(
        bonus__code="unilevel", distributor=cast.ben, source_distributor=cast.dmitri
    ).get()
    told = explain(earnings.line_by_key(line.pk), for_staff=True)

    assert told.agrees
    assert "has left the company" in str(told)


def test_leaving_and_coming_back_are_kept_by_the_day(cast, time_machine):
    leaves_in_october(cast, time_machine)
    time_machine.move_to(at("2026-11-20"))
    cast.chloe.refresh_from_db()
    reinstate_distributor(distributor=cast.chloe, reason="Came back", actor=cast.user("ada"))

    rows = DistributorAttribute.objects.filter(kind="status").order_by("pk")
    said = [(row.code, row.valid_from, row.valid_to, bool(row.superseded_at)) for row in rows]
    assert said == [
        ("left", date(2026, 10, 20), None, True),
        ("left", date(2026, 10, 20), date(2026, 11, 20), False),
    ]
