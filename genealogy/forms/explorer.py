"""What the list of a downline is narrowed to, read from the address or from an export's order."""

from typing import Any

from django import forms
from django.utils.dateformat import format as format_date

from genealogy.columns import COLUMNS
from genealogy.models import Distributor, Rank
from genealogy.queries import Filters

DEEPEST = 10_000
FIELDS = ("rank", "status", "activity", "level", "joined_from", "joined_to")


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "Give a day as in 2026-11-21."},
    )


class ExplorerForm(forms.Form):
    """Filters and columns of the list. Nothing is required; what is empty filters nothing."""

    rank = forms.ModelChoiceField(
        Rank.objects.all(),
        label="Paid as",
        required=False,
        to_field_name="code",
        empty_label="Any rank",
        error_messages={"invalid_choice": "There is no such rank."},
    )
    status = forms.ChoiceField(
        choices=[("", "Any status"), *Distributor.Status.choices],
        required=False,
        error_messages={"invalid_choice": "There is no such status."},
    )
    activity = forms.ChoiceField(
        choices=[("", "Any"), ("active", "PV this period"), ("inactive", "No PV this period")],
        required=False,
        error_messages={"invalid_choice": "Choose one of these."},
    )
    level = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=DEEPEST,
        widget=forms.NumberInput(attrs={"placeholder": "Any"}),
    )
    joined_from = _day("Joined from")
    joined_to = _day("Joined to")
    columns = forms.MultipleChoiceField(
        choices=[(column.key, column.label) for column in COLUMNS.values()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "There is no column “%(value)s”."},
    )

    def clean(self) -> dict[str, Any]:
        facts = self.cleaned_data
        first, last = facts.get("joined_from"), facts.get("joined_to")
        if first and last and first > last:
            self.add_error("joined_to", "This day lies before the first one.")
        return facts

    @property
    def filters(self) -> Filters:
        """What a valid form narrows the list to."""
        return Filters(**{name: self.cleaned_data[name] for name in FIELDS})

    @property
    def in_words(self) -> list[str]:
        """What a valid form narrows the list to, in the words of its fields."""
        facts = self.cleaned_data
        said = [
            facts["rank"] and f"Paid as {facts['rank'].name}",
            dict(Distributor.Status.choices).get(facts["status"]),
            facts["activity"] and dict(self.fields["activity"].choices)[facts["activity"]],  # type: ignore[attr-defined]
            facts["level"] and f"Level {facts['level']}",
            facts["joined_from"] and f"Joined from {format_date(facts['joined_from'], 'j M Y')}",
            facts["joined_to"] and f"Joined to {format_date(facts['joined_to'], 'j M Y')}",
        ]
        return [str(words) for words in said if words]

    @property
    def as_query(self) -> dict[str, str]:
        """The filters as they stand in an address; readable by this form again."""
        return {name: str(self[name].value()) for name in FIELDS if self[name].value()}
