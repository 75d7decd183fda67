from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from accounts.models import User
from compliance.models import KYCDocument
from compliance.services.images import Picture, PictureRefused, clean_picture
from compliance.services.numbers import NumberRefused, clean_number

Type = KYCDocument.DocumentType
WITH_EXPIRY = {Type.PASSPORT, Type.DRIVING_LICENCE}
WITH_BACK = {Type.AADHAAR, Type.DRIVING_LICENCE}
ADULT_YEARS = 18
DECLARED = [
    "document_type",
    "full_name",
    "date_of_birth",
    "address_line",
    "city",
    "postal_code",
    "country",
    "expires_on",
]


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class PictureField(forms.FileField):
    """An upload that is a clean Picture once it has been checked."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.FileInput(attrs={"accept": "image/jpeg,image/png"})
        super().__init__(widget=widget, allow_empty_file=True, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Picture | None:
        upload = super().clean(data, initial)
        if not upload:
            return None
        try:
            return clean_picture(upload)
        except PictureRefused as refused:
            raise forms.ValidationError(str(refused)) from refused


class DocumentForm(forms.Form):
    """One identity paper with what it says and its pictures; each error stands at its field."""

    document_type = forms.ChoiceField(label="Kind of document", choices=Type)
    document_number = forms.CharField(
        max_length=40,
        help_text="As printed on it.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    expires_on = forms.DateField(
        label="Valid until",
        required=False,
        widget=DateInput,
        help_text="Passport and driving licence.",
    )
    full_name = forms.CharField(
        label="Full name", max_length=200, help_text="Exactly as on the document."
    )
    date_of_birth = forms.DateField(
        widget=DateInput(attrs={"autocomplete": "bday"}), help_text="Day, month and year."
    )
    address_line = forms.CharField(label="Street and number", max_length=200)
    city = forms.CharField(max_length=100)
    postal_code = forms.CharField(label="Postcode", max_length=20)
    country = forms.CharField(max_length=60)
    front = PictureField(
        label="Picture of the front",
        help_text="JPEG or PNG, up to 10 MB, all four corners visible. "
        "Send a masked Aadhaar: its first eight digits must be covered.",
    )
    back = PictureField(
        label="Picture of the back",
        required=False,
        help_text="Needed for an Aadhaar card and a driving licence.",
    )

    @staticmethod
    def known_about(user: User) -> dict[str, Any]:
        """What the profile says already, so that nobody types it twice."""
        profile = getattr(user, "profile", None)
        if profile is None:
            return {}
        address = profile.address or {}
        return {
            "full_name": profile.full_name,
            "date_of_birth": profile.date_of_birth,
            "address_line": address.get("address_line", ""),
            "city": address.get("city", ""),
            "postal_code": address.get("postal_code", ""),
            "country": address.get("country", ""),
        }

    @property
    def declared(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in DECLARED}

    def clean_document_number(self) -> str:
        try:
            return clean_number(
                self.cleaned_data.get("document_type", ""), self.cleaned_data["document_number"]
            )
        except NumberRefused as refused:
            raise forms.ValidationError(str(refused)) from refused

    def clean_full_name(self) -> str:
        return " ".join(self.cleaned_data["full_name"].split())

    def clean_date_of_birth(self) -> date:
        born: date = self.cleaned_data["date_of_birth"]
        today = timezone.localdate()
        if born.year < 1900 or born > today:
            raise forms.ValidationError("This cannot be a date of birth.")
        age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        if age < ADULT_YEARS:
            raise forms.ValidationError("You have to be 18 or older.")
        return born

    def clean_expires_on(self) -> date | None:
        expires_on: date | None = self.cleaned_data["expires_on"]
        if self.cleaned_data.get("document_type") not in WITH_EXPIRY:
            return None
        if expires_on is None:
            raise forms.ValidationError("Say until when the document is valid.")
        if expires_on < timezone.localdate():
            raise forms.ValidationError("This document has expired. Send a valid one.")
        return expires_on

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        needs_back = cleaned.get("document_type") in WITH_BACK
        if needs_back and "back" not in self.errors and not cleaned.get("back"):
            self.add_error("back", "This kind of document needs a picture of its back.")
        return cleaned


class RejectionForm(forms.Form):
    """Why a paper is refused. The person reads both."""

    reason = forms.ChoiceField(choices=[("", "Choose a reason"), *KYCDocument.Reason.choices])
    note = forms.CharField(
        label="Note to the person",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What to do better. The person reads it as it stands here.",
    )
