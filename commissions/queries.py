"""What the control room of a period shows: what a close will do, who may do it, what came out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.permissions import ROLE_PERMISSIONS
from commissions import since_estimate
from commissions.engine import PlanError
from commissions.models import CommissionPeriod, CommissionRun, PlanVersion
from commissions.services.opening import holes
from commissions.services.plan_reading import loaded
from commissions.services.progress import Progress, progress_of
from commissions.since_estimate import SinceEstimate
from commissions.standing import plan_in_force
from commissions.wording import limit_words

Status = CommissionPeriod.Status


# What a close will do


@dataclass(frozen=True)
class Preview:
    """What counts in a period as the books stand now."""

    orders: int
    sale_lines: int
    refund_lines: int
    pv: Decimal
    cv: Decimal
    refunded_pv: Decimal
    sellers: int
    members: int
    waiting: int


def preview(period: CommissionPeriod) -> Preview:
    """Counts and volumes of the period; two queries, whatever its size."""
    days = {"starts_on": period.starts_on, "ends_on": period.ends_on}
    with connection.cursor() as cursor:
        cursor.execute(_VOLUME, days)
        orders, sales, refunds, pv, cv, refunded, sellers = cursor.fetchone()
        cursor.execute(_PEOPLE, days)
        members, waiting = cursor.fetchone()
    return Preview(
        orders=orders,
        sale_lines=sales,
        refund_lines=refunds,
        pv=Decimal(pv).scaleb(-2),
        cv=Decimal(cv).scaleb(-2),
        refunded_pv=Decimal(refunded).scaleb(-2),
        sellers=sellers,
        members=members,
        waiting=waiting,
    )


_VOLUME = """
select count(distinct i.order_id) filter (where v.kind = 'sale'),
       count(*) filter (where v.kind = 'sale'), count(*) filter (where v.kind = 'refund'),
       coalesce(sum(v.pv), 0), coalesce(sum(v.cv), 0),
       coalesce(sum(v.pv) filter (where v.kind = 'refund'), 0), count(distinct v.distributor_id)
from commerce_volumeentry v left join commerce_orderitem i on i.id = v.order_item_id
where v.counts_on between %(starts_on)s and %(ends_on)s
"""
_PEOPLE = """
select (select count(*) from genealogy_distributor where joined_on <= %(ends_on)s),
       (select count(*) from commissions_volumequeue q
        join commerce_volumeentry v on v.id = q.volume_entry_id where v.counts_on <= %(ends_on)s)
"""


def limits_in_words(version: PlanVersion | None) -> dict[str, str]:
    """The plan's limits by code, a sentence each."""
    if version is None:
        return {}
    try:
        plan = loaded(version)
    except PlanError:
        return {}
    return {limit.code: limit_words(plan, limit) for limit in plan.limits}


def reasons_to_wait(period: CommissionPeriod) -> list[str]:
    """Why the period cannot be closed as things are; empty when it can."""
    if period.status != Status.OPEN:
        return []
    reasons = []
    earlier = CommissionPeriod.objects.filter(starts_on__lt=period.starts_on)
    before = earlier.exclude(status=Status.FINALIZED).order_by("starts_on").first()
    if before:
        reasons.append(f"{before.name} has to be final first: its ranks are carried on.")
    if plan_in_force(period) is None:
        reasons.append(f"No plan version is active on {period.starts_on:%d %B %Y}.")
    return reasons


def notes_before_close(period: CommissionPeriod) -> list[str]:
    """What whoever closes should know; none of it stops a close."""
    notes = []
    if period.ends_on >= timezone.localdate():
        notes.append(
            f"The period runs until {period.ends_on:%d %B %Y}. What is paid or refunded after the "
            "close counts in the next one."
        )
    notes += [
        f"No period covers {first:%d %B %Y} to {last:%d %B %Y}; volume of those days is not paid."
        for first, last in holes()
    ]
    return notes


# Who may do what


@dataclass(frozen=True)
class Step:
    """A step that moves the period on: what it is called, what it does, who may take it."""

    code: str
    label: str
    permission: str
    from_states: tuple[str, ...]
    icon: str
    question: str
    effects: tuple[str, ...]


