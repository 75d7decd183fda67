"""A sponsor chooses the place of somebody new while there is time."""

import pytest
from django.urls import reverse

from genealogy.models import Distributor, PlacementRule, Waiting
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
