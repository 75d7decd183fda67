from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from genealogy import queries
from genealogy.models import GenealogyNode
from genealogy.models.node import Tree
from genealogy.permissions import Scope
from genealogy.treeview import lay_out
from genealogy.views.pages import about, asked_root, beginning, page, whole

DEEPEST = len(queries.DRAWN_CHILDREN)
USUAL_DEPTH = 2


@require_safe
def tree_drawn(request: HttpRequest) -> HttpResponse:
    """The lines below a distributor as a drawing, in the sponsor or the placement tree."""
    scope = Scope(request.user)
    asked = request.GET.get("tree", "")
    tree = Tree(asked) if asked in Tree.values else Tree.SPONSOR
    root, own = asked_root(request, scope, tree), scope.top
    depth = min(DEEPEST, max(1, whole(request, "depth", USUAL_DEPTH)))
    if root is not None:
        facts = _drawn(scope, root, depth)
    elif own is not None:
        facts = page(scope, own, tree=tree, view="drawn", is_unplaced=True)
    else:
        return beginning(request, scope, "genealogy:drawn", tree)
    return render(request, "genealogy/tree_drawn.html", facts)


def _drawn(scope: Scope, root: GenealogyNode, depth: int) -> dict[str, object]:
    return page(
        scope,
        root,
        node=root,
        tree=root.tree,
        view="drawn",
        drawing=lay_out(queries.drawn(root, depth), tree=root.tree),
        depth=depth,
        depths=range(1, DEEPEST + 1),
        level=scope.level_of(root),
        **about(scope, root),
        other_tree=_other_tree(scope, root),
    )


def _other_tree(scope: Scope, root: GenealogyNode) -> str:
    """The number to draw the other tree from: the same person, where he may be seen there."""
    nodes = GenealogyNode.objects.filter(distributor=root.distributor_id).exclude(tree=root.tree)
    node = nodes.first()
    return root.distributor.number if node and scope.covers(node) else ""