STEPS = {
    step.code: step
    for step in (
        Step(
            "close",
            "Close the period",
            "commissions.close_period",
            (Status.OPEN,),
            "lock",
            "Close the books of {period}?",
            (
                "Everything recorded so far is settled and frozen with a hash.",
                "What is recorded later counts in the next period.",
                "A closed period is never opened again.",
            ),
        ),
        Step(
            "calculate",
            "Calculate",
            "commissions.close_period",
            (Status.CLOSED, Status.CALCULATED),
            "calculator",
            "Calculate {period}?",
            (
                "Ranks and bonuses are computed from the frozen facts.",
                "An earlier calculation is superseded; nothing is paid yet.",
            ),
        ),
        Step(
            "approve",
            "Approve",
            "commissions.approve_period",
            (Status.CALCULATED,),
            "badge-check",
            "Approve the calculation of {period}?",
            ("You confirm the totals on this page. It can be finalized after that.",),
        ),
        Step(
            "finalize",
            "Finalize and pay",
            "commissions.finalize_period",
            (Status.APPROVED,),
            "stamp",
            "Make {period} final?",
            (
                "Every distributor's sum goes to the wallet, once.",
                "Ranks are awarded and everybody concerned is told.",
                "The certificate is stored. This cannot be undone.",
            ),
        ),
    )
}


@dataclass(frozen=True)
class Action:
    """A step as it is offered to one user now: a button, or the reason why there is none."""

    step: Step
    question: str
    refusal: str = ""

    @property
    def is_offered(self) -> bool:
        return not self.refusal


def actions_for(user: Any, period: CommissionPeriod) -> list[Action]:
    """The steps that are next, with the reason where this user may not take one."""
    return [
        Action(step, step.question.format(period=period.name), refusal_of(step, user, period))
        for step in STEPS.values()
        if period.status in step.from_states
    ]


def refusal_of(step: Step, user: Any, period: CommissionPeriod) -> str:
    if not user.has_perm(step.permission):
        return "Your role may look at this, not do it."
    if step.code == "approve" and period.closed_by_id == user.pk:
        return "You closed this period, so somebody else has to approve it."
    if step.code == "close":
        return " ".join(reasons_to_wait(period))
    return ""


def approvers(period: CommissionPeriod) -> list[User]:
    """Who may approve: not whoever closed the period."""
    roles = [r for r, held in ROLE_PERMISSIONS.items() if "commissions.approve_period" in held]
    people = User.objects.filter(role__in=roles, status=User.Status.ACTIVE)
    return list(people.exclude(pk=period.closed_by_id or 0).order_by("email"))


@dataclass(frozen=True)
class Milestone:
    """A state on the course of the period."""

    state: str
    label: str
    by: str
    at: Any


def course(period: CommissionPeriod) -> list[Milestone]:
    """Open, closed, calculated, approved, final: what is done, what is now, what is next."""
    reached = list(Status.values).index(period.status)
    rows = [
        ("Open", Status.OPEN, "", period.created_at),
        ("Closed", Status.CLOSED, period.closed_by, period.closed_at),
        ("Calculated", Status.CALCULATED, "", period.calculation_completed_at),
        ("Approved", Status.APPROVED, period.approved_by, period.approved_at),
        ("Final", Status.FINALIZED, period.finalized_by, period.finalized_at),
    ]
    places = [list(Status.values).index(status) for _, status, _, _ in rows]
    current = max(n for n, place in enumerate(places) if place <= reached)
    return [
        Milestone(
            "done" if n < current or period.status == Status.FINALIZED else "now",
            label,
            str(by or ""),
            at,
        )
        if n <= current
        else Milestone("next", label, "", None)
        for n, (label, _, by, at) in enumerate(rows)
    ]


# What came out


