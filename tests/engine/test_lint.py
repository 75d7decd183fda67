"""Each finding with a plan that has it, and the repaired plan that has not."""

from fractions import Fraction
from typing import Any

import pytest

from commissions.engine.lint import lint
from commissions.engine.lint.worst_case import worst_case
from tests.engine.documents import (
    COMPANY,
    METRICS,
    Document,
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
    upline,
)  # fmt: skip

SOLD = ["retail", "preferred", "self_consumption", "autoship"]
START = dict.fromkeys(SOLD, "upline")
ACTIVE: Document = {"is": "active"}
FLAT: Document = {"of": "flat", "per": "member"}
SOURCE: Document = {"who": "source"}
COMPANY_CV = metric("company_cv", volume="cv", scope=COMPANY, kinds=SOLD)
UNUSED = "Nothing in the plan uses"


LEFT = {"steps": "passed_over", "counts": "nowhere", "owed": "lapses"}


def found(plan: Document, *, unused: bool = False) -> list[str]:
    """All findings but parts that nothing uses, which small plans are full of."""
    said = {"left": LEFT} | plan
    return [str(each) for each in lint(load(said)) if unused or UNUSED not in each.message]


def sold(**parts: object) -> Document:
    """A bonus that is paid on sales alone."""
    return bonus(**({"pays": upline(start=START)} | parts))


def ranked(ranks: dict[str, object], **parts: object) -> Document:
    return document(ladders=[ladder(ranks, **parts)])


# Ranks


def test_a_rank_whose_figures_contradict_the_ranks_below():
    below = {"bronze": at_least("pv", "100", below="500"), "silver": at_least("pv", "800")}

    assert found(ranked(below)) == [
        "$.ladders[0].ranks[1].when: error: Nobody can reach Silver: with the ranks below it, PV "
        "would be at least 800.00 and less than 500.00."
    ]
    assert found(ranked(below, climb="highest_met")) == []
    assert found(ranked({"bronze": at_least("pv", "100"), "silver": at_least("pv", "800")})) == []


def test_a_rank_that_contradicts_itself():
    less = {"is": "not", "of": at_least("pv", "300")}

    assert found(ranked({"bronze": all_of(at_least("pv", "500"), less)})) == [
        "$.ladders[0].ranks[0].when: error: Nobody can reach Bronze: PV would be at least 500.00 "
        "and less than 300.00."
    ]
    assert found(ranked({"bronze": all_of(at_least("pv", "200"), less)})) == []


def test_a_rank_above_one_that_nobody_reaches():
    less = {"is": "not", "of": at_least("pv", "0")}
    first, second = found(ranked({"bronze": less, "silver": at_least("pv", "100")}))

    assert first.startswith("$.ladders[0].ranks[0].when: error: Nobody can reach Bronze")
    assert second == (
        "$.ladders[0].ranks[1].when: error: Nobody can reach Silver: Bronze below it can't be "
        "reached."
    )


def test_a_rank_with_more_legs_than_the_tree_has():
    legs = {"is": "legs_with_volume", "legs": 3, "tree": "placement", "volume": "pv",
            "figure": "100"}  # fmt: skip
    narrow = {"width": 2, "strategy": "weaker_leg"}
    plan = ranked({"bronze": legs}) | {"matrix": narrow}

    assert found(plan) == [
        "$.ladders[0].ranks[0].when: error: Nobody can reach Bronze: asks for 3 legs where the "
        "placement tree has 2."
    ]
    assert found(plan | {"matrix": narrow | {"width": 3}}) == []


def test_alternatives_of_which_too_few_can_be_met():
    never = {"is": "not", "of": at_least("pv", "0")}
    either = any_of(never, at_least("gv", "100"), count=2)

    assert found(ranked({"bronze": either})) == [
        "$.ladders[0].ranks[0].when: error: Nobody can reach Bronze: only 1 of the 2 asked "
        "alternatives can be met."
    ]
    assert found(ranked({"bronze": any_of(never, at_least("gv", "100"))})) == []


def test_a_rank_that_asks_less_than_the_one_below():
    turned = {"bronze": at_least("pv", "200"), "silver": at_least("pv", "150")}

    assert found(ranked(turned)) == [
        "$.ladders[0].ranks[1].when: warning: Silver asks for 150.00 PV, less than what Bronze "
        "below it asks: 200.00 PV."
    ]
    assert found(ranked({"bronze": at_least("pv", "150"), "silver": at_least("pv", "200")})) == []


