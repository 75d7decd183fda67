"""What a distributor sees and does about payouts."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import User
from commissions.forms import PayoutRequestForm
from commissions.method_forms import MethodKindForm, country_code, method_form_class
from commissions.models import Payout, PayoutMethod
from commissions.services.eligibility import payout_checklist
from commissions.services.payout_methods import add_payout_method, waiting_for
from commissions.services.payouts import (
    PayoutRefused,
    cancel_payout,
    posted_at,
    request_payout,
)
from genealogy.models import Distributor

PAGE_SIZE = 25


def own_distributor(request: HttpRequest) -> Distributor:
    """The distributor who is signed in; 404 for everybody else."""
    distributor = Distributor.objects.filter(user=request.user.pk).first()
    if distributor is None:
        raise Http404
    return distributor


@require_GET
def payout_list(request: HttpRequest) -> HttpResponse:
    """Wallet, checklist and history. Staff who may see payouts have their own screen."""
    user: Any = request.user
    if user.is_staff and user.has_perm("commissions.view_payout"):
        return redirect("admin:commissions_payout_changelist")
    distributor = own_distributor(request)
    rows, older = history_page(Payout.objects.filter(distributor=distributor), request)
    context = {
        "checklist": payout_checklist(distributor),
        "payouts": rows,
        "older": older,
        "before": request.GET.get("before", ""),
        "newer": request.path if "before" in request.GET else "",
        "is_fragment": bool(getattr(request, "htmx", False)),
    }
    overview = context["is_fragment"] and request.GET.get("part") == "overview"
    template = "commissions/_payout_overview.html" if overview else "commissions/payout_list.html"
    return render(request, template, context)


def history_page(payouts: QuerySet[Payout], request: HttpRequest) -> tuple[list[Payout], str]:
    """One page of payouts, newest first, and the address of the next older one."""
    before = request.GET.get("before")
    if before:
        payouts = payouts.filter(pk__lt=get_object_or_404(payouts, number=before).pk)
    rows = list(payouts.select_related("method")[: PAGE_SIZE + 1])
    older = f"?before={rows[PAGE_SIZE - 1].number}" if len(rows) > PAGE_SIZE else ""
    return rows[:PAGE_SIZE], older


@require_http_methods(["GET", "POST"])
def payout_new(request: HttpRequest) -> HttpResponse:
    """Ask for a payout; what is missing is said before the question."""
    distributor = own_distributor(request)
    checklist = payout_checklist(distributor)
    form = PayoutRequestForm(request.POST or None, checklist=checklist)
    if request.method == "POST" and form.is_valid():
        try:
            payout = request_payout(
                distributor=distributor,
                method=checklist.method or PayoutMethod(),
                amount=form.cleaned_data["amount"],
                request_key=form.cleaned_data["request_key"],
                actor=signed_in(request),
            )
        except PayoutRefused as refusal:
            form.add_error("amount" if refusal.code == "amount" else None, str(refusal))
        else:
            messages.success(request, f"Payout {payout.number} is requested.")
            return redirect("commissions:payout_detail", number=payout.number)
    context = {"form": form, "checklist": checklist}
    return render(
        request, "commissions/payout_new.html", context, status=422 if form.errors else 200
    )


@require_GET
def payout_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One payout with its course; 404 for strangers."""
    user = signed_in(request)
    payout = get_object_or_404(
        Payout.objects.visible_to(user).select_related("method", "period", "distributor"),
        number=number,
    )
    owner, is_own = payout.distributor, payout.distributor.user_id == user.pk
    context = {
        "payout": payout,
        "owner": "" if is_own else f"{owner.display_name}, {owner.number}",
        "course": course_of(payout),
        "may_cancel": is_own and payout.status == Payout.Status.REQUESTED,
    }
    return render(request, "commissions/payout_detail.html", context)


