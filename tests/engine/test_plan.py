"""What a plan document may say, and how the engine says what is wrong with one."""

import json
import re
from typing import Any

import pytest

from commissions.engine.errors import PlanError
from commissions.engine.plan import PERIOD_CLOSE, Plan
from commissions.engine.plan.loading import load_plan
from commissions.engine.plan.schema import schema
from tests.engine.documents import (
    COMPANY,
    METRICS,
    PLANS,
    all_of,
    any_of,
    at_least,
    bonus,
    by_rank,
    by_step,
    demo,
    document,
    given_ladder,
    group,
    has_rank,
    ladder,
    levels,
    load,
    metric,
    money,
    upline,
)  # fmt: skip

ACTIVE = {"is": "active"}
ON_OWN = {"of": "commissions", "bonuses": ["own"], "per": "line", "after_limits": False}
CV_SHARE = {"metric": "company_cv", "share": "0.4", "amount": None}


def faults_of(document: object) -> list[str]:
    with pytest.raises(PlanError) as refused:
        load_plan(document)
    return [str(fault) for fault in refused.value.faults]


def limit(**parts: object) -> dict[str, object]:
    given: dict[str, object] = {
        "code": "cap", "name": "Cap", "scope": "member", "bonuses": ["own"], "amount": "1",
        "share": None, "metric": None, "enforcement": "pro_rata", "overflow": "lost",
    }  # fmt: skip
    return given | parts


def pairs(**parts: object) -> dict[str, object]:
    given: dict[str, object] = {
        "who": "pairs", "tree": "placement", "volume": "pv", "cycle": None,
        "after_payout": "carry", "if_ineligible": "keep_both", "carry_cap": None,
    }  # fmt: skip
    return given | parts


def pool(**parts: object) -> dict[str, object]:
    given: dict[str, object] = {
        "who": "pool", "shares": {"by": "equal"}, "remainder": "company", "if_nobody": "company",
    }  # fmt: skip
    return given | parts


def own(**parts: object) -> dict[str, Any]:
    return bonus(**{"code": "own", "pays": {"who": "source"}, "rates": by_step("0.1")} | parts)


def test_demo_plan_reads_as_written():
    plan = load(demo())

    assert [(bonus.code, bonus.ledger_type, bonus.trigger) for bonus in plan.bonuses] == [
        ("partner", "direct_bonus", "payment"),
        ("retail", "retail", "period_close"),
        ("unilevel", "unilevel", "period_close"),
        ("rank", "rank_bonus", "period_close"),
    ]
    assert [bonus.code for bonus in plan.triggered_by(PERIOD_CLOSE)] == [
        "retail", "unilevel", "rank",
    ]  # fmt: skip
    assert plan.bonus("partner").rates.table == (20_000,)
    assert plan.bonus("rank").rates.table["diamond"] == (90_000_000,)
    assert plan.bonus("unilevel").pays.start == {
        "retail": "upline", "preferred": "upline", "self_consumption": "upline",
        "autoship": "upline",
    }  # fmt: skip
    assert (plan.ladder("rank").level("gold"), plan.ladder("rank").level("gould")) == (3, 0)
    assert [programme.code for programme in plan.programmes][-1] == "payout_share"
    with pytest.raises(KeyError):
        plan.bonus("binary")


