"""What staff fill in to enrol somebody, and to ask a distributor to sign in."""

from typing import Any

from django import forms
from django.utils import timezone

from genealogy.forms.moves import AnybodyField
from genealogy.models import Distributor, Enrolment
from genealogy.services.enrolments import Person
from genealogy.services.moves import Place
from genealogy.services.placement import the_rule
from genealogy.services.staff_enrolment import Application, FieldRefused, refuse_unless_possible

Placement = Enrolment.Placement
PAPER, BY_MAIL = "paper", "mail"


def _day(**attrs: str) -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"} | attrs, format="%Y-%m-%d")


class StaffEnrolmentForm(forms.Form):
    """Somebody whom staff enrol. The names behind the numbers are shown before it is done."""

    sponsor = AnybodyField(
        required=False, max_length=20, help_text="Number. Empty: the top of the tree."
    )
    enroller = AnybodyField(
        required=False,
        max_length=20,
        help_text="Who brought the person in, if that is not the sponsor.",
    )
    first_name = forms.CharField(max_length=100)
    last_name = forms.CharField(max_length=100)
    country = forms.CharField(max_length=60)
    joined_on = forms.DateField(initial=timezone.localdate, widget=_day())
    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        required=False,
        help_text="A message asks the person to sign in. Empty: asked later.",
    )
    agreement = forms.ChoiceField(
        choices=[(BY_MAIL, "Asked for by the message"), (PAPER, "Signed on paper")],
        widget=forms.RadioSelect,
    )
    paper_signed_on = forms.DateField(label="Signed on", required=False, widget=_day())
    placement = forms.ChoiceField(widget=forms.RadioSelect, choices=Placement)
    under = AnybodyField(
        label="By hand: under",
        required=False,
        max_length=20,
        help_text="Number of who stands above in the placement tree.",
    )
    leg = forms.IntegerField(
        required=False, min_value=1, max_value=50, help_text="Counted from 1, the left one."
    )
    external_reference = forms.CharField(
        max_length=60, required=False, help_text="The number in another system, if there is one."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = the_rule()
        if rule is None:
            for name in ("placement", "under", "leg"):
                del self.fields[name]
        elif rule.waiting_days == 0:
            choices = [choice for choice in Placement.choices if choice[0] != Placement.WAIT]
            self.fields["placement"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("agreement") == PAPER and not cleaned.get("paper_signed_on"):
            self.add_error("paper_signed_on", "Say when it was signed.")
        if cleaned.get("placement") == Placement.BY_HAND:
            for name, words in (("under", "Say under whom."), ("leg", "Say which leg.")):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, words)
        if not self.errors:
            try:
                refuse_unless_possible(self.application)
            except FieldRefused as refused:
                self.add_error(refused.field, str(refused))
        return cleaned

    @property
    def application(self) -> Application:
        said = self.cleaned_data
        is_by_hand = said.get("placement") == Placement.BY_HAND
        return Application(
            person=Person(
                said["first_name"].strip(),
                said["last_name"].strip(),
                said["country"].strip(),
                said["email"].lower(),
            ),
            sponsor=said["sponsor"],
            enroller=said["enroller"],
            joined_on=said["joined_on"],
            paper_signed_on=said["paper_signed_on"] if said["agreement"] == PAPER else None,
            placement=said.get("placement", ""),
            place=Place(said["under"], said["leg"]) if is_by_hand else None,
            external_reference=said["external_reference"].strip(),
        )


class SignInForm(forms.Form):
    """Where the message goes that asks a distributor to sign in."""

    first_name = forms.CharField(max_length=100)
    last_name = forms.CharField(max_length=100)
    email = forms.EmailField(label="E-mail", max_length=254)

    @staticmethod
    def known_about(distributor: Distributor) -> dict[str, str]:
        first, _, last = distributor.display_name.partition(" ")
        return {"first_name": first, "last_name": last}

    def person(self, distributor: Distributor) -> Person:
        said = self.cleaned_data
        return Person(
            said["first_name"], said["last_name"], distributor.country, said["email"].lower()
        )
