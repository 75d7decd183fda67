"""Trees that nobody here made up: imported, drawn, searched, placed, closed and replayed."""

import json
import re
from io import StringIO
from itertools import combinations

import pytest
from django.core.management import call_command
from django.test import Client

from commissions.models import LedgerEntry
from commissions.services.claims import claim_volume
from commissions.services.replay import replay
from commissions.services.verification import find_breaks
from genealogy import queries
from genealogy.models import Distributor, GenealogyNode, PlacementRule, Waiting
from genealogy.queries.drawing import DRAWN_CHILDREN, DrawnNode
from genealogy.services.placement import place_waiting
from genealogy.treeview import lay_out
from tests.cast import DEMO_PLAN, STAFF, Cast, at, make_user
from tests.commissions import oracle
from tests.commissions.exported import booked, simulated
from tests.commissions.plans import pay_by
from tests.genealogy import real_trees
from tests.genealogy.real_trees import Tree

pytestmark = pytest.mark.django_db
MONTH = "2026-11"
SOURCES = ("network", "animals")
DEPTHS = {"network": 26, "animals": 13}


@pytest.fixture
def staff(db) -> Cast:
    """A company in which nobody stands in the trees yet."""
    return Cast({name: make_user(name.capitalize(), role) for name, role in STAFF.items()})


@pytest.fixture
def company(staff) -> Cast:
    """The same with the demo plan."""
    assert staff.plan
    return staff


def bring_in(source: str, folder, *, with_orders: bool = False) -> Tree:
    if source == "network":
        return real_trees.bring_in_network(folder, with_orders=with_orders)
    return real_trees.bring_in_animals(folder, MONTH, with_orders=with_orders)


def node_of(number: str, tree: str = "sponsor") -> GenealogyNode:
    return GenealogyNode.objects.get(distributor__number=number, tree=tree)


def signed_in(client: Client, number: str) -> Client:
    """The browser of somebody who was imported and then invited."""
    user = make_user("Tessa Top")
    Distributor.objects.filter(number=number).update(user=user)
    client.force_login(user)
    return client


def rows_of(page: str) -> list[str]:
    return re.findall(r'<tr role="row"\s+data-number="(D-\d+)"', page)


def trees_are_in_order() -> None:
    said = StringIO()
    call_command("genealogy_check", stdout=said)
    assert said.getvalue() == "sponsor: in order\nplacement: in order\n"


def drawn_of(tree: Tree, number: str, depth: int, level: int = 0) -> dict[str, tuple]:
    """What a drawing must show: whom below each, the largest lines first, and how many not."""
    if level == depth:
        return {}
    children = sorted(tree.below.get(number, []), key=lambda each: (-tree.size[each], each))
    shown = children[: DRAWN_CHILDREN[level]]
    found = {number: (tuple(shown), len(children) - len(shown))}
    for child in shown:
        found |= drawn_of(tree, child, depth, level + 1)
    return found


def shown_by(node: DrawnNode, depth: int) -> dict[str, tuple]:
    if not depth:
        return {}
    children = tuple(child.distributor.number for child in node.children)
    found = {node.distributor.number: (children, node.hidden)}
    for child in node.children:
        found |= shown_by(child, depth - 1)
    return found


def nothing_overlaps(node: DrawnNode, tree: str = "sponsor") -> None:
    boxes = lay_out(node, tree).boxes
    for one, other in combinations(boxes, 2):
        upper, lower = sorted((one, other), key=lambda box: box.y)
        assert abs(one.x - other.x) >= one.width or upper.y + upper.height <= lower.y