def course_of(payout: Payout) -> list[dict[str, Any]]:
    """The steps of a payout: what happened when, and what comes next."""
    steps = [
        {"state": "done" if at else "next", "title": title, "at": at, "text": done if at else ahead}
        for title, at, done, ahead in stages_of(payout)
    ]
    endings = {
        Payout.Status.CANCELLED: "Cancelled",
        Payout.Status.FAILED: "Failed",
        Payout.Status.RETURNED: "Returned by the bank",
    }
    ending = endings.get(Payout.Status(payout.status))
    if ending:
        steps = [step for step in steps if step["state"] == "done"]
        end = {"at": payout.cancelled_at or posted_at(payout), "reason": payout.failed_reason}
        text = "The money is back in your wallet."
        steps.append({"state": "refused", "title": ending, "text": text, **end})
    else:
        upcoming = next((step for step in steps if step["state"] == "next"), None)
        if upcoming:
            upcoming["state"] = "now"
    return steps


def stages_of(payout: Payout) -> list[tuple[str, datetime | None, str, str]]:
    """Title, moment, and what to say once it has happened and while it lies ahead."""
    return [
        ("Requested", payout.requested_at, "The money left your wallet and is set aside.", ""),
        (
            "Approved",
            payout.approved_at,
            "Checked and approved by our finance team.",
            "Our finance team checks it next.",
        ),
        (
            "Sent to the bank",
            payout.processed_at,
            "It is in a batch that the bank carries out.",
            "It goes to the bank with the next batch.",
        ),
        (
            "Paid",
            payout.completed_at,
            "The bank has confirmed the payment.",
            "We say so here as soon as the bank confirms it.",
        ),
    ]


@require_http_methods(["GET", "POST"])
def payout_cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Take a request back, after one question."""
    user = signed_in(request)
    payout = get_object_or_404(Payout.objects.visible_to(user), number=number)
    if payout.distributor.user_id != user.pk:
        raise PermissionDenied
    if request.method == "GET":
        return render(request, "commissions/payout_cancel.html", {"payout": payout})
    try:
        cancel_payout(payout=payout, actor=user)
    except PayoutRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Payout {payout.number} is cancelled.")
    return redirect("commissions:payout_detail", number=payout.number)


@require_GET
def payout_methods(request: HttpRequest) -> HttpResponse:
    """The method in use, those before it, and the choice of a new one."""
    distributor = own_distributor(request)
    initial = {"kind": "bank_transfer", "country": country_code(distributor.country)}
    context = {
        "methods": PayoutMethod.objects.filter(distributor=distributor),
        "form": MethodKindForm(initial=initial),
    }
    return render(request, "commissions/payout_methods.html", context)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def payout_method_new(request: HttpRequest) -> HttpResponse:
    """The fields of the chosen kind. What is typed here is sealed at once."""
    distributor = own_distributor(request)
    choice = MethodKindForm(request.GET or None)
    if not choice.is_valid():
        return redirect("commissions:payout_methods")
    country = choice.cleaned_data["country"]
    form_class = method_form_class(choice.cleaned_data["kind"], country)
    form = form_class(request.POST or None, country=country)
    if request.method == "POST" and form.is_valid():
        method = add_payout_method(
            distributor=distributor, details=form.method_details(), actor=signed_in(request)
        )
        messages.success(request, f"Payouts go to {method} now.")
        return redirect("commissions:payout_methods")
    former = PayoutMethod.objects.filter(distributor=distributor, is_active=True).first()
    context = {
        "form": form,
        "kind": dict(choice.fields["kind"].choices)[choice.cleaned_data["kind"]],  # type: ignore[attr-defined]
        "former": former,
        "waiting": waiting_for(former) if former else [],
        "hold_hours": settings.PAYOUT_METHOD_HOLD_HOURS,
    }
    response = render(
        request,
        "commissions/payout_method_new.html",
        context,
        status=422 if form.errors else 200,
    )
    response["Cache-Control"] = "no-store"
    return response


def signed_in(request: HttpRequest) -> User:
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    return user
