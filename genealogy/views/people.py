from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.charts import Series
from genealogy import queries
from genealogy.explorer import State
from genealogy.models import GenealogyNode
from genealogy.models.node import Tree
from genealogy.permissions import PastScope, Scope
from genealogy.queries import past_lines
from genealogy.views.days import Asked, on_a_day
from genealogy.views.pages import (
    about,
    asked_root,
    beginning,
    is_fragment,
    is_reduced,
    is_spillover,
    page,
)


@require_safe
@on_a_day
def distributor_card(request: HttpRequest, asked: Asked, number: str) -> HttpResponse:
    """One distributor as others above may see him: a card, or a page around the card.

    A look at the page by staff goes into the audit trail.
    """
    scope = asked.scope
    node = scope.any_node(number)
    _refuse_reduced(scope, node)
    facts: dict[str, Any] = {
        "node": node,
        "level": scope.level_of(node),
        "is_spillover": is_spillover(scope, node),
        **about(scope, node, is_whole_page=not is_fragment(request)),
    }
    if is_fragment(request):
        facts |= {"person": node.distributor, "scope": scope}
        return render(request, "genealogy/_card.html", facts)
    if scope.sees_all and request.method == "GET":
        audit.record(actor=scope.user, action="distributor.viewed", target=node.distributor)
    if node.tree == Tree.SPONSOR:
        facts["generations"] = _generations(scope, node)
    return render(request, "genealogy/distributor.html", page(asked, node, **facts))


def _refuse_reduced(scope: Scope, node: GenealogyNode) -> None:
    """Of who left the reader's lines there is nothing further to see. Raises 404."""
    if is_reduced(scope, node):
        raise Http404("No such distributor.")


def _generations(scope: Scope, node: GenealogyNode) -> list[tuple[str, int]]:
    if isinstance(scope, PastScope):
        return past_lines.people_by_level(scope.tree(), node)
    levels = queries.generations(node)
    return [(generation.label, generation.people) for generation in levels]


@require_safe
@on_a_day
def figures(request: HttpRequest, asked: Asked) -> HttpResponse:
    """Who is new, how active each level is, how the legs compare and how the line grew.

    Of another day who stood where: volumes are not kept by day.
    """
    scope = asked.scope
    root = asked_root(request, scope)
    if root is None and not scope.sees_all:
        return render(request, "genealogy/day_refused.html", asked.facts)
    if root is None:
        return beginning(request, asked, "genealogy:figures")
    if asked.past:
        _refuse_reduced(scope, root)
        facts = page(asked, root, view="figures", **_figures_then(asked.past, root))
        return render(request, "genealogy/figures_then.html", facts)
    placement = GenealogyNode.objects.filter(
        distributor=root.distributor_id, tree=Tree.PLACEMENT
    ).first()
    if placement and not scope.covers(placement):
        placement = None
    shown = queries.figures_of(root, placement, timezone.localdate())
    facts = page(asked, root, figures=shown, view="figures", **_charts(shown))
    return render(request, "genealogy/figures.html", facts | _leads(root, shown))


def _figures_then(scope: PastScope, root: GenealogyNode) -> dict[str, Any]:
    tree, places = scope.tree(), scope.tree(Tree.PLACEMENT)
    who, placement_legs = root.distributor_id, []
    if places.has(who) and scope.reaches(who, Tree.PLACEMENT):
        placement_legs = past_lines.legs(places, who, scope.reduced)
    levels, growth = past_lines.levels_and_growth(tree, root)
    return {
        "people": root.downline,
        "levels": levels,
        "sponsor_legs": past_lines.legs(tree, who, scope.reduced),
        "placement_legs": placement_legs,
        "growth": _plotted_growth(growth),
    }


def _charts(figures: queries.Figures) -> dict[str, Any]:
    """What the charts plot, in the shapes that accounts.charts draws."""
    active = [(level.label, Decimal(level.active)) for level in figures.generations]
    quiet = [(level.label, Decimal(level.people - level.active)) for level in figures.generations]
    return {
        "levels": [Series("With PV this period", active), Series("Without PV", quiet)],
        "sponsor_legs": [_plotted(leg) for leg in figures.sponsor_legs],
        "placement_legs": [_plotted(leg) for leg in figures.placement_legs],
        "growth": _plotted_growth(figures.growth),
    }


def _plotted_growth(months: list[queries.Month]) -> list[tuple[str, int]]:
    return [(f"{month.first_day:%b %y}", month.people) for month in months]


def _plotted(leg: queries.Leg) -> tuple[str, Decimal]:
    return f"{leg.place}: {leg.name}" if leg.place else leg.name, leg.volume


def _leads(root: GenealogyNode, figures: queries.Figures) -> dict[str, str]:
    """What stands beside the figures on top, and the lists they lead to."""
    state = State(root=root.distributor.number)
    share = round(100 * figures.active / figures.people) if figures.people else 0
    return {
        "new_note": f"{figures.new_last_week:,} in the week before",
        "new_url": state.url(joined_from=figures.week_starts_on.isoformat()),
        "active_note": f"{share}% of the people below",
        "active_url": state.url(activity="active"),
    }
