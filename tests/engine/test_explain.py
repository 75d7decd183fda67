"""The story of an order line, told in the reasons and figures a page shows."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commissions.engine.explain import Step, trace
from commissions.engine.facts import Facts
from commissions.engine.plan import AtLeast, HasFlag, IsActive, Plan
from commissions.engine.requirements import rank_facts
from commissions.engine.result import Standings
from tests.engine.documents import (
    Document,
    all_of,
    at_least,
    bonus,
    by_rank,
    by_step,
    demo,
    document,
    given_ladder,
    ladder,
    load,
    upline,
)
from tests.engine.walking import ACTIVE, OK, Team

CHAIN = ["asha", "bela", "chetan", "divya", "esha", "farid", "gita"]
COMPRESSED: Document = {"count": "compressed", "counts": ACTIVE}
LEADER: Document = {"is": "flag", "flag": "leader"}


def demo_plan() -> Plan:
    return load(demo())


def line_of(names: list[str] | str) -> Team:
    return Team(**{name: names[i - 1] if i else None for i, name in enumerate(names)})


def buying(volumes: dict[str, str]) -> Team:
    """Each under the one before; who buys nothing has no order."""
    team = line_of(list(volumes))
    for name, volume in volumes.items():
        team.sells(name, volume)
    return team


def steps(team: Team, plan: Plan, code: str = "unilevel", line: int = 0, **which) -> list[Step]:
    return trace(Facts(team.snapshot(plan), plan), code, line, **which)


def told(team: Team, plan: Plan, code: str = "unilevel", line: int = 0, **which) -> list[tuple]:
    return [
        (team.names[step.member], step.outcome, step.reason, step.step, step.amount)
        for step in steps(team, plan, code, line, **which)
    ]


def plan_of(*bonuses: Document, **parts: object) -> Plan:
    return load(document(bonuses=list(bonuses), **parts))


def otherwise(policy: str) -> Document:
    return {"when": OK, "otherwise": policy}


# The demo plan


def test_paid_skipped_and_lost_in_turn():
    team = buying(dict(zip(
        CHAIN, ["100.00", "150.00", "20.00", "60.00", "100.00", "200.00", "740.00"], strict=True
    )))  # fmt: skip

    assert told(team, demo_plan(), line=6) == [
        ("farid", "paid", "none", 1, 3700),
        ("esha", "paid", "none", 2, 2960),
        ("divya", "skipped", "not_counted", 0, 0),
        ("chetan", "skipped", "not_counted", 0, 0),
        ("bela", "paid", "none", 3, 2220),
        ("asha", "lost", "no_rate", 4, 0),
    ]


def test_figures_beside_each_reason():
    team = buying({"asha": "20.00", "bela": "60.00", "chetan": "100.00", "divya": "12.35"})

    paid, below, inactive = steps(team, demo_plan(), line=3)

    assert (paid.base, paid.rate, paid.raw, paid.amount) == (1235, 50_000, Decimal("61.75"), 62)
    assert (paid.distance, paid.step, paid.rank_level, paid.to) == (1, 1, 1, "ledger")
    assert [type(asked.question) for asked in inactive.unmet][:1] == [IsActive]
    assert not any(isinstance(asked.question, IsActive) for asked in below.unmet)
    assert len(below.unmet) == 1


def test_the_story_ends_with_the_first_one_beyond_the_last_step():
    team = buying({f"p{i}": "100.00" for i in range(12)})

    story = told(team, demo_plan(), line=11)

    assert [step[3] for step in story] == [1, 2, 3, 4, 5, 6, 7, 0]
    assert story[-1][:3] == ("p3", "beyond", "beyond_last_step")


def test_partner_commission_and_retail_margin():
    team = Team(asha=None, bela="asha").sells("bela", "40.00", "retail")
    team.sells("bela", "40.00", "self_consumption")
    plan = demo_plan()

    assert told(team, plan, "partner", 0) == [
        ("bela", "paid", "none", 1, 80),
        ("asha", "beyond", "beyond_last_step", 0, 0),
    ]
    assert told(team, plan, "partner", 1) == [("asha", "paid", "none", 1, 80)]
    assert told(team, plan, "retail", 0) == [("bela", "paid", "none", 0, 4000)]
    assert told(team, plan, "retail", 1) == []


def test_lines_that_a_bonus_does_not_pay_for_have_no_story():
    team = Team(asha=None).sells("asha", "40.00", "enrolment_kit")
    plan = demo_plan()

    assert told(team, plan) == []
    assert told(team, plan, "rank") == []
    with pytest.raises(KeyError):
        told(team, plan, "binary")
    pool = bonus(
        "pool",
        base={"of": "metric", "metric": "all"},
        pays={
            "who": "pool", "shares": {"by": "equal"}, "remainder": "company",
            "if_nobody": "company",
        },
        rates=by_step("0.02"),
    )  # fmt: skip
    everybody = {"code": "all", "name": "All", "what": "volume", "volume": "cv"}
    pools = plan_of(pool, metrics=[everybody | {"scope": {"scope": "company"}}])
    with pytest.raises(ValueError, match="not paid on one item alone"):
        told(team, pools, "pool")


def test_a_single_chain_with_given_standings_tells_the_same_as_the_whole_company():
    team = buying(dict.fromkeys(CHAIN, "100.00"))
    team.above["farid"] = "bela"
    plan = demo_plan()
    known = Facts(team.snapshot(plan), plan).standings()
    chain = Team(gita="farid", farid="bela", bela="asha", asha=None).sells("gita", "100.00")
    places = [team.names.index(name) for name in chain.names]
    figures = {code: figure[places] for code, figure in known.metrics.items()}
    ranks = {
        code: type(rank)(*(getattr(rank, which)[places] for which in rank.__slots__))
        for code, rank in known.ranks.items()
    }
    standings = Standings(figures, known.active[places], ranks)

    alone = trace(Facts(chain.snapshot(plan), plan, standings), "unilevel", 0)

    assert [(chain.names[step.member], step.step, step.amount) for step in alone] == [
        (name, step, amount) for name, _, _, step, amount in told(team, plan, line=6)
    ]


# Each thing that can become of somebody


@pytest.mark.parametrize(
    ("policy", "outcome", "next_one"),
    [
        ("lost", ("lost", 2), ("B", "paid", 3)),
        ("held", ("held", 2), ("B", "paid", 3)),
        ("company", ("company", 2), ("B", "paid", 3)),
        ("compress", ("skipped", 0), ("B", "paid", 2)),
        ("block", ("blocked", 0), ("B", "beyond", 0)),
    ],
)
def test_somebody_not_eligible(policy, outcome, next_one):
    team = line_of("ABCDE").marked("ok", "ABD").sells("E", "100.00")

    _, one, after, *_ = steps(team, plan_of(bonus(eligibility=otherwise(policy))))

    assert (one.outcome, one.step) == outcome
    assert one.reason == "not_eligible"
    assert [asked.question for asked in one.unmet] == [HasFlag("flag", "ok")]
    assert (team.names[after.member], after.outcome, after.step) == next_one


def test_what_is_held_or_kept_has_its_figures():
    team = line_of("AB").marked("ok", "").sells("B", "100.00")

    (held,) = steps(team, plan_of(bonus(eligibility=otherwise("held"))))
    (kept,) = steps(team, plan_of(bonus(eligibility=otherwise("company"))))

    assert (held.base, held.rate, held.amount, held.to) == (10_000, 100_000, 1_000, "held")
    assert (kept.base, kept.rate, kept.amount, kept.to) == (10_000, 100_000, 1_000, "retained")


@pytest.mark.parametrize(
    ("pays_him", "leader"), [(True, ("paid", "none")), (False, ("blocked", "stop"))]
)
def test_a_stop(pays_him, leader):
    team = line_of("ABC").marked("leader", "B").sells("C", "100.00")
    stop = {"at": LEADER, "pays_him": pays_him}

    story = told(team, plan_of(bonus(pays=upline(stop=stop))))

    assert story[0][:3] == ("B", *leader)
    assert story[1][:3] == ("A", "beyond", "ended")


def test_a_distance():
    team = line_of("ABCD").marked("active", "AB").sells("D", "100.00")

    story = told(team, plan_of(bonus(pays=upline(steps=COMPRESSED, max_distance=2))))

    assert [step[:3] for step in story] == [
        ("C", "skipped", "not_counted"),
        ("B", "paid", "none"),
        ("A", "beyond", "ended"),
    ]


def test_who_is_passed_over_at_the_last_level_is_still_told():
    team = line_of("ABCD").marked("active", "A").sells("D", "100.00")

    story = told(team, plan_of(bonus(pays=upline(steps=COMPRESSED, max_distance=2))))

    assert [step[:3] for step in story] == [
        ("C", "skipped", "not_counted"),
        ("B", "skipped", "not_counted"),
        ("A", "beyond", "ended"),
    ]


def test_a_difference_that_is_nothing():
    team = line_of("ABC").ranked(A="high", B="high").sells("C", "100.00")
    rates = by_rank({"high": ["0.10", "0.10"]})
    one = bonus(rates=rates, pays=upline(2), less={"than": "paid_below", "minimum": "0"})

    story = told(team, plan_of(one, ladders=[given_ladder("rank", "low", "high")]))

    assert [step[:3] for step in story] == [
        ("B", "paid", "none"),
        ("A", "lost", "no_difference"),
    ]


def test_no_package_to_be_paid_by():
    team = line_of("AB").holding(B=0).sells("B", "100.00")
    base = {"of": "order", "volume": "cv", "smaller_package": True}
    packages = [{"code": "p1", "name": "P1", "value": "50.00"}]

    story = told(team, plan_of(bonus(base=base), packages=packages))

    assert story == [("A", "lost", "no_package", 1, 0)]


def test_somebody_paid_on_the_line_by_another_bonus():
    team = line_of("ABC").sells("C", "100.00")
    direct = bonus("direct", rates=by_step("0.20"))
    second = bonus(exclusion={"scope": "line_and_earner", "bonuses": ["direct"]})

    assert told(team, plan_of(direct, second)) == [
        ("B", "lost", "excluded", 1, 0),
        ("A", "paid", "none", 2, 500),
    ]


def test_generations_in_which_everybody_is_paid():
    team = line_of("ABCDEF").marked("leader", "CE").sells("F", "100.00")
    generations = {
        "count": "generations", "boundary": LEADER, "pays": "everyone",
        "boundary_belongs_to": "generation_he_closes",
    }  # fmt: skip

    story = told(
        team, plan_of(bonus(pays=upline(2, steps=generations), rates=by_step("0.05", "0.03")))
    )

    assert [step[:4] for step in story] == [
        ("E", "paid", "none", 1),
        ("D", "paid", "none", 2),
        ("C", "paid", "none", 2),
        ("B", "beyond", "beyond_last_step", 0),
    ]


def test_a_match_is_told_for_one_of_those_it_is_paid_on():
    team = line_of("ABCD").sells("D", "100.00")
    match = bonus(
        "match",
        base={"of": "commissions", "bonuses": ["unilevel"], "per": "line", "after_limits": False},
        pays=upline(1),
        rates=by_step("0.20"),
    )
    plan = plan_of(bonus(), match)

    assert told(team, plan, "match", source=2)[0] == ("B", "paid", "none", 1, 200)
    assert told(team, plan, "match", source=1)[0] == ("A", "paid", "none", 1, 100)


# The story and the ledger

POLICIES = st.sampled_from(["lost", "compress", "block", "company", "held"])
STEPS = st.sampled_from(
    [
        {"count": "physical"},
        COMPRESSED,
        *(
            {"count": "generations", "boundary": ACTIVE, "boundary_belongs_to": b, "pays": p}
            for b in ("generation_he_closes", "next_generation")
            for p in ("boundary", "everyone")
        ),
    ]
)
NAMES = "abcdefgh"
SOME = st.sets(st.sampled_from(NAMES))


@settings(max_examples=60, deadline=None)
@given(
    SOME, SOME, SOME, POLICIES, STEPS,
    st.sampled_from(["source", "upline"]), st.sampled_from([None, 3]),
    st.sampled_from([None, True, False]),
)  # fmt: skip
def test_the_story_is_what_the_ledger_says(active, ok, end, policy, counting, start, far, stop):
    team = line_of(NAMES).marked("active", active).marked("ok", ok).marked("end", end)
    team.sells("h", "100.00")
    at = {"is": "flag", "flag": "end"}
    pays = upline(steps=counting, start=start, max_distance=far)
    pays |= {} if stop is None else {"stop": {"at": at, "pays_him": stop}}
    plan = plan_of(bonus(pays=pays, eligibility=otherwise(policy)))

    story = steps(team, plan)
    paid = team.paid(plan)["unilevel"]

    for outcome, to in (("paid", "ledger"), ("held", "held")):
        assert {
            (step.member, step.step, step.amount) for step in story if step.outcome == outcome
        } == {(int(block.earner[0]), block.level, int(block.amount[0])) for block in paid.to(to)}
    assert sum(step.amount for step in story if step.outcome == "company") == sum(
        int(block.amount.sum()) for block in paid.retained
    )
    assert [step.distance for step in story] == list(
        range(0 if start == "source" else 1, len(story) + (start == "upline"))
    )
    assert [step.outcome in ("beyond", "blocked") for step in story[:-1]].count(True) <= 1


# Ranks


def test_rank_facts_name_each_shortfall():
    ranks = {
        "bronze": at_least("pv", "100"),
        "silver": all_of(at_least("pv", "200"), at_least("gv", "1000")),
        "gold": all_of(at_least("pv", "300"), at_least("gv", "2500")),
    }
    plan = plan_of(bonus(), ladders=[ladder(ranks)])
    team = Team(asha=None, bela="asha").sells("asha", "250.00").sells("bela", "650.00")

    bronze, silver, gold = rank_facts(Facts(team.snapshot(plan), plan), 0)

    assert [fact.met for fact in (bronze, silver, gold)] == [True, False, False]
    assert [(asked.needed, asked.actual, asked.shortfall) for asked in silver.asked] == [
        (20_000, 25_000, 0),
        (100_000, 90_000, 10_000),
    ]
    assert [asked.shortfall for asked in gold.asked] == [5_000, 160_000]
    assert isinstance(gold.asked[0].question, AtLeast)
    assert (gold.level, gold.rank.name) == (3, "Gold")


def test_what_must_not_be_has_no_shortfall():
    ranks = {"bronze": {"is": "not", "of": at_least("pv", "100")}}
    plan = plan_of(bonus(), ladders=[ladder(ranks)])
    team = Team(asha=None).sells("asha", "250.00")

    (bronze,) = rank_facts(Facts(team.snapshot(plan), plan), 0)

    assert not bronze.met
    assert [(asked.fails, asked.negated, asked.shortfall) for asked in bronze.asked] == [
        (True, True, 0)
    ]
