"""The page of privacy and contact: what one agreed to, and changing one's mind."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.forms import AgreeForm
from accounts.models import Consent, ConsentText
from accounts.privacy import agree_form, asked_of, purposes_of
from accounts.services.consents import ConsentRefused, give, text_in_force, withdraw

ANSWERS = 100


@require_safe
@never_cache
def privacy(request: HttpRequest) -> HttpResponse:
    """What the reader agreed to, what he is asked, and all he ever answered."""
    return _privacy_page(request)


def _privacy_page(request: HttpRequest, bound: dict[str, AgreeForm] | None = None) -> HttpResponse:
    asked = asked_of(request.user, bound=bound)
    answers = Consent.objects.filter(user=request.user).select_related("text", "actor")
    context = {
        "asked": asked,
        "again": [one for one in asked if one.is_asked_again],
        "answers": answers[:ANSWERS],
        "wrong": next((one.form for one in asked if one.form.errors), None),
    }
    return render(request, "accounts/privacy.html", context)


@require_safe
def consent_text(request: HttpRequest, purpose: str, version: str) -> HttpResponse:
    """A text alone, to be read and printed, with what the reader last answered to it."""
    text = _text(purpose, version)
    answer = Consent.objects.filter(user=request.user, text=text).first()
    in_force = text_in_force(text.purpose)
    context = {"text": text, "answer": answer, "in_force": in_force}
    return render(request, "accounts/consent_text.html", context)


@require_POST
def consent_give(request: HttpRequest, purpose: str, version: str) -> HttpResponse:
    """Agree to the text that was read; one that is no longer in force is not agreed to."""
    text = _text(purpose, version)
    if purpose not in purposes_of(request.user):
        raise Http404("Not asked of you.")
    form = agree_form(request.user, purpose, data=request.POST)
    if not form.is_valid():
        return _privacy_page(request, {purpose: form})
    shows = form.cleaned_data.get("shows", ())
    try:
        give(user=request.user, text=text, actor=request.user, channel="portal", shows=shows)
    except ConsentRefused as refused:
        messages.error(request, refused.messages[0])
    else:
        messages.success(request, f"You agreed to “{text.title}”, version {text.version}.")
    return redirect("accounts:privacy")


@require_POST
def consent_withdraw(request: HttpRequest, purpose: str) -> HttpResponse:
    """Take back what was given, whichever text it was given to."""
    if purpose not in purposes_of(request.user):
        raise Http404("No such consent.")
    label = ConsentText.Purpose(purpose).label
    try:
        taken = withdraw(user=request.user, purpose=purpose, actor=request.user, channel="portal")
    except ConsentRefused as refused:
        messages.error(request, refused.messages[0])
    else:
        done = (
            "You took it back. It no longer counts." if taken else "There was nothing to take back."
        )
        messages.success(request, f"{label}: {done}")
    return redirect("accounts:privacy")


def _text(purpose: str, version: str) -> ConsentText:
    """A text that is or was in force; one to come is not shown yet."""
    begun = ConsentText.objects.filter(effective_from__lte=timezone.localdate())
    return get_object_or_404(begun, purpose=purpose, version=version)
