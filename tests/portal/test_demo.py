from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from accounts.models import ConsentText, Notification, User
from commerce.models import Order
from commissions import earnings
from commissions.explain import explain
from commissions.models import CommissionPeriod, LedgerEntry, Payout, PayoutBatch
from commissions.services import projections, team_figures
from commissions.services.replay import replay
from compliance.demo.figures import Figures
from compliance.demo.people import person
from compliance.management.commands.load_demo import DEMO_SIGN_INS
from compliance.models import KYCDocument
from genealogy.models import Distributor, Enrolment
from genealogy.services.referral_codes import code_differences

LONDON = ZoneInfo("Europe/London")


@pytest.mark.slow
@pytest.mark.django_db
def test_the_demo_company_has_something_true_on_every_page() -> None:
    call_command("load_demo", verbosity=0)

    assert Distributor.objects.count() == 152
    assert list(
        CommissionPeriod.objects.order_by("starts_on").values_list("status", flat=True)
    ) == ["finalized", "open"]
    assert set(Payout.objects.values_list("status", flat=True)) == {
        "requested",
        "approved",
        "processing",
        "completed",
        "failed",
        "cancelled",
    }
    assert set(PayoutBatch.objects.values_list("status", flat=True)) == {"settled", "exported"}
    assert set(KYCDocument.objects.values_list("status", flat=True)) == {
        "verified",
        "pending",
        "rejected",
    }
    assert Order.objects.filter(payment_status="pending").count() == 1
    assert ConsentText.objects.in_force().count() == 5
    invited = Enrolment.objects.get()
    assert (invited.status, invited.started_by.email) == ("invited", "ben@example.com")
    assert not User.objects.filter(email=invited.email).exists()
    assert Notification.objects.filter(user__email="asha@example.com").exists()

    _check_sign_ins()
    _check_books()
    with pytest.raises(CommandError, match="There are users already"):
        call_command("load_demo", verbosity=0)


def _check_sign_ins() -> None:
    for role, _, email, password, _ in DEMO_SIGN_INS:
        user = authenticate(None, username=email, password=password)
        assert user is not None, email
        assert user.role == role
    assert User.objects.filter(role="finance").count() == 2


def _check_books() -> None:
    assert projections.differences() == []
    assert team_figures.differences() == []
    assert code_differences() == []
    closed = CommissionPeriod.objects.get(status="finalized")
    assert [proof for proof in replay(closed) if not proof.is_same] == []
    lines = LedgerEntry.objects.order_by("pk").values_list("pk", flat=True)
    stories = [explain(earnings.line_by_key(key), for_staff=True) for key in lines[::400]]
    assert [why.line.pk for why in stories if not why.agrees] == []


@pytest.mark.parametrize(
    ("now", "closed", "opened", "last_order"),
    [
        ("2026-11-21T12:00", "2026-10-01", "2026-11-01", "2026-11-21"),
        ("2027-03-31T23:00", "2027-02-01", "2027-03-01", "2027-03-30"),
        ("2027-01-01T00:30", "2026-12-01", "2027-01-01", "2026-12-31"),
    ],
)
def test_days_move_by_whole_months_and_never_into_the_future(
    now: str, closed: str, opened: str, last_order: str
) -> None:
    figures = Figures(datetime.fromisoformat(now).replace(tzinfo=LONDON))

    moments = [row["InvoiceDate"] for row in figures.order_rows()]

    assert (str(figures.closed_month), str(figures.open_month)) == (closed, opened)
    assert str(max(moments).date()) <= last_order
    assert str(min(moments).date()) >= closed
    assert len(moments) > 4000


def test_nobody_in_the_demo_company_is_called_like_another() -> None:
    figures = Figures(datetime(2026, 11, 21, 12, tzinfo=LONDON))

    names = [member.name for member in figures.members]
    emails = [person(place).email for place in range(400)]

    assert len(set(names)) == len(names) == 194
    assert len(set(emails)) == len(emails)
    assert all(email.isascii() and email.endswith("@example.com") for email in emails)