@pytest.mark.parametrize("climb", ["each_rank", "highest_met"])
def test_a_rank_that_asks_nothing_of_its_own(climb):
    same = {"bronze": at_least("pv", "100"), "silver": at_least("pv", "100")}

    assert found(ranked(same, climb=climb)) == [
        "$.ladders[0].ranks[1].when: warning: Silver asks for no more than Bronze below it: nobody "
        "stays Bronze."
    ]
    more = same | {"silver": all_of(at_least("pv", "100"), at_least("gv", "500"))}
    assert found(ranked(more, climb=climb)) == []


def test_a_mark_on_top_is_more():
    approved = {"is": "flag", "flag": "approved"}

    assert found(ranked({"bronze": at_least("pv", "100"), "silver": approved})) == []


# Rate tables


def rated(table: dict[str, list[str]], steps: int = 3) -> Document:
    ranks = {code: at_least("pv", f"{level}00") for level, code in enumerate(RANKS, 1)}
    paid = sold(pays=upline(steps, start=START), rates=by_rank(table))
    return document(ladders=[ladder(ranks)], bonuses=[paid])


RANKS = ("bronze", "silver", "gold")


def test_a_lower_rank_that_earns_more():
    table = {"bronze": ["0.05", "0.04"], "silver": ["0.05", "0.03"], "gold": ["0.06", "0.05"]}

    assert found(rated(table)) == [
        "$.bonuses[0].rates.table: warning: Unilevel pays Bronze 4 % at step 2, but Silver above "
        "it only 3 %."
    ]
    assert found(rated(table | {"silver": ["0.05", "0.04"]})) == []


def test_a_rank_without_a_row():
    table = {"bronze": ["0.05"], "gold": ["0.06"]}

    assert found(rated(table)) == [
        "$.bonuses[0].rates.table: warning: Unilevel has no row for Silver, while the lower Bronze "
        "has one."
    ]
    assert found(rated({"silver": ["0.05"], "gold": ["0.06"]})) == []


def test_a_step_that_pays_nothing_between_steps_that_pay():
    assert found(document(bonuses=[sold(rates=by_step("0.05", "0", "0.03"))])) == [
        "$.bonuses[0].rates.table: warning: Unilevel pays nothing at step 2, though steps before "
        "and after it pay."
    ]
    assert found(document(bonuses=[sold(rates=by_step("0", "0.05", "0.03"))])) == []


def test_a_larger_package_that_earns_less():
    packages = [{"code": code, "name": code.title(), "value": value}
                for code, value in (("small", "50"), ("large", "200"))]  # fmt: skip

    def plan(small: str, large: str) -> Document:
        table = {"small": [small], "large": [large]}
        rates = {"by": "package", "whose": "earner", "table": table}
        return document(packages=packages, bonuses=[sold(rates=rates)])

    assert found(plan("0.1", "0.05")) == [
        "$.bonuses[0].rates.table: warning: Unilevel pays Small 10 % at step 1, but Large above it "
        "only 5 %."
    ]
    assert found(plan("0.05", "0.1")) == []


# Walks


def test_compression_without_an_end():
    steps = {"count": "compressed", "counts": ACTIVE}
    rates = by_step(*["0.001"] * 100)
    endless = upline(100, start=START, steps=steps)

    assert found(document(bonuses=[sold(pays=endless, rates=rates)])) == [
        "$.bonuses[0].pays.max_distance: warning: Unilevel passes people over and pays up to 100 "
        "steps without any limit to how far up it looks: it may pay everybody up to the top."
    ]
    ended = endless | {"max_distance": 100}
    assert found(document(bonuses=[sold(pays=ended, rates=rates)])) == []


# Twice


def test_the_same_figure_paid_at_payment_and_at_the_close():
    at_once = sold(code="at_once", trigger="payment")

    assert found(document(bonuses=[sold(), at_once])) == [
        "$.bonuses[1].base: error: Unilevel and At_Once pay unilevel on the same figure: one when "
        "the order is paid, one when the period is closed."
    ]
    assert found(document(bonuses=[sold(), at_once | {"ledger_type": "direct_bonus"}])) == []


