"""Invitations: the public page behind a link, and the distributor's own page about his code."""

import io
from typing import Any

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.throttling import at_most
from genealogy.forms.referrals import InvitationForm, RenewCodeForm
from genealogy.models import Distributor, ReferralClick, ReferralCode, ReferralProgram
from genealogy.queries.referrals import PAGE, funnel, referrals_of
from genealogy.services.referral_codes import current_code, normalised, renew_code
from genealogy.services.referrals import COOKIE, click_of, cookie_for, record_click, why_not


@login_not_required
@at_most(30, seconds=60)
@never_cache
@require_safe
def invitation(request: HttpRequest, code: str) -> HttpResponse:
    """Behind a link: who invites, and the code, which this device remembers for some days.

    A code that nobody has is 404, a closed one 410, each with a page that says so.
    """
    program = ReferralProgram.current()
    codes = ReferralCode.objects.select_related("distributor__user")
    found = codes.filter(code=normalised(code)).first()
    if found is None:
        return _asking(request, "genealogy/invitation_unknown.html", 404)
    if why := why_not(found):
        return _asking(request, "genealogy/invitation_closed.html", 410, why=why)
    click = _click(request, found)
    is_kept = click is not None and request.headers.get("Sec-GPC") != "1"
    facts = {"code": found, "is_kept": is_kept, "days": program.cookie_days}
    response = _apart(render(request, "genealogy/invitation.html", facts))
    if click and is_kept:
        _remember(response, cookie_for(click), program.cookie_days)
    return response


def _click(request: HttpRequest, code: ReferralCode) -> ReferralClick | None:
    """This visit as a click; a page that is loaded again is the same one."""
    former = click_of(request.COOKIES.get(COOKIE, ""))
    if former and former.code_id == code.pk:
        return former
    if request.method == "HEAD":
        return None
    return record_click(code, request.headers.get("User-Agent", ""))


def _remember(response: HttpResponse, value: str, days: int) -> None:
    response.set_cookie(
        COOKIE,
        value,
        max_age=days * 86400,
        httponly=True,
        samesite="Lax",
        secure=not settings.DEVELOPMENT,
    )


def _asking(request: HttpRequest, template: str, status: int, **facts: Any) -> HttpResponse:
    return _apart(render(request, template, {"form": InvitationForm(), **facts}, status=status))


def _apart(response: HttpResponse) -> HttpResponse:
    """Links are for people who were given them, not for search engines."""
    response["X-Robots-Tag"] = "noindex"
    return response


@login_not_required
@at_most(30, seconds=60)
@require_safe
def invitation_search(request: HttpRequest) -> HttpResponse:
    """The code somebody types instead of following a link."""
    if code := normalised(request.GET.get("code", "")):
        return redirect("genealogy:invitation", code=code[:24])
    return _asking(request, "genealogy/invitation_search.html", 200)


@login_not_required
@require_POST
def invitation_forget(request: HttpRequest) -> HttpResponse:
    """Take the code off this device."""
    messages.success(request, "This device has forgotten the code.")
    response = redirect("genealogy:invitation_search")
    response.delete_cookie(COOKIE, samesite="Lax")
    return response


# The distributor's own page


def _own(request: HttpRequest) -> Distributor:
    distributor = Distributor.objects.filter(user=request.user.pk).first()
    if distributor is None:
        raise Http404
    return distributor


def _link(request: HttpRequest, code: ReferralCode) -> str:
    return request.build_absolute_uri(reverse("genealogy:invitation", args=[code.code]))


@require_safe
def referral_list(request: HttpRequest) -> HttpResponse:
    """Code, link, picture, what came of it, and who; staff have their own list."""
    user: Any = request.user
    if user.is_staff and user.has_perm("genealogy.view_referral"):
        return redirect("admin:genealogy_referral_changelist")
    distributor = _own(request)
    program = ReferralProgram.current()
    tiers = range(1, program.max_tier_level + 1)
    asked = request.GET.get("tier", "1")
    tier = int(asked) if asked in {str(n) for n in tiers} else 1
    rows = referrals_of(distributor, tier, user)
    if before := request.GET.get("before", ""):
        last = get_object_or_404(rows, referred__number=before)
        rows = rows.filter(pk__lt=last.pk)
    found = list(rows[: PAGE + 1])
    here = f"{request.path}?tier={tier}"
    facts = {
        "tier": tier,
        "tiers": [(n, f"{request.path}?tier={n}") for n in tiers],
        "referrals": found[:PAGE],
        "older": f"{here}&before={found[PAGE - 1].referred.number}" if len(found) > PAGE else "",
        "newer": here if before else "",
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "genealogy/_referrals.html", facts)
    code = current_code(distributor)
    facts |= {
        "program": program,
        "code": code,
        "is_open": bool(program.is_open and code and code.is_open),
        "link": _link(request, code) if code else "",
        "funnel": funnel(distributor),
        "former": distributor.referral_codes.filter(is_current=False)[:10],
    }
    return render(request, "genealogy/referrals.html", facts)


@require_safe
def referral_qr(request: HttpRequest) -> HttpResponse:
    """The own link as a QR code, black on white with its quiet zone, to be shown or printed."""
    code = current_code(_own(request))
    if code is None:
        raise Http404
    drawn = io.BytesIO()
    picture = segno.make(_link(request, code), error="m", micro=False)
    picture.save(drawn, kind="svg", scale=8, border=4, dark="#000", light="#fff", omitsize=False)
    response = HttpResponse(drawn.getvalue(), content_type="image/svg+xml")
    response["Cache-Control"] = "private, no-cache"
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="invitation-{code.code}.svg"'
    return response


@require_http_methods(["GET", "POST"])
def referral_renew(request: HttpRequest) -> HttpResponse:
    """A new code in place of the present one, after the question what becomes of that."""
    distributor = _own(request)
    code = current_code(distributor)
    form = RenewCodeForm(request.POST or None, initial={"seen": code.code if code else ""})
    if request.method == "POST" and form.is_valid():
        new = renew_code(
            distributor=distributor,
            actor=_signed_in(request),
            close_former=form.cleaned_data["former"] == "close",
            seen=form.cleaned_data["seen"],
        )
        messages.success(request, f"Your code is {new} now.")
        return redirect("genealogy:referrals")
    facts = {"form": form, "code": code}
    status = 422 if form.errors else 200
    return render(request, "genealogy/referral_renew.html", facts, status=status)


def _signed_in(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
