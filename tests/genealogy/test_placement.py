"""The holding tank and where people go from it; the strategies are held against a plain model in
tests/genealogy/test_trees_at_random.py."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEvent, Event
from commerce.services.volume import volumes_of_subtrees
from genealogy.models import (
    Distributor,
    DistributorPosition,
    GenealogyNode,
    PlacementPreference,
    PlacementRule,
    Waiting,
)
from genealogy.services import placement
from genealogy.services.enrolment import enrol_distributor
from genealogy.services.moves import MoveRefused, Place, request_move
from genealogy.services.placement import prefer_place
from genealogy.services.terminations import Downline, terminate_distributor
from genealogy.services.tree_check import find_breaks
from genealogy.services.tree_index import rebuild_tree
from tests.genealogy.moving import JOINED, today


def rule(**changes) -> PlacementRule:
    return PlacementRule.objects.create(
        **({"width": 2, "strategy": "breadth_first", "waiting_days": 0} | changes)
    )


def newcomer(sponsor: Distributor, name: str = "Nia") -> Distributor:
    person = enrol_distributor(sponsor=sponsor, display_name=name, joined_on=JOINED, actor=None)
    return Distributor.objects.get(pk=person.pk)


def places() -> dict[str, tuple[str, int]]:
    rows = Distributor.objects.exclude(placement_parent=None)
    found = rows.values_list("display_name", "placement_parent__display_name", "leg")
    return {name: (above, leg) for name, above, leg in found}


def test_a_company_without_a_rule_places_nobody(cast):
    newcomer(cast.asha)

    assert places() == {}
    assert not Waiting.objects.exists()


def test_five_newcomers_fill_a_binary_tree_level_by_level(cast):
    """      Asha
           /    \\
         N1      N2
        /  \\    /
      N3   N4  N5
    """
    rule()

    for number in range(1, 6):
        newcomer(cast.asha, f"N{number}")

    assert places() == {
        "N1": ("Asha Rao", 1),
        "N2": ("Asha Rao", 2),
        "N3": ("N1", 1),
        "N4": ("N1", 2),
        "N5": ("N2", 1),
    }
    spilled = [p.display_name for p in Distributor.objects.order_by("pk") if p.is_spillover]
    assert spilled == ["N3", "N4", "N5"]
    depths = dict(
        GenealogyNode.objects.filter(tree="placement").values_list(
            "distributor__display_name", "open_depth"
        )
    )
    assert depths == {"Asha Rao": 2, "N1": 3, "N2": 2, "N3": 3, "N4": 3, "N5": 3}
    assert find_breaks("placement") == []
    heard = Event.objects.filter(name="distributor.placed")
    assert {event.stream_id for event in heard} == {f"user:{cast.user('asha').pk}"}


def test_free_places_below_somebody_who_left_are_given_too(cast):
    rule()
    for number in (1, 2):
        newcomer(cast.asha, f"N{number}")
    terminate_distributor(
        distributor=Distributor.objects.get(display_name="N1"),
        downline=Downline.STAY,
        reason="x",
        actor=cast.user("ada"),
    )

    newcomer(cast.asha, "N3")

    assert places()["N3"] == ("N1", 1)
    assert not Waiting.objects.open().exists()


def test_the_weaker_leg_is_that_with_less_volume(cast):
    """N1 sold 40 PV in the left leg: two people of the right one, who sold nothing, weigh less."""
    the_rule = rule()
    for number in range(1, 4):
        newcomer(cast.asha, f"N{number}")
    n1, n2 = (Distributor.objects.get(display_name=name) for name in ("N1", "N2"))
    request_move(
        distributor=Distributor.objects.get(display_name="N3"),
        tree="placement",
        to=Place(n2, 2),
        effective_on=today(),
        reason="x",
        actor=cast.user("ada"),
    )
    cast.distributors["n1"] = n1
    cast.buys("n1", 2)
    the_rule.strategy = "weaker_leg"
    the_rule.save()

    newcomer(cast.asha, "N4")

    assert volumes_of_subtrees([n1.pk, n2.pk]) == {n1.pk: 4000, n2.pk: 0}
    assert places()["N4"] == ("N3", 2)


def test_who_waits_is_placed_when_the_time_is_over_and_once(cast):
    rule(waiting_days=3)
    nia = newcomer(cast.asha)
    wait = Waiting.objects.get(distributor=nia)
    assert wait.until - wait.since > timedelta(days=2, hours=23)
    assert (placement.place_waiting(), places()) == (0, {})
    Waiting.objects.update(until=timezone.now())

    assert placement.place_waiting() == 1
    assert placement.place_waiting() == 0

    assert places() == {"Nia": ("Asha Rao", 1)}
    wait.refresh_from_db()
    assert wait.settled_at is not None
    assert wait.settled_by is None
    position = DistributorPosition.objects.filter(tree="placement").as_of(today()).get()
    assert (position.distributor, position.parent, position.leg) == (nia, cast.asha, 1)


def test_who_gets_a_place_by_a_move_waits_no_more(cast):
    rule(waiting_days=0)
    Waiting.objects.create(distributor=cast.ben, until=timezone.now())

    request_move(
        distributor=cast.ben,
        tree="placement",
        to=Place(cast.asha, 2),
        effective_on=today(),
        reason="x",
        actor=cast.user("ada"),
    )

    assert Waiting.objects.get(distributor=cast.ben).settled_by == cast.user("ada")
    assert not Waiting.objects.open().exists()


def test_the_sponsor_places_by_hand_while_there_is_time(cast):
    rule(waiting_days=None)
    nia = newcomer(cast.asha)
    assert placement.place_waiting() == 0

    placement.place_by_hand(distributor=nia, to=Place(cast.asha, 2), actor=cast.user("asha"))

    assert places() == {"Nia": ("Asha Rao", 2)}
    assert Waiting.objects.get(distributor=nia).settled_by == cast.user("asha")
    with pytest.raises(MoveRefused, match="has a place already"):
        placement.place_by_hand(distributor=nia, to=Place(cast.asha, 1), actor=cast.user("asha"))


def test_a_leg_beyond_the_width_or_taken_is_refused(cast):
    rule(waiting_days=None)
    first, second = newcomer(cast.asha, "N1"), newcomer(cast.asha, "N2")
    placement.place_by_hand(distributor=first, to=Place(cast.asha, 1), actor=cast.user("asha"))

    for leg, words in ((3, "2 places under each"), (1, "N1 .* stands in leg 1")):
        with pytest.raises(MoveRefused, match=words) as refused:
            placement.place_by_hand(
                distributor=second, to=Place(cast.asha, leg), actor=cast.user("asha")
            )
        assert refused.value.field == "to_leg"


def test_a_sponsor_without_a_place_gives_the_way_to_the_nearest_above(cast):
    rule()
    newcomer(cast.chloe, "N1")

    assert places() == {"N1": ("Asha Rao", 1)}


def test_another_shape_has_other_free_places(cast):
    the_rule = rule()
    for number in range(1, 4):
        newcomer(cast.asha, f"N{number}")
    the_rule.width = 3
    the_rule.save()
    assert [found.what for found in find_breaks("placement")] != []

    rebuild_tree("placement")
    newcomer(cast.asha, "N4")

    assert find_breaks("placement") == []
    assert places()["N4"] == ("Asha Rao", 3)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"width": 1}, "width"),
        ({"strategy": "fixed_leg"}, "leg"),
        ({"strategy": "fixed_leg", "fixed_leg": 3}, "leg"),
        ({"fixed_leg": 1}, "leg"),
    ],
)
def test_a_shape_that_cannot_be_is_refused_by_the_database(db, changes, name):
    with pytest.raises(IntegrityError, match=f"placementrule_{name}"), transaction.atomic():
        rule(**changes)


def test_there_is_one_rule(db):
    rule()

    with pytest.raises(IntegrityError), transaction.atomic():
        rule()


def test_those_who_come_from_a_file_wait_too_and_are_placed(cast, tmp_path):
    rule(waiting_days=0)
    path = tmp_path / "people.csv"
    path.write_text(
        "distributor_number,sponsor_number,joined_on\n"
        f"D-900001,{cast.asha.number},2026-02-01\nD-900002,{cast.asha.number},2026-02-01\n"
    )
    call_command("import_distributors", str(path))
    assert Waiting.objects.open().count() == 2

    assert placement.place_waiting() == 2

    found = Distributor.objects.filter(placement_parent=cast.asha).order_by("leg")
    assert [(p.number, p.leg) for p in found] == [("D-900001", 1), ("D-900002", 2)]
    assert find_breaks("placement") == []


def wishes(sponsor, strategy, leg=None):
    return prefer_place(sponsor=sponsor, strategy=strategy, leg=leg, actor=sponsor.user)


def test_a_sponsors_wish_counts_for_whom_he_brings_in_from_then_on(cast):
    the_rule = rule(open_strategies=["fixed_leg"], waiting_days=3)
    before = newcomer(cast.asha, "N1")
    wishes(cast.asha, "fixed_leg", 2)
    after, of_ben = newcomer(cast.asha, "N2"), newcomer(cast.ben, "N3")

    for person in (before, after, of_ben):
        placement.place_by_rule(distributor=person)

    assert places() == {
        "N1": ("Asha Rao", 1),
        "N2": ("Asha Rao", 2),
        "N3": ("N1", 1),
    }
    reasons = DistributorPosition.objects.filter(tree="placement").order_by("pk")
    assert [row.reason.partition(":")[0] for row in reasons] == [
        "By the rule",
        "As the sponsor wished",
        "By the rule",
    ]
    the_rule.refresh_from_db()
    wishes(cast.asha, "")
    placement.place_by_rule(distributor=newcomer(cast.asha, "N4"))
    assert places()["N4"] == ("N1", 2)


def test_a_wish_the_company_no_longer_allows_is_not_followed(cast):
    the_rule = rule(open_strategies=["fixed_leg", "weaker_leg"], width=3)
    wishes(cast.asha, "fixed_leg", 3)

    the_rule.width = 2
    the_rule.save()
    newcomer(cast.asha, "N1")
    the_rule.width, the_rule.open_strategies = 3, ["weaker_leg"]
    the_rule.save()
    newcomer(cast.asha, "N2")
    the_rule.open_strategies = ["fixed_leg"]
    the_rule.save()
    newcomer(cast.asha, "N3")

    assert places() == {
        "N1": ("Asha Rao", 1),
        "N2": ("Asha Rao", 2),
        "N3": ("Asha Rao", 3),
    }


def test_only_what_the_company_leaves_open_can_be_wished(cast):
    with pytest.raises(MoveRefused, match="does not leave this choice"):
        wishes(cast.asha, "weaker_leg")
    rule(open_strategies=["fixed_leg"])

    with pytest.raises(MoveRefused, match="does not leave this choice"):
        wishes(cast.asha, "weaker_leg")
    for leg in (None, 0, 3):
        with pytest.raises(MoveRefused, match="Say which leg"):
            wishes(cast.asha, "fixed_leg", leg)
    assert not PlacementPreference.objects.exists()

    assert wishes(cast.asha, "fixed_leg", 2) == wishes(cast.asha, "fixed_leg", 2)
    kept = AuditEvent.objects.get(action="placement_preference.chosen")
    assert (kept.entity_id, kept.after) == (
        cast.asha.number,
        {"strategy": "fixed_leg", "leg": 2},
    )


def test_wishes_are_history(cast):
    rule(open_strategies=["fixed_leg"])
    wish = wishes(cast.asha, "fixed_leg", 2)

    for change in (
        "update genealogy_placementpreference set leg = 1",
        "delete from genealogy_placementpreference",
        "truncate genealogy_placementpreference",
    ):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"set constraints all immediate; {change}")
    for fields in ({"strategy": "fixed_leg"}, {"strategy": "weaker_leg", "leg": 1}):
        with pytest.raises(IntegrityError, match="placementpreference_leg"), transaction.atomic():
            PlacementPreference.objects.create(
                distributor=cast.asha, actor=cast.user("asha"), **fields
            )
    with pytest.raises(IntegrityError, match="open_strategies_known"), transaction.atomic():
        PlacementRule.objects.update(open_strategies=["elsewhere"])
    assert PlacementPreference.objects.get() == wish