def test_the_same_people_paid_twice_at_one_time():
    again = sold(code="again", rates=by_step("0.01"))

    assert found(document(bonuses=[sold(), again])) == [
        "$.bonuses[1].base: error: Unilevel and Again pay unilevel on the same figure: to the same "
        "people, at the same time."
    ]
    elsewhere = again | {"pays": upline(tree="enroller", start=START)}
    assert found(document(bonuses=[sold(), elsewhere])) == []


def test_milestones_of_different_figures_are_not_the_same_paid_twice():
    def milestone(code: str, metric: str) -> Document:
        band = {"at": "500.00", "rates": ["100.00"]}
        rates = {"by": "band", "metric": metric, "bands": [band]}
        return sold(code=code, base=FLAT, pays=SOURCE, unit="amount", rates=rates)

    assert found(document(bonuses=[milestone("own", "pv"), milestone("team", "gv")])) == []
    assert len(found(document(bonuses=[milestone("own", "pv"), milestone("again", "pv")]))) == 1


# Enrolment


def compliance(plan: Document) -> list[str]:
    return [each.message for each in lint(load(plan)) if each.severity == "compliance"]


def test_a_share_of_enrolment_kits():
    to_all = bonus(pays=upline(start="upline"))

    assert compliance(document(bonuses=[to_all])) == ["Unilevel is paid on enrolment kit orders."]
    assert compliance(document(bonuses=[sold()])) == []
    assert compliance(document(bonuses=[to_all], kinds=SOLD)) == []


def test_a_figure_that_kits_do_not_have_is_no_pay_for_enrolment():
    volumes = [{"code": "pv"}, {"code": "cv", "kinds": SOLD}, {"code": "bv", "of": "cv"}]
    plan = document(volumes=volumes, bonuses=[bonus(base={"of": "order", "volume": "bv"})])

    assert compliance(plan) == []


def test_kits_in_a_metric_or_in_legs():
    whole = metric("whole", volume="cv", scope=COMPANY)
    pool = bonus(base={"of": "metric", "metric": "whole"}, rates=by_step("0.01"), pays={
        "who": "pool", "shares": {"by": "equal"}, "remainder": "company", "if_nobody": "company",
    })  # fmt: skip
    pairs = bonus(base=FLAT, rates=by_step("0.1"), pays={
        "who": "pairs", "tree": "placement", "volume": "cv", "cycle": None, "carry_cap": None,
        "after_payout": "carry", "if_ineligible": "keep_both",
    })  # fmt: skip

    assert compliance(document(metrics=[*METRICS, whole], bonuses=[pool])) == [
        "Unilevel is paid on enrolment kit orders."
    ]
    assert compliance(document(metrics=[*METRICS, whole | {"kinds": SOLD}], bonuses=[pool])) == []
    assert compliance(document(bonuses=[pairs])) == [
        "Unilevel counts enrolment kit orders into the legs."
    ]
    assert compliance(document(bonuses=[pairs], kinds=SOLD)) == []


def test_an_amount_for_each_recruit():
    recruits = {"is": "joined_in_period"}
    paid = bonus(base=FLAT, unit="amount", rates=by_step("50"), pays=upline(1), sources=recruits)
    selling = all_of(recruits, at_least("pv", "100"))

    assert compliance(document(bonuses=[paid])) == [
        "Unilevel is paid for each member below, who needs to sell nothing."
    ]
    assert compliance(document(bonuses=[paid | {"sources": selling}])) == []


def test_a_number_of_recruits():
    team = metric("team", what="members", scope=levels(1, 1))
    paid = bonus(base={"of": "metric", "metric": "team"}, unit="amount", pays=SOURCE,
                 rates=by_step("10"))  # fmt: skip
    plan = document(metrics=[*METRICS, team], bonuses=[paid], activity=at_least("pv", "50"))

    assert compliance(plan) == ["Unilevel is paid for a number of people who need to sell nothing."]
    assert compliance(plan | {"metrics": [*METRICS, team | {"where": ACTIVE}]}) == []


