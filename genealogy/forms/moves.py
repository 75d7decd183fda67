"""What staff fill in to move somebody, to decide on it, and to end a membership."""

from typing import Any

from django import forms
from django.utils import timezone

from accounts.admin_base import ReasonForm as MasterForm
from genealogy.models import Distributor, PlacementRule
from genealogy.models.node import Tree
from genealogy.models.placement import Strategy
from genealogy.services.moves import Place
from genealogy.services.terminations import Downline

REASON = forms.Textarea(attrs={"rows": 3})


class AnybodyField(forms.CharField):
    """Somebody by his number; empty for nobody."""

    def clean(self, value: Any) -> Distributor | None:  # type: ignore[override]
        number = str(super().clean(value) or "").strip()
        if not number:
            return None
        found = Distributor.objects.filter(number__iexact=number).first()
        if found is None:
            raise forms.ValidationError(f"There is no distributor {number}.")
        return found


class MoveForm(forms.Form):
    """Where somebody shall stand, from when on, and why."""

    tree = forms.ChoiceField(choices=Tree, initial=Tree.SPONSOR)
    to_parent = AnybodyField(
        label="Comes under",
        required=False,
        max_length=20,
        help_text="Number of the new sponsor, or of who stands above in the placement tree. "
        "Empty: the top of the sponsor tree, or no place in the placement tree.",
    )
    to_leg = forms.IntegerField(
        label="Leg",
        required=False,
        min_value=1,
        max_value=32_767,
        help_text="In the placement tree alone. Counted from 1, the left one.",
    )
    effective_on = forms.DateField(
        label="From",
        initial=timezone.localdate,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="First day on which the new place holds. A later day is waited for.",
    )
    reason = forms.CharField(max_length=500, widget=REASON, help_text="Kept with the move.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("tree") == Tree.SPONSOR and cleaned.get("to_leg"):
            self.add_error("to_leg", "The sponsor tree has no legs to choose.")
        return cleaned

    @property
    def place(self) -> Place:
        return Place(self.cleaned_data["to_parent"], self.cleaned_data["to_leg"])


class DecisionForm(forms.Form):
    """Why a move is approved, declined, cancelled, or a membership goes on."""

    reason = forms.CharField(max_length=500, widget=REASON, required=False)


class UndoForm(forms.Form):
    effective_on = forms.DateField(
        label="From",
        initial=timezone.localdate,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    reason = forms.CharField(max_length=500, widget=REASON)


class TerminationForm(forms.Form):
    downline = forms.ChoiceField(
        label="The people below", choices=Downline, widget=forms.RadioSelect, initial=Downline.STAY
    )
    reason = forms.CharField(
        max_length=500, widget=REASON, help_text="Kept in the history and the audit trail."
    )


class PlacementRuleForm(MasterForm):
    """The shape of the placement tree: no leg in which somebody stands is taken away."""

    class Meta:
        model = PlacementRule
        fields = ["width", "strategy", "fixed_leg", "waiting_days", "open_strategies"]

    open_strategies = forms.MultipleChoiceField(
        label="Strategies that people may choose",
        choices=Strategy.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=PlacementRule._meta.get_field("open_strategies").help_text,
    )

    def clean_width(self) -> int:
        width: int = self.cleaned_data["width"]
        if beyond := Distributor.objects.filter(leg__gt=width).order_by("-leg").first():
            raise forms.ValidationError(f"{beyond} stands in leg {beyond.leg}.")
        return width
