"""What people type about teams."""

from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404

from genealogy.models import Distributor
from genealogy.permissions import Scope


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
