"""A sponsor enrols somebody: says who it is and where to, then a message asks the person for the
rest. What the person types is not shown here."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from genealogy.forms.enrolment import PersonForm
from genealogy.forms.reason import ReasonForm
from genealogy.models import Distributor, Enrolment
from genealogy.models.enrolment import MOST_MESSAGES
from genealogy.services import enrolment_links, enrolments
from genealogy.services.enrolment import EnrolmentRefused
from genealogy.services.enrolment_steps import (
    Step,
    first_obstacle_for_sponsor,
    is_open,
    steps_for_sponsor,
)
from genealogy.services.first_orders import first_orders
from genealogy.views.enrolment_steps import Seat, page, saved, take_step

SHOWN = 50
TITLES = {Step.YOU: "Who it is", Step.PLACE: "Place", Step.FINISH: "Check and send"}


def _own(request: HttpRequest) -> tuple[User, Distributor]:
    """The signed-in distributor; others have no such page."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user, get_object_or_404(Distributor, user=request.user)


def _begun_by(request: HttpRequest, number: str) -> tuple[User, Enrolment]:
    user, _ = _own(request)
    rows = Enrolment.objects.visible_to(user).filter(started_by=user, is_sign_in=False)
    return user, get_object_or_404(rows.with_people(), number=number)


@require_safe
def enrolment_list(request: HttpRequest) -> HttpResponse:
    """The invitations that the reader sent, and how far each has come."""
    user, _ = _own(request)
    rows = Enrolment.objects.visible_to(user).filter(started_by=user, is_sign_in=False)
    facts = {
        "rows": rows.with_people().order_by("-pk")[:SHOWN],
        "total": rows.count(),
        "is_open": is_open(),
        "most": MOST_MESSAGES,
    }
    return render(request, "genealogy/enrolment/list.html", facts)


@require_http_methods(["GET", "HEAD", "POST"])
def enrolment_new(request: HttpRequest) -> HttpResponse:
    """Who is to be enrolled. Nothing is written before that is said."""
    user, sponsor = _own(request)
    data = request.POST if request.method == "POST" else None
    form = PersonForm(data, enrolment=Enrolment(), is_sponsor=True)
    begun: list[Enrolment] = []

    def begin() -> None:
        enrolment = enrolments.start_for_somebody(sponsor=sponsor, actor=user, person=form.person)
        begun.append(enrolment)

    if data is not None and is_open() and saved(form, begin):
        return redirect("genealogy:enrolment_step", number=begun[0].number, step=_second())
    facts = {"form": form, "is_open": is_open()}
    status = 422 if form.errors else 200
    return render(request, "genealogy/enrolment/new.html", facts, status=status)


def _second() -> Step:
    return steps_for_sponsor()[1]


@require_http_methods(["GET", "HEAD", "POST"])
def enrolment_step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """A step of an invitation that is not sent yet."""
    user, enrolment = _begun_by(request, number)
    if step not in Step.values:
        raise Http404
    if enrolment.status != Enrolment.Status.OPEN or not enrolment.is_under_way:
        return redirect("genealogy:enrolments")
    steps = steps_for_sponsor()
    seat = Seat(
        enrolment=enrolment,
        steps=steps,
        obstacle=first_obstacle_for_sponsor(enrolment, steps),
        url=lambda step: reverse("genealogy:enrolment_step", args=[number, step]),
        layout="genealogy/enrolment/desk.html",
        by=user,
        user=user,
        titles=TITLES,
    )
    if step == Step.FINISH and seat.reaches(Step.FINISH):
        return _send(request, seat)
    return take_step(request, seat, Step(step))


def _send(request: HttpRequest, seat: Seat) -> HttpResponse:
    """What was said once more; posted, the message goes out."""
    enrolment = seat.enrolment
    if request.method == "POST":
        return _invite(request, enrolment, seat.by)
    facts = {"summary": first_orders().summary(enrolment.order_lines or [])}
    return page(request, seat, Step.FINISH, None, "send.html", **facts)


@require_POST
def enrolment_resend(request: HttpRequest, number: str) -> HttpResponse:
    """Another message with a new link."""
    user, enrolment = _begun_by(request, number)
    return _invite(request, enrolment, user)


def _invite(request: HttpRequest, enrolment: Enrolment, user: User | None) -> HttpResponse:
    try:
        enrolment = enrolment_links.invite(enrolment=enrolment, actor=user)
        messages.success(request, f"A message to {enrolment.email} is on its way.")
    except EnrolmentRefused as refused:
        messages.error(request, str(refused))
    return redirect("genealogy:enrolments")


@require_http_methods(["GET", "HEAD", "POST"])
def enrolment_cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Take an invitation back: its link works no more, and what was typed is deleted."""
    user, enrolment = _begun_by(request, number)
    if not enrolment.is_under_way:
        return redirect("genealogy:enrolments")
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and saved(
        form,
        lambda: enrolments.cancel_enrolment(
            enrolment=enrolment, actor=user, reason=form.cleaned_data["reason"]
        ),
    ):
        messages.success(request, "The invitation is taken back.")
        return redirect("genealogy:enrolments")
    facts = {"form": form, "enrolment": enrolment}
    status = 422 if form.errors else 200
    return render(request, "genealogy/enrolment/cancel.html", facts, status=status)
