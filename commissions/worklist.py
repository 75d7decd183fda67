"""What waits for a member of staff, by what his role may do about it."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.models import ImportJob, User
from commissions.models import CommissionPeriod, Payout, PayoutBatch, Reward
from genealogy.services.enrolment_steps import is_open
from mlmcrm.money import ZERO

NEXT_STEP = {
    "open": "Close it",
    "closed": "Calculate it",
    "calculating": "Being calculated",
    "calculated": "Check and approve it",
    "approved": "Finalize it",
}
NEXT_PERMISSION = {
    "open": "commissions.close_period",
    "closed": "commissions.close_period",
    "calculated": "commissions.approve_period",
    "approved": "commissions.finalize_period",
}


@dataclass
class Task:
    """A pile of work: how much there is, of how much money, and where it is done."""

    label: str
    count: int
    icon: str
    url: str
    note: str = ""
    amount: Decimal | None = None


@dataclass
class PeriodState:
    """A period on its way, and what it waits for."""

    period: CommissionPeriod
    step: str
    is_due: bool
    is_mine: bool
    url: str


@dataclass
class Work:
    tasks: list[Task] = field(default_factory=list)
    periods: list[PeriodState] = field(default_factory=list)
    imports: list[ImportJob] = field(default_factory=list)
    may_import: bool = False


def of(user: Any) -> Work:
    """The work of this user's role; a role without a permission does not hear of its pile."""
    work = Work()
    if user.has_perm("accounts.add_consenttext") and not is_open():
        work.tasks.append(_agreement())
    if user.has_perm("compliance.view_kycdocument"):
        work.tasks.append(_identities())
    if user.has_perm("commissions.view_payout"):
        work.tasks += _payouts()
    if user.has_perm("commissions.view_payoutbatch"):
        work.tasks += _batches()
    if user.has_perm("commissions.settle_reward"):
        work.tasks += _rewards()
    if user.has_perm("commissions.view_commissionperiod"):
        work.periods = _periods(user)
    if user.has_perm("accounts.view_importjob"):
        work.may_import = True
        work.imports = list(ImportJob.objects.order_by("-pk")[:5])
    return work


def _agreement() -> Task:
    return Task(
        "Agreements to publish",
        1,
        "scroll-text",
        address("admin:accounts_consenttext_add"),
        "Nobody can join before there is one",
    )


def _identities() -> Task:
    waiting = User.objects.filter(kyc_status=User.KYCStatus.PENDING).count()
    return Task(
        "Identities to review",
        waiting,
        "id-card",
        address("admin:compliance_kycdocument_changelist"),
        "Oldest first" if waiting else "Nothing waits",
    )


def _payouts() -> list[Task]:
    states = ("requested", "approved")
    rows = Payout.objects.filter(status__in=states).values("status")
    found = {
        row["status"]: row for row in rows.annotate(n=Count("pk"), sum=Sum("amount")).order_by()
    }
    listing = address("admin:commissions_payout_changelist")
    wording = {
        "requested": ("Payouts to approve", "badge-check"),
        "approved": ("Payouts ready for a batch", "layers"),
    }
    tasks = []
    for status, (label, icon) in wording.items():
        row = found.get(status, {"n": 0, "sum": ZERO})
        url = f"{listing}?status__exact={status}" if listing else ""
        tasks.append(Task(label, row["n"], icon, url, amount=row["sum"]))
    return tasks


def _batches() -> list[Task]:
    waiting = PayoutBatch.objects.filter(status__in=["draft", "submitted", "approved", "exported"])
    sums = waiting.aggregate(n=Count("pk"), sum=Sum("control_sum"))
    url = address("admin:commissions_payoutbatch_changelist")
    return [Task("Batches under way", sums["n"], "package-open", url, amount=sums["sum"] or ZERO)]


def _rewards() -> list[Task]:
    """Only while there are any: many plans give money alone."""
    url = address("admin:commissions_reward_changelist")
    found = {
        "deliver": ("Rewards to deliver", "gift", Reward.objects.to_deliver().count()),
        "confirm": ("Rewards to confirm", "badge-check", Reward.objects.to_confirm().count()),
    }
    return [
        Task(label, count, icon, f"{url}?work={work}" if url else "")
        for work, (label, icon, count) in found.items()
        if count
    ]


def _periods(user: Any) -> list[PeriodState]:
    today = timezone.localdate()
    periods = CommissionPeriod.objects.exclude(status=CommissionPeriod.Status.FINALIZED)
    rows = []
    for period in periods.order_by("starts_on")[:6]:
        permission = NEXT_PERMISSION.get(period.status, "")
        is_over = period.ends_on < today
        rows.append(
            PeriodState(
                period=period,
                step=NEXT_STEP[period.status] if is_over or period.status != "open" else "Running",
                is_due=is_over,
                is_mine=bool(permission) and user.has_perm(permission),
                url=address("admin:commissions_commissionperiod_change", period.pk),
            )
        )
    return rows


def address(name: str, *args: Any) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
