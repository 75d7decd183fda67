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


@pytest.mark.parametrize(
    ("pays", "rest"),
    [(upline(), "the step pays nobody"), ({"who": "source"}, "he gets nothing of it")],
)
def test_who_is_not_eligible_leaves_a_step_only_where_somebody_walks(pays, rest):
    asked = {"when": {"is": "active"}, "otherwise": "lost"}
    plan = load(document(bonuses=[bonus(pays=pays, eligibility=asked, rates=by_step("0.1"))]))

    assert f"Only who is active is paid; otherwise {rest}." in section(plan, "Unilevel").paragraphs


def test_new_figures_legs_and_parts_read_as_they_are_meant():
    sides = {
        "is": "legs_with_recruits", "legs": 2, "tree": "placement", "recruits": 1,
        "by": "enroller", "where": at_least("pv", "25"),
    }  # fmt: skip
    plan = load(document(
        metrics=[
            metric("pv"),
            metric("buyers", what="buyers", volume="pv", least="50"),
            metric("best", volume="pv", scope={"scope": "legs", "tree": "sponsor", "first": 2}),
        ],
        activity=sides,
        bonuses=[
            bonus("threes", base={"of": "metric", "metric": "buyers", "each": "3"},
                  pays={"who": "source"}, unit="amount", rates=by_step("40")),
            bonus("tier", base={"of": "metric", "metric": "pv", "above": "10", "at_most": "20"},
                  pays={"who": "source"}, rates=by_step("0.1")),
        ],
    ))  # fmt: skip

    assert [row[1] for row in section(plan, "What is measured").tables[1].rows[1:]] == [
        "Number of buyers of at least 50.00 PV of the member himself in the period",
        "PV of the member's 2nd strongest leg and all weaker ones in the sponsor tree in the "
        "period",
    ]
    assert words.condition(plan.activity, plan) == (
        "has 2 legs in the placement tree with at least 1 member in each whom the member enrolled "
        "himself and who has at least 25.00 PV"
    )
    assert (
        section(plan, "Threes")
        .paragraphs[0]
        .startswith("Paid on each member's BUYERS: an amount for each whole 3 of it.")
    )
    assert (
        section(plan, "Tier")
        .paragraphs[0]
        .startswith("Paid on each member's PV, on what of it is above 10.00 and up to 20.00.")
    )


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
