"""What a distributor earned, from the total of a period down to why a single line is what it is."""

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts.audit import record
from accounts.csv_files import csv_response
from accounts.models import User
from commissions import earnings, since_estimate
from commissions.estimate import estimate_close
from commissions.explain import Why, explain
from commissions.models import CommissionPeriod, CommissionRun, LedgerEntry, Reward
from commissions.standing import plan_in_force, plan_of
from genealogy.models import Distributor

VIEW_ALL = "commissions.view_ledgerentry"


class Reader:
    """Whose earnings are read: one's own, or for staff with the right, whosever are asked for."""

    def __init__(self, request: HttpRequest, permission: str = VIEW_ALL) -> None:
        self.request = request
        self.user: Any = request.user
        self.asked = request.GET.get("distributor", "")
        self.sees_all: bool = self.user.has_perm(permission)

    @property
    def suffix(self) -> str:
        """What links carry on so that staff stay with the same distributor."""
        return f"?{urlencode({'distributor': self.asked})}" if self.asked else ""

    def distributor(self) -> Distributor | None:
        """The distributor to show; None lets staff choose one. 404 for anybody else's."""
        if self.sees_all:
            if not self.asked:
                return None
            person = get_object_or_404(Distributor.objects.with_masters(), number=self.asked)
            self._record_look(person)
            return person
        own = Distributor.objects.with_masters().filter(user=self.user.pk).first()
        if own is None or self.asked not in ("", own.number):
            raise Http404
        return own

    def _record_look(self, person: Distributor) -> None:
        """A page of somebody that staff open goes into the audit trail; its fragments do not."""
        if self.request.method == "GET" and not self.request.htmx:  # type: ignore[attr-defined]
            page = getattr(self.request.resolver_match, "view_name", "")
            record(
                actor=self.user, action="distributor.viewed", target=person, after={"page": page}
            )


@require_safe
def earnings_list(request: HttpRequest) -> HttpResponse:
    """Total by period, the open one first."""
    reader = Reader(request)
    distributor = reader.distributor()
    if distributor is None:
        return render(request, "commissions/earnings_choose.html", {})
    totals = earnings.period_totals(distributor)
    facts = {
        "distributor": distributor,
        "totals": totals,
        "lifetime": sum((row.total for row in totals), earnings.ZERO),
        "suffix": reader.suffix,
        "is_own": not reader.sees_all,
        "has_rewards": Reward.objects.final().filter(distributor=distributor).exists(),
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "commissions/_earnings_periods.html", facts)
    return render(request, "commissions/earnings.html", facts)


@require_safe
def earnings_period(request: HttpRequest, code: str) -> HttpResponse:
    """One period: total, bonuses, and the lines behind them, fifty a page."""
    reader = Reader(request)
    distributor = reader.distributor()
    if distributor is None:
        return render(request, "commissions/earnings_choose.html", {})
    period = get_object_or_404(CommissionPeriod, code=code)
    lines = earnings.PeriodLines(distributor, period)
    chosen = request.GET.get("bonus", "")
    page, older = lines.page(chosen, request.GET.get("after", ""))
    totals = lines.by_bonus()
    facts = {
        "distributor": distributor,
        "period": period,
        "totals": totals,
        "total": sum((row.total for row in totals), earnings.ZERO),
        "chosen": next((row for row in totals if row.code == chosen), None),
        "lines": [(earnings.reference(line), line) for line in page],
        "older": _query(request, after=older) if older else "",
        "newer": _query(request, after="") if request.GET.get("after") else "",
        "suffix": reader.suffix,
        "asked": reader.asked,
        "is_own": not reader.sees_all,
        **_coming(distributor, period),
        "since_estimate": since_estimate.of_distributor(distributor, period),
        "rewards": given_in(distributor, period),
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "commissions/_earnings_lines.html", facts)
    return render(request, "commissions/earnings_period.html", facts)


