"""Why something is done."""

from django import forms


class ReasonForm(forms.Form):
    """Why a step is taken, in words for the person it concerns."""

    reason = forms.CharField(max_length=300, widget=forms.Textarea(attrs={"rows": 3}))
