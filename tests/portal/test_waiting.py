"""A sponsor chooses the place of somebody new while there is time."""

import pytest
from django.urls import reverse

from genealogy.models import Distributor, PlacementPreference, PlacementRule, Waiting
from genealogy.services.enrolment import enrol_distributor
from tests.genealogy.moving import JOINED
from tests.portal.conftest import text_of


def newcomer(sponsor, name: str) -> Distributor:
    return enrol_distributor(sponsor=sponsor, display_name=name, joined_on=JOINED, actor=None)


@pytest.fixture
def as_asha(cast, client):
    PlacementRule.objects.create(width=2, waiting_days=7)
    client.force_login(cast.user("asha"))
    return client


def page(person) -> str:
    return reverse("genealogy:waiting_place", args=[person.number])


def test_those_who_wait_are_listed_with_their_time(cast, as_asha):
    newcomer(cast.asha, "Nia Novak")
    newcomer(cast.ben, "Somebody of Ben")

    text = text_of(as_asha.get(reverse("genealogy:waiting")))

    assert "Nia Novak" in text
    assert "6 days" in text
    assert "Somebody of Ben" not in text


def test_a_proposed_place_is_taken(cast, as_asha):
    first, second = newcomer(cast.asha, "N1"), newcomer(cast.asha, "N2")
    as_asha.post(page(first), {"choice": "0"})

    text = text_of(as_asha.get(page(second)))
    assert f"Left of N1 ({first.number})" in text
    assert f"Right of Asha Rao ({cast.asha.number})" in text
    as_asha.post(page(second), {"choice": "1"})

    placed = Distributor.objects.get(pk=second.pk)
    assert (placed.placement_parent, placed.leg) == (cast.asha, 2)
    assert Waiting.objects.get(distributor=second).settled_by == cast.user("asha")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "This field is required."),
        ({"choice": "elsewhere", "under": "D-999999", "leg": "1"}, "Nobody in your line"),
        ({"choice": "elsewhere", "under": "{asha}"}, "Say which leg."),
        ({"choice": "elsewhere", "under": "{asha}", "leg": "3"}, "2 places under each"),
    ],
)
def test_what_is_no_place_is_said(cast, as_asha, answer, words):
    nia = newcomer(cast.asha, "Nia")
    answer = {name: value.format(asha=cast.asha.number) for name, value in answer.items()}

    text = text_of(as_asha.post(page(nia), answer))

    assert words in text
    assert Distributor.objects.get(pk=nia.pk).placement_parent is None


def test_a_place_outside_of_the_own_line_is_not_to_be_had(cast, client):
    PlacementRule.objects.create(width=2, waiting_days=None)
    nia = newcomer(cast.ben, "Nia")
    client.force_login(cast.user("ben"))

    text = text_of(
        client.post(page(nia), {"choice": "elsewhere", "under": cast.asha.number, "leg": "1"})
    )

    assert "Nobody in your line" in text
    assert Distributor.objects.get(pk=nia.pk).placement_parent is None


def test_nobody_waits(cast, as_asha):
    assert "Nobody waits" in text_of(as_asha.get(reverse("genealogy:waiting")))


PREFERENCE = reverse("genealogy:placement_preference")


def leave_open(*strategies):
    PlacementRule.objects.update(open_strategies=list(strategies))


def test_nothing_is_chosen_where_the_company_leaves_nothing_open(cast, as_asha):
    assert "Where your newcomers go" not in text_of(as_asha.get(reverse("genealogy:waiting")))

    assert as_asha.post(PREFERENCE, {"strategy": "weaker_leg"}).status_code == 404
    assert not PlacementPreference.objects.exists()


def test_a_sponsor_says_where_his_newcomers_go(cast, as_asha):
    leave_open("fixed_leg", "weaker_leg")
    text = text_of(as_asha.get(reverse("genealogy:waiting")))
    assert "As the company does: First free place, level by level from the left" in text
    assert "fewer people" not in text

    text = text_of(as_asha.post(PREFERENCE, {"strategy": "fixed_leg"}))
    assert "Say which leg." in text
    text = text_of(as_asha.post(PREFERENCE, {"strategy": "least_populated"}))
    assert "Select a valid choice" in text
    assert not PlacementPreference.objects.exists()

    page = as_asha.post(PREFERENCE, {"strategy": "fixed_leg", "leg": "2"}, follow=True)
    assert "It counts for everybody who joins from now on." in text_of(page)
    wish = PlacementPreference.objects.get()
    assert (wish.distributor, wish.strategy, wish.leg) == (cast.asha, "fixed_leg", 2)
    assert "Outside of one leg, leg 2" in text_of(page)

    as_asha.post(PREFERENCE, {"strategy": "rule"})
    assert PlacementPreference.objects.first().strategy == ""


def test_staff_say_what_sponsors_may_choose(cast, client, as_asha):
    client.force_login(cast.user("ada"))
    the_rule = PlacementRule.objects.get()

    client.post(
        reverse("admin:genealogy_placementrule_change", args=[the_rule.pk]),
        {
            "width": "2",
            "strategy": "breadth_first",
            "waiting_days": "7",
            "open_strategies": ["fixed_leg", "weaker_leg"],
            "change_reason": "Left to the sponsors",
        },
    )

    the_rule.refresh_from_db()
    assert the_rule.open_strategies == ["fixed_leg", "weaker_leg"]
