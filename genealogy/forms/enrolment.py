"""What is typed in an enrolment, step by step, by the person and by a sponsor."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import (
    password_validators_help_texts,
    validate_password,
)
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import ConsentText, User
from genealogy.forms.placement import ELSEWHERE, PlaceForm
from genealogy.models import Enrolment
from genealogy.permissions import Scope
from genealogy.services.enrolment_steps import REQUIRED, too_young
from genealogy.services.enrolments import Person
from genealogy.services.moves import Place

Placement = Enrolment.Placement
Purpose = ConsentText.Purpose
OLDEST = 120

YES = {
    Purpose.DISTRIBUTOR_AGREEMENT: "I have read the agreement and agree to it",
    Purpose.DATA_PROCESSING: "I agree that my data is used as described",
    Purpose.MARKETING: "Yes, send me news and offers",
    Purpose.CONTACT_UPLINE: "Yes, show my contact to the people above me",
    Purpose.CONTACT_DOWNLINE: "Yes, show my contact to the people I sponsor",
}


def _autocomplete(name: str, **attrs: str) -> dict[str, Any]:
    return {"attrs": {"autocomplete": name, **attrs}}


class PersonForm(forms.Form):
    """Who joins. A sponsor is not asked for what is the person's alone to tell."""

    first_name = forms.CharField(
        max_length=100, widget=forms.TextInput(**_autocomplete("given-name"))
    )
    last_name = forms.CharField(
        max_length=100, widget=forms.TextInput(**_autocomplete("family-name"))
    )
    country = forms.CharField(
        max_length=60,
        help_text="Where you live.",
        widget=forms.TextInput(**_autocomplete("country-name")),
    )
    birth_date = forms.DateField(
        label="Date of birth",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "bday"}),
    )
    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        help_text="We send you a link, with which you can go on here or on any other device.",
        widget=forms.EmailInput(**_autocomplete("email")),
    )
    phone = forms.CharField(
        max_length=20,
        required=False,
        help_text="No other distributor sees it unless you agree to it.",
        widget=forms.TextInput(**_autocomplete("tel", type="tel")),
    )

    def __init__(self, *args: Any, enrolment: Enrolment, is_sponsor: bool, **kwargs: Any) -> None:
        initial = {name: getattr(enrolment, name) for name in self.base_fields}
        super().__init__(*args, initial=initial | kwargs.pop("initial", {}), **kwargs)
        self.fields[
            "birth_date"
        ].help_text = (
            f"Whoever joins is {settings.ENROLMENT_MIN_AGE} or older: the agreement is a contract."
        )
        if is_sponsor:
            del self.fields["birth_date"], self.fields["phone"]
            self.fields["country"].help_text = "Where the person lives."
            self.fields[
                "email"
            ].help_text = (
                "A message with a link goes there: agreement and password are the person's to give."
            )
        if enrolment.is_confirmed:
            self.fix_email(enrolment.email, "Confirmed. For another address begin anew.")

    def fix_email(self, email: str, why: str) -> None:
        """The address is known to be the person's and is not typed."""
        field = self.fields["email"]
        field.disabled, field.initial, field.help_text = True, email, why
        self.initial["email"] = email

    def clean_birth_date(self) -> Any:
        day = self.cleaned_data["birth_date"]
        today = timezone.localdate()
        if day > today:
            raise ValidationError("This day is in the future.")
        if day.year < today.year - OLDEST:
            raise ValidationError("Check the year.")
        if too_young(day):
            raise ValidationError(
                f"Whoever joins is {settings.ENROLMENT_MIN_AGE} or older: the agreement is a "
                "contract, which nobody younger can make."
            )
        return day

    @property
    def person(self) -> Person:
        return Person(**self.cleaned_data)


class PlacementForm(forms.Form):
    """How somebody who enrols himself gets a place: later by his sponsor, or at once."""

    choice = forms.ChoiceField(label="Place", widget=forms.RadioSelect)

    def __init__(self, *args: Any, choices: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["choice"].choices = list(choices)  # type: ignore[attr-defined]

    @property
    def chosen(self) -> tuple[str, Place | None]:
        return self.cleaned_data["choice"], None


class SponsorPlacementForm(PlaceForm):
    """The same for a sponsor, who may also choose the place by hand."""

    def __init__(
        self,
        *args: Any,
        choices: Sequence[tuple[str, str]],
        scope: Scope,
        proposed: list[tuple[Place, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, scope=scope, proposed=proposed, **kwargs)
        field: Any = self.fields["choice"]
        field.choices = [*choices, *field.choices]
        if not proposed:
            field.choices = list(choices)
            del self.fields["under"], self.fields["leg"]

    @property
    def chosen(self) -> tuple[str, Place | None]:
        choice = self.cleaned_data["choice"]
        if choice == ELSEWHERE or choice.isdecimal():
            return Placement.BY_HAND, self.place
        return choice, None


class AgreementForm(forms.Form):
    """A box for each text in force, none of them ticked for anybody."""

    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, texts: Sequence[ConsentText], **kwargs: Any) -> None:
        self.texts = list(texts)
        marks = " ".join(str(text) for text in self.texts)
        super().__init__(*args, initial={"seen": marks}, **kwargs)
        self.marks = marks
        for text in self.texts:
            self.fields[text.purpose] = forms.BooleanField(
                label=YES[Purpose(text.purpose)],
                required=text.purpose in REQUIRED,
                error_messages={"required": "Without this nobody can join."},
            )

    def with_fields(self) -> list[tuple[ConsentText, Any]]:
        return [(text, self[text.purpose]) for text in self.texts]

    def clean_seen(self) -> str:
        if self.cleaned_data["seen"] != self.marks:
            raise ValidationError("A text has changed while you read. Please read the new one.")
        return self.marks

    @property
    def agreed(self) -> list[ConsentText]:
        return [text for text in self.texts if self.cleaned_data.get(text.purpose)]


class FinishForm(forms.Form):
    """The password of the new account, and when the identity papers are sent."""

    password1 = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(**_autocomplete("new-password")),
    )
    password2 = forms.CharField(
        label="The same password again",
        strip=False,
        widget=forms.PasswordInput(**_autocomplete("new-password")),
    )
    papers = forms.ChoiceField(
        label="Identity papers",
        help_text="They are asked for before the first payout. Nothing else waits for them.",
        choices=[("later", "Later"), ("now", "Now, right after this")],
        initial="later",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, enrolment: Enrolment, account: User | None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.enrolment = enrolment
        self.fields["password1"].help_text = " ".join(password_validators_help_texts())
        if account is not None:
            del self.fields["password1"], self.fields["password2"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, second = cleaned.get("password1"), cleaned.get("password2")
        if first and second and first != second:
            self.add_error("password2", "The two are not the same.")
        elif first:
            self._validate(first)
        return cleaned

    def _validate(self, password: str) -> None:
        person = User(email=self.enrolment.email, username=self.enrolment.person)
        try:
            validate_password(password, person)
        except ValidationError as error:
            self.add_error("password1", error)

    @property
    def password(self) -> str:
        return str(self.cleaned_data.get("password1", ""))
