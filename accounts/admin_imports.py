"""Importing files in the admin: upload, look at what would happen, confirm, watch, take rejects."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from accounts.admin_base import ReadOnlyAdmin
from accounts.imports.errors import ImportRefused
from accounts.imports.kinds import KINDS
from accounts.imports.mapping import load_mapping, mapping_names
from accounts.models import ImportJob
from accounts.permissions import require
from accounts.services.imports import (
    JobRefused,
    cancel_import,
    confirm_import,
    folder,
    keep_upload,
)

ADD = "accounts.add_importjob"
TEMPLATES = "admin/accounts/importjob"
UNDER_WAY = (ImportJob.Status.QUEUED, ImportJob.Status.RUNNING)


def job_url(job: ImportJob) -> str:
    return reverse("admin:accounts_importjob_change", args=[job.pk])


class UploadForm(forms.Form):
    kind = forms.ChoiceField(label="What is in the file")
    mapping = forms.ChoiceField(
        label="Mapping",
        help_text="Says which column is what. Standard fits the documented columns.",
    )
    on_error = forms.ChoiceField(
        label="Lines that cannot be booked",
        choices=[
            ("skip", "Skip them and keep them in a rejects file"),
            ("stop", "Stop at the first"),
        ],
    )
    file = forms.FileField(
        label="File",
        help_text="CSV, as it is or packed with gzip.",
        widget=forms.FileInput(attrs={"accept": ".csv,.gz,text/csv,application/gzip"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {name: None for kind in KINDS.values() for name in mapping_names(kind)}
        self.fields["kind"].choices = [(kind.name, kind.label) for kind in KINDS.values()]  # type: ignore[attr-defined]
        self.fields["mapping"].choices = [  # type: ignore[attr-defined]
            (name, name.replace("-", " ").capitalize()) for name in names
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "kind" in data and "mapping" in data:
            try:
                load_mapping(KINDS[data["kind"]], data["mapping"])
            except ImportRefused as error:
                self.add_error("mapping", str(error))
        return data


class ImportJobAdmin(ReadOnlyAdmin):
    """A list of imports; each has a page that goes with it from preview to outcome."""

    list_display = (
        "file_name",
        "kind",
        "status",
        "lines_total",
        "lines_booked",
        "lines_unchanged",
        "lines_rejected",
        "created_by",
        "created_at",
    )
    list_filter = ("kind", "status")
    search_fields = ("file_name",)
    list_select_related = ("created_by",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(ADD))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        name = "accounts_importjob"
        return [
            path(
                "<int:job_id>/confirm/",
                wrap(require_POST(self.confirm_view)),
                name=f"{name}_confirm",
            ),
            path(
                "<int:job_id>/cancel/", wrap(require_POST(self.cancel_view)), name=f"{name}_cancel"
            ),
            path("<int:job_id>/rejects/", wrap(self.rejects_view), name=f"{name}_rejects"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Upload a file; what it would do is tried out before anything is booked."""
        require(request.user, ADD)
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid() and (job := self._keep(request, form)):
            return redirect(job_url(job))
        return self._page(request, "upload.html", "Import a file", form=form)

    def _keep(self, request: HttpRequest, form: UploadForm) -> ImportJob | None:
        data = form.cleaned_data
        try:
            return keep_upload(
                file=data["file"],
                kind=KINDS[data["kind"]],
                mapping=data["mapping"],
                on_error=data["on_error"],
                actor=request.user,  # type: ignore[arg-type]
            )
        except ImportRefused as error:
            form.add_error("file", str(error))
            return None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Preview, progress or outcome; while it runs, only the moving part when asked by htmx."""
        job = self._job(request, object_id)
        is_part = bool(getattr(request, "htmx", False))
        if is_part and job.status not in UNDER_WAY:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return self._page(
            request,
            "_progress.html" if is_part else "job.html",
            job.file_name,
            job=job,
            figures=figures_of(job),
            has_amounts=KINDS[job.kind].has_amounts,
            may_import=request.user.has_perm(ADD),
            is_under_way=job.status in UNDER_WAY,
        )

    def confirm_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        return self._step(
            request,
            job_id,
            lambda job: confirm_import(
                job=job,
                actor=request.user,  # type: ignore[arg-type]
                sha256=request.POST.get("sha256", ""),
            ),
        )

    def cancel_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        return self._step(
            request,
            job_id,
            lambda job: cancel_import(job=job, actor=request.user),  # type: ignore[arg-type]
        )

    def _step(self, request: HttpRequest, job_id: int, deed: Any) -> HttpResponse:
        require(request.user, ADD)
        job = self._job(request, job_id)
        try:
            deed(job)
        except JobRefused as refused:
            messages.error(request, str(refused))
        return redirect(job_url(job))

    def rejects_view(self, request: HttpRequest, job_id: int) -> FileResponse:
        """The rejected lines with their reasons, as a file to correct and import again."""
        job = self._job(request, job_id)
        path = Path(job.rejects_path or "/")
        if path.parent != folder() or not path.is_file():
            raise Http404
        stem = job.file_name.removesuffix(".gz").removesuffix(".csv")
        return FileResponse(path.open("rb"), as_attachment=True, filename=f"{stem}.rejects.csv")

    def _job(self, request: HttpRequest, job_id: Any) -> ImportJob:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not str(job_id).isdigit():
            raise Http404
        return get_object_or_404(ImportJob.objects.select_related("created_by"), pk=job_id)

    def _page(
        self, request: HttpRequest, template: str, title: str, **context: Any
    ) -> TemplateResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return TemplateResponse(request, f"{TEMPLATES}/{template}", shared | context)


def figures_of(job: ImportJob) -> list[dict[str, Any]]:
    """File, booked, unchanged and rejected with lines, pieces and amount of the report."""
    labels = {
        "file": "The file",
        "tried": "Tried out",
        "booked": "Booked",
        "unchanged": "Unchanged",
        "rejected": "Rejected",
    }
    if job.status == ImportJob.Status.PREVIEWED:
        labels |= {"booked": "Would be booked", "rejected": "Would be rejected"}
    return [
        {"label": label, **sums, "amount": Decimal(sums["amount"])}
        for key, label in labels.items()
        if (sums := job.report.get(key))
    ]
