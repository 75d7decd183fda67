from decimal import Decimal

import pytest

from commerce.services.orders import RefundLine, refund_order
from commissions.estimate import estimate_close
from commissions.models import CommissionPeriod, LedgerEntry, PlanVersion
from commissions.services.claims import claim_volume
from commissions.services.estimates import record
from commissions.standing import plan_of
from tests.cast import Cast, at
from tests.commissions.steps import closed
from tests.commissions.test_other_plans import added, upline
from tests.commissions.test_refunds_of_sums import POOL, paying, paying_pairs
from tests.commissions.test_refunds_of_waiting import PARTS, VOLUMES
from tests.portal.conftest import close, text_of

pytestmark = pytest.mark.django_db
NAMES = ["asha", "ben", "chloe", "dmitri", "stella"]


def estimates(cast: Cast, version: PlanVersion | None = None) -> dict[str, Decimal]:
    period = CommissionPeriod.objects.get(code="2026-11")
    people = {name: getattr(cast, name) for name in NAMES}
    for person in people.values():
        person.refresh_from_db()
    plan = plan_of(version or cast.plan)
    return {name: estimate_close(who, period, plan).total for name, who in people.items()}


def test_the_estimate_is_what_the_close_brings(company: Cast) -> None:
    company.buys("asha", 4, at("2026-11-05"))
    company.buys("chloe", 12, at("2026-11-06"))
    order = company.buys("dmitri", 60, at("2026-11-07"))
    company.buys(company.rosa, 7, at("2026-11-08"))
    refund_order(
        order=order,
        lines=[RefundLine(item=order.items.get(), quantity=9)],
        actor=None,
        reason="Too many",
        refunded_at=at("2026-11-09"),
    )
    claim_volume()

    expected = estimates(company)
    close(company, "2026-11")

    assert brought(company, "2026-11") == expected
    assert sum(expected.values()) > 100


def give_back(order, pieces: int, day: str) -> None:
    refund_order(
        order=order,
        lines=[RefundLine(item=order.items.get(), quantity=pieces)],
        actor=None,
        reason="Too many",
        refunded_at=at(day),
    )
    claim_volume()


def brought(cast: Cast, code: str) -> dict[str, Decimal]:
    lines = LedgerEntry.objects.filter(run__period__code=code, run__kind="close")
    return {
        name: sum(
            (line.amount for line in lines.filter(distributor=getattr(cast, name))),
            Decimal("0.00"),
        )
        for name in NAMES
    }


def test_a_refund_of_an_earlier_sale_is_in_the_estimate_at_once(cast: Cast) -> None:
    assert cast.plan
    orders = [cast.buys(name, 30, at("2026-10-05")) for name in ("chloe", "dmitri")]
    claim_volume()
    closed(cast, "2026-10")
    cast.buys("dmitri", 12, at("2026-11-05"))
    claim_volume()
    before = estimates(cast)

    give_back(orders[1], 7, "2026-11-07")
    once = estimates(cast)
    give_back(orders[1], 4, "2026-11-08")
    give_back(orders[0], 30, "2026-11-08")
    expected = estimates(cast)
    closed(cast, "2026-11")

    assert before["chloe"] > once["chloe"] > expected["chloe"]
    assert sum(expected.values()) < sum(once.values()) < sum(before.values())
    assert brought(cast, "2026-11") == expected


@pytest.fixture
def sums_of_october(cast: Cast) -> tuple[Cast, PlanVersion]:
    """October paid Chloe for Dmitri's sum, and a part of more to come; in November he gave back."""
    team = added("team", "unilevel", base={"of": "metric", "metric": "cv"}, pays=upline("sponsor"))
    version = paying(cast, team, PARTS, volumes=VOLUMES)
    order = cast.buys("dmitri", 30, at("2026-10-05"))
    claim_volume()
    closed(cast, "2026-10")
    cast.buys("ben", 60, at("2026-11-05"))
    claim_volume()
    before = estimates(cast, version)

    give_back(order, 10, "2026-11-07")

    # Of 60.00 of October 20.00 for the team, and a third of 20.00 in parts, the second one as well.
    assert before["chloe"] - estimates(cast, version)["chloe"] > Decimal("26.66")
    return cast, version


