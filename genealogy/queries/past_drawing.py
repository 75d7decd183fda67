"""Who is drawn of a tree as it was on another day: the same choice as of today's."""

from collections import defaultdict

from genealogy.models import GenealogyNode
from genealogy.models.node import Tree
from genealogy.queries.drawing import DRAWN_CHILDREN, DrawnNode, show_legs
from genealogy.queries.past import PastTree

Child = tuple[int, int]
"""A person and the leg he stood in, 0 in the sponsor tree."""


def drawn(tree: PastTree, root: GenealogyNode, depth: int, first_leg: int = 1) -> DrawnNode:
    """A root and whom its tree showed below on the day. A fixed number of statements a level."""
    depths = {root.distributor_id: root.depth}
    children: dict[int, list[Child]] = {}
    hidden: dict[int, int] = {}
    level = [root.distributor_id]
    for step in range(depth):
        found = _children_of(tree, level, first_leg if step == 0 else 1)
        for parent, below in found.items():
            children[parent] = below[: DRAWN_CHILDREN[step]]
            hidden[parent] = len(below) - len(children[parent])
        level = [pk for parent in level for pk, _ in children.get(parent, [])]
        depths |= dict.fromkeys(level, root.depth + step + 1)
    nodes = tree.nodes(depths) | {root.distributor_id: root}
    people = {pk: DrawnNode(node) for pk, node in nodes.items()}
    for parent, below in children.items():
        for pk, leg in below:
            people[pk].leg = leg
            people[parent].children.append(people[pk])
        people[parent].hidden = hidden[parent]
    if tree.tree == Tree.PLACEMENT:
        levels = {pk: depths[pk] - root.depth for pk in depths}
        parents = [(people[pk], level) for pk, level in levels.items() if level < depth]
        show_legs(parents, first_leg)
    return people[root.distributor_id]


def _children_of(tree: PastTree, parents: list[int], first_leg: int) -> dict[int, list[Child]]:
    """The children of each on the day: the largest lines first, or leg by leg from one on."""
    rows = tree.positions.filter(parent__in=parents)
    found: dict[int, list[Child]] = defaultdict(list)
    for parent, pk, leg in rows.values_list("parent_id", "distributor_id", "leg"):
        if not leg or leg >= first_leg:
            found[parent].append((pk, leg or 0))
    sizes = {}
    if tree.tree == Tree.SPONSOR:
        sizes = tree.sizes(pk for below in found.values() for pk, _ in below)
    return {
        parent: sorted(below, key=lambda child: (child[1], -sizes.get(child[0], 0), child[0]))
        for parent, below in found.items()
    }
