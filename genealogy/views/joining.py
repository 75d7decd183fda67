"""Joining: from an invitation to the own account, on any device, step by step.

The device keeps a signed cookie that names the enrolment. One from before the link was opened
works no more afterwards: whoever typed a stranger's address sees nothing of what he types.
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.services.registration import user_of_address
from accounts.throttling import at_most
from genealogy.forms.enrolment import FinishForm
from genealogy.forms.referrals import InvitationForm
from genealogy.models import Distributor, Enrolment
from genealogy.services import enrolment_links, enrolments, referrals
from genealogy.services.completion import StepRefused, complete_enrolment
from genealogy.services.enrolment import EnrolmentRefused
from genealogy.services.enrolment_links import LinkRefused
from genealogy.services.enrolment_steps import (
    Step,
    first_obstacle,
    is_open,
    steps_for_person,
    texts_to_show,
)
from genealogy.services.first_orders import first_orders
from genealogy.services.referrals import Claim, ReferralRefused
from genealogy.views.enrolment_steps import Seat, page, person_form, saved, take_step

SALT = "genealogy.enrolment"
COOKIE = "enrolment"
DAY = 86_400


# What the device knows


def remember(response: HttpResponse, enrolment: Enrolment) -> HttpResponse:
    response.set_cookie(
        COOKIE,
        signing.dumps([enrolment.number, enrolment.is_confirmed], salt=SALT),
        max_age=settings.ENROLMENT_OPEN_DAYS * DAY,
        httponly=True,
        samesite="Lax",
        secure=not settings.DEVELOPMENT,
    )
    return response


def forget(response: HttpResponse) -> HttpResponse:
    response.delete_cookie(COOKIE, samesite="Lax")
    return response


def remembered(request: HttpRequest) -> Enrolment | None:
    """The enrolment under way that this device may go on with."""
    try:
        number, is_confirmed = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=settings.ENROLMENT_OPEN_DAYS * DAY
        )
    except (signing.BadSignature, ValueError, TypeError):
        return None
    enrolment = Enrolment.objects.with_people().filter(number=number).first()
    if enrolment is None or not enrolment.is_under_way:
        return None
    return enrolment if enrolment.is_confirmed == is_confirmed else None


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _is_with_us(user: User) -> bool:
    """Staff, or a distributor already."""
    return user.is_staff or Distributor.objects.filter(user=user).exists()


def _seat(enrolment: Enrolment, user: User | None) -> Seat:
    steps = steps_for_person(enrolment)
    return Seat(
        enrolment=enrolment,
        steps=steps,
        obstacle=first_obstacle(enrolment, steps),
        url=lambda step: reverse("genealogy:join_step", args=[step]),
        layout="genealogy/enrolment/card.html",
        user=user,
    )


# The beginning


@login_not_required
@at_most(30, seconds=60)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """Whose invitation it is: the code, then the name behind it, before anything else is asked."""
    user = _user(request)
    if user and _is_with_us(user):
        return _apart(
            render(request, "genealogy/enrolment/already.html", {"is_staff": user.is_staff})
        )
    if not is_open():
        return _apart(render(request, "genealogy/enrolment/not_open.html"))
    begun = remembered(request)
    typed = request.POST if request.method == "POST" else request.GET
    if begun and "code" not in typed and "other" not in typed:
        return redirect(_where(_seat(begun, user)))
    form = InvitationForm(typed if typed.get("code") or request.method == "POST" else None)
    claim = _claim(request, form, is_remembered_too="other" not in typed)
    if claim and request.method == "POST" and "confirmed" in request.POST:
        return _begin(claim, begun)
    facts = {"form": form, "claim": claim, "begun": begun}
    status = 422 if form.errors else 200
    return _apart(render(request, "genealogy/enrolment/start.html", facts, status=status))


def _claim(request: HttpRequest, form: InvitationForm, *, is_remembered_too: bool) -> Claim | None:
    cookie = request.COOKIES.get(referrals.COOKIE, "")
    if not form.is_bound:
        return referrals.find_claim(cookie=cookie) if is_remembered_too else None
    if not form.is_valid():
        return None
    try:
        claim = referrals.find_claim(code=form.cleaned_data["code"], cookie=cookie)
    except ReferralRefused as refused:
        form.add_error("code", str(refused))
        return None
    if claim is None:
        form.add_error("code", "A code has letters and digits.")
    return claim


def _begin(claim: Claim, begun: Enrolment | None) -> HttpResponse:
    if begun and not begun.is_sign_in and not begun.started_by_id:
        enrolment = enrolments.change_sponsor(enrolment=begun, claim=claim)
    else:
        enrolment = enrolments.start_enrolment(claim=claim, started_by=None)
    return remember(redirect("genealogy:join_step", step=Step.YOU), enrolment)


def _apart(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex"
    return response


# The message and its link


@login_not_required
@at_most(30, seconds=60)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join_message(request: HttpRequest) -> HttpResponse:
    """That a message is on its way, whatever is known of the address; posted, another one."""
    enrolment = remembered(request)
    if enrolment is None:
        return redirect("genealogy:join")
    if enrolment.is_confirmed or not enrolment.email:
        return redirect("genealogy:join_step", step=Step.YOU)
    if request.method == "POST":
        try:
            enrolment_links.invite(enrolment=enrolment, actor=None)
            messages.success(request, f"Another message to {enrolment.email} is on its way.")
        except EnrolmentRefused as refused:
            messages.error(request, str(refused))
        return redirect("genealogy:join_message")
    seat = _seat(enrolment, _user(request))
    facts = {"days": settings.ENROLMENT_LINK_DAYS}
    return page(request, seat, Step.YOU, None, "message.html", **facts)


@login_not_required
@at_most(30, seconds=60)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join_link(request: HttpRequest, token: str) -> HttpResponse:
    """Behind the link of a message. The button, not the visit, says whose address it is: programs
    that look at links before people do change nothing."""
    if request.method == "POST" and "renew" in request.POST:
        return _renewed(request, token)
    try:
        if request.method == "POST":
            enrolment = enrolment_links.confirm(token=token)
            return remember(redirect("genealogy:join_step", step=Step.YOU), enrolment)
        enrolment = enrolment_links.enrolment_behind(token)
    except LinkRefused as refused:
        facts = {"why": str(refused), "may_be_renewed": refused.may_be_renewed}
        return _apart(render(request, "genealogy/enrolment/link_closed.html", facts, status=410))
    sponsor = enrolment.sponsor
    facts = {"enrolment": enrolment, "sponsor": sponsor.display_name if sponsor else ""}
    return _apart(render(request, "genealogy/enrolment/link.html", facts))


def _renewed(request: HttpRequest, token: str) -> HttpResponse:
    try:
        enrolment_links.renew(token=token)
        why = "Another message is on its way, with a link that works."
    except EnrolmentRefused as refused:
        why = str(refused)
    return _apart(render(request, "genealogy/enrolment/link_closed.html", {"why": why}))


# The steps


@login_not_required
@at_most(60, seconds=60)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join_step(request: HttpRequest, step: str) -> HttpResponse:
    """A step of the enrolment that this device remembers."""
    if step not in Step.values:
        raise Http404
    enrolment, user = remembered(request), _user(request)
    if enrolment is None:
        messages.warning(request, "Nothing is under way on this device. Begin here, or open the "
                         "link of the message that was sent to you.")  # fmt: skip
        return forget(redirect("genealogy:join"))
    account = user_of_address(enrolment.email) if enrolment.is_confirmed else None
    if enrolment.is_confirmed and account != user:
        facts = {"enrolment": enrolment, "account": account}
        return render(request, "genealogy/enrolment/sign_in.html", facts)
    if user and _is_with_us(user):
        return redirect("genealogy:join")
    seat = _seat(enrolment, user)
    if seat.reaches(Step(step)) and step in _OWN_PAGES:
        return _OWN_PAGES[Step(step)](request, seat)
    if not seat.reaches(Step(step)) and seat.current == Step.YOU:
        return redirect(_where(seat))
    return take_step(request, seat, Step(step))


def _where(seat: Seat) -> str:
    """Where somebody goes on who comes back."""
    waits = seat.current == Step.YOU and seat.enrolment.email and not seat.enrolment.is_confirmed
    return reverse("genealogy:join_message") if waits else seat.url(seat.current)


def _you(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Who it is. A new address gets a message; the one of the signed-in account needs none."""
    form = person_form(request, seat)
    if seat.user and not seat.enrolment.is_confirmed:
        form.fix_email(seat.user.email, "The address of your account.")
    if request.method == "POST" and saved(form, lambda: _write(seat, form.person)):
        seat.enrolment.refresh_from_db()
        if not seat.enrolment.is_confirmed:
            return redirect("genealogy:join_message")
        return remember(redirect(seat.after(Step.YOU)), seat.enrolment)
    return page(request, seat, Step.YOU, form)


