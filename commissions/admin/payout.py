from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from accounts.admin_base import ReadOnlyAdmin
from accounts.permissions import require
from accounts.templatetags.ui import ago, money
from commissions.admin.columns import link, status_badge
from commissions.forms import ReasonForm
from commissions.models import JournalEntry, Payout, PayoutMethod
from commissions.services import batches, payouts
from commissions.services.payout_methods import shared_with
from commissions.services.payout_rules import plan_obstacles, wallet_of
from mlmcrm.transitions import TransitionRefused

TEMPLATES = "admin/commissions/payout"
REFUSALS = (payouts.PayoutRefused, TransitionRefused)
APPROVE = "commissions.approve_payout"
BATCH = "commissions.add_payoutbatch"
MAX_AT_ONCE = 500


@admin.register(PayoutMethod)
class PayoutMethodAdmin(ReadOnlyAdmin):
    list_display = ["distributor", "kind", "last4", "holder_name", "is_active", "created_at"]
    list_filter = ["kind", "is_active"]
    list_select_related = ["distributor"]
    search_fields = ["=distributor__number", "^holder_name", "=last4"]
    exclude = ["details_index"]


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin):
    """Payouts that were asked for; each is decided on its desk, or many at once."""

    list_display = [
        "desk",
        "distributor",
        "money_net",
        "method",
        "state",
        "asked",
        "batch_desk",
    ]
    list_display_links = None
    list_filter = ["status", "method__kind"]
    list_select_related = ["distributor", "method", "batch"]
    search_fields = ["=number", "=distributor__number", "=reference_number", "=batch__number"]
    search_help_text = "Number of payout, distributor or batch, or the bank's reference"
    date_hierarchy = "requested_at"
    actions = ["approve_selected", "batch_selected"]

    @admin.display(description="Payout", ordering="pk")
    def desk(self, payout: Payout) -> SafeString:
        return link(desk_url(payout), payout.number)

    @admin.display(description="Net", ordering="net_amount")
    def money_net(self, payout: Payout) -> SafeString:
        return money(payout.net_amount, payout.currency)

    @admin.display(description="Status", ordering="status")
    def state(self, payout: Payout) -> SafeString:
        return status_badge(payout)

    @admin.display(description="Requested", ordering="requested_at")
    def asked(self, payout: Payout) -> SafeString:
        return ago(payout.requested_at)

    @admin.display(description="Batch", ordering="batch")
    def batch_desk(self, payout: Payout) -> SafeString | None:
        if payout.batch is None:
            return None
        number = payout.batch.number
        return link(reverse("admin:commissions_payoutbatch_desk", args=[number]), number)

    def get_urls(self) -> list[URLPattern]:
        desk = path(
            "<str:number>/desk/",
            self.admin_site.admin_view(self.desk_view),
            name="commissions_payout_desk",
        )
        return [desk, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        payout = self.get_object(request, object_id)
        if payout is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return redirect(desk_url(payout))

    def desk_view(self, request: HttpRequest, number: str) -> HttpResponse:
        """One payout with everything one needs to decide on it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        people = ("distributor__user", "method", "batch", "requested_by", "approved_by")
        payout = get_object_or_404(Payout.objects.select_related(*people), number=number)
        refusal = ReasonForm(request.POST if request.POST.get("step") == "refuse" else None)
        if request.method == "POST":
            require(request.user, APPROVE)
            if request.POST.get("step") == "approve" or refusal.is_valid():
                decide(request, payout, refusal)
                return redirect(desk_url(payout))
        context = {
            **self.admin_site.each_context(request),
            **facts_of(payout, request.user),
            "title": payout.number,
            "refusal": refusal,
            "confirm": "refuse" if refusal.errors else request.GET.get("confirm", ""),
        }
        return TemplateResponse(request, f"{TEMPLATES}/desk.html", context)

    @admin.action(description="Approve the selected payouts", permissions=["approve"])
    def approve_selected(
        self, request: HttpRequest, queryset: QuerySet[Payout]
    ) -> HttpResponse | None:
        return self.review(request, queryset, payouts.approval_obstacle, approve_many)

    @admin.action(description="Put the selected payouts into a batch", permissions=["batch"])
    def batch_selected(
        self, request: HttpRequest, queryset: QuerySet[Payout]
    ) -> HttpResponse | None:
        first = queryset.order_by("number").first()
        currency = first.currency if first else ""

        def obstacle(payout: Payout, actor: Any) -> str:
            return batches.batch_obstacle(payout, actor, currency)

        return self.review(request, queryset, obstacle, batch_many)

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(APPROVE)

    def has_batch_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(BATCH)

    def review(
        self,
        request: HttpRequest,
        queryset: QuerySet[Payout],
        obstacle: Callable[[Payout, Any], str],
        act: Callable[[HttpRequest, list[Payout]], HttpResponse | None],
    ) -> HttpResponse | None:
        """Show count, sum and exclusions; act on what is still possible when it is confirmed."""
        rows = queryset.select_related("distributor__user", "method", "batch").order_by("number")
        if rows.count() > MAX_AT_ONCE:
            messages.error(request, f"Choose {MAX_AT_ONCE} payouts at most.")
            return None
        kept = plan_obstacles(list(rows))
        checked = [
            (payout, obstacle(payout, request.user) or kept.get(payout.pk, "")) for payout in rows
        ]
        chosen = [payout for payout, reason in checked if not reason]
        excluded = [(payout, reason) for payout, reason in checked if reason]
        if request.POST.get("confirmed") and chosen:
            for payout, reason in excluded:
                messages.warning(request, f"{payout.number} was left out. {reason}")
            return act(request, chosen)
        context = {
            **self.admin_site.each_context(request),
            "title": "Make a batch" if act is batch_many else "Approve payouts",
            "action": request.POST["action"],
            "is_batch": act is batch_many,
            "chosen": chosen,
            "excluded": excluded,
            "total": sum(payout.net_amount for payout in chosen),
        }
        return TemplateResponse(request, f"{TEMPLATES}/review.html", context)


def desk_url(payout: Payout) -> str:
    return reverse("admin:commissions_payout_desk", args=[payout.number])


def decide(request: HttpRequest, payout: Payout, refusal: ReasonForm) -> None:
    actor: Any = request.user
    try:
        if request.POST["step"] == "approve":
            payouts.approve_payout(payout=payout, actor=actor)
            messages.success(request, f"{payout.number} is approved.")
        else:
            payouts.refuse_payout(payout=payout, actor=actor, **refusal.cleaned_data)
            messages.success(request, f"{payout.number} is refused; the money went back.")
    except REFUSALS as refused:
        messages.error(request, str(refused))


def facts_of(payout: Payout, actor: Any) -> dict[str, Any]:
    users = shared_with([payout.method]).get(payout.method.details_index, [])
    waits = payout.status in (Payout.Status.REQUESTED, Payout.Status.APPROVED)
    kept = plan_obstacles([payout]).get(payout.pk, "") if waits else ""
    moved = JournalEntry.objects.filter(key__startswith=f"payout:{payout.request_key}")
    return {
        "payout": payout,
        "wallet": wallet_of(payout.distributor),
        "kept": kept,
        "shared": [number for number in users if number != payout.distributor.number],
        "entries": moved.prefetch_related("postings__account").order_by("pk"),
        "approval_obstacle": payouts.approval_obstacle(payout, actor) or kept,
        "refusal_obstacle": payouts.refusal_obstacle(payout, actor),
        "may_decide": actor.has_perm(APPROVE),
    }


def approve_many(request: HttpRequest, chosen: list[Payout]) -> None:
    """Each on its own: one that has changed meanwhile does not hold up the others."""
    done = 0
    for payout in chosen:
        try:
            payouts.approve_payout(payout=payout, actor=request.user)  # type: ignore[arg-type]
            done += 1
        except REFUSALS as refused:
            messages.error(request, str(refused))
    if done:
        messages.success(request, f"{done} of {len(chosen)} payouts approved.")


def batch_many(request: HttpRequest, chosen: list[Payout]) -> HttpResponse | None:
    try:
        batch = batches.create_batch(
            payouts=[payout.pk for payout in chosen],
            actor=request.user,  # type: ignore[arg-type]
        )
    except REFUSALS as refused:
        messages.error(request, str(refused))
        return None
    messages.success(request, f"{batch.number} is made. Submit it when it is complete.")
    return redirect("admin:commissions_payoutbatch_desk", batch.number)
