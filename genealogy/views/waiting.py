"""The holding tank, as a sponsor sees it: who of his waits for a place, and choosing one."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from genealogy.forms import PlaceForm
from genealogy.models import Distributor, Waiting
from genealogy.permissions import Scope
from genealogy.queries import legs_in_use, name_of_leg
from genealogy.services.moves import MoveRefused
from genealogy.services.placement import free_places, place_by_hand, the_rule

SHOWN = 50


@require_safe
def waiting_list(request: HttpRequest) -> HttpResponse:
    """Those whom the reader sponsors and who wait for a place, the most urgent first."""
    rows = _own_waiting(_sponsor(request))
    facts = {"rows": rows[:SHOWN], "total": rows.count(), "rule": the_rule()}
    return render(request, "genealogy/waiting.html", facts)


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
