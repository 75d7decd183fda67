"""What sponsors type about the places of their newcomers."""

from typing import Any

from django import forms
from django.http import Http404

from genealogy.models import Distributor, PlacementRule
from genealogy.models.node import Tree
from genealogy.models.placement import Strategy
from genealogy.permissions import Scope
from genealogy.queries import name_of_leg
from genealogy.services.moves import Place

ELSEWHERE = "elsewhere"
BY_RULE = "rule"


class PlaceForm(forms.Form):
    """A place for somebody new: one of those proposed, or under somebody in the own line."""

    choice = forms.ChoiceField(label="Place", widget=forms.RadioSelect)
    under = forms.CharField(
        label="Somewhere else: under",
        max_length=20,
        required=False,
        help_text="The number of somebody in your line of the placement tree.",
    )
    leg = forms.IntegerField(required=False, min_value=1, max_value=50, help_text="From the left.")

    def __init__(
        self, *args: Any, scope: Scope, proposed: list[tuple[Place, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.scope = scope
        self.proposed = [place for place, _ in proposed]
        choices = [(str(number), label) for number, (_, label) in enumerate(proposed)]
        self.fields["choice"].choices = [*choices, (ELSEWHERE, "Somewhere else")]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("choice") == ELSEWHERE and not self.errors:
            self.elsewhere = Place(self._parent(cleaned.get("under", "")), cleaned.get("leg"))
            if not cleaned.get("leg"):
                self.add_error("leg", "Say which leg.")
        return cleaned

    def _parent(self, number: str) -> Distributor | None:
        number = number.strip().upper()
        own = self.scope.own
        if own is not None and number == own.number:
            return own
        try:
            return self.scope.node(number, Tree.PLACEMENT).distributor
        except Http404:
            self.add_error("under", f"Nobody in your line has the number {number}.")
            return None

    @property
    def place(self) -> Place:
        chosen = self.cleaned_data["choice"]
        return self.elsewhere if chosen == ELSEWHERE else self.proposed[int(chosen)]


class PreferenceForm(forms.Form):
    """Where a sponsor's newcomers go: one of what the company leaves open, or as it does."""

    strategy = forms.ChoiceField(label="Where to", widget=forms.RadioSelect)
    leg = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)

    def __init__(self, *args: Any, rule: PlacementRule, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        open_ones = [choice for choice in Strategy.choices if choice[0] in rule.open_strategies]
        by_rule = (BY_RULE, f"As the company does: {rule.in_words}")
        self.fields["strategy"].choices = [by_rule, *open_ones]  # type: ignore[attr-defined]
        if Strategy.FIXED_LEG not in rule.open_strategies:
            del self.fields["leg"]
            return
        legs = [(leg, name_of_leg(leg, rule.width)) for leg in range(1, rule.width + 1)]
        self.fields["leg"].choices = [("", "No leg"), *legs]  # type: ignore[attr-defined]
        self.fields["leg"].help_text = f"For: {Strategy.FIXED_LEG.label.lower()}."

    def clean_strategy(self) -> str:
        chosen = str(self.cleaned_data["strategy"])
        return "" if chosen == BY_RULE else chosen
