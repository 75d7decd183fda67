"""What the pages of a genealogy have in common: with whom they begin, and the way down to him."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from genealogy import queries
from genealogy.models import GenealogyNode
from genealogy.models.node import Tree
from genealogy.permissions import Scope


def asked_root(
    request: HttpRequest, scope: Scope, tree: str = Tree.SPONSOR
) -> GenealogyNode | None:
    """Whom the page begins with: the one asked for, else the reader.

    None for staff, who choose first, and for a reader who has no place in that tree yet.
    """
    if scope.is_stranger:
        raise PermissionDenied
    if number := request.GET.get("root", ""):
        return scope.node(number, tree)
    return scope.top_in(tree)


def page(scope: Scope, root: GenealogyNode, **more: Any) -> dict[str, Any]:
    """What every page that begins with somebody shows of him."""
    return {
        "scope": scope,
        "root": root,
        "person": root.distributor,
        "crumbs": queries.crumbs(root, scope.top_in(root.tree)),
        "is_own": scope.own is not None and scope.own.pk == root.distributor_id,
        **more,
    }


def beginning(
    request: HttpRequest, scope: Scope, target: str, tree: str = Tree.SPONSOR, **more: Any
) -> HttpResponse:
    """Where staff start: the tops of the tree, or straight to the one asked to be opened."""
    for name in ("at", "open"):
        if number := request.GET.get(name, ""):
            asked = urlencode({"root": scope.node(number).distributor.number})
            return redirect(f"{reverse(target)}?{asked}")
    facts = {
        "scope": scope,
        "tree": tree,
        "view": target.partition(":")[2],
        "nodes": queries.top_nodes(tree),
        "target": reverse(target),
        **more,
    }
    return render(request, "genealogy/tree_start.html", facts)


def sponsor_shown(scope: Scope, node: GenealogyNode) -> str | None:
    """The name of somebody's sponsor, "" for none; None where it is not the reader's to know.

    Of somebody who stands below the reader in the placement tree alone, the sponsor may be
    anybody above or beside.
    """
    is_own = scope.own is not None and scope.own.pk == node.distributor_id
    if node.tree != Tree.SPONSOR and not scope.sees_all and not is_own:
        return None
    sponsor = node.distributor.sponsor
    return sponsor.display_name if sponsor else ""


def about(scope: Scope, node: GenealogyNode, *, is_whole_page: bool = False) -> dict[str, Any]:
    """What a card says of its person beyond the figures: the sponsor, and how to reach whom.

    Staff read how to reach somebody on the whole page, where the look is recorded.
    """
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