def test_an_amount_for_a_rank_that_asks_for_recruits_alone():
    team = metric("team", what="members", scope=levels(1, 1))
    paid = bonus(base=FLAT, unit="amount", pays=SOURCE, rates=by_rank({"bronze": ["10"]}))

    def plan(asked: Document) -> Document:
        ladders = [ladder({"bronze": asked})]
        return document(metrics=[*METRICS, team], ladders=ladders, bonuses=[paid])

    assert compliance(plan(at_least("team", "3"))) == [
        "Unilevel is an amount for members without any sale being asked."
    ]
    assert compliance(plan(all_of(at_least("team", "3"), at_least("gv", "100")))) == []


# Ceilings


def capped(share: str, *bonuses: Document, enforcement: str = "refuse", **parts: Any) -> Document:
    limit = {"code": "ceiling", "name": "Ceiling", "scope": "company", "amount": None,
             "bonuses": [each["code"] for each in bonuses], "share": share, "overflow": "lost",
             "metric": "company_cv", "enforcement": enforcement}  # fmt: skip
    metrics = [*METRICS, COMPANY_CV, *parts.pop("metrics", [])]
    return document(metrics=metrics, bonuses=list(bonuses), limits=[limit], **parts)


def worst(*bonuses: Document, **parts: Any) -> Fraction | None:
    plan = load(capped("0.5", *bonuses, **parts))
    return worst_case(plan.limits[0].bonuses, "company_cv", plan).share


def test_demo_plan_at_worst_is_its_ceiling_where_cv_equals_pv():
    plan = load(demo())
    case = worst_case(plan.limits[0].bonuses, "company_cv", plan)

    assert {part.code: part.share for part in case.parts} == {
        "partner": Fraction(2, 100),
        "unilevel": Fraction(25, 100),
        "rank": Fraction(18, 100),
    }
    assert case.share == Fraction(45, 100)
    assert case.assumed == ("1.00 PV is held to be 1.00 CV",)


def test_a_ceiling_that_would_stop_a_period():
    assert found(capped("0.169999", sold())) == [
        "$.limits[0].share: warning: Ceiling stops a period at 16.9999 %, but bonuses may come to "
        "17 % (Unilevel 17 %)."
    ]
    assert found(capped("0.17", sold())) == []


def test_a_ceiling_that_never_cuts():
    assert found(capped("0.17", sold(), enforcement="pro_rata")) == [
        "$.limits[0].share: warning: Ceiling can never bind: at most 17 % (Unilevel 17 %) of 17 % "
        "is paid."
    ]
    assert found(capped("0.16", sold(), enforcement="pro_rata")) == []


def test_a_walk_takes_the_best_row_of_each_step():
    rates = by_rank({"bronze": ["0.06", "0.01"], "silver": ["0.05", "0.04"]})

    assert worst(sold(rates=rates), ladders=[ladder()]) == Fraction(10, 100)


def test_differences_add_up_to_the_largest_rate():
    rates = by_rank({"bronze": ["0.06"] * 3, "silver": ["0.20"] * 3})

    def share(**less: str) -> Fraction | None:
        below = {"than": "paid_below", "minimum": "0", **less}
        return worst(sold(rates=rates, less=below), ladders=[ladder()])

    assert share() == Fraction(20, 100)
    assert share(minimum="0.01") == Fraction(22, 100)


def test_a_match_takes_its_part_of_what_it_matches():
    base = {"of": "commissions", "bonuses": ["unilevel"], "per": "line", "after_limits": False}
    match = bonus("match", base=base, rates=by_step("0.2", "0.1"))

    assert worst(sold(), match) == Fraction(17, 100) * Fraction(13, 10)


def test_a_match_of_itself_goes_on_and_on():
    base = {"of": "commissions", "bonuses": ["unilevel", "match"], "per": "line",
            "after_limits": False}  # fmt: skip
    match = bonus("match", base=base, rates=by_step("0.2"), pays=upline(1))

    assert worst(sold(), match) == Fraction(17, 100) * (1 + Fraction(1, 4))


def test_where_one_excludes_the_other_the_dearer_counts():
    start = sold(code="start", rates=by_step("0.2"))
    instead = sold(exclusion={"scope": "line", "bonuses": ["start"]})

    assert worst(start, instead) == Fraction(20, 100)
    assert worst(start, sold()) == Fraction(37, 100)