def _write(seat: Seat, person: enrolments.Person) -> None:
    enrolment = enrolments.write_person(enrolment=seat.enrolment, person=person, by=None)
    if enrolment.is_confirmed:
        return
    if seat.user and seat.user.email_verified:
        enrolment_links.confirm_by_sign_in(enrolment=enrolment, user=seat.user)
    elif enrolment.link_sent_at is None:
        enrolment_links.invite(enrolment=enrolment, actor=None)


def _finish(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Everything once more, the password, and the whole of it carried out."""
    enrolment = seat.enrolment
    data = request.POST if request.method == "POST" else None
    form = FinishForm(data, enrolment=enrolment, account=seat.user)
    if data is not None and form.is_valid():
        try:
            complete_enrolment(enrolment=enrolment, account=seat.user, password=form.password)
            return _landed(request, seat, form)
        except StepRefused as refused:
            messages.warning(request, str(refused))
            return redirect(seat.url(refused.step))
        except EnrolmentRefused as refused:
            form.add_error(None, str(refused))
    agreed = set(enrolment.agreed_to.all())
    facts: dict[str, Any] = {
        "texts": [text for text in texts_to_show(enrolment) if text in agreed],
        "summary": first_orders().summary(enrolment.order_lines or []),
    }
    return page(request, seat, Step.FINISH, form, "finish.html", **facts)


def _landed(request: HttpRequest, seat: Seat, form: FinishForm) -> HttpResponse:
    """Signed in, under a new session key, on the page that was chosen.

    The password is asked of the account: who presses twice is signed in by it, nobody without it.
    """
    email = seat.enrolment.email
    user = seat.user or authenticate(request, email=email, password=form.password)
    if user is None:
        return forget(redirect("account_login"))
    if seat.user:
        request.session.cycle_key()
    else:
        login(request, user)
    distributor = Distributor.objects.get(user=user)
    messages.success(request, f"You are distributor {distributor.number} from now on.")
    is_now = form.cleaned_data["papers"] == "now"
    return forget(redirect("compliance:identity" if is_now else "home"))


_OWN_PAGES = {Step.YOU: _you, Step.FINISH: _finish}


@login_not_required
@at_most(30, seconds=60)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join_stop(request: HttpRequest) -> HttpResponse:
    """Stop for good: what was typed is deleted at once."""
    enrolment = remembered(request)
    if enrolment is None:
        return redirect("genealogy:join")
    if request.method == "POST":
        enrolments.cancel_enrolment(
            enrolment=enrolment, actor=None, reason="The person stopped it."
        )
        messages.success(request, "Your enrolment is stopped, and what you typed is deleted.")
        return forget(redirect("genealogy:join"))
    seat = _seat(enrolment, _user(request))
    return page(request, seat, seat.current, None, "stop.html")
