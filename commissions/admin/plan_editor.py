"""Reading, writing and scheduling a plan version: the work screen behind its row in the list."""

from datetime import timedelta
from typing import Any, get_args

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from commissions import plan_desk
from commissions.engine.plan import Condition, Plan
from commissions.engine.plan.schema import schema
from commissions.engine.plan.text import DocumentRefused, parsed
from commissions.models import PlanVersion
from commissions.plan_tables import grids, with_cells
from commissions.services import drafts, plans
from commissions.services.opening import month_of
from mlmcrm.transitions import TransitionRefused

TEMPLATES = "admin/commissions/planversion"
CELL, WAS = "cell:", "was:"
CONDITIONS = {kind.__name__ for kind in get_args(Condition)}


class DraftForm(forms.Form):
    """First day and document of a draft; the tables beside it are read by path."""

    effective_from = forms.DateField(
        label="In force from",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="Periods that start on this day or later are paid by it.",
    )
    definition = forms.CharField(
        label="Document",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 30, "spellcheck": "false", "class": "code"}),
        error_messages={"required": "A plan version needs a document."},
    )


class PlanEditor:
    """Views of a plan version, mixed into its admin."""

    admin_site: Any

    def editor_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "commissions_planversion"
        desk = "<int:version_id>/plan/"
        return [
            path(desk, wrap(self.desk_view), name=f"{name}_desk"),
            path(f"{desk}edit/", wrap(self.edit_view), name=f"{name}_edit"),
            path(f"{desk}check/", wrap(self.check_view), name=f"{name}_check"),
            path(f"{desk}copy/", wrap(self.copy_view), name=f"{name}_copy"),
            path(f"{desk}activate/", wrap(self.activate_view), name=f"{name}_activate"),
            path("language/", wrap(self.language_view), name=f"{name}_language"),
        ]

    def desk_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """The plan in prose, what was found, and how it differs from the one in force."""
        version = self.version_or_404(request, version_id)
        against = plan_desk.active_version(version)
        context = self.plan_context(
            request,
            version,
            report=plan_desk.report_on(version.definition, against),
            document=plan_desk.as_text(version.definition),
            may_write=self.may_write(request),
            is_author=version.created_by_id == request.user.pk,
        )
        return render(request, f"{TEMPLATES}/desk.html", context)

    def edit_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """Tables and document side by side; what is posted is stored or comes back with faults."""
        version = self.writable_or_refuse(request, version_id)
        if version.status != PlanVersion.Status.DRAFT:
            messages.warning(request, "Only a draft can be written; make a copy of this version.")
            return redirect(desk_url(version))
        if request.method != "POST":
            text = plan_desk.as_text(version.definition)
            form = DraftForm(initial={"effective_from": version.effective_from, "definition": text})
            return self.show_editor(request, version, form, text)
        text = merged(request)
        data = request.POST.copy()
        data["definition"] = text
        form = DraftForm(data)
        if form.is_valid():
            try:
                self.store(request, version, form)
            except plans.PlanRefused as refused:
                for fault in refused.faults:
                    form.add_error("definition", fault)
            else:
                messages.success(request, f"{version} is stored.")
                return redirect(desk_url(version))
        return self.show_editor(request, version, form, text)

    def store(self, request: HttpRequest, version: PlanVersion, form: DraftForm) -> None:
        try:
            document = parsed(form.cleaned_data["definition"])
        except DocumentRefused as refused:
            raise plans.PlanRefused([str(refused)]) from refused
        drafts.revise_draft(
            version=version,
            definition=document,
            effective_from=form.cleaned_data["effective_from"],
            actor=request.user,  # type: ignore[arg-type]
        )

    def show_editor(
        self, request: HttpRequest, version: PlanVersion, form: DraftForm, text: str
    ) -> HttpResponse:
        context = self.plan_context(request, version, form=form, **said_of(version, text))
        return render(request, f"{TEMPLATES}/edit.html", context)

    def check_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """What a document says, while it is written; stores nothing."""
        version = self.writable_or_refuse(request, version_id)
        if request.method != "POST":
            return redirect(desk_url(version))
        # The tables follow the document while it is written, and the other way round.
        from_document = request.POST.get("from") == "document"
        text = request.POST.get("definition", "") if from_document else merged(request)
        context = self.plan_context(request, version, text=text, **said_of(version, text))
        context["from_document"] = from_document
        return render(request, f"{TEMPLATES}/_checked.html", context)

    def copy_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """A new draft with the same document, in force from the next month."""
        version = self.writable_or_refuse(request, version_id)
        if request.method == "POST":
            try:
                version = drafts.copy_version(
                    version=version,
                    effective_from=month_of(timezone.localdate()).ends_on + timedelta(days=1),
                    actor=request.user,  # type: ignore[arg-type]
                )
            except plans.PlanRefused as refused:
                messages.error(request, " ".join(refused.faults))
            else:
                messages.success(request, f"{version} is a draft with the same document.")
                return redirect(edit_url(version))
        return redirect(desk_url(version))

    def activate_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """By somebody else than the author, after a look at what it changes."""
        version = self.writable_or_refuse(request, version_id)
        if request.method == "POST":
            try:
                plans.activate_version(version=version, actor=request.user)  # type: ignore[arg-type]
            except (plans.PlanRefused, TransitionRefused) as refused:
                messages.error(request, str(refused))
            else:
                messages.success(request, f"{version} is active from {version.effective_from}.")
        return redirect(desk_url(version))

    def language_view(self, request: HttpRequest) -> HttpResponse:
        """The published schema of plan documents, as help."""
        self.refuse_unless_reader(request)
        described = schema(Plan, "Compensation plan")
        parts = [("Plan", described["$defs"]["Plan"])]
        parts += [(name, part) for name, part in described["$defs"].items() if name != "Plan"]
        context = {
            **self.admin_site.each_context(request),
            "title": "The plan language",
            "parts": [part_of(name, part) for name, part in parts],
        }
        return render(request, f"{TEMPLATES}/language.html", context)

    # Who may

    def version_or_404(self, request: HttpRequest, version_id: int) -> PlanVersion:
        self.refuse_unless_reader(request)
        people = ("plan", "created_by", "approved_by")
        return get_object_or_404(PlanVersion.objects.select_related(*people), pk=version_id)

    def refuse_unless_reader(self, request: HttpRequest) -> None:
        if not request.user.has_perm("commissions.view_planversion"):
            raise PermissionDenied

    def writable_or_refuse(self, request: HttpRequest, version_id: int) -> PlanVersion:
        version = self.version_or_404(request, version_id)
        if not self.may_write(request):
            raise PermissionDenied
        return version

    def may_write(self, request: HttpRequest) -> bool:
        return request.user.has_perm("commissions.change_planversion")

    def plan_context(
        self, request: HttpRequest, version: PlanVersion, **extra: Any
    ) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": str(version),
            "version": version,
            **extra,
        }


