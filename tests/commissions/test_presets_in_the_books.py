"""Every plan that comes with the product, all the way: stored, activated, closed, shown."""

import json
from datetime import date
from pathlib import Path

import pytest
from django.urls import reverse

from commerce.services.orders import RefundLine, refund_order
from commissions import earnings
from commissions.engine import load_plan
from commissions.engine.lint import lint
from commissions.explain import explain
from commissions.models import LedgerEntry, PlanVersion
from commissions.services import projections
from commissions.services.attributes import wanted_by
from commissions.services.claims import claim_volume
from commissions.services.estimates import record
from commissions.services.plans import PlanRefused
from commissions.services.replay import replay
from commissions.services.trials import carry_out, start_trial
from commissions.services.verification import find_breaks
from genealogy.services.attributes import Attribute, set_attribute
from genealogy.services.positions import record_position
from tests.cast import DEMO_PLAN, Cast, at
from tests.commissions.exported import booked, simulated
from tests.commissions.plans import pay_by, write
from tests.commissions.steps import closed, the_period

pytestmark = pytest.mark.django_db

PRESETS = sorted(DEMO_PLAN.parent.glob("*.json"))
PLACES = {"ben": ("asha", 1), "stella": ("asha", 2), "chloe": ("ben", 1), "dmitri": ("chloe", 1)}
MONTHS = ("2026-09", "2026-10", "2026-11")
PAGES = (
    "home",
    "commissions:ranks",
    "commissions:earnings",
    "commissions:plan",
    "commissions:payouts",
)


def read(path: Path) -> dict:
    return json.loads(path.read_text())


@pytest.fixture
def placed(cast: Cast) -> Cast:
    """Everybody also has a place in the placement tree."""
    for name, (parent, leg) in {"asha": (None, None), **PLACES}.items():
        record_position(
            distributor=getattr(cast, name), tree="placement", valid_from=date(2026, 1, 5),
            parent=getattr(cast, parent) if parent else None, leg=leg, actor=None,
        )  # fmt: skip
    return cast


def mark_everybody_but_stella(cast: Cast, document: dict) -> None:
    for mark in wanted_by(load_plan(document)).marks:
        for name in ("asha", "ben", "chloe", "dmitri"):
            set_attribute(
                distributor=getattr(cast, name), attribute=Attribute("mark", mark),
                valid_from=date(2026, 9, 1), actor=cast.user("mona"), reason="Papers are in order",
            )  # fmt: skip


def a_month(cast: Cast, month: str) -> None:
    for name, pieces, day in (
        ("asha", 40, "04"), ("ben", 200, "05"), ("chloe", 300, "06"), ("dmitri", 500, "07"),
        ("stella", 150, "07"),
    ):  # fmt: skip
        cast.buys(name, pieces, at(f"{month}-{day}"))
    cast.buys(cast.rosa, 100, at(f"{month}-08"))


def refund_of_october(cast: Cast) -> None:
    order = cast.rosa.orders.order_by("pk")[1]
    refund_order(
        order=order, lines=[RefundLine(item=order.items.get(), quantity=5)],
        actor=cast.user("fiona"), reason="Broken", refunded_at=at("2026-11-09"),
    )  # fmt: skip


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_a_preset_pays_in_the_books_what_the_simulator_pays(
    placed: Cast, client, settings, tmp_path, path: Path
) -> None:
    document, cast = read(path), placed
    settings.COMPANY_CURRENCY = document["currency"]
    mark_everybody_but_stella(cast, document)
    version = pay_by(cast, document)

    state = None
    for month in MONTHS:
        a_month(cast, month)
        if month == MONTHS[2]:
            refund_of_october(cast)
        claim_volume()
        assert record(the_period(month)) is not None
        if month == MONTHS[2]:
            shown(cast, client)
        period = closed(cast, month)
        lines, state = simulated(tmp_path / month, document, period, state)
        assert booked(period) == lines

    assert LedgerEntry.objects.exists()
    assert list(find_breaks(strict=True)) == []
    assert projections.differences() == []
    for month in MONTHS:
        assert [proof.name for proof in replay(the_period(month)) if not proof.is_same] == []
    trial = start_trial(
        version=version, first=the_period(MONTHS[0]), last=the_period(MONTHS[2]),
        actor=cast.user("fiona"),
    )  # fmt: skip
    carry_out(trial.pk)
    trial.refresh_from_db()
    assert (trial.status, trial.error, trial.earnings.count()) == ("done", "", 0)
    shown(cast, client)
    told(cast, client)


def shown(cast: Cast, client) -> None:
    """The pages of a distributor, and the control rooms of staff, are there."""
    for name in ("asha", "dmitri"):
        client.force_login(cast.user(name))
        for page in PAGES:
            assert client.get(reverse(page), follow=True).status_code == 200, page
    client.force_login(cast.user("fiona"))
    period = the_period(MONTHS[2])
    room = reverse("admin:commissions_commissionperiod_control_room", args=[period.pk])
    assert client.get(room).status_code == 200


def told(cast: Cast, client) -> None:
    """Every line has its story, those that can be worked out again agree; pages are there."""
    seen = set()
    for pk in LedgerEntry.objects.order_by("pk").values_list("pk", flat=True):
        line = earnings.line_by_key(pk)
        why = explain(line, for_staff=True)
        assert why.agrees or not why.is_checked, line
        if (line.bonus_id, bool(line.reverses_id)) not in seen:
            seen.add((line.bonus_id, bool(line.reverses_id)))
            client.force_login(line.distributor.user)
            url = reverse("commissions:why", args=[line.period.code, earnings.reference(line)])
            assert client.get(url).status_code == 200


def test_every_preset_may_be_paid_by() -> None:
    found = {
        path.stem: [each.message for each in lint(load_plan(read(path)))
                    if each.severity == "compliance"]
        for path in PRESETS
    }  # fmt: skip

    assert {name for name, faults in found.items() if faults} == set()


def test_a_preset_in_another_currency_says_what_to_change(cast: Cast) -> None:
    with pytest.raises(PlanRefused) as refusal:
        write(cast, read(DEMO_PLAN.with_name("retail.json")))

    assert refusal.value.faults == [
        'The plan pays in EUR, the company in GBP: write "currency": "GBP" and the amounts in that '
        "currency. Only a company that has no books yet can be set up with COMPANY_CURRENCY=EUR "
        "instead."
    ]
    assert not PlanVersion.objects.exists()
