import hashlib
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.safestring import SafeString

from accounts.admin_base import ReadOnlyAdmin
from accounts.models import AuditEvent
from accounts.permissions import require
from accounts.templatetags.ui import count, money
from commissions.admin.columns import link, status_badge
from commissions.forms import BookStatusForm, ReasonForm, StatusFileForm
from commissions.models import Payout, PayoutBatch, PayoutFile, StatusFile
from commissions.services import batches, statusfiles
from mlmcrm.transitions import TransitionRefused

TEMPLATES = "admin/commissions/payoutbatch"
REFUSALS = (batches.BatchRefused, TransitionRefused)
MAKE = "commissions.add_payoutbatch"
# Steps that need a reason, and those that only need a confirmation.
REASONED: dict[str, tuple[Callable[..., Any], str]] = {
    "reopen": (batches.reopen_batch, "{batch} is a draft again."),
    "void": (batches.void_batch, "{batch} is void; its payouts are approved and free again."),
}
PLAIN: dict[str, tuple[Callable[..., Any], str]] = {
    "submit": (batches.submit_batch, "{batch} is submitted. Somebody else approves it."),
    "export": (batches.export_batch, "{batch} is exported. Its register is ready to download."),
}


@admin.register(PayoutBatch)
class PayoutBatchAdmin(ReadOnlyAdmin):
    """Batches, each worked on at its desk: submit, approve, export, book what the bank says."""

    list_display = [
        "desk",
        "state",
        "number_of_items",
        "money_sum",
        "created_by",
        "approved_by",
        "created_at",
    ]
    list_display_links = None
    actions = None
    list_filter = ["status", "currency"]
    list_select_related = ["created_by", "approved_by"]
    search_fields = ["=number", "=payouts__number"]
    search_help_text = "Number of a batch, or of a payout in it"
    date_hierarchy = "created_at"

    @admin.display(description="Batch", ordering="pk")
    def desk(self, batch: PayoutBatch) -> SafeString:
        return link(desk_url(batch), batch.number)

    @admin.display(description="Status", ordering="status")
    def state(self, batch: PayoutBatch) -> SafeString:
        return status_badge(batch)

    @admin.display(description="Payouts", ordering="item_count")
    def number_of_items(self, batch: PayoutBatch) -> SafeString:
        return count(batch.item_count)

    @admin.display(description="Control sum", ordering="control_sum")
    def money_sum(self, batch: PayoutBatch) -> SafeString:
        return money(batch.control_sum, batch.currency)

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "commissions_payoutbatch"
        return [
            path("status-file/", wrap(self.template_view), name=f"{name}_template"),
            path("<str:number>/desk/", wrap(self.desk_view), name=f"{name}_desk"),
            path("<str:number>/files/<slug:kind>/", wrap(self.file_view), name=f"{name}_file"),
            path("<str:number>/status/", wrap(self.status_view), name=f"{name}_status"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        batch = self.get_object(request, object_id)
        if batch is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return redirect(desk_url(batch))

    def desk_view(self, request: HttpRequest, number: str) -> HttpResponse:
        """A batch on its course from draft to settled, with the next step."""
        batch = self.batch_or_404(request, number)
        reason = ReasonForm(request.POST if request.POST.get("step") in REASONED else None)
        if request.method == "POST":
            require(request.user, MAKE)
            if request.POST.get("step") not in REASONED or reason.is_valid():
                take_step(request, batch, reason)
                return redirect(desk_url(batch))
        context = {
            **self.admin_site.each_context(request),
            **facts_of(batch, request.user),
            "title": batch.number,
            "seen": request.GET.get("seen", batch.status),
            "reason": reason,
            "upload": StatusFileForm(),
        }
        asked = request.POST.get("step") or request.GET.get("confirm", "")
        context["confirm"] = asked if asked in context["steps"] else ""
        return TemplateResponse(request, f"{TEMPLATES}/desk.html", context)

    def file_view(self, request: HttpRequest, number: str, kind: str) -> HttpResponse:
        """The register, byte for byte as it was rendered; each download is on record."""
        batch = self.batch_or_404(request, number)
        require(request.user, MAKE)
        file = get_object_or_404(
            PayoutFile.objects.select_related("batch"), batch=batch, format=kind
        )
        try:
            content = batches.open_file(file=file, actor=request.user)  # type: ignore[arg-type]
        except batches.BatchRefused as refused:
            messages.error(request, str(refused))
            return redirect(desk_url(batch))
        return attachment(content, file.file_name)

    def template_view(self, request: HttpRequest) -> HttpResponse:
        require(request.user, MAKE)
        return attachment(statusfiles.template_csv(), "status-file.csv")

    def status_view(self, request: HttpRequest, number: str) -> HttpResponse:
        """Check the bank's file, show what it would do, and book it when that is confirmed."""
        batch = self.batch_or_404(request, number)
        require(request.user, MAKE)
        if request.method != "POST":
            return redirect(desk_url(batch))
        if "encoded" in request.POST:
            return book_status(request, batch)
        upload = StatusFileForm(request.POST, request.FILES)
        if not upload.is_valid():
            messages.error(request, " ".join(map(str, upload.errors["file"])))
            return redirect(desk_url(batch))
        file = upload.cleaned_data["file"]
        content = file.read()
        preview = statusfiles.preview_status_file(batch=batch, content=content)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Status file for {batch.number}",
            "batch": batch,
            "file_name": file.name,
            "preview": preview,
            "results": [
                {"title": name.capitalize(), "count": preview.counts[name], "sum": amount}
                for name, amount in preview.sums.items()
            ],
            "form": BookStatusForm.holding(file.name, content),
        }
        return TemplateResponse(request, f"{TEMPLATES}/status.html", context)

    def batch_or_404(self, request: HttpRequest, number: str) -> PayoutBatch:
        if not self.has_view_permission(request):
            raise PermissionDenied
        people = ("created_by__profile", "approved_by__profile")
        return get_object_or_404(PayoutBatch.objects.select_related(*people), number=number)


@admin.register(PayoutFile)
class PayoutFileAdmin(ReadOnlyAdmin):
    list_display = [
        "file_name",
        "batch_desk",
        "number_of_items",
        "money_sum",
        "sha256",
        "created_at",
    ]
    list_filter = ["format"]
    list_select_related = ["batch"]
    search_fields = ["=batch__number", "^sha256"]
    exclude = ["sealed_content"]
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[PayoutFile]:
        return super().get_queryset(request).defer("sealed_content")

    @admin.display(description="Batch", ordering="batch")
    def batch_desk(self, file: PayoutFile) -> SafeString:
        return link(desk_url(file.batch), file.batch.number)

    @admin.display(description="Payouts", ordering="item_count")
    def number_of_items(self, file: PayoutFile) -> SafeString:
        return count(file.item_count)

    @admin.display(description="Control sum", ordering="control_sum")
    def money_sum(self, file: PayoutFile) -> SafeString:
        return money(file.control_sum, file.batch.currency)


@admin.register(StatusFile)
class StatusFileAdmin(ReadOnlyAdmin):
    list_display = [
        "file_name",
        "batch_desk",
        "number_completed",
        "number_failed",
        "imported_by",
        "imported_at",
    ]
    list_select_related = ["batch", "imported_by"]
    search_fields = ["=batch__number", "^sha256"]
    actions = None

    @admin.display(description="Batch", ordering="batch")
    def batch_desk(self, file: StatusFile) -> SafeString:
        return link(desk_url(file.batch), file.batch.number)

    @admin.display(description="Completed", ordering="completed_count")
    def number_completed(self, file: StatusFile) -> SafeString:
        return count(file.completed_count)

    @admin.display(description="Failed or returned", ordering="failed_count")
    def number_failed(self, file: StatusFile) -> SafeString:
        return count(file.failed_count)


def desk_url(batch: PayoutBatch) -> str:
    return reverse("admin:commissions_payoutbatch_desk", args=[batch.number])


def take_step(request: HttpRequest, batch: PayoutBatch, reason: ReasonForm) -> None:
    step, actor = request.POST.get("step", ""), request.user
    try:
        if step == "approve":
            seen = request.POST.get("seen_hash", "")
            batches.approve_batch(batch=batch, actor=actor, seen_hash=seen)  # type: ignore[arg-type]
            words = "{batch} is approved and can be exported."
        elif step == "remove":
            payout = get_object_or_404(Payout, batch=batch, number=request.POST.get("payout"))
            batches.remove_from_batch(
                batch=batch,
                payout=payout,
                actor=actor,  # type: ignore[arg-type]
                reason="Taken out of the draft",
            )
            words = f"{payout.number} is taken out of {{batch}}; it stays approved."
        elif step in REASONED:
            deed, words = REASONED[step]
            deed(batch=batch, actor=actor, **reason.cleaned_data)
        else:
            deed, words = PLAIN[step]
            deed(batch=batch, actor=actor)
    except KeyError:
        messages.error(request, "This step does not exist.")
    except REFUSALS as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, words.format(batch=batch.number))


