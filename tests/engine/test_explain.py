"""The story of an order line, told in the reasons and figures a page shows."""

from decimal import Decimal

import pytest

from commissions.engine import calculate, rank_facts, trace
from commissions.engine.calculate import unranked
from tests.engine.company import Company, demo_plan

CHAIN = ["asha", "bela", "chetan", "divya", "esha", "farid", "gita"]


def company_of(volumes: dict[str, str]) -> Company:
    names = list(volumes)
    company = Company({name: names[i - 1] if i else None for i, name in enumerate(names)})
    for name, volume in volumes.items():
        company.sells(name, volume)
    return company


def told(company: Company, code: str, line: int) -> list[tuple]:
    plan, snapshot = demo_plan(), company.snapshot()
    standings = calculate(snapshot, plan).standings
    return [
        (company.names[step.member], step.outcome, step.reason, step.step, step.amount)
        for step in trace(snapshot, standings, plan, code, line)
    ]


def test_paid_skipped_and_lost_in_turn():
    company = company_of(dict(zip(
        CHAIN, ["100.00", "150.00", "20.00", "60.00", "100.00", "200.00", "740.00"], strict=True
    )))  # fmt: skip

    assert told(company, "unilevel", 6) == [
        ("farid", "paid", "none", 1, 3700),
        ("esha", "paid", "none", 2, 2960),
        ("divya", "skipped", "below_rank", 0, 0),
        ("chetan", "skipped", "inactive", 0, 0),
        ("bela", "paid", "none", 3, 2220),
        ("asha", "lost", "no_rate", 4, 0),
    ]


def test_facts_beside_each_reason():
    company = company_of({"asha": "20.00", "bela": "60.00", "chetan": "100.00", "divya": "12.35"})
    plan, snapshot = demo_plan(), company.snapshot()

    paid, below, inactive = trace(
        snapshot, calculate(snapshot, plan).standings, plan, "unilevel", 3
    )

    assert (paid.base, paid.rate, paid.raw, paid.rounding, paid.amount) == (
        1235, 50_000, Decimal("61.75"), "half_even", 62,
    )  # fmt: skip
    assert (paid.distance, paid.step, paid.rank_level) == (1, 1, 1)
    assert below.facts == {"level": 0, "level_needed": 1}
    assert inactive.facts == {"pv": 2000, "pv_needed": 5000}


def test_the_story_ends_with_the_first_one_beyond_the_last_step():
    company = company_of({f"p{i}": "100.00" for i in range(12)})

    steps = told(company, "unilevel", 11)

    assert [step[3] for step in steps] == [1, 2, 3, 4, 5, 6, 7, 0]
    assert steps[-1][:3] == ("p3", "beyond", "beyond_last_step")


def test_partner_commission_and_retail_margin():
    company = Company({"asha": None, "bela": "asha"})
    company.sells("bela", "40.00", kind="retail", margin="9.00")
    company.sells("bela", "40.00", kind="self_consumption")

    assert told(company, "partner", 0) == [
        ("bela", "paid", "none", 1, 80),
        ("asha", "beyond", "beyond_last_step", 0, 0),
    ]
    assert told(company, "partner", 1) == [("asha", "paid", "none", 1, 80)]
    assert told(company, "retail", 0) == [("bela", "paid", "none", 0, 900)]
    assert told(company, "retail", 1) == []


def test_at_payment_nobodys_standing_is_needed():
    company, plan = Company({"asha": None, "bela": "asha"}).sells("bela", "40.00"), demo_plan()

    (step,) = trace(company.snapshot(), None, plan, "partner", 0)

    assert (step.member, step.amount) == (0, 80)


def test_lines_that_a_bonus_does_not_pay_for_have_no_story():
    company = Company({"asha": None}).sells("asha", "40.00", kind="enrolment_kit")
    plan, snapshot = demo_plan(), company.snapshot()

    assert trace(snapshot, unranked(1), plan, "unilevel", 0) == []
    with pytest.raises(ValueError, match="not paid for order lines"):
        trace(snapshot, unranked(1), plan, "rank", 0)
    with pytest.raises(KeyError):
        trace(snapshot, unranked(1), plan, "binary", 0)


def test_a_single_chain_tells_the_same_as_the_whole_company():
    company = company_of(dict.fromkeys(CHAIN, "100.00"))
    company.sponsors["farid"] = "bela"
    plan, snapshot = demo_plan(), company.snapshot()
    standings = calculate(snapshot, plan).standings

    chain = Company({"gita": "farid", "farid": "bela", "bela": "asha", "asha": None})
    chain.sells("gita", "100.00")
    places = [company.names.index(name) for name in chain.names]
    alone = trace(chain.snapshot(), standings.take(places), plan, "unilevel", 0)
    whole = trace(snapshot, standings, plan, "unilevel", 6)

    assert [(chain.names[s.member], s.step, s.amount) for s in alone] == [
        (company.names[s.member], s.step, s.amount) for s in whole
    ]


def test_rank_facts_name_each_shortfall():
    facts = rank_facts(demo_plan(), pv=25_000, gv=90_000, leg_volumes=[40_000, 25_000])

    bronze, silver, gold, _, diamond = facts
    assert bronze.met
    assert [(r.name, r.needed, r.actual, r.shortfall) for r in silver.requirements] == [
        ("personal_pv", 20_000, 25_000, 0),
        ("group_pv", 100_000, 90_000, 10_000),
    ]
    assert [fact.met for fact in facts] == [True, False, False, False, False]
    assert [r.shortfall for r in gold.requirements] == [5_000, 160_000]
    assert diamond.rank.name == "Diamond"


def test_rank_facts_count_the_legs_that_are_large_enough():
    plan = demo_plan()
    ladder = plan.ladder.ranks[2]
    object.__setattr__(ladder, "min_legs", 2)
    object.__setattr__(ladder, "min_leg_volume", 30_000)

    gold = rank_facts(plan, pv=30_000, gv=300_000, leg_volumes=[40_000, 29_999])[2]

    assert [(r.name, r.needed, r.actual) for r in gold.requirements][-1] == ("legs", 2, 1)
    assert not gold.met
