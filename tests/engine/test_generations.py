"""Generations: who closes one, who is paid in it, and what the top leaves.

The line is   A - B - C - D - E - F, F at the bottom; leaders are the boundary.
"""

import pytest

from tests.engine.documents import (
    Document,
    bonus,
    by_rank,
    by_step,
    document,
    given_ladder,
    load,
    upline,
)
from tests.engine.walking import OK, Team

LEADER: Document = {"is": "flag", "flag": "leader"}


def line_of(names: str = "ABCDEF") -> Team:
    return Team(**{name: names[i - 1] if i else None for i, name in enumerate(names)})


def generations(pays: str, belongs: str = "generation_he_closes") -> Document:
    return {
        "count": "generations", "boundary": LEADER, "boundary_belongs_to": belongs, "pays": pays,
    }  # fmt: skip


def plan_of(steps: Document, rates: Document | None = None, ladders=(), **parts: object):
    walk = {"max_distance": None, "unfilled": "nobody", "start": "upline"}
    walk |= {name: parts.pop(name) for name in list(parts) if name in (*walk, "stop")}
    given = rates or by_step("0.05", "0.03", "0.01")
    one = bonus(pays=upline(3, steps=steps) | walk, rates=given, **parts)
    return load(document(bonuses=[one], ladders=list(ladders)))


CLOSES, NEXT = "generation_he_closes", "next_generation"


@pytest.mark.parametrize(
    ("pays", "belongs", "paid"),
    [
        ("boundary", CLOSES, [("D", 1), ("B", 2), ("A", 3)]),
        ("boundary", NEXT, [("D", 2), ("B", 3)]),
        ("everyone", CLOSES, [("E", 1), ("D", 1), ("C", 2), ("B", 2), ("A", 3)]),
        ("everyone", NEXT, [("E", 1), ("D", 2), ("C", 2), ("B", 3)]),
    ],
)
def test_who_is_paid_and_as_which_generation(pays, belongs, paid):
    team = line_of().marked("leader", "ABD").sells("F", "100.00")
    shares = {1: "5.00", 2: "3.00", 3: "1.00"}

    lines = team.pays(plan_of(generations(pays, belongs)))

    assert lines == [(name, level, "F", shares[level]) for name, level in paid]


@pytest.mark.parametrize(
    ("pays", "paid"),
    [
        ("boundary", [("F", 1), ("D", 2)]),
        ("everyone", [("F", 1), ("E", 2), ("D", 2), ("C", 3), ("B", 3), ("A", 3)]),
    ],
)
def test_the_source_himself_may_close_the_first(pays, paid):
    team = line_of().marked("leader", "DF").sells("F", "100.00")

    lines = team.pays(plan_of(generations(pays), start="source"))

    assert [line[:2] for line in lines] == paid


@pytest.mark.parametrize(
    ("pays", "policy", "paid"),
    [
        ("boundary", "lost", [("B", 2), ("A", 3)]),
        ("boundary", "compress", [("B", 1), ("A", 2)]),
        ("boundary", "block", []),
        ("everyone", "lost", [("E", 1), ("C", 2), ("B", 2), ("A", 3)]),
        ("everyone", "compress", [("E", 1), ("C", 1), ("B", 1), ("A", 2)]),
        ("everyone", "block", [("E", 1)]),
    ],
)
def test_a_boundary_who_is_not_eligible(pays, policy, paid):
    team = line_of().marked("leader", "ABD").marked("ok", "ABCEF").sells("F", "100.00")
    eligibility = {"when": OK, "otherwise": policy}

    lines = team.pays(plan_of(generations(pays), eligibility=eligibility))

    assert [line[:2] for line in lines] == paid


@pytest.mark.parametrize(
    ("pays", "belongs", "leaders", "kept"),
    [
        ("boundary", CLOSES, "D", [2, 3]),
        ("boundary", CLOSES, "", [1, 2, 3]),
        ("boundary", NEXT, "D", [3]),
        ("everyone", CLOSES, "D", [3]),
        ("everyone", CLOSES, "A", [2, 3]),
        ("everyone", NEXT, "A", [3]),
        ("everyone", CLOSES, "ABD", []),
    ],
)
def test_generations_nobody_stood_in_are_the_companys(pays, belongs, leaders, kept):
    team = line_of().marked("leader", leaders).sells("F", "100.00")

    lines = team.keeps(plan_of(generations(pays, belongs), unfilled="company"))

    assert [line[1] for line in lines] == kept


@pytest.mark.parametrize(("good", "kept"), [("D", [2, 3]), ("", [1, 2, 3]), ("EA", [2, 3])])
def test_whom_compression_passes_over_stands_in_no_generation(good, kept):
    team = line_of().marked("leader", "D").marked("ok", good).sells("F", "100.00")
    compress = {"when": OK, "otherwise": "compress"}

    plan = plan_of(generations("everyone"), unfilled="company", eligibility=compress)

    assert [line[1] for line in team.keeps(plan)] == kept


@pytest.mark.parametrize("pays", ["boundary", "everyone"])
def test_a_distance_and_a_stop_end_the_walk(pays):
    team = line_of().marked("leader", "ABD").marked("end", "C").sells("F", "100.00")
    stop = {"at": {"is": "flag", "flag": "end"}, "pays_him": True}

    near = plan_of(generations(pays), max_distance=3, unfilled="company")
    stopped = plan_of(generations(pays), stop=stop, unfilled="company")

    assert {name for name, *_ in team.pays(near)} <= set("EDC")
    assert [line[1] for line in team.keeps(near)] == ([2, 3] if pays == "boundary" else [3])
    assert {name for name, *_ in team.pays(stopped)} <= set("EDC")
    assert team.keeps(stopped) == []


def test_everyone_is_paid_what_is_not_yet_paid_below():
    team = line_of().marked("leader", "D").ranked(E="low", D="high", C="low", B="top")
    team.sells("F", "100.00")
    shares = {"low": "0.10", "high": "0.15", "top": "0.19"}
    plan = plan_of(
        generations("everyone"),
        rates=by_rank({rank: [share] * 3 for rank, share in shares.items()}),
        less={"than": "paid_below", "minimum": "0"},
        ladders=[given_ladder("rank", *shares)],
    )

    assert team.pays(plan) == [
        ("E", 1, "F", "10.00"),
        ("D", 1, "F", "5.00"),
        ("B", 2, "F", "4.00"),
    ]


def test_whom_compression_passes_over_leaves_his_part_of_a_difference():
    team = line_of("ABC").ranked(B="high", A="top").marked("ok", "A").sells("C", "100.00")
    plan = plan_of(
        generations("everyone"),
        rates=by_rank({"high": ["0.15"] * 3, "top": ["0.19"] * 3}),
        less={"than": "paid_below", "minimum": "0"},
        eligibility={"when": OK, "otherwise": "compress"},
        ladders=[given_ladder("rank", "high", "top")],
    )

    assert team.pays(plan) == [("A", 1, "C", "19.00")]


def test_many_sources_walk_together():
    team = Team(A=None, B="A", C="B", D="B", E="D").marked("leader", "B")
    team.sells("C", "100.00").sells("E", "100.00").sells("C", "10.00")

    assert team.pays(plan_of(generations("everyone"))) == [
        ("B", 1, "C", "5.00"),
        ("D", 1, "E", "5.00"),
        ("B", 1, "C", "0.50"),
        ("B", 1, "E", "5.00"),
        ("A", 2, "C", "3.00"),
        ("A", 2, "C", "0.30"),
        ("A", 2, "E", "3.00"),
    ]