def book_status(request: HttpRequest, batch: PayoutBatch) -> HttpResponse:
    form = BookStatusForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The file changed on its way. Check it again.")
        return redirect(desk_url(batch))
    try:
        booked = statusfiles.import_status_file(
            batch=batch,
            file_name=form.cleaned_data["file_name"],
            content=form.content,
            actor=request.user,  # type: ignore[arg-type]
        )
    except REFUSALS as refused:
        messages.error(request, str(refused))
    else:
        messages.success(
            request,
            f"Booked: {booked.completed_count} completed, "
            f"{booked.failed_count} failed or returned.",
        )
    return redirect(desk_url(batch))


def facts_of(batch: PayoutBatch, actor: Any) -> dict[str, Any]:
    items = batches.batch_items(batch)
    obstacle = batches.approver_obstacle(batch, items, actor)
    return {
        "batch": batch,
        "steps": {
            "draft": ["submit", "void"] if items else ["void"],
            "submitted": ["reopen", "void"] if obstacle else ["approve", "reopen", "void"],
            "approved": ["export", "void"],
        }.get(batch.status, []),
        "course": course_of(batch),
        "items": items,
        "files": batch.files.defer("sealed_content").order_by("format"),
        "status_files": batch.status_files.select_related("imported_by"),
        "may_act": actor.has_perm(MAKE),
        "approver_obstacle": obstacle,
    }


