"""A plan in prose: every rule is in it, and in words that can be read."""

import json

import pytest

from commissions.engine.plan import Plan
from commissions.engine.plan.loading import load_plan
from commissions.engine.prose import Section, explain_plan, to_markdown, words
from tests.engine.documents import (
    PLANS,
    all_of,
    any_of,
    at_least,
    bonus,
    by_rank,
    by_step,
    demo,
    document,
    group,
    has_rank,
    ladder,
    load,
    metric,
    upline,
)  # fmt: skip
from tests.engine.everything import everything
from tests.engine.mutations import changed

NAMES = sorted(path.stem for path in PLANS.glob("*.json"))


def section(plan: Plan, title: str) -> Section:
    return next(each for each in explain_plan(plan) if each.title == title)


def test_a_bonus_reads_as_a_distributor_asks():
    unilevel = section(load(demo()), "Unilevel")

    assert unilevel.paragraphs == (
        "Paid on CV of each order line. It is worked out when the period is closed. "
        "Statements list it under unilevel.",
        "It goes up the sponsor tree, one step after the other. For orders of the kind retail, "
        "preferred, self consumption or autoship step 1 is the next above the seller. Orders of "
        "other kinds pay nobody. Only who is active and is Bronze or higher by this period's "
        "figures uses up a step; others are passed over. It pays at most 7 steps, however far up. "
        "Steps that no upline is left for pay nobody.",
        "The rates go by the earner's rank, by this period's figures.",
        "Nothing more is asked of the earner.",
        "It is paid every time it is earned.",
    )
    (table,) = unilevel.tables
    assert table.head == ("Rank", *(f"Step {step}" for step in range(1, 8)))
    assert table.rows[3] == ("Platinum", "5 %", "5 %", "4 %", "3 %", "2.5 %", "2 %", "–")


def test_ranks_list_what_they_ask():
    (table,) = section(load(demo()), "Ranks").tables

    assert table.rows[1] == (
        "2",
        "Silver",
        "has at least 200.00 Personal volume and has at least 1,000.00 Group volume",
    )


def test_limits_refunds_and_payout_have_their_sections():
    plan = load(demo())

    assert section(plan, "Limits, one after the other").paragraphs == (
        "1. Payout ceiling. For all together, Partner commission, Unilevel and Rank bonus may come "
        "to at most 45 % of Commissionable volume of the company in a period. The period can't be "
        "closed while it is exceeded.",
    )
    assert section(plan, "When money is paid out").paragraphs == (
        "Earnings can be taken out from 10.00 GBP on, 0 days after the period; until then they are "
        "carried.",
    )


def test_conditions_keep_and_and_or_apart():
    plan = load(document(ladders=[ladder()]))
    asked = all_of(at_least("gv", "1000"), any_of(at_least("pv", "100"), has_rank("silver")))
    read = load(document(ladders=[ladder()], activity=asked)).activity

    assert words.condition(read, plan) == (
        "has at least 1,000.00 GV and (has at least 100.00 PV or is Silver or higher by this "
        "period's figures)"
    )


def test_counts_are_whole_numbers_and_volumes_are_not():
    team = metric("team", what="members", scope=group())
    plan = load(document(metrics=[metric("pv"), team], activity=at_least("team", "3")))

    assert words.condition(plan.activity, plan) == "has at least 3 TEAM"


def test_amounts_have_the_currency_and_shares_percent():
    paid = bonus(
        base={"of": "flat", "per": "member"}, pays={"who": "source"}, unit="amount",
        rates=by_rank({"bronze": ["12.5"]}),
    )  # fmt: skip
    shared = bonus("share", rates=by_step("0.0325"), pays=upline(1))
    plan = load(document(ladders=[ladder()], bonuses=[paid, shared]))

    assert section(plan, "Unilevel").tables[0].rows == (("Bronze", "12.50 EUR"),)
    assert section(plan, "Share").tables[0].rows == (("3.25 %",),)


def test_markdown_has_a_heading_for_each_section_and_whole_tables():
    sections = explain_plan(load(demo()))
    lines = to_markdown("Demo plan", sections).splitlines()

    assert lines[0] == "# Demo plan"
    assert [line for line in lines if line.startswith("## ")] == [f"## {s.title}" for s in sections]
    for each in sections:
        for table in each.tables:
            assert {len(row) for row in table.rows} <= {len(table.head)}


@pytest.mark.parametrize("name", [*NAMES, "everything"])
def test_every_field_shows(name):
    plan = (everything() if name == "everything" else preset(name)).as_written
    told = explain_plan(plan)

    silent = [path for path, other in changed(plan) if explain_plan(other) == told]

    assert silent == []


def preset(name: str) -> Plan:
    return load_plan(json.loads((PLANS / f"{name}.json").read_text()))
