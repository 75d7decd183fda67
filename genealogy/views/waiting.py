"""The holding tank, as a sponsor sees it: who of his waits for a place, and choosing one."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from genealogy.forms.placement import BY_RULE, PlaceForm, PreferenceForm
from genealogy.models import Distributor, PlacementPreference, PlacementRule, Waiting
from genealogy.permissions import Scope
from genealogy.queries import legs_in_use, name_of_leg
from genealogy.services.moves import MoveRefused
from genealogy.services.placement import (
    free_places,
    place_by_hand,
    prefer_place,
    the_rule,
    wish_of,
)

SHOWN = 50
WISHES = 10


@require_safe
def waiting_list(request: HttpRequest) -> HttpResponse:
    """Those whom the reader sponsors and who wait for a place, the most urgent first."""
    sponsor, rule = _sponsor(request), the_rule()
    return _list_page(request, sponsor, rule, _preference_form(sponsor, rule))


@require_POST
def placement_preference(request: HttpRequest) -> HttpResponse:
    """Say where one's own newcomers go from now on, as far as the company's rule leaves it open."""
    sponsor, rule = _sponsor(request), the_rule()
    form = _preference_form(sponsor, rule, request.POST)
    if form is None:
        raise Http404("Nothing to choose.")
    if form.is_valid():
        try:
            prefer_place(
                sponsor=sponsor,
                strategy=form.cleaned_data["strategy"],
                leg=form.cleaned_data.get("leg"),
                actor=request.user,
            )
        except MoveRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            messages.success(request, "It counts for everybody who joins from now on.")
            return redirect("genealogy:waiting")
    return _list_page(request, sponsor, rule, form)


def _list_page(
    request: HttpRequest,
    sponsor: Distributor,
    rule: PlacementRule | None,
    form: PreferenceForm | None,
) -> HttpResponse:
    rows = _own_waiting(sponsor)
    said = PlacementPreference.objects.filter(distributor=sponsor)
    facts = {
        "rows": rows[:SHOWN],
        "total": rows.count(),
        "rule": rule,
        "form": form,
        "wishes": said[:WISHES] if form else [],
    }
    return render(request, "genealogy/waiting.html", facts)


def _preference_form(
    sponsor: Distributor, rule: PlacementRule | None, data: Any = None
) -> PreferenceForm | None:
    """None where the company leaves nothing to choose."""
    if rule is None or not rule.open_strategies:
        return None
    wish = wish_of(sponsor, rule)
    start = {"strategy": wish.strategy, "leg": wish.leg} if wish else {"strategy": BY_RULE}
    return PreferenceForm(data, rule=rule, initial=start)


@require_http_methods(["GET", "HEAD", "POST"])
def waiting_place(request: HttpRequest, number: str) -> HttpResponse:
    """Choose a place for somebody who waits: one that is proposed, or another in the own line."""
    sponsor = _sponsor(request)
    row = get_object_or_404(_own_waiting(sponsor), distributor__number=number)
    width = legs_in_use()
    form = PlaceForm(
        request.POST if request.method == "POST" else None,
        scope=Scope(request.user),
        proposed=[
            (place, f"{name_of_leg(place.leg or 1, width)} of {place.parent}")
            for place in free_places(sponsor)
        ],
    )
    if request.method == "POST" and form.is_valid():
        try:
            place_by_hand(distributor=row.distributor, to=form.place, actor=request.user)
        except MoveRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{row.distributor.display_name} has a place.")
            return redirect("genealogy:waiting")
    facts = {"row": row, "person": row.distributor, "form": form}
    return render(request, "genealogy/waiting_place.html", facts)


def _sponsor(request: HttpRequest) -> Distributor:
    own = Distributor.objects.filter(user=request.user).first()
    if own is None:
        raise PermissionDenied
    return own


def _own_waiting(sponsor: Distributor) -> QuerySet[Waiting]:
    rows = Waiting.objects.open().filter(distributor__sponsor=sponsor)
    return rows.select_related("distributor").order_by("until", "pk")
