"""Forms about payouts: asking for one, refusing one, and what the bank said about a batch."""

import base64
import hashlib
import uuid
from typing import Any

from django import forms

from commissions.services.eligibility import Checklist
from commissions.services.statusfiles import MAX_BYTES
from mlmcrm.money import format_money


class PayoutRequestForm(forms.Form):
    """Amount and method, under a key made with the page, so that a double click asks once."""

    amount = forms.DecimalField(
        max_digits=18,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"class": "input-money", "inputmode": "decimal"}),
    )
    request_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, checklist: Checklist, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["request_key"].initial = uuid.uuid4
        rules, free = checklist.rules, checklist.wallet.free
        amount = self.fields["amount"]
        amount.help_text = f"From {rules.floor} up to {format_money(free, checklist.currency)}."
        amount.widget.attrs |= {"min": rules.minimum, "max": free}


class ReasonForm(forms.Form):
    """Why a step is taken, in words for the person it concerns."""

    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class StatusFileForm(forms.Form):
    file = forms.FileField(
        label="Status file",
        help_text="CSV as the bank sent it, or filled in from the template.",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if upload.size > MAX_BYTES:
            raise forms.ValidationError(f"A status file has at most {MAX_BYTES // 1024} KB.")
        return upload


class BookStatusForm(forms.Form):
    """A checked status file on its way to being booked, held by its SHA-256."""

    file_name = forms.CharField(max_length=255, widget=forms.HiddenInput)
    encoded = forms.CharField(widget=forms.HiddenInput, strip=False)
    sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)

    @classmethod
    def holding(cls, file_name: str, content: bytes) -> "BookStatusForm":
        return cls(
            initial={
                "file_name": file_name,
                "encoded": base64.b64encode(content).decode(),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        )

    @property
    def content(self) -> bytes:
        return base64.b64decode(self.cleaned_data["encoded"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            found = hashlib.sha256(base64.b64decode(cleaned.get("encoded", ""), validate=True))
        except ValueError as error:
            raise forms.ValidationError("This is not the file that was checked.") from error
        if found.hexdigest() != cleaned.get("sha256"):
            raise forms.ValidationError("This is not the file that was checked.")
        return cleaned
