"""The steps of an enrolment as pages, for the person and for a sponsor: one address a step, each
checked where it is posted, none reached before the ones it needs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from accounts.models import User
from genealogy.forms.enrolment import AgreementForm, PersonForm, PlacementForm, SponsorPlacementForm
from genealogy.models import Enrolment
from genealogy.permissions import Scope
from genealogy.queries import legs_in_use, name_of_leg
from genealogy.services import enrolments
from genealogy.services.enrolment import EnrolmentRefused
from genealogy.services.enrolment_steps import Obstacle, Step, texts_to_show
from genealogy.services.first_orders import first_orders
from genealogy.services.placement import free_places, the_rule

Placement = Enrolment.Placement


@dataclass
class Seat:
    """Who sits at an enrolment, and where his steps are. `by` is the sponsor; None is the person
    himself."""

    enrolment: Enrolment
    steps: list[Step]
    obstacle: Obstacle | None
    url: Callable[[Step], str]
    layout: str
    by: User | None = None
    user: User | None = None
    titles: dict[Step, str] = field(default_factory=dict)

    @property
    def current(self) -> Step:
        """How far one has come: the first step that wants something, else the last."""
        return self.obstacle.step if self.obstacle else self.steps[-1]

    def reaches(self, step: Step) -> bool:
        return step in self.steps and self.steps.index(step) <= self.steps.index(self.current)

    def after(self, step: Step) -> str:
        return self.url(self.steps[self.steps.index(step) + 1])

    def before(self, step: Step) -> str:
        place = self.steps.index(step)
        return self.url(self.steps[place - 1]) if place else ""

    def title(self, step: Step) -> str:
        return self.titles.get(step, str(step.label))

    @cached_property
    def sponsor_name(self) -> str:
        sponsor = self.enrolment.sponsor
        return sponsor.display_name if sponsor else ""

    def progress(self, here: Step) -> list[dict[str, str]]:
        """The list of steps: done, now, or next, with the address of those that can be opened."""
        return [
            {
                "title": self.title(step),
                "state": "now" if step == here else "done" if self._is_done(step) else "next",
                "url": self.url(step) if step != here and self.reaches(step) else "",
            }
            for step in self.steps
        ]

    def _is_done(self, step: Step) -> bool:
        return self.steps.index(step) < self.steps.index(self.current)


def take_step(request: HttpRequest, seat: Seat, step: Step) -> HttpResponse:
    """The page of a step; back to the first that wants something where this one is too early."""
    if not seat.reaches(step):
        if seat.obstacle:
            messages.warning(request, seat.obstacle.words)
        return redirect(seat.url(seat.current))
    return _PAGES[step](request, seat)


def page(
    request: HttpRequest,
    seat: Seat,
    step: Step,
    form: Form | None,
    template: str = "step.html",
    **facts: Any,
) -> HttpResponse:
    context = {
        "seat": seat,
        "layout": seat.layout,
        "enrolment": seat.enrolment,
        "title": seat.title(step),
        "progress": seat.progress(step),
        "back": seat.before(step),
        "form": form,
        **facts,
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, f"genealogy/enrolment/{template}", context, status=status)


def saved(form: Form, save: Callable[[], object]) -> bool:
    """Whether the form is right and could be written; what was refused stands on it."""
    if not form.is_valid():
        return False
    try:
        save()
    except EnrolmentRefused as refused:
        form.add_error(None, str(refused))
    return not form.errors


# The steps


def sponsor_page(request: HttpRequest, seat: Seat) -> HttpResponse:
    words = seat.obstacle.words if seat.obstacle and seat.obstacle.step == Step.SPONSOR else ""
    facts = {"closed": words, "next": seat.after(Step.SPONSOR)}
    return page(request, seat, Step.SPONSOR, None, "sponsor.html", **facts)


def person_form(request: HttpRequest, seat: Seat) -> PersonForm:
    return PersonForm(
        request.POST if request.method == "POST" else None,
        enrolment=seat.enrolment,
        is_sponsor=seat.by is not None,
    )


def you_page(request: HttpRequest, seat: Seat) -> HttpResponse:
    form = person_form(request, seat)
    if request.method == "POST" and saved(
        form,
        lambda: enrolments.write_person(enrolment=seat.enrolment, person=form.person, by=seat.by),
    ):
        return redirect(seat.after(Step.YOU))
    return page(request, seat, Step.YOU, form)


def place_page(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Where to in the placement tree. A place by hand is offered to the sponsor alone."""
    data = request.POST if request.method == "POST" else None
    form: Any = (_sponsor_placement if seat.by else _own_placement)(seat, data)
    if data is not None and saved(form, lambda: _choose_place(seat, *form.chosen)):
        return redirect(seat.after(Step.PLACE))
    lead = (
        "Everybody has a place in a second tree, beside the sponsor. What it means stands in the "
        "plan."
    )
    return page(request, seat, Step.PLACE, form, lead=lead)


