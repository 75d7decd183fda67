"""People who have left the company, on walks, among people, and with money still to come.

A            E sells 100.00; B has left
|
B (left)     unilevel of 10 %, 5 % and 1 % upwards
|
C
|
E
"""

import pytest

from commissions.engine.calculate import calculate
from commissions.engine.explain import trace
from commissions.engine.facts import Facts
from commissions.engine.plan import HasLeft
from commissions.engine.snapshot import LEFT, build_snapshot
from tests.engine.documents import (
    Document,
    at_least,
    bonus,
    by_step,
    document,
    ladder,
    levels,
    load,
    metric,
    upline,
)
from tests.engine.walking import Team

PASSED: Document = {"steps": "passed_over", "counts": "nowhere", "owed": "lapses"}
STANDS: Document = {"steps": "as_ineligible", "counts": "as_others", "owed": "paid"}


def team() -> Team:
    return Team(A=None, B="A", C="B", E="C").marked(LEFT, "B").sells("E", "100.00")


def unilevel(left: Document | None, otherwise: str = "lost", **pays: object) -> Document:
    walk = bonus(
        "unilevel",
        pays=upline(max_steps=3, **pays),
        rates=by_step("0.10", "0.05", "0.01"),
        eligibility={"when": None, "otherwise": otherwise},
    )
    return document(bonuses=[walk], left=left)


@pytest.mark.parametrize(
    ("left", "otherwise", "paid"),
    [
        (None, "lost", [("C", "10.00"), ("B", "5.00"), ("A", "1.00")]),
        (PASSED, "lost", [("C", "10.00"), ("A", "5.00")]),
        (PASSED, "block", [("C", "10.00"), ("A", "5.00")]),
        (STANDS, "lost", [("C", "10.00"), ("A", "1.00")]),
        (STANDS, "compress", [("C", "10.00"), ("A", "5.00")]),
        (STANDS, "block", [("C", "10.00")]),
        (STANDS, "company", [("C", "10.00"), ("A", "1.00")]),
    ],
)
def test_what_becomes_of_somebody_who_has_left(left, otherwise, paid):
    plan = load(unilevel(left, otherwise))

    lines = team().pays(plan)

    assert [(earner, amount) for earner, _, _, amount in lines] == paid


def test_nobody_is_paid_as_seller_once_he_has_left():
    own = bonus("own", pays={"who": "source"}, rates=by_step("0.10"))
    plan = load(document(bonuses=[own], left=PASSED))

    lines = team().sells("B", "50.00").pays(plan, "own")

    assert lines == [("E", 0, "E", "10.00")]


def test_whoever_has_left_ends_no_generation():
    generations = {
        "count": "generations",
        "boundary": {"is": "flag", "flag": "leader"},
        "boundary_belongs_to": "generation_he_closes",
        "pays": "boundary",
    }
    plan = load(unilevel(PASSED, steps=generations))

    lines = team().marked("leader", "BA").pays(plan)

    assert [(earner, level) for earner, level, *_ in lines] == [("A", 1)]


@pytest.mark.parametrize(("left", "counted"), [(PASSED, 1), (STANDS, 2)])
def test_whoever_has_left_is_counted_as_the_plan_says(left, counted):
    """A brought in B, who sold enough for Bronze before he left, and D."""
    both = {"is": "legs_with_recruits", "legs": 2, "tree": "sponsor", "recruits": 1,
            "by": "sponsor"}  # fmt: skip
    people = metric("directs", what="members", scope=levels(1, 1))
    plan = load(
        document(
            metrics=[metric("pv"), people],
            ladders=[ladder({"bronze": at_least("pv", "10")}), ladder({"both": both}, code="team")],
            bonuses=[bonus("own", pays={"who": "source"}, rates=by_step("0.10"))],
            activity=None,
            left=left,
        )
    )
    facts = Facts(
        Team(A=None, B="A", D="A").marked(LEFT, "B").sells("B", "20.00").snapshot(plan), plan
    )

    assert facts.metric("directs").tolist() == [counted * 100, 0, 0]
    assert facts.ranks(plan.ladders[0].code).paid_as.tolist() == [0, counted - 1, 0]
    assert facts.ranks("team").paid_as.tolist() == [counted - 1, 0, 0]
    assert facts.metric("pv").tolist() == [0, 2000, 0]
    assert facts.active.tolist() == [True, False, True]


@pytest.mark.parametrize(("left", "paid"), [(PASSED, [0, 500]), (STANDS, [500, 500])])
def test_instalments_of_somebody_who_has_left(left, paid):
    """A and B were promised 15.00 in three parts; A has left before the second falls due."""
    grant = bonus(
        "grant", base={"of": "flat", "per": "member"}, pays={"who": "source"},
        rates=by_step("5.00"), unit="amount", instalments=3,
        eligibility={"when": {"is": "flag", "flag": "ok"}, "otherwise": "lost"},
    )  # fmt: skip
    plan = load(document(bonuses=[grant], left=left))
    snapshot = build_snapshot(
        members={"id": [1, 2], "parents": {"sponsor": [-1, 0]}, "flags": {LEFT: [True, False]}},
        lines={"id": [], "seller": [], "kind": [], "volumes": {"pv": [], "cv": [], "margin": []}},
        state={"due.grant.1": [500, 500], "due.grant.2": [500, 500]},
    )

    result = calculate(snapshot, plan)

    amounts = dict.fromkeys(range(2), 0)
    for block in result.ledger:
        amounts |= dict(zip(block.earner.tolist(), block.amount.tolist(), strict=True))
    assert list(amounts.values()) == paid
    assert result.state["due.grant.1"].tolist() == [500, 500]


def test_the_story_says_that_somebody_has_left():
    plan = load(unilevel(PASSED))

    story = trace(Facts(team().snapshot(plan), plan), "unilevel", 0)

    assert [(step.outcome, step.reason) for step in story] == [
        ("paid", "none"),
        ("skipped", "not_counted"),
        ("paid", "none"),
    ]
    (asked,) = story[1].unmet
    assert isinstance(asked.question, HasLeft)
    assert asked.negated


def test_a_document_may_ask_by_itself():
    stays = {"is": "not", "of": {"is": "left"}}
    walk = bonus("unilevel", pays=upline(max_steps=3), rates=by_step("0.10", "0.05"),
                 eligibility={"when": stays, "otherwise": "lost"})  # fmt: skip
    plan = load(document(bonuses=[walk]))

    assert plan.as_written is plan
    assert [earner for earner, *_ in team().pays(plan)] == ["C"]


def test_what_is_written_is_what_is_read_and_the_spelling_is_computed():
    plan = load(unilevel(PASSED))

    assert plan.as_written.bonus("unilevel").eligibility.when is None
    assert plan.bonus("unilevel").eligibility.when is not None
    assert plan.as_written.content_hash == plan.content_hash
