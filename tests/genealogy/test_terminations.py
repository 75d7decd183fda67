"""Somebody leaves: the line stays under him, or rolls up to his sponsor."""

import pytest

from accounts.models import Event
from genealogy.models import Distributor, DistributorPosition, GenealogyNode
from genealogy.services.enrolment import EnrolmentRefused, enrol_distributor
from genealogy.services.terminations import (
    TerminationRefused,
    reinstate_distributor,
    terminate_distributor,
)
from genealogy.services.tree_check import find_breaks
from tests.genealogy.moving import JOINED, sponsor_of, today


def left(cast, who: str, downline: str, reason: str = "Asked to leave"):
    return terminate_distributor(
        distributor=getattr(cast, who), downline=downline, reason=reason, actor=cast.user("ada")
    )


def test_a_line_that_stays_is_not_touched(cast):
    left(cast, "ben", "stay")

    assert Distributor.objects.get(pk=cast.ben.pk).status == "terminated"
    assert sponsor_of(cast.chloe) == cast.ben
    assert find_breaks() == []
    assert {e.stream_id for e in Event.objects.filter(name="distributor.terminated")} == {
        f"user:{cast.user('ben').pk}",
        "staff",
    }


def test_a_line_that_rolls_up_comes_under_the_sponsor(cast):
    left(cast, "ben", "roll_up")

    assert sponsor_of(cast.chloe) == cast.asha
    assert sponsor_of(cast.dmitri) == cast.chloe
    assert find_breaks() == []
    depths = dict(GenealogyNode.objects.values_list("distributor__display_name", "depth"))
    assert depths == {
        "Asha Rao": 0,
        "Ben Cole": 1,
        "Stella Stone": 1,
        "Chloe Martin": 1,
        "Dmitri Orlov": 2,
    }
    counts = dict(Distributor.objects.values_list("display_name", "direct_referral_count"))
    assert (counts["Asha Rao"], counts["Ben Cole"]) == (3, 0)
    now = DistributorPosition.objects.filter(distributor=cast.chloe).as_of(today()).get()
    assert (now.parent, now.reason) == (cast.asha, f"{cast.ben.number} left: Asked to leave")
    assert cast.chloe.history.first().sponsor_id == cast.asha.pk


def test_people_come_under_a_line_that_rolled_up(cast):
    left(cast, "ben", "roll_up")

    for name in ("asha", "chloe", "dmitri"):
        enrol_distributor(
            sponsor=Distributor.objects.get(pk=getattr(cast, name).pk),
            display_name="Nia",
            joined_on=JOINED,
            actor=None,
        )

    assert find_breaks() == []


@pytest.mark.parametrize(
    ("who", "downline", "reason", "words"),
    [
        ("asha", "roll_up", "x", "stands at the top"),
        ("ben", "stay", " ", "Say why"),
    ],
)
def test_what_cannot_be_is_refused(cast, who, downline, reason, words):
    with pytest.raises(TerminationRefused, match=words):
        left(cast, who, downline, reason)

    assert not Distributor.objects.filter(status="terminated").exists()


def test_nobody_leaves_twice_and_somebody_may_come_back(cast):
    left(cast, "ben", "stay")
    with pytest.raises(TerminationRefused, match="has left already"):
        left(cast, "ben", "stay")
    stale = cast.ben  # as he was before he left
    with pytest.raises(EnrolmentRefused, match="has left the company"):
        enrol_distributor(sponsor=stale, display_name="Nia", joined_on=JOINED, actor=None)

    reinstate_distributor(distributor=cast.ben, reason="Came back", actor=cast.user("mona"))

    assert Distributor.objects.get(pk=cast.ben.pk).status == "active"