def _choose_place(seat: Seat, choice: str, place: Any) -> None:
    enrolments.choose_place(enrolment=seat.enrolment, choice=choice, place=place, by=seat.by)


def _own_placement(seat: Seat, data: Any) -> PlacementForm:
    choices = _choices(f"{seat.sponsor_name} chooses for me")
    initial = {"choice": seat.enrolment.placement}
    return PlacementForm(data, choices=choices, initial=initial)


def _sponsor_placement(seat: Seat, data: Any) -> SponsorPlacementForm:
    sponsor, width = seat.enrolment.sponsor, legs_in_use()
    places = free_places(sponsor) if sponsor else []
    proposed = [
        (place, f"{name_of_leg(place.leg or 1, width)} of {place.parent}") for place in places
    ]
    return SponsorPlacementForm(
        data,
        choices=_choices("I choose later, on the page of those who wait"),
        scope=Scope(seat.by),  # type: ignore[arg-type]
        proposed=proposed,
        initial={"choice": _chosen_before(seat.enrolment, places)},
    )


def _choices(waiting: str) -> list[tuple[str, str]]:
    rule = the_rule()
    by_rule = (str(Placement.RULE), "By the company's rule, at once")
    if rule is None or rule.waiting_days == 0:
        return [by_rule]
    days = rule.waiting_days
    time = (
        ""
        if days is None
        else f", within {days} {'day' if days == 1 else 'days'}; then the rule does"
    )
    return [(str(Placement.WAIT), f"{waiting}{time}"), by_rule]


def _chosen_before(enrolment: Enrolment, places: list[Any]) -> str:
    """The radio that was chosen; one of the places proposed now, if it is among them."""
    if enrolment.placement != Placement.BY_HAND:
        return enrolment.placement
    wanted = (enrolment.place_parent_id, enrolment.place_leg)
    numbers = (str(n) for n, place in enumerate(places) if (place.parent.pk, place.leg) == wanted)
    return next(numbers, "")


def agreement_page(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The texts in force in full, each with its own box."""
    data = request.POST if request.method == "POST" else None
    form = AgreementForm(data, texts=texts_to_show(seat.enrolment))
    if data is not None and saved(
        form, lambda: enrolments.agree(enrolment=seat.enrolment, texts=form.agreed)
    ):
        return redirect(seat.after(Step.AGREEMENT))
    is_done = seat.reaches(Step.AGREEMENT) and seat.current != Step.AGREEMENT
    facts = {"next": seat.after(Step.AGREEMENT) if is_done else ""}
    return page(request, seat, Step.AGREEMENT, form, "agreement.html", **facts)


def order_page(request: HttpRequest, seat: Seat) -> HttpResponse:
    """What is ordered along with it. A search keeps what was typed."""
    offer, search = first_orders(), request.GET.get("q", "").strip()[:100]
    data = request.POST if request.method == "POST" else None
    form = offer.form(data, seat.enrolment.order_lines or [], search)
    if data is not None and saved(
        form, lambda: enrolments.choose_order(enrolment=seat.enrolment, lines=form.lines)
    ):
        if data.get("go") == "search":
            return redirect(f"{seat.url(Step.ORDER)}?{_query(data.get('q', ''))}")
        return redirect(seat.after(Step.ORDER))
    summary = offer.summary(seat.enrolment.order_lines or [])
    facts = {"offer": offer, "search": search, "summary": summary}
    return page(request, seat, Step.ORDER, form, "order.html", **facts)


def _query(words: str) -> str:
    return urlencode({"q": words.strip()[:100]})


_PAGES: dict[Step, Callable[[HttpRequest, Seat], HttpResponse]] = {
    Step.SPONSOR: sponsor_page,
    Step.YOU: you_page,
    Step.PLACE: place_page,
    Step.AGREEMENT: agreement_page,
    Step.ORDER: order_page,
}