def given_in(distributor: Distributor, period: CommissionPeriod) -> list[Reward]:
    """What a final period gave somebody besides money."""
    rows = Reward.objects.final().filter(distributor=distributor, period=period)
    return list(rows.select_related("period", "run", "bonus").order_by("place"))


def _query(request: HttpRequest, **changes: str) -> str:
    kept = {name: request.GET[name] for name in ("distributor", "bonus") if name in request.GET}
    wanted = {name: value for name, value in {**kept, **changes}.items() if value}
    return f"{request.path}?{urlencode(wanted)}"


def _coming(distributor: Distributor, period: CommissionPeriod) -> dict[str, Any]:
    """The bonuses that the close will still bring, with an estimate while the period is open."""
    version = plan_in_force(period)
    if period.status == CommissionPeriod.Status.FINALIZED or version is None:
        return {}
    bonuses = version.bonuses.paying().filter(trigger="period_close").order_by("position")
    facts: dict[str, Any] = {"coming": list(bonuses.values_list("name", flat=True))}
    if period.status == CommissionPeriod.Status.OPEN:
        facts["estimate"] = estimate_close(distributor, period, plan_of(version))
    return facts


@require_safe
def estimate(request: HttpRequest, code: str) -> HttpResponse:
    """What the close would bring, asked for again when it changed; 204 when nobody can say."""
    reader = Reader(request)
    distributor = reader.distributor()
    if distributor is None:
        raise Http404
    period = get_object_or_404(CommissionPeriod, code=code)
    expected = _coming(distributor, period).get("estimate")
    if expected is None:
        return HttpResponse(status=204)
    facts = {"estimate": expected, "period": period, "suffix": reader.suffix}
    return render(request, "commissions/_estimate.html", facts)


@require_safe
def why(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """The story of one line. 404 for a line of somebody else."""
    reader = Reader(request)
    line = earnings.find_line(get_object_or_404(CommissionPeriod, code=code), name)
    if line is None or not LedgerEntry.objects.visible_to(reader.user).filter(
        run__in=[line.run_id], pk=line.pk
    ):
        raise Http404
    story = explain(line, for_staff=reader.sees_all)
    facts = {
        "line": line,
        "name": name,
        "period": line.period,
        "why": story,
        "is_own": not reader.sees_all,
        "suffix": f"?{urlencode({'distributor': line.distributor.number})}"
        if reader.sees_all
        else "",
        "source_in_scope": _is_visible(reader.user, line.source_distributor_id),
        "owns_order": line.source_distributor_id == line.distributor_id or reader.sees_all,
        **_original(story),
    }
    return render(request, "commissions/why.html", facts)


def _is_visible(user: User, distributor_id: int | None) -> bool:
    visible = Distributor.objects.visible_to(user)
    return distributor_id is not None and visible.filter(pk=distributor_id).exists()


def _original(story: Why) -> dict[str, str]:
    """The address of the line that a reversal takes back."""
    if story.taken_back is None:
        return {}
    original = story.taken_back.original
    name = earnings.reference(original)
    url = reverse("commissions:why", args=[original.period.code, name])
    return {"original_url": url, "original_name": f"{original.period.code}/{name}"}


@require_safe
def earnings_export(request: HttpRequest, code: str) -> StreamingHttpResponse:
    """All lines of a period as CSV, streamed; texts cannot start a formula."""
    distributor = Reader(request).distributor()
    if distributor is None:
        raise Http404
    period = get_object_or_404(CommissionPeriod, code=code)
    file_name = f"earnings-{distributor.number}-{period.code}.csv"
    rows = _export_rows(earnings.PeriodLines(distributor, period))
    return csv_response(file_name, earnings.HEADINGS, rows)


def _export_rows(lines: earnings.PeriodLines) -> Iterator[list[Any]]:
    runs = {
        pk: (code, number)
        for pk, code, number in CommissionRun.objects.values_list("pk", "period__code", "number")
    }
    for line in lines.every():
        yield earnings.export_row(line, runs)
