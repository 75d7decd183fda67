"""What a plan document may say, and how the engine says what is wrong with one."""

import copy
import json

import pytest

from commissions.engine import PlanError, load_plan
from tests.engine.company import demo_document


def faults_of(document: object) -> list[str]:
    with pytest.raises(PlanError) as refused:
        load_plan(document)
    return [str(fault) for fault in refused.value.faults]


def test_demo_plan_reads_as_written():
    plan = load_plan(demo_document())

    assert [(rank.code, rank.min_personal_pv, rank.min_group_pv) for rank in plan.ladder.ranks] == [
        ("bronze", 100_00, 0),
        ("silver", 200_00, 1_000_00),
        ("gold", 300_00, 2_500_00),
        ("platinum", 500_00, 5_000_00),
        ("diamond", 1_000_00, 10_000_00),
    ]
    assert [(bonus.code, bonus.ledger_type, bonus.trigger) for bonus in plan.bonuses] == [
        ("partner", "direct_bonus", "payment"),
        ("retail", "retail", "period_close"),
        ("unilevel", "unilevel", "period_close"),
        ("rank", "rank_bonus", "period_close"),
    ]
    assert [bonus.needs_standings for bonus in plan.bonuses] == [False, False, True, True]
    assert plan.bonus("partner").rates.table[0] == (20_000,)
    assert plan.bonus("rank").amounts == (0, 10_00, 15_00, 25_00, 40_00, 90_00)


def test_demo_plan_can_never_break_its_ceiling_where_cv_equals_pv():
    plan = load_plan(demo_document())

    unilevel = sum(
        max(row[step] for row in plan.bonus("unilevel").rates.table) for step in range(7)
    )
    rank_bonuses = [
        sum(plan.bonus("rank").amounts[: rank.level + 1]) * 1_000_000 // rank.min_personal_pv
        for rank in plan.ladder.ranks
    ]

    partner = plan.bonus("partner").rates.table[0][0]
    assert (unilevel, partner, max(rank_bonuses)) == (250_000, 20_000, 180_000)
    assert unilevel + partner + max(rank_bonuses) == plan.ceiling.share


def test_hash_knows_the_content_and_not_the_spelling():
    document = demo_document()
    reordered = json.loads(json.dumps(document, sort_keys=True, indent=4))
    changed = copy.deepcopy(document)
    changed["bonuses"][0]["rates"]["table"] = ["0.03"]

    assert load_plan(reordered).content_hash == load_plan(document).content_hash
    assert load_plan(changed).content_hash != load_plan(document).content_hash


def test_all_faults_are_named_by_path_at_once():
    document = demo_document()
    del document["ranks"]["ladder"][0]["min_legs"]
    document["ranks"]["ladder"][4]["level"] = 7
    document["money"]["rounding"] = "floor"
    document["bonuses"][2]["rates"]["table"]["gould"] = ["0.05"]
    document["bonuses"][2]["rates"]["table"]["gold"] = ["0.05"] * 8
    document["bonuses"][1]["colour"] = "blue"
    document["activity"]["min_personal_pv"] = 50.0

    assert faults_of(document) == [
        "$.ranks.ladder[0].min_legs: is missing",
        "$.ranks.ladder[4].level: the ladder counts its ranks 1, 2, 3 ...: this one is 5",
        "$.bonuses[1].colour: is not a field of the plan language",
        "$.bonuses[2].rates.table.gold: has 8 rates for at most 7 steps",
        '$.bonuses[2].rates.table.gould: is no rank of the ladder, nor "none"',
        '$.money.rounding: must be one of down, half_even, half_up, not "floor"',
        '$.activity.min_personal_pv: must be a decimal in quotes such as "12.50", not negative',
    ]


def remove(document, *path):
    *way, last = path
    for key in way:
        document = document[key]
    del document[last]


@pytest.mark.parametrize(
    "path",
    [
        ("money", "zero_amounts"),
        ("volumes", "group", "includes_own"),
        ("ranks", "climb"),
        ("ranks", "when_not_met"),
        ("bonuses", 0, "trigger"),
        ("bonuses", 0, "selector", "tree"),
        ("bonuses", 2, "selector", "steps", "skip_inactive"),
        ("bonuses", 2, "eligibility", "otherwise"),
        ("bonuses", 3, "occurrence", "skipped_ranks"),
        ("limits", "payout_share"),
        ("reversal", "volume_counts_in"),
        ("reversal",),
    ],
)
def test_nothing_has_a_silent_default(path):
    document = demo_document()
    remove(document, *path)

    dotted = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    assert faults_of(document) == [f"${dotted}: is missing"]


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        ("0.0000001", 'has more than 6 decimals or is too large'),
        ("-0.05", "must be a decimal in quotes"),
        ("5%", "must be a decimal in quotes"),
        ("1e-2", "must be a decimal in quotes"),
        (0.05, "must be a decimal in quotes"),
        ("1.000001", "a rate above 1 would pay more than its base"),
    ],
)  # fmt: skip
def test_rates_are_exact_or_refused(rate, message):
    document = demo_document()
    document["bonuses"][0]["rates"]["table"] = [rate]

    (fault,) = faults_of(document)
    assert message in fault


def test_what_is_paid_at_payment_can_not_ask_for_ranks():
    document = demo_document()
    document["bonuses"][2]["trigger"] = "payment"

    (fault,) = faults_of(document)
    assert fault.startswith("$.bonuses[2].trigger: at payment nobody's rank")


def test_pay_for_enrolment_is_found():
    document = demo_document()
    assert load_plan(document).pays_on_enrolment == ()

    document["bonuses"][0]["selector"]["start"]["enrolment_kit"] = "upline"
    document["bonuses"][1]["selector"]["orders"] = ["enrolment_kit"]

    assert load_plan(document).pays_on_enrolment == ("partner", "retail")


@pytest.mark.parametrize("document", [None, [], "plan", {}, {"schema": 2}])
def test_documents_that_are_no_plan(document):
    assert faults_of(document)


def test_broken_parts_are_reported_once_and_break_nothing_else():
    document = demo_document()
    document["bonuses"] = {"code": "x"}
    document["ranks"]["ladder"][0] = "bronze"
    document["money"] = []

    assert faults_of(document) == [
        '$.ranks.ladder[0]: must be an object, not "bronze"',
        "$.bonuses: must be a list",
        "$.money: must be an object, not []",
        '$.limits.payout_share.bonuses[0]: "partner" is not allowed',
        '$.limits.payout_share.bonuses[1]: "unilevel" is not allowed',
        '$.limits.payout_share.bonuses[2]: "rank" is not allowed',
    ]
