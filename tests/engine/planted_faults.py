"""Faults one can make in the engine, each with the test that must fail of it.

`sound` stands once in the module and is replaced by `faulty`. `planting.py` puts a fault in.
"""

from typing import NamedTuple


class Fault(NamedTuple):
    """`module`: below `commissions.engine`. `test`: an example in this folder."""

    name: str
    module: str
    sound: str
    faulty: str
    example: str

    @property
    def test(self) -> str:
        return f"tests/engine/{self.example}"


WALK = [
    Fault(
        "a plan that does not spell out who has left",
        "plan.loading",
        "return spelled_out(",
        "return (",
        "test_leaving.py::test_what_becomes_of_somebody_who_has_left",
    ),
    Fault(
        "instalments fall due to whoever has left",
        "occurrence",
        'facts.plan.left.owed == "lapses"',
        'facts.plan.left.owed == "paid"',
        "test_leaving.py::test_instalments_of_somebody_who_has_left",
    ),
    Fault(
        "whoever has left reaches ranks",
        "plan.leaving",
        'if left.counts == "nowhere":',
        'if left.counts == "as_others":',
        "test_leaving.py::test_whoever_has_left_is_counted_as_the_plan_says",
    ),
    Fault(
        "the next step's rate",
        "walk",
        "offer.at(step, reached, slice(None))",
        "offer.at(step + 1, reached, slice(None))",
        "test_walk.py::test_physical_counting_takes_everybody_in_turn",
    ),
    Fault(
        "a walk begins with the seller",
        "paths",
        "first=itself if start == SOURCE else",
        "first=itself if start != SOURCE else",
        "test_walk.py::test_the_source_himself_may_be_step_one",
    ),
    Fault(
        "a step too many",
        "paths",
        "path.pays.max_steps + 1)",
        "path.pays.max_steps + 2)",
        "test_explain.py::test_the_story_ends_with_the_first_one_beyond_the_last_step",
    ),
    Fault(
        "one level beyond the distance",
        "paths",
        "self.depth[reached] > self.most)",
        "self.depth[reached] > self.most + 1)",
        "test_walk.py::test_the_active_are_looked_for_within_a_distance_and_the_rest_is_the_companys",
    ),
    Fault(
        "compression counts whom it passes over",
        "terms",
        "            return steps.counts\n",
        "            return None\n",
        "test_walk.py::test_compression_passes_over_who_does_not_count",
    ),
    Fault(
        "a lost step is passed on",
        "terms",
        'if bonus.eligibility.otherwise == "compress":',
        'if bonus.eligibility.otherwise in ("compress", "lost"):',
        "test_walk.py::test_what_becomes_of_a_step_of_somebody_not_eligible",
    ),
    Fault(
        "what is held goes to the company",
        "terms",
        '"held": HELD}',
        '"held": RETAINED}',
        "test_occurrence.py::test_what_is_held_is_paid_when_its_earner_is_eligible",
    ),
    Fault(
        "a difference to the part below alone",
        "terms",
        "np.maximum(below, rate), below)",
        "np.maximum(below, difference), below)",
        "test_walk.py::test_each_gets_what_is_not_yet_paid_below",
    ),
    Fault(
        "the larger package decides",
        "terms",
        "np.minimum(with_nobody(self.package)[earner], self.package[source])",
        "np.maximum(with_nobody(self.package)[earner], self.package[source])",
        "test_walk.py::test_the_smaller_package_decides_rate_and_base",
    ),
    Fault(
        "the boundary in the other generation",
        "paths",
        'steps.boundary_belongs_to == "next_generation"',
        'steps.boundary_belongs_to == "generation_he_closes"',
        "test_generations.py::test_who_is_paid_and_as_which_generation",
    ),
]