def merged(request: HttpRequest) -> str:
    """The posted document with the cells of the tables that were changed beside it."""
    text = request.POST.get("definition", "")
    changed = {
        name.removeprefix(CELL): value
        for name, value in request.POST.items()
        if name.startswith(CELL) and value != request.POST.get(WAS + name.removeprefix(CELL), "")
    }
    if not changed:
        return text
    try:
        return plan_desk.as_text(with_cells(parsed(text), changed))
    except DocumentRefused:
        return text


def said_of(version: PlanVersion, text: str) -> dict[str, Any]:
    """The tables of a document and what is said of it."""
    document, report = plan_desk.read_text(text)
    if report.is_readable:
        report = plan_desk.report_on(document, plan_desk.active_version(version))
    return {"report": report, "grids": grids(document)}


def part_of(name: str, part: dict[str, Any]) -> dict[str, Any]:
    """A part of the schema as the help shows it."""
    required = set(part["required"])
    return {
        "name": name,
        "about": part["description"],
        "fields": [
            (field, kind_of(shape), shape.get("description", ""), field in required)
            for field, shape in part["properties"].items()
        ],
    }


def kind_of(shape: dict[str, Any]) -> str:
    """A short word for a field's type: one of these, a list of Bonus, a decimal."""
    if "$ref" in shape:
        return str(shape["$ref"].rpartition("/")[2])
    if "enum" in shape:
        return " | ".join(str(option) for option in shape["enum"])
    if "anyOf" in shape:
        kinds = [kind_of(option) for option in shape["anyOf"]]
        others = [kind for kind in kinds if kind not in CONDITIONS]
        return " | ".join(others if len(others) == len(kinds) else ["a condition", *others])
    if shape.get("type") == "array":
        return f"list of {kind_of(shape['items'])}"
    if shape.get("type") == "object":
        return f"object of {kind_of(shape['additionalProperties'])}"
    is_decimal = str(shape.get("pattern", "")).startswith("^(0|")
    return "decimal" if is_decimal else str(shape.get("type", "text")).replace("string", "text")


def desk_url(version: PlanVersion) -> str:
    return reverse("admin:commissions_planversion_desk", args=[version.pk])


def edit_url(version: PlanVersion) -> str:
    return reverse("admin:commissions_planversion_edit", args=[version.pk])