def test_what_a_refund_undoes_of_sums_is_in_the_estimate_at_once(
    sums_of_october: tuple[Cast, PlanVersion],
) -> None:
    cast, version = sums_of_october
    expected = estimates(cast, version)

    closed(cast, "2026-11")

    assert brought(cast, "2026-11") == expected


def test_in_a_large_company_it_is_said_from_the_last_estimate(
    sums_of_october: tuple[Cast, PlanVersion], monkeypatch: pytest.MonkeyPatch
) -> None:
    cast, version = sums_of_october
    period = CommissionPeriod.objects.get(code="2026-11")
    at_once = estimate_close(cast.chloe, period, plan_of(version))
    record(period)
    monkeypatch.setattr("commissions.services.own_line.SMALL_COMPANY", 2)

    kept = estimate_close(cast.chloe, period, plan_of(version))

    assert at_once is not None
    assert kept is not None
    assert (at_once.parts, at_once.worked_out_at) == (kept.parts, None)
    assert kept.worked_out_at is not None


def test_an_order_under_a_plan_of_pairs_is_in_the_estimate_at_once(cast: Cast) -> None:
    version = paying_pairs(cast, POOL)
    cast.buys("ben", 60, at("2026-11-05"))
    claim_volume()
    before = estimates(cast, version)

    cast.buys("chloe", 40, at("2026-11-06"))
    claim_volume()
    expected = estimates(cast, version)
    closed(cast, "2026-11")

    assert expected["asha"] > before["asha"]
    assert brought(cast, "2026-11") == expected


def test_pages_say_that_it_is_an_estimate(company: Cast, sign_in) -> None:
    company.buys("chloe", 6, at("2026-11-06"))
    claim_volume()
    client = sign_in(company, "chloe")

    page = text_of(client.get("/"))

    assert "If the period closed now An estimate for November 2026" in page
    assert "Unilevel £3.00" in page
    assert "Together, about £3.00" in page
    assert "More comes at the close" in text_of(client.get("/earnings/2026-11/"))
    assert "More comes at the close" not in text_of(client.get("/earnings/2026-10/"))


def test_a_final_period_says_what_came_after_the_last_estimate(company: Cast, sign_in) -> None:
    company.buys("chloe", 6, at("2026-11-06"))
    company.buys("dmitri", 20, at("2026-11-06"))
    claim_volume()
    record(CommissionPeriod.objects.get(code="2026-11"))
    company.buys(company.rosa, 10, at("2026-11-20"))
    claim_volume()
    close(company, "2026-11")
    client = sign_in(company, "chloe")

    page = text_of(client.get("/earnings/2026-11/"))

    assert "Against the last estimate" in page
    assert "Orders were paid" in page
    assert "People joined or were moved" not in page
    assert "Brought by the close" in page
    assert "Against the last estimate" not in text_of(client.get("/earnings/2026-10/"))


def test_the_control_room_sums_up_what_came_after_the_estimate(company: Cast, sign_in) -> None:
    company.buys("chloe", 6, at("2026-11-05"))
    company.buys("dmitri", 20, at("2026-11-06"))
    claim_volume()
    record(CommissionPeriod.objects.get(code="2026-11"))
    company.buys("dmitri", 10, at("2026-11-20"))
    claim_volume()
    period = close(company, "2026-11")
    client = sign_in(company, "fiona")

    page = text_of(client.get(f"/admin/commissions/commissionperiod/{period.pk}/control-room/"))
    listed = text_of(client.get("/admin/commissions/estimatedifference/"))

    assert "Against the last estimate" in page
    assert "Orders were paid" in page
    assert "Orders were paid" in listed


def test_a_line_too_large_for_a_page_shows_the_company_s_last_estimate(
    company: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.buys("dmitri", 60, at("2026-11-07"))
    claim_volume()
    period, plan = CommissionPeriod.objects.get(code="2026-11"), plan_of(company.plan)
    at_once = estimate_close(company.asha, period, plan)
    monkeypatch.setattr("commissions.services.own_line.LARGEST_LINE", -1)

    before = estimate_close(company.asha, period, plan)
    record(period)
    after = estimate_close(company.asha, period, plan)

    assert before is None
    assert after is not None
    assert after.total == at_once.total
    assert after.worked_out_at is not None
