"""Consent texts, published once after a look at them as people will read them; and the answers."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts.admin_base import ReadOnlyAdmin
from accounts.models import Consent, ConsentText, User
from accounts.queries import agreed_to
from accounts.services.consents import ConsentRefused, give, publish_text, text_in_force, withdraw

TEMPLATES = "admin/accounts/consenttext"


class ConsentTextForm(forms.ModelForm):
    """A new version of a text. `publish` does it; until then nothing is kept."""

    class Meta:
        model = ConsentText
        fields = ("purpose", "version", "title", "effective_from", "body")
        widgets = {
            "body": forms.Textarea(attrs={"rows": 16}),
            "effective_from": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        }
        labels = {"effective_from": "In force from"}
        help_texts = {
            "version": "As people will see it, such as 2 or 2026-11. Each version is used once.",
            "effective_from": "From this day on everybody is asked anew, and what was agreed to "
            "before no longer counts.",
        }

    def clean_effective_from(self) -> Any:
        day = self.cleaned_data["effective_from"]
        if day < timezone.localdate():
            raise forms.ValidationError("A text cannot come into force on a day that is over.")
        return day

    def publish(self, actor: User) -> ConsentText | None:
        """None where it was refused after all; the form says why."""
        try:
            return publish_text(actor=actor, **self.cleaned_data)
        except ConsentRefused as refused:
            self.add_error(None, refused)
            return None


class ConsentTextAdmin(ReadOnlyAdmin):
    """The texts by purpose, newest first. A published text is read here, never changed."""

    list_display = ("title", "purpose", "version", "effective_from", "published_by", "published_at")
    list_filter = ("purpose",)
    list_select_related = ("published_by",)
    search_fields = ("title", "=version")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("accounts.add_consenttext"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Write a text, look at it as people will read it, publish it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        start = {"purpose": request.GET.get("purpose"), "effective_from": timezone.localdate()}
        form = ConsentTextForm(request.POST or None, initial=start)
        preview = None
        if request.method == "POST" and form.is_valid():
            if "publish" in request.POST and (text := form.publish(request.user)):  # type: ignore[arg-type]
                messages.success(request, f"{text} is published.")
                return redirect("admin:accounts_consenttext_change", text.pk)
            preview = form.instance if form.is_valid() and "edit" not in request.POST else None
        context = {
            **self.admin_site.each_context(request),
            "title": "Publish a text",
            "form": form,
            "text": preview,
            "replaced": replaced_by(preview) if preview else None,
        }
        return TemplateResponse(request, f"{TEMPLATES}/new.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A text as it is read, with the other versions of its purpose."""
        text = get_object_or_404(ConsentText.objects.select_related("published_by"), pk=object_id)
        if not self.has_view_permission(request, text):
            raise PermissionDenied
        versions = ConsentText.objects.filter(purpose=text.purpose)
        context = {
            **self.admin_site.each_context(request),
            "title": str(text),
            "text": text,
            "versions": versions,
            "in_force": text_in_force(text.purpose),
            "is_coming": text.effective_from > timezone.localdate(),
            "agreed": agreed_to(text),
            "may_publish": self.has_add_permission(request),
        }
        return TemplateResponse(request, f"{TEMPLATES}/text.html", context)


def replaced_by(text: ConsentText) -> tuple[ConsentText, int] | None:
    """The text that one to be published takes the place of, and how many agree to it now."""
    before = text_in_force(text.purpose, text.effective_from)
    return (before, agreed_to(before)) if before else None


class PaperForm(forms.Form):
    """An answer that somebody gave on paper, written down by staff."""

    email = forms.EmailField(label="Whose", help_text="The e-mail address used to sign in.")
    text = forms.ModelChoiceField(ConsentText.objects.none(), label="Text that was read")
    answer = forms.ChoiceField(
        choices=[("yes", "Agreed"), ("no", "Taken back")], widget=forms.RadioSelect
    )
    shows = forms.MultipleChoiceField(
        label="What may be seen",
        choices=[("email", "E-mail"), ("phone", "Phone")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Of a published contact, as the paper says.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        begun = ConsentText.objects.filter(effective_from__lte=timezone.localdate())
        self.fields["text"].queryset = begun  # type: ignore[attr-defined]

    def clean_email(self) -> User:
        user = User.objects.filter(email=self.cleaned_data["email"].lower()).first()
        if user is None:
            raise forms.ValidationError("Nobody signs in with this address.")
        return user

    def write_down(self, actor: User) -> bool:
        """False where it was refused; the form says why."""
        said, user = self.cleaned_data, self.cleaned_data["email"]
        paper: dict[str, Any] = {"user": user, "actor": actor, "channel": Consent.Channel.PAPER}
        try:
            if said["answer"] == "yes":
                give(text=said["text"], shows=said["shows"], **paper)
            elif withdraw(purpose=said["text"].purpose, **paper) is None:
                raise ConsentRefused("There was nothing to take back.")
        except ConsentRefused as refused:
            self.add_error(None, refused)
            return False
        return True


class ConsentAdmin(ReadOnlyAdmin):
    """Every answer, newest first. Staff add what came on paper; nobody changes one."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("accounts.add_consent"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Write down an answer that was given on paper."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = PaperForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and form.write_down(request.user):  # type: ignore[arg-type]
            messages.success(request, f"{form.cleaned_data['text']}: written down.")
            return redirect("admin:accounts_consent_changelist")
        title = "Write down an answer on paper"
        context = {**self.admin_site.each_context(request), "title": title, "form": form}
        return TemplateResponse(request, "admin/accounts/consent/new.html", context)

    list_display = ("at", "user", "text", "is_given", "channel", "actor")
    list_filter = ("text__purpose", "is_given", "channel")
    list_select_related = ("user", "text", "actor")
    search_fields = ("user__email", "=text__version")