STANDING = [
    Fault(
        "everybody is active",
        "conditions",
        "return facts.active",
        "return np.ones_like(facts.active)",
        "test_walk.py::test_compression_passes_over_who_is_not_active_by_his_volume",
    ),
    Fault(
        "more than is asked",
        "conditions",
        "figure >= needed(leaf, facts)",
        "figure > needed(leaf, facts)",
        "test_conditions.py::test_figures_and_how_they_go_together",
    ),
    Fault(
        "a leg cap of the wrong figure",
        "legs",
        'if cap.of == "requirement":',
        'if cap.of == "total":',
        "test_conditions.py::test_no_leg_counts_for_more_than_its_share",
    ),
    Fault(
        "people above the rank do not count in a leg",
        "legs",
        "levels >= level",
        "levels == level",
        "test_conditions.py::test_people_above_the_rank_count_in_a_leg_too",
    ),
    Fault(
        "a title without its grace",
        "ladders",
        "missing & (missed >= policy.periods)",
        "missing & (missed >= 1)",
        "test_ladders.py::test_a_title_is_kept_through_the_grace_and_then_falls",
    ),
    Fault(
        "a lock that opens a period early",
        "ladders",
        "return left > 0",
        "return left > 1",
        "test_ladders.py::test_a_first_rank_reached_soon_is_locked",
    ),
    Fault(
        "who breaks away stays in the group",
        "metrics",
        "return parent if scope.until is None else cut(parent, facts.meets(scope.until))",
        "return parent",
        "test_metrics.py::test_group_volume_stops_at_those_whose_rank_breaks_away",
    ),
    Fault(
        "a window of one period more",
        "metrics",
        "for ago in range(1, metric.length):",
        "for ago in range(1, metric.length + 1):",
        "test_metrics.py::test_the_last_periods_are_added_and_move_on_by_one",
    ),
    Fault(
        "refunds leave volume as it was",
        "facts",
        '("lines", "refunds") if len(self.snapshot.refunds) else ("lines",)',
        '("lines",)',
        "test_metrics.py::test_refunds_lower_volumes_and_are_no_orders",
    ),
    Fault(
        "lines of every kind are volume",
        "metrics",
        "counts = of_these if counts is None else counts & of_these",
        "counts = None",
        "test_calculate.py::test_enrolment_kits_earn_and_count_nothing",
    ),
    Fault(
        "a figure of every kind of order",
        "volumes",
        "np.where(of_kinds(lines, facts.plan.kinds, volume.kinds), found, 0)",
        "found",
        "test_volumes.py::test_a_figure_of_some_kinds_is_zero_on_others",
    ),
]

LEGS = [
    Fault(
        "a leg is its head alone",
        "pairs",
        "return facts.whole_volume(volume, PLACEMENT)",
        'return facts.sold("volume", volume, None)',
        "test_pairs.py::test_a_leg_is_the_whole_subtree_and_never_oneself",
    ),
    Fault(
        "the carry of pairs is flushed",
        "pairs",
        "legs.less(np.where((matched > 0) & (most == weaker), weaker, matched))",
        "legs.debts()",
        "test_pairs.py::test_two_periods_with_carry_forward",
    ),
    Fault(
        "part of a cycle is matched",
        "pairs",
        "most - most % rule.cycle if rule.cycle else most",
        "most",
        "test_pairs.py::test_what_cycles_leave",
    ),
    Fault(
        "a rank that is not listed matches nothing",
        "pairs",
        "min(table.get(code, anybody), anybody)",
        "min(table.get(code, 0), anybody)",
        "test_pairs.py::test_the_most_volume_may_go_by_rank",
    ),
]

MONEY = [
    Fault(
        "each line rounded, not a member's sum",
        "money",
        'if money.granularity == "line":',
        'if money.granularity in ("line", "member"):',
        "test_money.py::test_lines_of_a_member_share_his_rounded_sum",
    ),
    Fault(
        "every half is rounded up",
        "rounding",
        "((over == 0) & odd)",
        "(over == 0)",
        "test_rounding.py::test_each_rule_between_two_amounts",
    ),
    Fault(
        "a product may leave 64 bits",
        "rounding",
        "if largest(base) * largest(rate) * times > LARGEST:",
        "if times > LARGEST:",
        "test_extremes.py::test_the_largest_base_of_a_rate_is_paid_to_the_cent_and_one_above_is_refused",
    ),
    Fault(
        "each position has the limit of a person",
        "limits",
        "return members.owner",
        "return np.arange(len(members), dtype=np.int32)",
        "test_limits.py::test_a_position_and_a_person_of_two_positions_are_cut_to_five_thousand",
    ),
    Fault(
        "a limit overlooks the one before",
        "limits",
        "known[code][hit] -= upto - borne",
        "known[code][hit] -= 0",
        "test_limits.py::test_each_limit_takes_from_what_those_before_it_left",
    ),
    Fault(
        "the smallest remainder is rounded up",
        "limits",
        "np.lexsort((-rest, group))",
        "np.lexsort((rest, group))",
        "test_limits.py::test_what_rounding_leaves_over_goes_to_the_largest_remainder",
    ),
    Fault(
        "a ceiling overlooks what was paid at payment",
        "calculate",
        "exact_sum(limits.paid_before(bonus.code, snapshot))",
        "0",
        "test_limits.py::test_a_limit_that_refuses_counts_what_was_paid_at_payment",
    ),
    Fault(
        "a match of what was cut",
        "awards",
        "total + cuts(base, facts, earlier) if base.after_limits else total",
        "total",
        "test_limits.py::test_a_match_is_paid_on_what_a_limit_left_where_the_plan_says",
    ),
    Fault(
        "who was paid on the line is paid again",
        "paying",
        'exclusion.scope == "line_and_earner"',
        'exclusion.scope == "line"',
        "test_walk.py::test_an_earner_paid_on_the_same_line_is_left_out",
    ),
    Fault(
        "what is left of a pool is nobody's",
        "pool",
        "company(left * unit + pool % unit)",
        "company(pool % unit)",
        "test_pool.py::test_equal_shares",
    ),
    Fault(
        "a fee without its deductions",
        "company",
        "fees(bonus, base, rate, facts) - deductions(less, items, facts, earlier)",
        "fees(bonus, base, rate, facts)",
        "test_company.py::test_a_fee_and_what_is_left_of_it_after_referrals",
    ),
]

