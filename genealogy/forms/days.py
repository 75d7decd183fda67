"""The day on which a genealogy is looked at, read from the address."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Min
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.functional import cached_property

from genealogy.models import DistributorPosition
from genealogy.permissions import Scope
from genealogy.queries import Day
from genealogy.services.moves import first_day_for_moves

A_MINUTE = timedelta(minutes=1)
A_MOMENT = timedelta(microseconds=1)
INVALID_DAY = "Give a day as in 2026-11-21."


class DayForm(forms.Form):
    """A day, and for staff the moment at which something was known of it. Empty is today.

    Times are told in the reader's zone, to the minute; a day alone means its end.
    """

    on = forms.DateField(
        label="On",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": INVALID_DAY},
    )
    known = forms.CharField(
        label="As it was known on",
        required=False,
        max_length=19,
        widget=forms.TextInput(attrs={"type": "datetime-local"}),
    )

    def __init__(self, *args: Any, scope: Scope, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="day_%s", **kwargs)
        self.scope = scope
        self.today = timezone.localdate()
        if scope.sees_all:
            zone = f"{timezone.localtime():%Z}"
            self.fields["known"].help_text = f"Time in {zone}. Empty for what is known now."
        else:
            del self.fields["known"]

    def clean_on(self) -> date | None:
        on: date | None = self.cleaned_data["on"]
        if on is None:
            return None
        if on > self.today:
            raise forms.ValidationError("This day has not come yet.")
        first = self.first_day
        if first and on < first:
            who = "The first distributor" if self.scope.sees_all else "You"
            raise forms.ValidationError(
                f"{who} joined on {format_date(first, 'j M Y')}. Give that day or a later one."
            )
        return on

    def clean_known(self) -> datetime | None:
        """The last instant of the minute that is given."""
        text = self.cleaned_data["known"]
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise forms.ValidationError(
                "Give a day, or a day and a time as in 2026-11-21T14:05."
            ) from error
        if len(text) == len("2026-11-21"):
            moment = datetime.combine(moment, time(23, 59))
        if timezone.is_naive(moment):
            moment = timezone.make_aware(moment)
        if moment.date() > self.today:
            raise forms.ValidationError("This moment has not come yet.")
        return moment.replace(second=0, microsecond=0) + A_MINUTE - A_MOMENT

    @cached_property
    def first_day(self) -> date | None:
        """Before it there is nothing that the reader could see."""
        if not self.scope.sees_all:
            return self.scope.own.joined_on if self.scope.own else None
        positions = DistributorPosition.objects.filter(tree="sponsor")
        first: date | None = positions.aggregate(first=Min("valid_from"))["first"]
        return first

    @cached_property
    def last_closed_day(self) -> date | None:
        """The end of the last period that is closed: its pay was worked out by the tree of it."""
        first = first_day_for_moves()
        last = first - timedelta(days=1) if first else None
        earliest = self.first_day
        return last if last and (earliest is None or last >= earliest) else None

    @property
    def day(self) -> Day | None:
        """What a valid form asks for; None for today as it is known now."""
        on, known = self.cleaned_data["on"], self.cleaned_data.get("known")
        if known is None and on in (None, self.today):
            return None
        return Day(on or self.today, known)
