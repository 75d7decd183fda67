"""Pages that can be looked at as of another day: the day is in the address, and said above."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode

from genealogy.forms.days import DayForm
from genealogy.models import GenealogyNode
from genealogy.permissions import NotThere, PastScope, Scope

KEPT = ("root", "tree", "depth", "leg", "open", "at", "columns", "view", "q")
"""What of an address stays when another day is chosen."""
PEOPLE = ("root", "open", "at")


@dataclass(frozen=True)
class Asked:
    """Who looks, at which day, and what else the address says: what each of these pages shows."""

    scope: Scope
    form: DayForm
    kept: list[tuple[str, str]]

    @property
    def past(self) -> PastScope | None:
        """The scope of another day; None for today."""
        return self.scope if isinstance(self.scope, PastScope) else None

    @property
    def facts(self) -> dict[str, Any]:
        day, closed = self.scope.day, self.form.last_closed_day
        return {
            "scope": self.scope,
            "day_form": self.form,
            "kept": self.kept,
            "kept_query": urlencode(self.kept),
            "is_last_closed": day is not None and day.on == closed and not day.known_at,
        }


def _kept(request: HttpRequest, today: Scope) -> list[tuple[str, str]]:
    """What stays of the address, without people whom the reader may not see on every day."""
    pairs = [(name, value) for name in KEPT for value in request.GET.getlist(name) if value]
    numbers = [value for name, value in pairs if name in PEOPLE]
    if not request.GET.get("on") or not numbers:
        return pairs
    nodes = GenealogyNode.objects.filter(distributor__number__in=numbers)
    seen = {
        node.distributor.number
        for node in nodes.select_related("distributor")
        if today.covers(node)
    }
    return [(name, value) for name, value in pairs if name not in PEOPLE or value in seen]


def on_a_day(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give a view what was asked, with the reader's scope of the day of the address.

    A day that cannot be is told at its field; so is that somebody whom the reader may look at today
    had no place in his line on it.
    """

    @wraps(view)
    def on_the_day(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        scope = Scope(request.user)
        if request.GET.get("known") and not scope.sees_all:
            raise PermissionDenied
        form = DayForm(request.GET, scope=scope)
        kept = _kept(request, scope)
        if not form.is_valid():
            facts = Asked(scope, form, kept).facts
            return render(request, "genealogy/day_refused.html", facts)
        if form.day:
            scope = PastScope(scope.user, day=form.day, today=scope)
        asked = Asked(scope, form, kept)
        try:
            return view(request, asked, *args, **kwargs)
        except NotThere as missing:
            facts = asked.facts | {"missing": missing.person}
            return render(request, "genealogy/day_refused.html", facts)

    return on_the_day