def test_the_dearest_kind_of_order_counts():
    table = {"retail": ["0.3"], "preferred": ["0.2"]}
    own = bonus("own", pays=SOURCE, rates={"by": "kind", "table": table})

    assert worst(own) == Fraction(30, 100)
    assert worst(own, sold(pays=upline(start={"preferred": "upline"}))) == Fraction(37, 100)


def test_derived_figures_and_factors_scale_the_share():
    volumes = [{"code": "pv"}, {"code": "cv"}, {"code": "bv", "of": "cv", "rate": "0.4"}]
    paid = sold(base={"of": "order", "volume": "bv"}, factor="0.5")

    assert worst(paid, volumes=volumes) == Fraction(17, 100) * Fraction(1, 5)


def test_amounts_are_held_against_what_a_rank_must_sell():
    rates = by_rank({"bronze": ["5"], "silver": ["30"]})
    paid = bonus(base=FLAT, unit="amount", pays=SOURCE, rates=rates)
    once = paid | {"occurrence": {"times": "once_per_rank", "skipped_ranks": "pay_all"}}

    assert worst(paid, ladders=[ladder()], kinds=SOLD) == Fraction(30, 200)
    assert worst(once, ladders=[ladder()], kinds=SOLD) == Fraction(35, 200)
    reached = once["occurrence"] | {"skipped_ranks": "reached_only"}
    assert worst(paid | {"occurrence": reached}, ladders=[ladder()], kinds=SOLD) == Fraction(
        30, 200
    )


def test_amounts_without_sales_and_held_titles_have_no_bound():
    paid = bonus(base=FLAT, unit="amount", pays=SOURCE, rates=by_rank({"bronze": ["5"]}, "title"))
    grace = ladder(when_not_met={"policy": "grace", "periods": 2})

    assert worst(paid, ladders=[ladder()], kinds=SOLD) == Fraction(5, 100)
    assert worst(paid, ladders=[grace], kinds=SOLD) is None
    assert worst(paid, ladders=[given_ladder("rank", "bronze")], kinds=SOLD) is None


def test_sales_that_the_measure_does_not_count_leave_no_bound():
    paid = bonus(base=FLAT, unit="amount", pays=SOURCE, rates=by_rank({"bronze": ["5"]}))
    plan = load(capped("0.5", paid, ladders=[ladder()]))
    case = worst_case(("unilevel",), "company_cv", plan)

    assert (case.share, case.kind) == (None, "enrolment_kit")
    assert "COMPANY_CV does not count enrolment kit" in case.assumed


def test_a_pool_is_a_share_of_the_company():
    base = {"of": "metric", "metric": "company_cv"}
    pool = bonus(base=base, rates=by_step("0.03"), pays={
        "who": "pool", "shares": {"by": "equal"}, "remainder": "company", "if_nobody": "company",
    })  # fmt: skip

    assert worst(pool) == Fraction(3, 100)


def test_legs_have_no_bound_and_each_upline_takes_half_the_rate():
    pairs = bonus(base=FLAT, rates=by_step("0.1"), pays={
        "who": "pairs", "tree": "placement", "volume": "cv", "cycle": None, "carry_cap": None,
        "after_payout": "carry", "if_ineligible": "keep_both",
    })  # fmt: skip
    plan = load(capped("0.5", pairs, kinds=SOLD))
    case = worst_case(("unilevel",), "company_cv", plan)

    assert case.share is None
    assert case.assumed == ("Unilevel takes 5 % for every upline with two even legs",)


def test_everybody_in_a_generation_counts_by_how_far_up_it_looks():
    steps = {"count": "generations", "boundary": has_rank("silver"), "pays": "everyone",
             "boundary_belongs_to": "generation_he_closes"}  # fmt: skip
    pays = upline(2, start=START, steps=steps)
    rates = by_step("0.01", "0.02")

    assert worst(sold(pays=pays, rates=rates), ladders=[ladder()]) is None
    ended = pays | {"max_distance": 5}
    assert worst(sold(pays=ended, rates=rates), ladders=[ladder()]) == Fraction(9, 100)
    himself = ended | {"start": dict.fromkeys(SOLD, "source")}
    assert worst(sold(pays=himself, rates=rates), ladders=[ladder()]) == Fraction(11, 100)


