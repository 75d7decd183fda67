"""The index beside the parents: grown, rebuilt, checked, and deep."""

import random
from datetime import date, timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from accounts.numbering import take_number
from genealogy.models import Distributor, DistributorPosition, GenealogyNode, GenealogyPath
from genealogy.services import tree as trees
from genealogy.services import tree_index
from genealogy.services.enrolment import EnrolmentRefused, enrol_distributor
from genealogy.services.intervals import CycleFound, shape_of
from genealogy.services.positions import record_position
from genealogy.services.tree import insert_node
from genealogy.services.tree_check import find_breaks
from genealogy.services.tree_index import TreeBroken, build_trees, rebuild_tree

JOINED = date(2026, 1, 5)


def member(sponsor=None, **fields):
    """A distributor who is in no index yet."""
    number = take_number("D")
    return Distributor.objects.create(
        number=number, display_name=number, sponsor=sponsor, joined_on=JOINED, **fields
    )


def chain(length):
    people = [member()]
    for _ in range(length - 1):
        people.append(member(people[-1]))
    return people


def test_shape_of_a_small_tree():
    """0 above 1 and 2; 3 below 1; 4 a root of its own."""
    shape = shape_of(np.array([-1, 0, 0, 1, -1]))

    assert shape.depth.tolist() == [0, 1, 1, 2, 0]
    assert shape.size.tolist() == [4, 2, 1, 1, 1]
    assert list(zip(shape.enter.tolist(), shape.leave.tolist(), strict=True)) == [
        (0, 7),
        (1, 4),
        (5, 6),
        (2, 3),
        (8, 9),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_shape_nests_every_random_forest(seed):
    rng = random.Random(seed)
    size = rng.randint(1, 60)
    order = list(range(size))
    rng.shuffle(order)
    parent = np.full(size, -1)
    for place, who in enumerate(order):
        if place and rng.random() < 0.95:
            parent[who] = order[rng.randrange(place)]

    shape = shape_of(parent)

    assert sorted([*shape.enter, *shape.leave]) == list(range(2 * size))
    for who in range(size):
        above = parent[who]
        if above >= 0:
            assert shape.enter[above] < shape.enter[who] < shape.leave[who] < shape.leave[above]
            assert shape.depth[who] == shape.depth[above] + 1
        inside = (shape.enter >= shape.enter[who]) & (shape.leave <= shape.leave[who])
        assert inside.sum() == shape.size[who]


def test_shape_of_a_long_chain_and_of_a_circle():
    length = 20_000

    assert shape_of(np.arange(length) - 1).depth[-1] == length - 1
    with pytest.raises(CycleFound) as found:
        shape_of(np.array([-1, 2, 1, 2]))
    assert found.value.members.tolist() == [1, 2, 3]


def test_enrolled_distributor_is_in_the_tree_at_once(cast):
    assert find_breaks() == []
    assert [(n.distributor, n.depth, n.size) for n in GenealogyNode.objects.order_by("lft")] == [
        (cast.asha, 0, 5),
        (cast.ben, 1, 3),
        (cast.chloe, 2, 2),
        (cast.dmitri, 3, 1),
        (cast.stella, 1, 1),
    ]
    asha = Distributor.objects.get(pk=cast.asha.pk)
    assert (asha.downline_count, asha.direct_referral_count) == (4, 2)
    assert list(DistributorPosition.objects.filter(distributor=cast.chloe).values("parent")) == [
        {"parent": cast.ben.pk}
    ]
    assert cast.own_account("chloe").kind == "self"


def test_paths_are_a_view_over_the_intervals(cast):
    above = GenealogyPath.objects.filter(descendant=cast.dmitri, path_type="sponsor")

    assert {path.ancestor_id: path.depth for path in above} == {
        cast.asha.pk: 3,
        cast.ben.pk: 2,
        cast.chloe.pk: 1,
        cast.dmitri.pk: 0,
    }


def test_grown_and_rebuilt_trees_say_the_same(db):
    rng = random.Random(7)
    people = [member()]
    insert_node(people[0])
    for _ in range(60):
        person = member(rng.choice(people))
        insert_node(person)
        people.append(person)
    fields = ("distributor_id", "depth", "size")
    grown = list(GenealogyNode.objects.order_by("lft").values_list(*fields))

    assert find_breaks() == []
    assert rebuild_tree() == 61
    assert find_breaks() == []
    assert list(GenealogyNode.objects.order_by("lft").values_list(*fields)) == grown


def rules_of_nodes():
    with connection.cursor() as cursor:
        cursor.execute(
            "select conname, pg_get_constraintdef(oid) from pg_constraint "
            "where conrelid = 'genealogy_genealogynode'::regclass union all "
            "select indexname, indexdef from pg_indexes "
            "where tablename = 'genealogy_genealogynode' order by 1, 2"
        )
        return cursor.fetchall()


def test_an_index_that_is_built_at_first_has_all_its_rules(cast):
    grown = list(GenealogyNode.objects.order_by("lft").values_list("distributor", "depth", "size"))
    rules = rules_of_nodes()
    with pytest.raises(ValueError, match="There is an index already"):
        build_trees()
    GenealogyNode.objects.all().delete()

    build_trees()

    nodes = GenealogyNode.objects.order_by("lft")
    assert list(nodes.values_list("distributor", "depth", "size")) == grown
    assert rules_of_nodes() == rules


def test_long_chain_grows_by_relabelling(db, monkeypatch):
    monkeypatch.setattr(tree_index, "SPAN", 2**40)
    monkeypatch.setattr(trees, "LIMIT", 2**40)
    top = None
    for _ in range(40):
        top = member(top)
        insert_node(top)

    assert find_breaks() == []
    assert GenealogyNode.objects.get(distributor=top).depth == 39
    assert Distributor.objects.order_by("pk").first().downline_count == 39


def test_full_tree_is_rebuilt_when_no_subtree_has_room(db):
    people = chain(3)
    rebuild_tree()
    for place, person in enumerate(people):
        GenealogyNode.objects.filter(distributor=person).update(
            lft=place + 1, rgt=3, size=3 - place
        )
    assert find_breaks() == []

    insert_node(member(people[2]))

    assert find_breaks() == []
    assert GenealogyNode.objects.get(distributor=people[0]).size == 4


def test_deep_chain_is_built_and_walked(db):
    people = chain(300)

    rebuild_tree()

    assert find_breaks() == []
    assert GenealogyNode.objects.get(distributor=people[-1]).depth == 299
    assert Distributor.objects.in_downline_of(people[100]).count() == 199


def test_circle_is_named_and_nothing_is_touched(cast):
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(
            "update genealogy_distributor set sponsor_id = %s where id = %s",
            [cast.dmitri.pk, cast.ben.pk],
        )
        cursor.execute("set local session_replication_role = origin")
    before = list(GenealogyNode.objects.values())

    with pytest.raises(TreeBroken, match=r"3 distributors stand in a circle.*D-\d+"):
        with transaction.atomic():
            rebuild_tree()

    assert list(GenealogyNode.objects.values()) == before


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        ({"depth": 7}, "has depth 7, but"),
        ({"size": 9}, "counts 9 people, there are 2"),
        ({"lft": 2**60, "rgt": 2**60 + 1}, "lies outside the interval of"),
    ],
)
def test_check_names_a_damaged_node_and_fix_heals_it(cast, damage, what):
    GenealogyNode.objects.filter(distributor=cast.chloe).update(**damage)

    assert what in " ".join(found.what for found in find_breaks())
    with pytest.raises(CommandError, match="differs from the parents"):
        call_command("genealogy_check")
    call_command("genealogy_check", "--fix")
    assert find_breaks() == []


