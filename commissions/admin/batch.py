import hashlib
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers

from accounts.admin_base import ReadOnlyAdmin
from accounts.permissions import require
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
        "number",
        "status",
        "item_count",
        "control_sum",
        "currency",
        "created_by",
        "approved_by",
        "created_at",
    ]
    list_filter = ["status", "currency"]
    list_select_related = ["created_by", "approved_by"]
    search_fields = ["=number", "=payouts__number"]
    date_hierarchy = "created_at"

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
            "reason": reason,
            "upload": StatusFileForm(),
            "confirm": request.POST.get("step") or request.GET.get("confirm", ""),
        }
        return TemplateResponse(request, f"{TEMPLATES}/desk.html", context)

    def file_view(self, request: HttpRequest, number: str, kind: str) -> HttpResponse:
        """The register, byte for byte as it was rendered; each download is on record."""
        batch = self.batch_or_404(request, number)
        require(request.user, MAKE)
        file = get_object_or_404(
            PayoutFile.objects.select_related("batch"), batch=batch, format=kind
        )
        content = batches.open_file(file=file, actor=request.user)  # type: ignore[arg-type]
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
            messages.error(request, " ".join(upload.errors["file"]))
            return redirect(desk_url(batch))
        file = upload.cleaned_data["file"]
        content = file.read()
        context = {
            **self.admin_site.each_context(request),
            "batch": batch,
            "file_name": file.name,
            "preview": statusfiles.preview_status_file(batch=batch, content=content),
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
    list_display = ["file_name", "batch", "item_count", "control_sum", "sha256", "created_at"]
    list_filter = ["format"]
    list_select_related = ["batch"]
    search_fields = ["=batch__number", "^sha256"]
    exclude = ["sealed_content"]


@admin.register(StatusFile)
class StatusFileAdmin(ReadOnlyAdmin):
    list_display = [
        "file_name",
        "batch",
        "completed_count",
        "failed_count",
        "imported_by",
        "imported_at",
    ]
    list_select_related = ["batch", "imported_by"]
    search_fields = ["=batch__number", "^sha256"]


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
    return {
        "batch": batch,
        "items": items,
        "files": batch.files.defer("sealed_content").order_by("format"),
        "status_files": batch.status_files.select_related("imported_by"),
        "may_act": actor.has_perm(MAKE),
        "approver_obstacle": batches.approver_obstacle(batch, items, actor),
    }


def attachment(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-SHA256"] = hashlib.sha256(content).hexdigest()
    add_never_cache_headers(response)
    return response
