"""What staff say of a distributor that plans ask for: the package he holds, given ranks, marks."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.admin_base import ReadOnlyAdmin
from commissions.engine import Plan, PlanError
from commissions.engine.prose.words import plain
from commissions.models import PlanVersion
from commissions.services.attributes import wanted_by
from commissions.services.plan_reading import loaded
from genealogy.models import Distributor, DistributorAttribute
from genealogy.services.attributes import (
    Attribute,
    AttributeRefused,
    end_attribute,
    refuse_unless_possible,
    set_attribute,
)

TEMPLATES = "admin/genealogy/distributorattribute"
Kind = DistributorAttribute.Kind
Choice = tuple[str, str]
Groups = dict[str, list[Choice]]


def choices() -> list[tuple[str, list[Choice]]]:
    """Everything that any stored plan asks for, in groups, each with its contrary."""
    groups: Groups = {}
    for version in PlanVersion.objects.select_related("plan").order_by("-pk"):
        try:
            plan = loaded(version)
        except PlanError:
            continue
        for title, choice in said_by(plan):
            found = groups.setdefault(title, [])
            if choice[0] not in [value for value, _ in found]:
                found.append(choice)
    return list(groups.items())


def said_by(plan: Plan) -> Iterator[tuple[str, Choice]]:
    """(group, (value, label)); a value is kind, ladder, code and whether it is so, by colons."""
    wanted = wanted_by(plan)
    for package in plan.packages if wanted.packages else ():
        yield "Package", (f"{Kind.PACKAGE}::{package.code}:yes", package.name)
    if wanted.packages:
        yield "Package", (f"{Kind.PACKAGE}:::no", "No package any more")
    for ladder in wanted.ladders:
        title = f"Given rank: {plain(ladder.code)}"
        for rank in ladder.ranks:
            yield title, (f"{Kind.RANK}:{ladder.code}:{rank.code}:yes", rank.name)
        yield title, (f"{Kind.RANK}:{ladder.code}::no", "No rank any more")
    for mark in wanted.marks:
        yield "Mark", (f"{Kind.MARK}::{mark}:yes", f"Carries {plain(mark)}")
        yield "Mark", (f"{Kind.MARK}::{mark}:no", f"Carries {plain(mark)} no more")


class AttributeForm(forms.Form):
    """What a distributor holds, or no longer holds, from a day on."""

    number = forms.CharField(label="Distributor", help_text="The number, as in D-000123.")
    what = forms.ChoiceField(label="What")
    valid_from = forms.DateField(
        label="From",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="A close goes by what is held on its period's last day; what is paid at payment, "
        "by the day of the order.",
    )
    valid_to = forms.DateField(
        label="Until",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="First day on which it no longer holds. Empty: until something else is said.",
    )
    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["what"].choices = choices()  # type: ignore[attr-defined]

    def clean_number(self) -> Distributor:
        number = self.cleaned_data["number"].strip().upper()
        distributor = Distributor.objects.filter(number=number).first()
        if distributor is None:
            raise forms.ValidationError(f"There is no distributor {number}.")
        return distributor

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        if not self.errors:
            try:
                refuse_unless_possible(
                    found["number"], found["valid_from"], found["valid_to"], found["reason"]
                )
            except AttributeRefused as refused:
                self.add_error("valid_to" if "ends" in str(refused) else "valid_from", str(refused))
        return found

    def save(self, actor: Any) -> str:
        """Write it down; returns what was said, in a sentence."""
        found = self.cleaned_data
        kind, ladder, code, is_so = found["what"].split(":")
        write = set_attribute if is_so == "yes" else end_attribute
        write(
            distributor=found["number"],
            attribute=Attribute(kind, code=code, ladder=ladder),
            valid_from=found["valid_from"],
            valid_to=found["valid_to"],
            actor=actor,
            reason=found["reason"],
        )
        labels = dict(pair for _, group in choices() for pair in group)
        return f"{found['number'].number}, from {found['valid_from']}: {labels[found['what']]}."


@admin.register(DistributorAttribute)
class DistributorAttributeAdmin(ReadOnlyAdmin):
    """Said once, and corrected only by saying it anew."""

    list_display = [
        "distributor", "kind", "ladder", "code", "valid_from", "valid_to", "recorded_at",
        "superseded_at", "actor",
    ]  # fmt: skip
    list_filter = ["kind", ("superseded_at", admin.EmptyFieldListFilter)]
    list_select_related = ["distributor", "actor"]
    search_fields = ["=distributor__number", "=code"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("genealogy.add_distributorattribute"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Say what somebody holds, beside what is said of him now."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        number = request.GET.get("distributor", "")
        start = {"number": number, "valid_from": timezone.localdate()}
        form = AttributeForm(request.POST or None, initial=start)
        if request.method == "POST" and form.is_valid():
            messages.success(request, form.save(request.user))
            changelist = reverse("admin:genealogy_distributorattribute_changelist")
            return redirect(f"{changelist}?q={form.cleaned_data['number'].number}")
        context = {
            **self.admin_site.each_context(request),
            "title": "Packages, given ranks and marks",
            "form": form,
            "number": number,
            "held": held_by(number),
            "has_choices": bool(choices()),
        }
        return render(request, f"{TEMPLATES}/new.html", context)


def held_by(number: str) -> QuerySet[DistributorAttribute]:
    """What is said now of a distributor, the latest days first."""
    said = DistributorAttribute.objects.filter(distributor__number=number, superseded_at=None)
    return said.order_by("-valid_from", "kind")