WHEN = [
    Fault(
        "once in each period",
        "occurrence",
        "done = facts.carried(name) > 0",
        "done = facts.carried(name) < 0",
        "test_occurrence.py::test_once_is_one_line_in_a_life",
    ),
    Fault(
        "a rank is paid each time it is met",
        "occurrence",
        "new = award.rank_level > before[owner]",
        "new = award.rank_level >= before[owner]",
        "test_occurrence.py::test_a_rank_is_paid_when_it_is_new",
    ),
    Fault(
        "a period late",
        "occurrence",
        "due = rule.after_periods <= row(bonus, rule, facts)",
        "due = rule.after_periods < row(bonus, rule, facts)",
        "test_occurrence.py::test_a_car_from_the_third_month_in_a_row",
    ),
    Fault(
        "instalments that come no nearer",
        "occurrence",
        '{waiting}{periods - 1}"',
        '{waiting}{periods}"',
        "test_occurrence.py::test_the_last_instalment_takes_the_rest",
    ),
    Fault(
        "a refund undone piece by piece",
        "reversal",
        """\
undone_until(refunded, refunded.before, plan) - undone_until(
            refunded, refunded.after, plan
        )""",
        "-undone_until(refunded, refunded.after - refunded.before, plan)",
        "test_reversal.py::test_three_jars_come_back_one_by_one",
    ),
    Fault(
        "a match stands when its sale comes back",
        "reversal",
        "if not plan.reversal.derived and any(derived):",
        "if any(derived):",
        "test_reversal.py::test_derived_lines_stand_where_the_plan_says",
    ),
    Fault(
        "a balance just at the minimum waits",
        "payout",
        "balance >= max(1, minimum)",
        "balance > max(1, minimum)",
        "test_payout.py::test_what_waited_is_paid_as_soon_as_it_may_be",
    ),
]

ORDERS = "test_orders.py::"