def test_demo_plan_can_never_break_its_ceiling_where_cv_equals_pv():
    plan = load(demo())

    rows = plan.bonus("unilevel").rates.table.values()
    unilevel = sum(max(row[step] for row in rows if step < len(row)) for step in range(7))
    amounts = [row[0] for row in plan.bonus("rank").rates.table.values()]
    asked = [rank.when.of[0].figure for rank in plan.ladder("rank").ranks]
    rank = max(sum(amounts[: place + 1]) * 100 // asked[place] for place in range(5))

    partner = plan.bonus("partner").rates.table[0]
    assert (unilevel, partner, rank) == (250_000, 20_000, 180_000)
    assert unilevel + partner + rank == plan.limits[0].share


@pytest.mark.parametrize("path", sorted(PLANS.glob("*.json")), ids=lambda path: path.stem)
def test_every_plan_that_is_shipped_can_be_loaded(path):
    assert isinstance(load_plan(json.loads(path.read_text())), Plan)


def test_hash_knows_the_content_and_not_the_spelling():
    changed = demo()
    changed["bonuses"][0]["rates"]["table"] = ["0.03"]
    reordered = json.loads(json.dumps(demo(), sort_keys=True, indent=4))

    assert load(reordered).content_hash == load(demo()).content_hash
    assert load(changed).content_hash != load(demo()).content_hash


def test_all_faults_of_reading_are_named_by_path_at_once():
    plan = demo()
    del plan["ladders"][0]["ranks"][0]["name"]
    plan["money"]["rounding"] = "floor"
    plan["bonuses"][1]["colour"] = "blue"
    plan["bonuses"][2]["pays"]["max_steps"] = 0
    plan["activity"]["figure"] = 50.0
    plan["payout"]["minimum"] = "10.001"

    assert faults_of(plan) == [
        "$.money.rounding: must be one of half_even, half_up, toward_zero, away_from_zero, not "
        '"floor"',
        '$.activity.figure: must be a decimal in quotes such as "12.50", not negative; it is 50.0',
        "$.ladders[0].ranks[0].name: is missing",
        "$.bonuses[1].colour: is not a field of the plan language; known here: base, code, "
        "eligibility, exclusion, factor, instalments, ledger_type, less, name, occurrence, "
        "orders, pays, rates, reward, sources, trigger, unit",
        "$.bonuses[2].pays.max_steps: must be a whole number from 1 to 100",
        '$.payout.minimum: "10.001" has more than 2 decimals or is too large',
    ]


@pytest.mark.parametrize(
    "path",
    [
        ("money", "zero_amounts"),
        ("metrics", 2, "scope", "include_self"),
        ("ladders", 0, "climb"),
        ("ladders", 0, "when_not_met"),
        ("bonuses", 0, "trigger"),
        ("bonuses", 0, "pays", "tree"),
        ("bonuses", 2, "pays", "unfilled"),
        ("bonuses", 2, "eligibility", "otherwise"),
        ("bonuses", 3, "occurrence", "skipped_ranks"),
        ("limits", 0, "overflow"),
        ("reversal", "volume_counts_in"),
        ("reversal",),
        ("payout", "hold_days"),
    ],
)
def test_where_good_plans_differ_nothing_has_a_silent_default(path):
    plan = demo()
    *way, last = path
    part: Any = plan
    for key in way:
        part = part[key]
    del part[last]

    dotted = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    assert faults_of(plan) == [f"${dotted}: is missing"]


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        ("0.0000001", "has more than 6 decimals or is too large"),
        ("-0.05", "must be a decimal in quotes"),
        ("5%", "must be a decimal in quotes"),
        ("1e-2", "must be a decimal in quotes"),
        (0.05, "must be a decimal in quotes"),
        ("1.000001", "a share above 1 would pay more than its base"),
    ],
)
def test_rates_are_exact_or_refused(rate, message):
    (fault,) = faults_of(document(bonuses=[own(rates=by_step(rate))]))

    assert fault.startswith("$.bonuses[0].rates.table[0]: ")
    assert message in fault


@pytest.mark.parametrize("plan", [None, [], "plan", {}, {"schema": 2}])
def test_documents_that_are_no_plan(plan):
    assert faults_of(plan)


def test_broken_parts_are_reported_once_and_break_nothing_else():
    plan = demo()
    plan["bonuses"] = {"code": "x"}
    plan["ladders"][0]["ranks"][0] = "bronze"
    plan["money"] = []

    assert faults_of(plan) == [
        "$.money: must be an object, not []",
        '$.ladders[0].ranks[0]: must be an object, not "bronze"',
        '$.bonuses: must be a list, not {"code": "x"}',
    ]


