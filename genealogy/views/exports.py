from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import audit
from genealogy.columns import known
from genealogy.forms.explorer import ExplorerForm
from genealogy.models import DownlineExport
from genealogy.permissions import Scope
from genealogy.services.exports import (
    KEPT,
    ExportRefused,
    cancel_export,
    file_of,
    may_fetch,
    order_export,
    progress_of,
)
from genealogy.views.pages import is_fragment

SHOWN = 20


@require_safe
@never_cache
def exports(request: HttpRequest) -> HttpResponse:
    """The reader's exports, newest first; one that is being made tells how far it is."""
    if Scope(request.user).is_stranger:
        raise PermissionDenied
    mine = DownlineExport.objects.visible_to(request.user).select_related("root")
    shown = list(mine[:SHOWN])
    facts: dict[str, Any] = {"exports": shown, "kept_days": KEPT.days}
    if current := next((export for export in shown if export.is_under_way), None):
        facts["current"] = current
        facts["done"], facts["total"] = progress_of(current)
    template = "genealogy/_exports.html" if is_fragment(request) else "genealogy/exports.html"
    return render(request, template, facts)


@require_POST
def export_start(request: HttpRequest) -> HttpResponse:
    """Order a file of the list as it is narrowed; the reader sees it being made."""
    scope = Scope(request.user)
    if scope.is_stranger:
        raise PermissionDenied
    number = request.POST.get("root", "")
    root = scope.node(number).distributor if number else scope.own
    form = ExplorerForm(request.POST)
    if not form.is_valid():
        messages.error(request, "This list cannot be exported: one of its filters is not valid.")
        return redirect("genealogy:list")
    try:
        order_export(
            root=None if scope.sees_all and not number else root,
            filters=form.as_query,
            columns=known(form.cleaned_data["columns"]),
            actor=scope.user,
        )
    except ExportRefused as refused:
        messages.error(request, str(refused))
    return redirect("genealogy:exports")


@require_POST
def export_cancel(request: HttpRequest, key: str) -> HttpResponse:
    export = get_object_or_404(DownlineExport.objects.visible_to(request.user), key=key)
    try:
        cancel_export(export=export, actor=request.user)  # type: ignore[arg-type]
    except ExportRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "The export is cancelled.")
    return redirect("genealogy:exports")


@require_safe
@never_cache
def export_file(request: HttpRequest, key: str) -> FileResponse:
    """The finished file, for whoever ordered it, while the line is still his to see."""
    export = get_object_or_404(
        DownlineExport.objects.visible_to(request.user).select_related("root", "ordered_by"),
        key=key,
    )
    if not may_fetch(export):
        raise Http404("There is no such file.")
    audit.record(
        actor=request.user,  # type: ignore[arg-type]
        action="downline_export.fetched",
        target=export.root or export,
        after={"people": export.rows},
    )
    return FileResponse(
        file_of(export).open("rb"),
        as_attachment=True,
        filename=export.file_name,
        content_type="text/csv; charset=utf-8",
    )