def test_group_volume_is_counted_once_where_groups_break_away():
    apart = metric("apart", volume="cv", scope=group(until=has_rank("silver")), kinds=SOLD)
    whole = metric("whole", volume="cv", scope=group(), kinds=SOLD)

    def share(code: str) -> Fraction | None:
        paid = bonus(base={"of": "metric", "metric": code}, pays=upline(1), rates=by_step("0.05"),
                     sources=has_rank("silver"))  # fmt: skip
        return worst(paid, metrics=[apart, whole], ladders=[ladder()])

    assert share("apart") == Fraction(5, 100)
    assert share("whole") is None


# Limits of members


def limited(amount: str, **parts: object) -> Document:
    limit = {"code": "most", "name": "Most", "scope": "member", "bonuses": ["gift"],
             "amount": amount, "share": None, "metric": None, "enforcement": "pro_rata",
             "overflow": "lost"}  # fmt: skip
    return limit | parts


def test_a_limit_above_what_anybody_can_earn():
    gift = bonus("gift", base=FLAT, unit="amount", pays=SOURCE, rates=by_step("50"),
                 eligibility={"when": at_least("pv", "100"), "otherwise": "lost"})  # fmt: skip

    assert found(document(bonuses=[gift], limits=[limited("50")])) == [
        "$.limits[0]: warning: Most can never bind: nobody can earn more than 50.00 EUR there in a "
        "period."
    ]
    assert found(document(bonuses=[gift], limits=[limited("49.99")])) == []


def test_a_limit_above_what_the_matched_volume_of_any_rank_comes_to():
    def above(amount: str, **most: Any) -> list[str]:
        by_rank = {"ladder": "rank", "which": "paid_as", "table": {"none": "100", "star": "900"}}
        pays = {"who": "pairs", "tree": "placement", "volume": "cv", "cycle": None,
                "after_payout": "carry", "if_ineligible": "keep_both", "carry_cap": None,
                "most_by_rank": by_rank | most}  # fmt: skip
        pairs = bonus("gift", base=FLAT, pays=pays, rates=by_step("0.1"))
        plan = document(bonuses=[pairs], kinds=SOLD, ladders=[given_ladder("rank", "star")],
                        limits=[limited(amount)])  # fmt: skip
        return [said for said in found(plan) if said.startswith("$.limits")]

    assert above("90") == [
        "$.limits[0]: warning: Most can never bind: nobody can earn more than 90.00 EUR there in a "
        "period."
    ]
    assert above("89.99") == []
    assert above("90", table={"none": "100"}) == []


def test_a_limit_above_another_one():
    limits = [limited("30"), limited("40", code="more", name="More")]
    gift = bonus("gift", base={"of": "order", "volume": "cv"}, pays=upline(start=START))

    assert found(document(bonuses=[gift], limits=limits)) == [
        "$.limits[1]: warning: More can never bind: Most holds the same bonuses to less."
    ]
    other = limited("40", code="more", name="More", scope="person")
    assert found(document(bonuses=[gift], limits=[limits[0], other])) == []


# What nothing uses


def test_parts_that_nothing_uses():
    packages = [{"code": "small", "name": "Small", "value": "50"}]
    ladders = [ladder(), given_ladder("club", "star")]
    volumes = [{"code": "pv"}, {"code": "cv"}]
    metrics = [metric("pv"), metric("gv", volume="pv", scope=group())]

    assert found(document(volumes=volumes, metrics=metrics, ladders=ladders, packages=packages),
                 unused=True) == [
        "$.volumes[1]: warning: Nothing in the plan uses the figure CV.",
        "$.metrics[1]: warning: Nothing in the plan uses the metric GV.",
        "$.ladders[1]: warning: Nothing in the plan uses the ladder club.",
        "$.packages[0]: warning: Nothing in the plan uses the package Small.",
    ]  # fmt: skip
    used = all_of(at_least("gv", "1"), has_rank("star", "club"),
                  {"is": "package", "packages": ["small"]})  # fmt: skip
    assert found(document(volumes=volumes[:1], metrics=metrics, ladders=ladders, activity=used,
                          packages=packages), unused=True) == []  # fmt: skip


def test_a_plan_that_pays_whoever_has_left():
    gift = sold(rates=by_step("0.10"))

    told = "$.left: warning: The plan does not say what becomes of people who have left: they are"
    assert found(document(bonuses=[gift], left=None)) == [f"{told} paid like everybody else."]
    assert found(document(bonuses=[gift])) == []
