"""What a snapshot takes, what it refuses, and that it puts everything in order of id."""

import numpy as np
import pytest

from commissions.engine.errors import SnapshotError
from commissions.engine.snapshot import build_snapshot

VOLUMES = {"pv": [1], "cv": [1], "margin": [0]}
LINE = {"id": [1], "seller": [0], "kind": [0], "volumes": VOLUMES}


def members(**columns):
    given = {
        "id": [7, 3],
        "parents": {"sponsor": [-1, 0], "enroller": [-1, 0]},
        "highest": {"rank": [0, 2]},
    }
    return {**given, **columns}


def line(**columns):
    return {**LINE, **columns}


def volumes(**figures):
    return line(volumes={**VOLUMES, **figures})


def test_members_and_lines_come_out_in_order_of_id():
    snapshot = build_snapshot(
        members=members(
            leg=[-1, 1], owner=[0, 0], joined=[90, 95], package=[1, 0], flags={"vip": [True, False]}
        ),
        lines={
            "id": [20, 10],
            "seller": [0, 1],
            "kind": [2, 0],
            "day": [99, 98],
            "volumes": {"pv": [5, 6], "cv": [7, 8], "margin": [0, -9]},
        },
        state={"pairs.binary.left": [500, 0]},
    )

    people = snapshot.members
    assert people.id.tolist() == [3, 7]
    assert people.parent("sponsor").tolist() == people.parent("enroller").tolist() == [1, -1]
    assert people.leg.tolist() == [1, -1]
    assert people.owner.tolist() == [1, 1]
    assert people.joined.tolist() == [95, 90]
    assert people.package.tolist() == [0, 1]
    assert people.flags["vip"].tolist() == [False, True]
    assert people.highest["rank"].tolist() == [2, 0]
    assert snapshot.state["pairs.binary.left"].tolist() == [0, 500]
    assert snapshot.lines.id.tolist() == [10, 20]
    assert snapshot.lines.seller.tolist() == [0, 1]
    assert snapshot.lines.day.tolist() == [98, 99]
    assert snapshot.lines.volume("margin").tolist() == [-9, 0]
    assert len(snapshot.refunds) == 0


def test_what_is_left_out_has_its_plain_meaning():
    snapshot = build_snapshot(members=members(), lines=LINE, starts_on=10, ends_on=19)

    people = snapshot.members
    assert people.leg.tolist() == people.package.tolist() == [-1, -1]
    assert people.owner.tolist() == people.sequence.tolist() == [0, 1]
    assert people.joined.tolist() == [10, 10]
    assert people.level_of(people.title, "rank").tolist() == [0, 0]
    assert snapshot.lines.day.tolist() == [19]
    assert set(snapshot.refunds.volumes) == {"pv", "cv", "margin"}


@pytest.mark.parametrize(
    ("people", "sold", "message"),
    [
        (members(id=[7, 7]), LINE, "members.id 7 appears twice"),
        (members(parents={"sponsor": [-1, 2]}), LINE, r"parents\.sponsor must lie from -1 to 1"),
        (members(id=[7, 3, 4]), LINE, "must be flat and 3 long, like the ids"),
        (members(id=[7.0, 3.0]), LINE, "members.id must be whole numbers, not float64"),
        (members(highest={"rank": [0, 70_000]}), LINE, r"members\.highest\.rank must lie from"),
        (members(title={"rank": [0, -1]}), LINE, r"members\.title\.rank must lie from 0"),
        (members(owner=[0, -1]), LINE, "members.owner must lie from 0 to 1"),
        (members(leg=[-2, 0]), LINE, "members.leg must lie from -1"),
        (members(flags={"vip": [0, 2]}), LINE, r"members\.flags\.vip must lie from 0 to 1"),
        (members(colour=[1, 2]), LINE, "members must have id, parents and may have"),
        (members(), line(seller=[2]), "lines.seller must lie from 0 to 1"),
        (members(), line(seller=[-1]), "lines.seller must lie from 0 to 1"),
        (members(), line(kind=[-1]), "lines.kind must lie from 0"),
        (
            members(),
            line(colour=[5]),
            "lines must have id, seller, kind, volumes and may have buyer, day",
        ),
        (members(), volumes(cv=[-1]), "lines.cv must lie from 0"),
        (members(), volumes(pv=[10**15 + 1]), "lines.pv must lie from 0"),
        (members(), volumes(margin=[-(10**15) - 1]), "lines.margin must lie within"),
        (members(), volumes(pv=[1, 2]), r"lines\.volumes\.pv must be flat and 1 long"),
    ],
)
def test_contradictions_are_refused(people, sold, message):
    with pytest.raises(SnapshotError, match=message):
        build_snapshot(members=people, lines=sold)


def test_a_refund_in_positive_figures_is_refused():
    with pytest.raises(SnapshotError, match=r"refunds\.cv must lie from -\d+ to 0"):
        build_snapshot(members=members(), lines=LINE, refunds=LINE)


def test_state_of_other_people_than_the_members_is_refused():
    with pytest.raises(SnapshotError, match=r"state\.wallet must be flat and 2 long"):
        build_snapshot(members=members(), lines=LINE, state={"wallet": [1, 2, 3]})


def test_a_period_that_ends_before_it_starts_is_refused():
    with pytest.raises(SnapshotError, match="before it starts"):
        build_snapshot(members=members(), lines=LINE, starts_on=5, ends_on=4)


def test_a_tree_or_figure_that_was_not_given_is_refused_when_asked_for():
    snapshot = build_snapshot(members=members(), lines=LINE)

    with pytest.raises(SnapshotError, match="placement tree"):
        snapshot.members.parent("placement")
    with pytest.raises(SnapshotError, match="no figure price"):
        snapshot.lines.volume("price")


def test_the_hash_sees_every_fact():
    def hashed(people=None, sold=LINE, **more):
        people = members() if people is None else people
        return build_snapshot(members=people, lines=sold, ends_on=9, **more).content_hash()

    different = {
        hashed(),
        hashed(sold=line(seller=[1])),
        hashed(sold=line(kind=[1])),
        hashed(sold=line(day=[1])),
        hashed(sold=volumes(margin=[1])),
        hashed(refunds=volumes(pv=[-1], cv=[-1])),
        hashed(members(parents={"sponsor": [-1, -1], "enroller": [-1, 0]})),
        hashed(members(highest={"rank": [0, 3]})),
        hashed(members(title={"rank": [0, 2]})),
        hashed(members(joined=[0, 1])),
        hashed(members(flags={"vip": [True, False]})),
        hashed(state={"wallet": [0, 1]}),
        hashed(starts_on=1),
    }

    assert len(different) == 13
    assert hashed(sold=line(id=np.array([1], np.uint8))) == hashed()