def test_check_finds_missing_and_overlapping_nodes(cast):
    GenealogyNode.objects.filter(distributor=cast.dmitri).delete()
    ben = GenealogyNode.objects.get(distributor=cast.ben)
    GenealogyNode.objects.filter(distributor=cast.stella).update(lft=ben.rgt)

    found = {(b.number, b.what) for b in find_breaks()}

    assert (cast.dmitri.number, "has no node") in found
    assert (cast.stella.number, "overlaps the sibling before") in found


def test_two_positions_on_one_day_are_refused_by_the_database(cast):
    with pytest.raises(IntegrityError), transaction.atomic():
        DistributorPosition.objects.create(
            distributor=cast.chloe,
            tree="sponsor",
            parent=cast.asha,
            valid_from=cast.chloe.joined_on,
        )


def test_a_position_holds_until_the_next_one_begins(cast):
    march = date(2026, 3, 1)
    record_position(
        distributor=cast.chloe, tree="sponsor", parent=cast.asha, valid_from=march, actor=None
    )
    of_chloe = DistributorPosition.objects.filter(distributor=cast.chloe)

    assert [(p.valid_from, p.valid_to) for p in of_chloe.with_ends().order_by("valid_from")] == [
        (cast.chloe.joined_on, march),
        (march, None),
    ]
    assert of_chloe.as_of(march - timedelta(days=1)).get().parent == cast.ben
    assert of_chloe.as_of(march).get().parent == cast.asha


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"display_name": "  "}, "needs a name"),
        ({"joined_on": date(2020, 1, 1)}, "joined on 2026-01-05, after 2020-01-01"),
    ],
)
def test_enrolment_refuses_what_cannot_be(cast, changes, words):
    asked = {"display_name": "Nia", "joined_on": JOINED, "actor": None, "sponsor": cast.ben}

    with pytest.raises(EnrolmentRefused, match=words):
        enrol_distributor(**(asked | changes))

    assert Distributor.objects.count() == 5


def test_nobody_is_enrolled_under_somebody_who_left(cast):
    Distributor.objects.filter(pk=cast.ben.pk).update(status="terminated")
    cast.ben.refresh_from_db()

    with pytest.raises(EnrolmentRefused, match="has left the company"):
        enrol_distributor(sponsor=cast.ben, display_name="Nia", joined_on=JOINED, actor=None)
