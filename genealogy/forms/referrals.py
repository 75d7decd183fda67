"""What people type about invitations."""

from django import forms


class InvitationForm(forms.Form):
    """The code somebody was given, typed."""

    code = forms.CharField(
        max_length=24,
        help_text="Eight letters and digits. There is no I, L, O, 0 or 1 in it.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )


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
