"""What people type about invitations and teams."""

from decimal import Decimal
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


class InvitationForm(forms.Form):
    """The code somebody was given, typed."""

    code = forms.CharField(
        max_length=24,
        help_text="Eight letters and digits. There is no I, L, O, 0 or 1 in it.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )


class ReasonForm(forms.Form):
    """Why a step is taken, in words for the person it concerns."""

    reason = forms.CharField(max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class RenewCodeForm(forms.Form):
    """A new code, and whether the one before it goes on working."""

    former = forms.ChoiceField(
        label="The present code",
        choices=[
            ("keep", "goes on working: cards and links with it are out there"),
            ("close", "is closed at once: its link will say so"),
        ],
        initial="keep",
        widget=forms.RadioSelect,
    )
    seen = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)


class DistributorField(forms.CharField):
    """Somebody within the reader's scope, by number; the cleaned value is the distributor."""

    scope: Scope

    def clean(self, value: Any) -> Distributor | None:
        number = str(super().clean(value)).strip().upper()
        if not number:
            return None
        try:
            return self.scope.node(number).distributor
        except Http404 as error:
            whom = "distributor" if self.scope.sees_all else "person of your downline"
            raise forms.ValidationError(f"There is no {whom} with the number {number}.") from error


class TeamForm(forms.Form):
    """A team to be founded; staff also name its lead."""

    name = forms.CharField(max_length=80)
    description = forms.CharField(
        max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    monthly_target = forms.DecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=0,
        initial=Decimal(0),
        help_text="Commissions its members want to earn together in a month. 0 for no target.",
        widget=forms.NumberInput(attrs={"class": "input-money", "inputmode": "decimal"}),
    )
    lead = DistributorField(max_length=20, help_text="The number of the distributor who leads it.")

    def __init__(self, *args: Any, scope: Scope, asks_lead: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if asks_lead:
            self.fields["lead"].scope = scope  # type: ignore[attr-defined]
        else:
            del self.fields["lead"]


class TeamEditForm(TeamForm):
    """What is changed about a team, and why. Its lead is one of its members."""

    reason = forms.CharField(max_length=300, help_text="The members read it.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, asks_lead=True, **kwargs)
        self.fields["lead"].help_text = "The number of a member."


class TeamMemberForm(forms.Form):
    """Who comes into the team."""

    number = DistributorField(max_length=20, label="Distributor number", help_text="D-000123")

    def __init__(self, *args: Any, scope: Scope, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].scope = scope  # type: ignore[attr-defined]


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
