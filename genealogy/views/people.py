from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.charts import Series
from genealogy import queries
from genealogy.explorer import State
from genealogy.models import GenealogyNode
from genealogy.models.node import Tree
from genealogy.permissions import Scope
from genealogy.views.pages import about, asked_root, beginning, is_fragment, page


@require_safe
def distributor_card(request: HttpRequest, number: str) -> HttpResponse:
    """One distributor as others above may see him: a card, or a page around the card.

    A look at the page by staff goes into the audit trail.
    """
    scope = Scope(request.user)
    node = scope.any_node(number)
    facts: dict[str, Any] = {"node": node, "level": scope.level_of(node)}
    facts |= about(scope, node, is_whole_page=not is_fragment(request))
    if is_fragment(request):
        facts |= {"person": node.distributor, "scope": scope}
        return render(request, "genealogy/_card.html", facts)
    if scope.sees_all and request.method == "GET":
        audit.record(actor=scope.user, action="distributor.viewed", target=node.distributor)
    if node.tree == Tree.SPONSOR:
        levels = queries.generations(node)
        facts["generations"] = [(generation.label, generation.people) for generation in levels]
    return render(request, "genealogy/distributor.html", page(scope, node, **facts))


@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """Who is new, how active each level is, how the legs compare and how the line grew."""
    scope = Scope(request.user)
    root = asked_root(request, scope)
    if root is None:
        return beginning(request, scope, "genealogy:figures")
    placement = GenealogyNode.objects.filter(
        distributor=root.distributor_id, tree=Tree.PLACEMENT
    ).first()
    if placement and not scope.covers(placement):
        placement = None
    shown = queries.figures_of(root, placement, timezone.localdate())
    facts = page(scope, root, figures=shown, view="figures", **_charts(shown))
    return render(request, "genealogy/figures.html", facts | _leads(root, shown))


def _charts(figures: queries.Figures) -> dict[str, Any]:
    """What the charts plot, in the shapes that accounts.charts draws."""
    active = [(level.label, Decimal(level.active)) for level in figures.generations]
    quiet = [(level.label, Decimal(level.people - level.active)) for level in figures.generations]
    return {
        "levels": [Series("With PV this period", active), Series("Without PV", quiet)],
        "sponsor_legs": [_plotted(leg) for leg in figures.sponsor_legs],
        "placement_legs": [_plotted(leg) for leg in figures.placement_legs],
        "growth": [(f"{month.first_day:%b %y}", month.people) for month in figures.growth],
    }


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
