"""What a snapshot takes, what it refuses, and that it puts everything in order of id."""

import numpy as np
import pytest

from commissions.engine import SnapshotError, build_snapshot

LINE = {"id": [1], "seller": [0], "order_class": [0], "pv": [1], "cv": [1], "margin": [0]}


def members(**columns):
    given = {"id": [7, 3], "sponsor": [-1, 0], "enroller": [-1, 0], "highest_level": [0, 2]}
    return {**given, **columns}


def test_members_and_lines_come_out_in_order_of_id():
    snapshot = build_snapshot(
        members=members(),
        lines={
            "id": [20, 10],
            "seller": [0, 1],
            "order_class": [2, 0],
            "pv": [5, 6],
            "cv": [7, 8],
            "margin": [0, -9],
        },
    )

    assert snapshot.members.id.tolist() == [3, 7]
    assert snapshot.members.sponsor.tolist() == [1, -1]
    assert snapshot.members.highest_level.tolist() == [2, 0]
    assert snapshot.lines.id.tolist() == [10, 20]
    assert snapshot.lines.seller.tolist() == [0, 1]
    assert snapshot.lines.margin.tolist() == [-9, 0]
    assert len(snapshot.refunds) == 0


@pytest.mark.parametrize(
    ("people", "line", "message"),
    [
        (members(id=[7, 7]), LINE, "members.id 7 appears twice"),
        (members(sponsor=[-1, 2]), LINE, "members.sponsor must lie from -1 to 1"),
        (members(id=[7, 3, 4]), LINE, "the columns of members must be flat and of one length"),
        (members(id=[7.0, 3.0]), LINE, "members.id must be whole numbers, not float64"),
        (members(highest_level=[0, 70_000]), LINE, "members.highest_level must lie from"),
        (members(colour=[1, 2]), LINE, "members must have exactly the columns"),
        (members(), {**LINE, "seller": [2]}, "lines.seller must lie from 0 to 1"),
        (members(), {**LINE, "order_class": [5]}, "lines.order_class must lie from 0 to 4"),
        (members(), {**LINE, "cv": [-1]}, "lines.cv must lie from 0"),
        (members(), {**LINE, "pv": [10**15 + 1]}, "lines.pv must lie from 0"),
        (members(), {**LINE, "margin": [-(10**15) - 1]}, "lines.margin must lie within"),
    ],
)
def test_contradictions_are_refused(people, line, message):
    with pytest.raises(SnapshotError, match=message):
        build_snapshot(members=people, lines=line)


def test_a_refund_in_positive_figures_is_refused():
    with pytest.raises(SnapshotError, match=r"refunds\.pv"):
        build_snapshot(members=members(), lines=LINE, refunds=LINE)


def test_the_hash_sees_every_fact():
    def hashed(people=None, **line):
        people = members() if people is None else people
        return build_snapshot(members=people, lines={**LINE, **line}).content_hash()

    different = {
        hashed(),
        hashed(seller=[1]),
        hashed(order_class=[1]),
        hashed(margin=[1]),
        hashed(members(sponsor=[-1, -1])),
        hashed(members(highest_level=[0, 3])),
    }

    assert len(different) == 6
    assert hashed(id=np.array([1], np.uint8)) == hashed()
