"""What people type about invitations and teams."""

from django import forms


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
