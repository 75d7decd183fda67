from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from genealogy import queries
from genealogy.models import GenealogyNode
from genealogy.models.node import Tree
from genealogy.queries import DrawnNode, past_drawing
from genealogy.treeview import lay_out
from genealogy.views.days import Asked, on_a_day
from genealogy.views.pages import (
    about,
    asked_root,
    beginning,
    is_spillover,
    page,
    whole,
)

DEEPEST = len(queries.DRAWN_CHILDREN)
USUAL_DEPTH = 2


@require_safe
@on_a_day
def tree_drawn(request: HttpRequest, asked: Asked) -> HttpResponse:
    """The lines below a distributor as a drawing, in the sponsor or the placement tree."""
    scope = asked.scope
    wanted = request.GET.get("tree", "")
    tree = Tree(wanted) if wanted in Tree.values else Tree.SPONSOR
    root, own = asked_root(request, scope, tree), scope.top
    depth = min(DEEPEST, max(1, whole(request, "depth", USUAL_DEPTH)))
    if root is not None:
        facts = _drawn(asked, root, depth, max(1, whole(request, "leg", 1)))
    elif own is not None:
        facts = page(asked, own, tree=tree, view="drawn", is_unplaced=True)
    elif scope.sees_all:
        return beginning(request, asked, "genealogy:drawn", tree)
    else:
        facts = {**asked.facts, "tree": tree, "view": "drawn", "is_unplaced": True}
    return render(request, "genealogy/tree_drawn.html", facts)


def _drawn(asked: Asked, root: GenealogyNode, depth: int, first_leg: int) -> dict[str, object]:
    scope = asked.scope
    most = queries.DRAWN_CHILDREN[0]
    legs = queries.legs_in_use() if root.tree == Tree.PLACEMENT else 0
    return page(
        asked,
        root,
        node=root,
        tree=root.tree,
        view="drawn",
        drawing=lay_out(_people(asked, root, depth, first_leg), tree=root.tree),
        depth=depth,
        depths=range(1, DEEPEST + 1),
        leg=first_leg,
        next_leg=first_leg + most,
        leg_ranges=[(leg, min(legs, leg + most - 1)) for leg in range(1, legs + 1, most)],
        knows_ranks=asked.past is None or asked.past.tree().knows_ranks,
        level=scope.level_of(root),
        **about(scope, root),
        is_spillover=is_spillover(scope, root),
        other_tree=_other_tree(asked, root),
    )


def _people(asked: Asked, root: GenealogyNode, depth: int, first_leg: int) -> DrawnNode:
    if asked.past is None:
        return queries.drawn(root, depth, first_leg)
    top = past_drawing.drawn(asked.past.tree(root.tree), root, depth, first_leg)
    people = list(top.people())
    reduced = asked.past.reduced(person.distributor.pk for person in people)
    for person in people:
        person.is_reduced = person.distributor.pk in reduced
    return top


def _other_tree(asked: Asked, root: GenealogyNode) -> str:
    """The number to draw the other tree from: the same person, where he may be seen there."""
    other = Tree.PLACEMENT if root.tree == Tree.SPONSOR else Tree.SPONSOR
    who = root.distributor_id
    if asked.past:
        is_seen = asked.past.tree(other).has(who) and asked.past.reaches(who, other)
    else:
        node = GenealogyNode.objects.filter(distributor=who, tree=other).first()
        is_seen = node is not None and asked.scope.covers(node)
    return root.distributor.number if is_seen else ""
