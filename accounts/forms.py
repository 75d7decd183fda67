from typing import Any

from django import forms

from accounts.models import User

LARGEST = 2**62


def readable_cursor(value: Any) -> dict[str, int]:
    """The parts of a client's cursor that can be one: numbers of streams."""
    if not isinstance(value, dict):
        return {}
    return {
        str(stream): seq
        for stream, seq in value.items()
        if isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq < LARGEST
    }


class CursorForm(forms.Form):
    after = forms.JSONField(required=False, error_messages={"invalid": "Not a cursor."})

    def clean_after(self) -> dict[str, int]:
        return readable_cursor(self.cleaned_data["after"])


class ReasonForm(forms.Form):
    """Why somebody's access is changed; kept in the history and the audit record."""

    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with the change. On a suspension the person reads it.",
    )


class RoleForm(ReasonForm):
    role = forms.ChoiceField(choices=User.Role)
    field_order = ["role", "reason"]


class NewUserForm(forms.ModelForm):
    """Somebody who shall sign in. The password is his own affair."""

    class Meta:
        model = User
        fields = ("email", "phone", "role")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class AgreeForm(forms.Form):
    """A yes to a text; for a published contact, which of e-mail and phone are seen."""

    shows = forms.MultipleChoiceField(
        label="What may be seen",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Choose e-mail, phone or both.",
            "invalid_choice": "Choose e-mail, phone or both.",
        },
    )

    def __init__(self, *args: Any, user: User, asks_contact: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not asks_contact:
            del self.fields["shows"]
            return
        choices = [("email", f"E-mail: {user.email}")]
        if user.phone:
            choices.append(("phone", f"Phone: {user.phone}"))
        self.fields["shows"].choices = choices  # type: ignore[attr-defined]
