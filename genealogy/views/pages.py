"""What the pages of a genealogy have in common: with whom they begin, and the way down to him."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from genealogy import queries
from genealogy.models import Distributor, GenealogyNode
from genealogy.models.node import Tree
from genealogy.permissions import PastScope, Scope
from genealogy.views.days import Asked


def asked_root(
    request: HttpRequest, scope: Scope, tree: str = Tree.SPONSOR
) -> GenealogyNode | None:
    """Whom the page begins with: the one asked for, else the reader.

    None for staff, who choose first, and for a reader who has no place in that tree.
    """
    if scope.is_stranger:
        raise PermissionDenied
    if number := request.GET.get("root", ""):
        return scope.node(number, tree)
    return scope.top_in(tree)


def page(asked: Asked, root: GenealogyNode, **more: Any) -> dict[str, Any]:
    """What every page that begins with somebody shows of him."""
    scope, top = asked.scope, asked.scope.top_in(root.tree)
    if asked.past:
        crumbs = asked.past.tree(root.tree).crumbs(root, top)
    else:
        crumbs = queries.crumbs(root, top)
    return {
        **asked.facts,
        "root": root,
        "person": root.distributor,
        "crumbs": crumbs,
        "is_own": scope.own is not None and scope.own.pk == root.distributor_id,
        "is_reduced": is_reduced(scope, root),
        **more,
    }


def beginning(
    request: HttpRequest, asked: Asked, target: str, tree: str = Tree.SPONSOR, **more: Any
) -> HttpResponse:
    """Where staff start: the tops of the tree, or straight to the one asked to be opened."""
    for name in ("at", "open"):
        if number := request.GET.get(name, ""):
            root = asked.scope.node(number).distributor.number
            query = urlencode({"root": root}) + (asked.past.day.suffix if asked.past else "")
            return redirect(f"{reverse(target)}?{query}")
    facts = {
        **asked.facts,
        "tree": tree,
        "view": target.partition(":")[2],
        "nodes": asked.past.tree(tree).tops() if asked.past else queries.top_nodes(tree),
        "target": reverse(target),
        **more,
    }
    return render(request, "genealogy/tree_start.html", facts)


def is_reduced(scope: Scope, node: GenealogyNode) -> bool:
    """Whether only name and number of somebody are the reader's to see."""
    is_past = isinstance(scope, PastScope)
    return is_past and bool(scope.reduced([node.distributor_id]))


def sponsor_shown(scope: Scope, node: GenealogyNode) -> str | None:
    """The name of somebody's sponsor, "" for none; None where it is not the reader's to know.

    Known are the reader's own sponsor, the reader and whoever stands below him, today and on the
    day that is looked at; the sponsor of somebody who stands below in the placement tree alone may
    be anybody above or beside.
    """
    sponsor_id, own = node.distributor.sponsor_id, scope.own
    is_own = own is not None and own.pk == node.distributor_id
    if sponsor_id is None:
        return "" if scope.sees_all or is_own or node.tree == Tree.SPONSOR else None
    names = Distributor.objects.filter(pk=sponsor_id).values_list("display_name", flat=True)
    if scope.sees_all or (own and sponsor_id in (own.pk, own.sponsor_id)):
        return names[0]
    today = scope.today if isinstance(scope, PastScope) else scope
    places = GenealogyNode.objects.filter(distributor=sponsor_id)
    return names[0] if any(today.covers(place) for place in places) else None


def is_spillover(scope: Scope, node: GenealogyNode) -> bool:
    """Whether somebody stands under another than his sponsor, where the reader sees his place."""
    who = node.distributor_id
    if isinstance(scope, PastScope):
        way = scope.tree(Tree.PLACEMENT).upline(who)
        differs = way[-1:] not in ([], [node.distributor.sponsor_id])
        return differs and scope.reaches(who, Tree.PLACEMENT)
    if not node.distributor.is_spillover:
        return False
    place = GenealogyNode.objects.filter(distributor=who, tree=Tree.PLACEMENT).first()
    return place is not None and scope.covers(place)


def about(scope: Scope, node: GenealogyNode, *, is_whole_page: bool = False) -> dict[str, Any]:
    """What a card says of its person beyond the figures: the sponsor, and how to reach whom.

    Staff read how to reach somebody on the whole page, where the look is recorded. Of another day
    nothing is said of it: who lets whom know is a matter of today.
    """
    if isinstance(scope, PastScope):
        return {"sponsor": sponsor_shown(scope, node)}
    is_own = scope.own is not None and scope.own.pk == node.distributor_id
    is_kept_for_page = scope.sees_all and not is_whole_page
    return {
        "sponsor": sponsor_shown(scope, node),
        "contact": None if is_kept_for_page else queries.contact_of(scope, node),
        "is_kept_for_page": is_kept_for_page,
        "sponsor_contact": queries.sponsor_contact(node.distributor) if is_own else None,
    }


def whole(request: HttpRequest, name: str, default: int) -> int:
    """A whole number of the address, or the default for anything else."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else default


def is_fragment(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]