@pytest.mark.parametrize("source", SOURCES)
def test_a_real_tree_is_listed_drawn_and_counted_down_to_its_last_level(
    company, client, tmp_path, source
) -> None:
    tree = bring_in(source, tmp_path)
    way = tree.way_to(tree.deepest)
    client = signed_in(client, tree.top)

    assert len(way) - 1 == max(tree.depth.values()) == DEPTHS[source]
    assert real_trees.sizes_in_the_books() == {
        number: (tree.depth[number], tree.size[number]) for number in tree.above
    }
    listed = []
    for level, number in enumerate(way, 1):
        below = client.get(f"/genealogy/{number}/children/?level={level}").content.decode()
        listed.append(rows_of(below))
    assert listed == [tree.below.get(number, [])[: queries.PAGE] for number in way]
    found = client.get(f"/genealogy/search/?q={tree.deepest}", follow=True)
    assert found.status_code == 200
    assert tree.deepest in rows_of(found.content.decode())

    for number in way:
        drawing = queries.drawn(node_of(number), 4)
        assert shown_by(drawing, 4) == drawn_of(tree, number, 4)
        nothing_overlaps(drawing)
        page = client.get(f"/genealogy/drawn/?root={number}&depth=4")
        assert page.status_code == 200
        assert page.content.decode().count(f", {number},") == 1

    for number in (tree.top, way[len(way) // 2]):
        levels = tree.levels(number)
        counted = queries.generations(node_of(number))
        assert [row.people for row in counted[:-1]] == levels[: len(counted) - 1]
        assert sum(row.people for row in counted) == tree.size[number] - 1
        assert client.get(f"/genealogy/figures/?root={number}").status_code == 200
    trees_are_in_order()


@pytest.mark.parametrize(("source", "month"), [("network", "2010-12"), ("animals", MONTH)])
def test_a_real_tree_closes_and_comes_out_the_same_again(company, tmp_path, source, month) -> None:
    bring_in(source, tmp_path, with_orders=True)
    claim_volume()

    period = company.close(month)

    assert oracle.expected(period) == oracle.recorded(period)
    assert LedgerEntry.objects.filter(run__period=period, bonus__code="unilevel").exists()
    assert [proof.name for proof in replay(period) if not proof.is_same] == []
    assert list(find_breaks(strict=True)) == []
    trees_are_in_order()


@pytest.mark.parametrize("strategy", ["breadth_first", "weaker_leg"])
def test_a_real_line_is_placed_in_a_binary_tree_drawn_and_paid_by_pairs(
    staff, tmp_path, time_machine, strategy
) -> None:
    time_machine.move_to(at(f"{MONTH}-20"))
    document = json.loads(DEMO_PLAN.with_name("binary.json").read_text()) | {"currency": "GBP"}
    PlacementRule.objects.create(width=2, strategy=strategy, waiting_days=0)
    tree = real_trees.bring_in_animals(tmp_path, MONTH, below="bird of prey", with_orders=True)

    assert place_waiting() == len(tree.above) - 1
    pay_by(staff, document)
    claim_volume()
    period = staff.close(MONTH)

    assert not Waiting.objects.open().exists()
    trees_are_in_order()
    placed = placed_tree()
    assert placed.top == tree.top
    for number in placed.way_to(placed.deepest):
        drawing = queries.drawn(node_of(number, "placement"), 3)
        legs = [child.node and child.distributor.number for child in drawing.children]
        assert legs == placed_under(number)
        nothing_overlaps(drawing, "placement")
    lines, _ = simulated(tmp_path, document, period)
    assert booked(period) == lines
    assert {code for _, code, *_ in lines} == {"binary"}
    assert [proof.name for proof in replay(period) if not proof.is_same] == []
    assert list(find_breaks(strict=True)) == []


def placed_tree() -> Tree:
    """The placement tree as the parents have it, parents first."""
    rows = Distributor.objects.filter(nodes__tree="placement").order_by("nodes__lft")
    return Tree({number: above or "" for number, above in
                 rows.values_list("number", "placement_parent__number")})  # fmt: skip


def placed_under(number: str) -> list[str | None]:
    """Who stands left and right below somebody."""
    below = Distributor.objects.filter(placement_parent__number=number)
    legs = dict(below.values_list("leg", "number"))
    return [legs.get(1), legs.get(2)]