NEWER = [
    Fault(
        "the second order is the first again",
        "orders",
        "number <= orders.last",
        "number <= orders.last + 1",
        f"{ORDERS}test_orders_count_by_their_number_and_by_how_long_their_buyer_is_there",
    ),
    Fault(
        "a day more for new buyers",
        "orders",
        "lines.day - lines.of_buyer(JOINED) <= orders.within_days",
        "lines.day - lines.of_buyer(JOINED) <= orders.within_days + 1",
        f"{ORDERS}test_orders_count_by_their_number_and_by_how_long_their_buyer_is_there",
    ),
    Fault(
        "everybody's first days are his seller's",
        "metrics",
        'metric.window == "first_days" and metric.since == "member":',
        "False:",
        f"{ORDERS}test_first_days_are_those_of_seller_buyer_or_the_member_measured",
    ),
    Fault(
        "each part of a sum counts once",
        "metrics",
        "product(figure_of(code), np.array([times]))",
        "product(figure_of(code), np.array([MILLION]))",
        f"{ORDERS}test_a_sum_adds_other_metrics_up_each_so_many_times",
    ),
    Fault(
        "an order just at a band stays below it",
        "rates",
        'np.searchsorted(starts, figures, side="right")',
        'np.searchsorted(starts, figures, side="left")',
        f"{ORDERS}test_an_amount_by_the_size_of_the_order",
    ),
    Fault(
        "all of it, whatever the most is",
        "awards",
        "part = figures if base.at_most is None else np.minimum(figures, base.at_most)",
        "part = figures",
        f"{ORDERS}test_no_more_than_so_much_of_a_line_or_of_a_member",
    ),
    Fault(
        "a tier that pays on what the ones below it do",
        "awards",
        "part = part - base.above",
        "part = part - 0",
        "test_bases.py::test_each_tier_pays_on_its_own_part_alone",
    ),
    Fault(
        "a part of a whole unit",
        "awards",
        "// base.each * UNIT",
        "* UNIT // base.each",
        "test_bases.py::test_an_amount_for_each_whole_so_much_above_a_threshold",
    ),
    Fault(
        "once more than the most",
        "occurrence",
        "so_far < rule.most_times",
        "so_far <= rule.most_times",
        "test_bases.py::test_no_more_than_so_many_times_in_a_life",
    ),
    Fault(
        "a buyer for each of his orders",
        "metrics",
        "found.append((lines.seller[counts], lines.of_buyer(WHO)[counts], values[counts]))",
        "found.append((lines.seller[counts], lines.id[counts], values[counts]))",
        "test_bases.py::test_buyers_are_counted_once_however_often_they_buy",
    ),
    Fault(
        "a limit for everybody, whatever it asks",
        "limits",
        "return np.where(facts.meets(limit.when), asked, LARGEST)",
        "return asked",
        "test_limits.py::test_a_limit_for_each_package",
    ),
    Fault(
        "the next smaller leg",
        "trees",
        "(number >= first)",
        "(number > first)",
        "test_metrics.py::test_volume_is_summed_over_the_scope",
    ),
    Fault(
        "whoever stands right under one as a recruit",
        "legs",
        "leg_heads(parent, facts.parent(asked.by))",
        "leg_heads(parent, parent)",
        "test_conditions.py::test_legs_need_people_whom_one_brought_in_oneself",
    ),
    Fault(
        "legs that are flushed where all of them is matched",
        "pairs",
        "after.where(uncapped > matched, legs.debts())",
        "after.where(uncapped >= matched, legs.debts())",
        "test_pairs.py::test_legs_that_had_more_than_is_matched_may_be_flushed",
    ),
    Fault(
        "a pause that ends the row",
        "occurrence",
        "np.where(gap <= rule.may_miss, before, 0)",
        "np.where(gap < rule.may_miss, before, 0)",
        "test_occurrence.py::test_so_many_months_without_it_only_pause_the_row",
    ),
    Fault(
        "a rest that is a period short",
        "occurrence",
        "np.where(paid, rule.rest_periods, np.maximum(resting - 1, 0))",
        "np.where(paid, rule.rest_periods - 1, np.maximum(resting - 1, 0))",
        "test_occurrence.py::test_who_was_paid_rests_for_so_many_periods",
    ),
    Fault(
        "the leg that was ahead at first gives the larger part of every cycle",
        "pairs",
        "lead = -(-(ahead - behind) // (large - small))",
        "lead = most",
        "test_pairs.py::test_each_cycle_takes_the_larger_part_of_the_leg_that_is_ahead_then",
    ),
    Fault(
        "a reward is money",
        "calculate",
        "        rewards=given,",
        "        rewards=(),",
        "test_rewards.py::test_a_trip_is_given_once_and_no_money_is_paid",
    ),
]

RESTATED = "test_restatement.py::"

REFUNDS = [
    Fault(
        "a limit gives back what nobody lost",
        "restatement",
        "undone[mine] = np.minimum(undone[mine], np.maximum(lost[earner], 0))",
        "pass",
        f"{RESTATED}test_refund_of_another_lets_no_limit_pay",
    ),
    Fault(
        "order lines are matched as if nothing had come back",
        "returned",
        "amount=block.amount - undone, line=",
        "amount=block.amount, line=",
        f"{RESTATED}test_match_of_a_members_sum_follows_lines_that_name_their_order",
    ),
    Fault(
        "pairs keep the volume they should not have matched",
        "restatement",
        "found[name] = took - takes",
        "found[name] = 0 * took",
        f"{RESTATED}test_pairs_give_the_volume_they_took_back_to_the_legs",
    ),
    Fault(
        "a refund is taken twice, where its sale was paid and where it comes back",
        "awards",
        "of_members(counted(base, facts.paid_on(metric)))",
        "of_members(counted(base, facts.metric(metric)))",
        f"{RESTATED}test_refund_does_not_lower_what_is_paid_on_in_its_own_period",
    ),
    Fault(
        "instalments to come of a refunded sale stay as they were",
        "occurrence",
        "amount=kept(last if ago == bonus.instalments - 1 else part)",
        "amount=last if ago == bonus.instalments - 1 else part",
        f"{RESTATED}test_each_instalment_is_less_in_proportion",
    ),
    Fault(
        "what is held of a refunded sale stays as it was",
        "restatement",
        "replace(block, amount=kept(block.amount))",
        "block",
        f"{RESTATED}test_what_is_held_is_less_in_proportion",
    ),
    Fault(
        "what fell due stands, though its sale came back",
        "restatement",
        "state={**snapshot.state, **told},",
        "state=snapshot.state,",
        f"{RESTATED}test_what_a_period_was_told_too_much_is_undone_where_it_was_paid",
    ),
]

FAULTS = [*WALK, *STANDING, *LEGS, *MONEY, *WHEN, *NEWER, *REFUNDS]