RANK = ladder()
NETWORK = [*METRICS, metric("company_cv", volume="cv", scope=COMPANY)]
NOWHERE = {
    "volume derived from a later one": (
        {"volumes": [{"code": "a", "of": "b"}, {"code": "b"}], "metrics": []},
        "$.volumes[0].of", '"b" is no figure that stands before it; there is none',
    ),
    "volume less itself": (
        {"volumes": [{"code": "a"}, {"code": "b", "of": "a", "less": ["b"]}], "metrics": []},
        "$.volumes[1].less[0]", '"b" is no figure that stands before it: a',
    ),
    "two figures of one name": (
        {"volumes": [{"code": "a"}, {"code": "a"}], "metrics": []},
        "$.volumes[1].code", '"a" is there twice',
    ),
    "metric of nothing": (
        {"metrics": [metric("x", volume=None)]},
        "$.metrics[0].volume", "is missing: it says which figure of the lines is summed",
    ),
    "metric of an unknown figure": (
        {"metrics": [metric("x")]},
        "$.metrics[0].volume", '"x" is no figure of this plan: cv, margin, pv',
    ),
    "metric of an unknown kind": (
        {"metrics": [metric("pv", kinds=["retail", "gift"])]},
        "$.metrics[0].kinds[1]", '"gift" is no kind of order line of this plan: autoship, '
        "enrolment_kit, preferred, retail, self_consumption",
    ),
    "levels upside down": (
        {"metrics": [metric("pv", scope=levels(3, 2))]},
        "$.metrics[0].scope.last", "lies above the first level, which is 3",
    ),
    "condition on an unknown metric": (
        {"activity": all_of(at_least("pv", "1"), at_least("gvv", "1"))},
        "$.activity.of[1].metric", '"gvv" is no metric of this plan: cv, gv, pv',
    ),
    "condition on an unknown ladder": (
        {"activity": has_rank("gold")},
        "$.activity.ladder", '"rank" is no ladder of this plan; there is none',
    ),
    "condition on an unknown rank": (
        {"payout": {"minimum": "0", "when": has_rank("gould"), "hold_days": 0}, "ladders": [RANK]},
        "$.payout.when.rank", '"gould" is no rank of the ladder "rank": bronze, silver',
    ),
    "condition on an unknown package": (
        {"activity": {"is": "package", "packages": ["pro"]}},
        "$.activity.packages[0]", '"pro" is no package of this plan; there is none',
    ),
    "condition nobody can meet": (
        {"activity": any_of(at_least("pv", "1"), count=2)},
        "$.activity.count", "asks for 2 of 1 conditions, so nobody could ever meet it",
    ),
    "leg cap on a figure without legs": (
        {"activity": at_least("pv", "1", leg_cap={"share": "0.5", "of": "total", "own_too": True})},
        "$.activity.leg_cap", "\"pv\" is no group's volume: it has no legs",
    ),
    "activity that asks for activity": (
        {"activity": ACTIVE},
        "$.activity", "asks for itself: it would have to be known before it can be known",
    ),
    "metric that asks for itself": (
        {"metrics": [metric("pv", where=at_least("pv", "1"))]},
        "$.metrics[0]", "asks for itself: it would have to be known before it can be known",
    ),
    "rank called none": (
        {"ladders": [ladder({"none": None})]},
        "$.ladders[0].ranks[0].code", '"none" is the name of having no rank',
    ),
    "given ladder that asks": (
        {"ladders": [ladder({"pro": at_least("pv", "1")}, source="given")]},
        "$.ladders[0].ranks[0].when", "would never be asked: the ranks of this ladder are given",
    ),
    "base on an unknown figure": (
        {"bonuses": [own(base={"of": "order", "volume": "bv"})]},
        "$.bonuses[0].base.volume", '"bv" is no figure of this plan: cv, margin, pv',
    ),
    "match before what it matches": (
        {"bonuses": [bonus("match", base=ON_OWN), own()]},
        "$.bonuses[0].base.bonuses[0]",
        '"own" is not before this one; bonuses are paid in their order',
    ),
    "match of another trigger": (
        {"bonuses": [own(trigger="payment"), bonus("match", base=ON_OWN)]},
        "$.bonuses[1].base.bonuses[0]",
        '"own" is paid by another trigger: its lines are not known here',
    ),
    "bonus on itself that does not climb": (
        {"bonuses": [own(base=ON_OWN)]},
        "$.bonuses[0].base.bonuses",
        "a bonus on itself must climb: paid to uplines, starting above the source",
    ),
    "deduction of money finer than hundredths": (
        {
            "money": money(scale=3),
            "bonuses": [own(), own(code="fee", pays={"who": "company", "less": ["own"]})],
        },
        "$.bonuses[1].pays.less",
        "a base is held in hundredths, money in 3 decimals",
    ),
    "amounts for a volume": (
        {"bonuses": [own(base={"of": "metric", "metric": "pv"}, unit="amount")]},
        "$.bonuses[0].unit",
        "is paid for each one counted, and this metric is a volume: a share fits it",
    ),
    "match after limits that wait": (
        {
            "bonuses": [own(), bonus("match", base=ON_OWN | {"after_limits": True})],
            "limits": [limit(bonuses=["own", "match"])],
        },
        "$.bonuses[1].base.after_limits",
        'the limit "cap" waits for "match", which is not before this bonus',
    ),
    "match after a limit that cuts others as well": (
        {
            "bonuses": [
                own(), own(code="too"), bonus("match", base=ON_OWN | {"after_limits": True})
            ],
            "limits": [limit(bonuses=["own", "too"])],
        },
        "$.bonuses[2].base.after_limits",
        'the limit "cap" cuts "too" along with them: what it takes of these alone is not known',
    ),
    "start of an unknown kind": (
        {"bonuses": [bonus("b", pays=upline(start={"gift": "source"}))]},
        "$.bonuses[0].pays.start.gift",
        '"gift" is no kind of order line of this plan: autoship, enrolment_kit, preferred, '
        "retail, self_consumption",
    ),
    "start by kind without orders": (
        {
            "bonuses": [
                bonus(
                    "b", base={"of": "flat", "per": "member"},
                    pays=upline(start={"retail": "upline"}),
                )
            ]
        },
        "$.bonuses[0].pays.start",
        "goes by kinds of order, and this bonus is not paid on order lines",
    ),
    "more rates than steps": (
        {"bonuses": [bonus("b", pays=upline(2))]},
        "$.bonuses[0].rates.table", "has 3 rates for at most 2 steps",
    ),
    "row of no rank": (
        {"ladders": [RANK], "bonuses": [own(rates=by_rank({"none": ["0.1"], "gould": ["0.1"]}))]},
        "$.bonuses[0].rates.table.gould",
        '"gould" is no rank of the ladder "rank": bronze, silver, none',
    ),
    "bands that fall": (
        {
            "bonuses": [
                own(
                    rates={
                        "by": "band", "metric": "pv",
                        "bands": [{"at": "5", "rates": ["0.1"]}, {"at": "5", "rates": ["0.2"]}],
                    }
                )
            ]
        },
        "$.bonuses[0].rates.bands[1].at", "does not start above the band before it",
    ),
    "amount in tenths of a cent": (
        {"bonuses": [own(unit="amount", rates=by_step("1.001"))]},
        "$.bonuses[0].rates.table[0]", "an amount has at most 2 decimals",
    ),
    "factor on an amount": (
        {"bonuses": [own(unit="amount", factor="0.8")]},
        "$.bonuses[0].factor",
        "makes money of volume, and the amounts of this bonus are money already",
    ),
    "once per rank without ranks": (
        {
            "bonuses": [
                own(
                    base={"of": "flat", "per": "member"},
                    occurrence={"times": "once_per_rank", "skipped_ranks": "pay_all"},
                )
            ]
        },
        "$.bonuses[0].occurrence.times",
        "once for each rank needs rates by rank: they name the ladder",
    ),
    "compression without a walk": (
        {"bonuses": [own(eligibility={"when": None, "otherwise": "compress"})]},
        "$.bonuses[0].eligibility.otherwise",
        "compress is a way to go on up a tree, and this bonus walks none",
    ),
    "pairs in a wide tree": (
        {
            "bonuses": [own(pays=pairs())],
            "matrix": {"width": 3, "strategy": "breadth_first"},
        },
        "$.bonuses[0].pays.tree", "pairs have two legs, and the placement tree is 3 wide",
    ),
    "amount for pairs without cycles": (
        {"bonuses": [own(pays=pairs(), unit="amount", rates=by_step("5"))]},
        "$.bonuses[0].pays.cycle", "is null, and an amount is paid for each whole cycle",
    ),
    "pool of a member's figure": (
        {"bonuses": [own(pays=pool(), base={"of": "metric", "metric": "cv"})]},
        "$.bonuses[0].base.metric", '"cv" is no metric of the company',
    ),
    "limit on an unknown bonus": (
        {"limits": [limit()]},
        "$.limits[0].bonuses[0]", '"own" is no bonus of this plan; there is none',
    ),
    "limit with amount and share": (
        {
            "metrics": NETWORK, "bonuses": [own()],
            "limits": [limit(**CV_SHARE | {"amount": "5"})],
        },
        "$.limits[0].amount", "a limit has either an amount or a share of a metric",
    ),
    "limit with a share of nothing": (
        {"bonuses": [own()], "limits": [limit(amount=None, share="0.4")]},
        "$.limits[0].metric", "is missing: the share does not say of what",
    ),
    "company limit on a member's figure": (
        {
            "bonuses": [own()],
            "limits": [limit(scope="company", amount=None, share="0.4", metric="cv")],
        },
        "$.limits[0].metric", '"cv" is no metric of the company',
    ),
    "member limit that refuses": (
        {"bonuses": [own()], "limits": [limit(enforcement="refuse")]},
        "$.limits[0].enforcement",
        "a run is refused for the company's sum, not for that of a member",
    ),
    "limit named like a bonus": (
        {"bonuses": [own()], "limits": [limit(code="own")]},
        "$.limits[0].code", '"own" is there twice',
    ),
    "commissions in fractions of a cent as a base": (
        {"money": money(scale=6), "bonuses": [own(), bonus("match", base=ON_OWN)]},
        "$.bonuses[1].base", "a base is held in hundredths, money in 6 decimals",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NOWHERE)
def test_what_leads_nowhere_or_can_not_be_computed_is_refused_by_path(case):
    parts, path, message = NOWHERE[case]

    assert faults_of(document(**parts)) == [f"{path}: {message}"]


AT_PAYMENT = {
    "a computed rank": (
        {"rates": by_rank({"bronze": ["0.1"]})},
        "rates", "this ladder's ranks are worked out at the close",
    ),
    "an asked rank": (
        {"eligibility": {"when": has_rank("bronze"), "otherwise": "lost"}},
        "eligibility.when", "this ladder's ranks are worked out at the close",
    ),
    "activity": (
        {"eligibility": {"when": ACTIVE, "otherwise": "lost"}},
        "eligibility.when", "who is active is not known, as a metric is a figure of the whole "
        "period",
    ),
    "a metric deep down": (
        {"sources": any_of(all_of(at_least("pv", "1")))},
        "sources.of[0].of[0]", "a metric is a figure of the whole period",
    ),
    "a member's figure": (
        {"base": {"of": "metric", "metric": "pv"}},
        "base", "a metric is a figure of the whole period",
    ),
    "once": ({"occurrence": {"times": "once"}}, "occurrence", "what was paid once is looked up "
             "at the close"),
}  # fmt: skip


@pytest.mark.parametrize("case", AT_PAYMENT)
def test_what_is_paid_at_payment_can_not_ask_for_figures_of_the_period(case):
    parts, path, reason = AT_PAYMENT[case]
    plan = document(
        activity=at_least("pv", "1"), ladders=[RANK], bonuses=[own(trigger="payment", **parts)]
    )

    assert faults_of(plan) == [f"$.bonuses[0].{path}: can't matter at payment: {reason}"]


def test_what_is_known_before_the_period_may_be_asked_at_payment():
    asked = all_of(
        has_rank("pro", ladder="partner"),
        {"is": "package", "packages": ["kit"]},
        {"is": "flag", "flag": "approved"},
        {"is": "joined_within", "days": 30},
        ACTIVE,
    )
    plan = document(
        ladders=[given_ladder("partner", "pro")],
        packages=[{"code": "kit", "name": "Kit", "value": "1"}],
        activity={"is": "flag", "flag": "approved"},
        bonuses=[own(trigger="payment", eligibility={"when": asked, "otherwise": "lost"})],
    )

    assert load(plan).bonuses[0].trigger == "payment"


def test_what_comes_back_to_itself_further_down_the_tree_can_be_computed():
    leaders = ladder({"leader": at_least("gv", "500")})
    plan = document(
        metrics=[metric("gv", volume="pv", scope=group(until=has_rank("leader")))],
        ladders=[leaders],
    )

    assert load(plan).metrics[0].scope.until.rank == "leader"


# The schema


def test_the_schema_accepts_the_plans_that_are_shipped():
    whole = schema(Plan, "Plan")

    for path in PLANS.glob("*.json"):
        assert wrong(whole, json.loads(path.read_text()), whole) == []


def test_the_schema_refuses_what_reading_refuses():
    whole = schema(Plan, "Plan")
    plan = demo()
    plan["money"]["scale"] = 7
    plan["bonuses"][1]["colour"] = "blue"
    plan["bonuses"][0]["rates"]["table"] = ["0.0000001"]
    del plan["payout"]["minimum"]

    assert {place.split(".")[0].split("[")[0] for place in wrong(whole, plan, whole)} == {
        "money",
        "bonuses",
        "payout",
    }


def test_the_schema_says_what_every_part_means():
    whole = schema(Plan, "Plan")

    assert all(part["description"] for part in whole["$defs"].values())
    assert len(whole["$defs"]) > 50


KINDS_OF_JSON = {
    "object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
    "null": type(None),
}  # fmt: skip


def wrong(rule: dict[str, Any], value: Any, whole: dict[str, Any], path: str = "") -> list[str]:
    """The places where a document breaks the schema, by as much of JSON Schema as it uses."""
    if "$ref" in rule:
        rule = whole["$defs"][rule["$ref"].removeprefix("#/$defs/")] | {
            key: value for key, value in rule.items() if key != "$ref"
        }
    if "anyOf" in rule:
        found = [wrong(option, value, whole, path) for option in rule["anyOf"]]
        return min(found, key=len)
    if "enum" in rule:
        return [] if value in rule["enum"] else [path]
    kind = KINDS_OF_JSON[rule["type"]]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return [path]
    if kind is str:
        return [] if re.search(rule.get("pattern", ""), value) else [path]
    if kind is int:
        low, high = rule.get("minimum", value), rule.get("maximum", value)
        return [] if low <= value <= high else [path]
    if kind is list:
        items = enumerate(value)
        return [w for i, item in items for w in wrong(rule["items"], item, whole, f"{path}[{i}]")]
    if kind is dict:
        return wrong_in_object(rule, value, whole, path)
    return []


def wrong_in_object(
    rule: dict[str, Any], value: dict[str, Any], whole: dict[str, Any], path: str
) -> list[str]:
    known, others = rule.get("properties", {}), rule["additionalProperties"]
    inside = f"{path}." if path else ""
    found = [f"{inside}{key}" for key in rule.get("required", []) if key not in value]
    for key, item in value.items():
        if key in known:
            found += wrong(known[key], item, whole, inside + key)
        elif others is False:
            found.append(inside + key)
        else:
            found += wrong(rule["propertyNames"], key, whole, inside + key)
            found += wrong(others, item, whole, inside + key)
    return found