@dataclass(frozen=True)
class Figures:
    """A run's totals with amounts as decimals, ready for the page."""

    run: CommissionRun
    by_bonus: list[dict[str, Any]]
    by_rank: list[dict[str, Any]]
    top_earners: list[dict[str, Any]]
    limits: list[dict[str, Any]]
    kept: list[dict[str, Any]]
    waiting: list[dict[str, Any]]
    rewards: list[dict[str, Any]]
    pv: Decimal
    cv: Decimal
    paid: Decimal
    payout_share: str | None
    since_estimate: SinceEstimate | None = None
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def bonus_points(self) -> list[tuple[str, Decimal]]:
        return [(row["name"], row["amount"]) for row in self.by_bonus]

    @property
    def total_seconds(self) -> float:
        return round(sum(self.seconds.values()), 2)


COUNTS = ("members", "active", "earners", "sale_lines", "refund_lines", "reversed_lines")


def figures_of(run: CommissionRun | None, words: Mapping[str, str]) -> Figures | None:
    """The stored totals of a run that is done, limits in words; None without any."""
    if run is None or not run.totals:
        return None
    totals = run.totals
    return Figures(
        run=run,
        by_bonus=with_amounts(totals["by_bonus"]),
        by_rank=with_amounts(totals["by_rank"]),
        top_earners=with_amounts(totals["top_earners"]),
        limits=[
            row | {"words": words.get(row["code"], "")}
            for row in with_amounts(totals.get("limits", []), "allowed", "paid")
        ],
        kept=with_amounts(totals.get("kept", [])),
        waiting=with_amounts(totals.get("waiting", [])),
        rewards=with_amounts(totals.get("rewards", []), "count"),
        pv=Decimal(totals["pv"]),
        cv=Decimal(totals["cv"]),
        paid=Decimal(totals["paid"]),
        payout_share=totals["payout_share"],
        since_estimate=since_estimate.of_run(run),
        counts={name: totals[name] for name in COUNTS},
        seconds=totals["seconds"],
    )


def with_amounts(rows: Iterable[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [row | {name: Decimal(row[name]) for name in names or ("amount",)} for row in rows]


PROOF = {
    "input_hash": "Input",
    "plan_hash": "Plan",
    "engine_version": "Engine version",
    "result_hash": "Result",
    "state_hash": "Carried on",
    "lines": "Lines",
    "total": "Total",
    "payment_hash": "At payment",
    "payment_lines": "Lines at payment",
    "payment_total": "Total at payment",
}


@dataclass(frozen=True)
class Room:
    """Everything on the page of one period."""

    period: CommissionPeriod
    version: PlanVersion | None
    course: list[Milestone]
    actions: list[Action]
    preview: Preview | None
    notes: list[str]
    approvers: list[User]
    figures: Figures | None
    running: CommissionRun | None
    progress: Progress | None
    failed: CommissionRun | None
    runs: list[CommissionRun]
    limits: list[str]

    @property
    def proof(self) -> list[tuple[str, Any]]:
        """The certificate with its parts named for people."""
        certificate = self.period.certificate or {}
        return [(label, certificate[name]) for name, label in PROOF.items() if name in certificate]

    @property
    def is_live(self) -> bool:
        return self.period.status == Status.CALCULATING


def control_room(user: Any, period: CommissionPeriod) -> Room:
    """What this user sees of a period."""
    runs = list(period.runs.select_related("started_by").order_by("-number"))
    closes = [run for run in runs if run.kind == CommissionRun.Kind.CLOSE]
    newest = closes[0] if closes else None
    done = next((run for run in closes if run.status == CommissionRun.Status.DONE), None)
    is_running = newest is not None and newest.status == CommissionRun.Status.STARTED
    has_failed = newest is not None and newest.status == CommissionRun.Status.FAILED
    is_open = period.status == Status.OPEN
    version = plan_in_force(period)
    words = limits_in_words(version)
    return Room(
        period=period,
        version=version,
        course=course(period),
        actions=actions_for(user, period),
        preview=preview(period) if is_open else None,
        notes=notes_before_close(period) if is_open else [],
        approvers=[] if period.status in (Status.APPROVED, Status.FINALIZED) else approvers(period),
        figures=figures_of(done, words),
        running=newest if is_running else None,
        progress=progress_of(newest.pk) if is_running and newest else None,
        failed=newest if has_failed else None,
        runs=closes,
        limits=list(words.values()),
    )
