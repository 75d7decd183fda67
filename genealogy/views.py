from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from genealogy import queries
from genealogy.models import GenealogyNode
from genealogy.permissions import Scope
from genealogy.treeview import lay_out

DEEPEST = len(queries.DRAWN_CHILDREN)
USUAL_DEPTH = 2


def _root(request: HttpRequest, scope: Scope) -> GenealogyNode | None:
    """Whom the page begins with: the one asked for, else the reader; staff choose first."""
    if number := request.GET.get("root", ""):
        return scope.node(number)
    if scope.top is None and not scope.sees_all:
        raise PermissionDenied
    return scope.top


def _page(scope: Scope, root: GenealogyNode, **more: Any) -> dict[str, Any]:
    return {
        "scope": scope,
        "root": root,
        "person": root.distributor,
        "crumbs": queries.crumbs(root, scope.top),
        "is_own": scope.own is not None and scope.own.pk == root.distributor_id,
        **more,
    }


@require_safe
def tree_list(request: HttpRequest) -> HttpResponse:
    """The downline as a list that opens line by line; the address says which line is open."""
    scope = Scope(request.user)
    root = _root(request, scope)
    if root is None:
        return _beginning(request, scope, "genealogy:list")
    wanted = root
    if number := request.GET.get("open", ""):
        wanted = scope.node(number)
        if not root.lft <= wanted.lft <= root.rgt:
            return redirect(f"{reverse('genealogy:list')}?{urlencode({'open': number})}")
    if after := request.GET.get("after", ""):
        rows = queries.continued(root, after, _whole(request, "shown", 0))
    else:
        rows = queries.opened(root, wanted)
    facts = _page(scope, root, rows=rows, wanted=wanted, is_found=wanted.pk != root.pk)
    return render(request, "genealogy/tree_list.html", facts)


@require_safe
def children(request: HttpRequest, number: str) -> HttpResponse:
    """The next rows below a distributor, as a fragment for the list."""
    scope = Scope(request.user)
    parent = scope.node(number)
    page = queries.children_page(
        parent.distributor,
        level=_whole(request, "level", 1) + 1,
        after=request.GET.get("after", ""),
        shown=_whole(request, "shown", 0),
        skip=request.GET.get("skip", ""),
    )
    facts = {"rows": page, "root_number": request.GET.get("root", "")}
    return render(request, "genealogy/_rows.html", facts)


@require_safe
def tree_drawn(request: HttpRequest) -> HttpResponse:
    """The strongest lines below a distributor as a drawing."""
    scope = Scope(request.user)
    root = _root(request, scope)
    if root is None:
        return _beginning(request, scope, "genealogy:drawn")
    depth = min(DEEPEST, max(1, _whole(request, "depth", USUAL_DEPTH)))
    drawing = lay_out(queries.drawn(root, depth))
    facts = _page(
        scope,
        root,
        node=root,
        drawing=drawing,
        depth=depth,
        depths=range(1, DEEPEST + 1),
        level=scope.level_of(root),
    )
    return render(request, "genealogy/tree_drawn.html", facts)


@require_safe
def distributor_card(request: HttpRequest, number: str) -> HttpResponse:
    """One distributor as others above may see him: a card, or a page around the card."""
    scope = Scope(request.user)
    node = scope.node(number)
    if request.htmx:  # type: ignore[attr-defined]
        facts = {
            "node": node,
            "person": node.distributor,
            "scope": scope,
            "level": scope.level_of(node),
        }
        return render(request, "genealogy/_card.html", facts)
    facts = _page(
        scope,
        node,
        node=node,
        level=scope.level_of(node),
        generations=[(f"Level {g.level}", g.people) for g in queries.generations(node)],
    )
    return render(request, "genealogy/distributor.html", facts)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Find somebody in one's own line; a single hit opens at once."""
    scope = Scope(request.user)
    if not scope.sees_all and scope.top is None:
        raise PermissionDenied
    words = request.GET.get("q", "").strip()
    found = queries.search(scope.top, words) if len(words) >= 2 else []
    if len(found) == 1 and not request.htmx:  # type: ignore[attr-defined]
        return redirect(_opened_url(found[0]))
    results = [(node, _opened_url(node), scope.level_of(node)) for node in found]
    facts = {
        "words": words,
        "results": results,
        "scope": scope,
        "is_cut": len(found) == queries.MOST_RESULTS,
    }
    return render(request, "genealogy/search.html", facts)


def _opened_url(node: GenealogyNode) -> str:
    return f"{reverse('genealogy:list')}?{urlencode({'open': node.distributor.number})}"


def _beginning(request: HttpRequest, scope: Scope, target: str) -> HttpResponse:
    """Where staff start: the tops of the tree, or straight to the one asked to be opened."""
    if number := request.GET.get("open", ""):
        return redirect(
            f"{reverse(target)}?{urlencode({'root': scope.node(number).distributor.number})}"
        )
    nodes = queries.top_nodes()
    facts = {"scope": scope, "nodes": nodes, "target": reverse(target)}
    return render(request, "genealogy/tree_start.html", facts)


def _whole(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else default