def course_of(batch: PayoutBatch) -> list[dict[str, Any]]:
    """The milestones of a batch, each done, now or next, with its moment and person."""
    people = people_of(batch)
    milestones = [
        ("Made", batch.created_at, batch.created_by),
        ("Submitted", batch.submitted_at, people.get("payout_batch.submitted")),
        ("Approved", batch.approved_at, batch.approved_by),
        ("Exported", batch.exported_at, people.get("payout_batch.exported")),
        ("Settled", batch.settled_at, people.get("payout_batch.settled")),
    ]
    done = sum(at is not None for _, at, _ in milestones)
    states = ["done"] * done + ["now"] + ["next"] * len(milestones)
    return [
        {"title": title, "at": at, "by": by, "state": state}
        for (title, at, by), state in zip(milestones, states, strict=False)
    ]


def people_of(batch: PayoutBatch) -> dict[str, Any]:
    """Who took each step last, by the audit record."""
    taken = AuditEvent.objects.filter(
        entity_type=PayoutBatch._meta.label_lower, entity_id=batch.number
    )
    return {
        event.action: event.actor
        for event in taken.select_related("actor__profile").order_by("pk")
        if event.actor
    }


def attachment(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-SHA256"] = hashlib.sha256(content).hexdigest()
    add_never_cache_headers(response)
    return response
