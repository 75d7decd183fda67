"""A period is paid by the tree of its cut-off; the days it used are final for everybody."""

from datetime import date
from decimal import Decimal

import pytest

from commerce.models import VolumeEntry
from commissions.services.claims import claim_volume
from commissions.services.replay import replay
from genealogy.services.moves import MoveRefused
from genealogy.services.terminations import terminate_distributor
from tests.cast import at
from tests.commissions.oracle import expected, recorded
from tests.commissions.steps import balance, closed, the_period
from tests.genealogy.moving import asked, sponsor_of

pytestmark = pytest.mark.django_db


def test_days_that_a_closed_period_used_are_final(company):
    company.buys("chloe", 6, at("2026-10-06"))
    claim_volume()
    closed(company, "2026-10")

    with pytest.raises(MoveRefused, match="final before 01 November 2026") as refused:
        asked(company, "chloe", "stella", effective_on=date(2026, 10, 31))
    assert refused.value.field == "effective_on"
    asked(company, "chloe", "stella", effective_on=date(2026, 11, 1))

    assert sponsor_of(company.chloe) == company.stella


def test_a_move_within_the_month_moves_the_commissions_with_it(company):
    """Dmitri sells 200 PV under Chloe, who stands under Stella from the 20th on."""
    company.buys("stella", 5, at("2026-10-02"))
    company.buys("ben", 5, at("2026-10-05"))
    company.buys("chloe", 6, at("2026-10-06"))
    company.buys("dmitri", 10, at("2026-10-07"))
    claim_volume()
    asked(company, "chloe", "stella", effective_on=date(2026, 10, 20))

    period = closed(company, "2026-10")

    assert recorded(period) == expected(period)
    assert balance(company, "stella") > Decimal("14.00") > balance(company, "ben")


def test_a_later_move_changes_nothing_of_a_closed_period(company):
    company.buys("ben", 5, at("2026-10-05"))
    company.buys("dmitri", 10, at("2026-10-07"))
    claim_volume()
    period = closed(company, "2026-10")

    asked(company, "chloe", "stella", effective_on=date(2026, 11, 1))
    terminate_distributor(
        distributor=company.chloe, downline="roll_up", reason="x", actor=company.user("ada")
    )

    assert all(proof.is_same for proof in replay(period))
    assert VolumeEntry.objects.count() == 2
    assert the_period("2026-10").status == "finalized"
