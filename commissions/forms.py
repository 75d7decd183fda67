"""Forms about payouts: asking for one, refusing one, and what the bank said about a batch."""

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
        floor, held = (
            format_money(amount, checklist.currency)
            for amount in (checklist.minimum, checklist.wallet)
        )
        amount = self.fields["amount"]
        amount.help_text = f"From {floor} up to {held}."
        amount.widget.attrs |= {"min": checklist.minimum, "max": checklist.wallet}


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
