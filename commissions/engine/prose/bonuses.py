"""A bonus as a section of prose: what it is paid on, to whom, how much, when, and what if not.

Unilevel
Paid on CV of each order line. Worked out when the period is closed ...
It goes up the sponsor tree from the seller: ... at most 7 steps.
| Rank   | Step 1 | Step 2 |
| Bronze | 5 %    | 4 %    |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from commissions.engine import plan as p
from commissions.engine.prose import words
from commissions.engine.prose.rates import how_much, rate_table
from commissions.engine.prose.sections import Section, Table

TRIGGERS = {
    "payment": "It is final as soon as the order is paid.",
    "period_close": "It is worked out when the period is closed.",
}
OTHERWISE = {
    "lost": "the step pays nobody",
    "compress": "it goes to the next who does",
    "block": "it ends there and nobody further up is paid",
    "company": "the company keeps it",
    "held": "it waits until the member does",
}
BELONGS = {
    "generation_he_closes": "is paid at the rate of the generation he closes",
    "next_generation": "is paid at the rate of the generation he opens",
}
AFTER_PAYOUT = {
    "carry": "the weaker leg goes to zero and the stronger keeps the difference",
    "net_off": "the matched volume is taken off both legs",
    "flush": "both legs go to zero",
}
OVER_MOST = {
    "stays": "the rest stays in the legs",
    "flush": "where more could be matched, both legs go to zero",
}
IF_INELIGIBLE = {
    "keep_both": "keeps both legs",
    "weaker_to_zero": "loses the weaker leg",
    "flush": "loses both legs",
}


def explain_bonus(bonus: p.Bonus, plan: p.Plan) -> Section:
    paragraphs = (
        f"{base(bonus, plan)} {TRIGGERS[bonus.trigger]} "
        f"Statements list it under {words.plain(bonus.ledger_type)}.",
        who(bonus, plan),
        how_much(bonus, plan),
        eligibility(bonus, plan),
        " ".join(exceptions(bonus, plan)),
        " ".join(occurrence(bonus)),
        *rewarded(bonus, plan),
    )
    written = tuple(text for text in paragraphs if text)
    return Section(bonus.name, written, (rate_table(bonus, plan), *pays_table(bonus, plan)))


# What it is paid on


def base(bonus: p.Bonus, plan: p.Plan) -> str:
    if isinstance(bonus.pays, p.PaysPairs):
        return "Paid on what two legs have in common."
    match bonus.base:
        case p.OfOrder(volume=volume, smaller_package=smaller):
            limit = " up to the value of the smaller package of seller and earner"
            limit = (limit if smaller else "") + part_of(bonus.base, words.volume)
            return f"Paid on {words.plain(volume)} of each order line{limit}."
        case p.OfMetric(metric=metric):
            shown = partial(words.figure, metric, plan=plan)
            part = part_of(bonus.base, shown)
            if bonus.base.each is not None:
                part += f": an amount for each whole {shown(bonus.base.each)} of it"
            return f"Paid on each member's {words.metric_name(metric, plan)}{part}."
        case p.Flat(per=per):
            unit = {"order": "order line", "member": "member in a period"}[per]
            return f"Paid as a fixed amount for each {unit}."
        case p.OfCommissions():
            names = words.programmes(bonus.base.bonuses, plan)
            each = {"line": "each payment by itself", "member": "the sum of each member"}
            after = "after" if bonus.base.after_limits else "before"
            return (
                f"Paid on what members earned from {names}: {each[bonus.base.per]}, "
                f"{after} limits were applied to it."
            )


def part_of(base: p.OfOrder | p.OfMetric, shown: Callable[[int], str]) -> str:
    """What of a figure is paid on, where that is not all of it."""
    if base.at_most is None:
        return f", on what of it is above {shown(base.above)}" if base.above else ""
    if not base.above:
        return f", on no more than {shown(base.at_most)} of it"
    return f", on what of it is above {shown(base.above)} and up to {shown(base.at_most)}"


def source_word(bonus: p.Bonus) -> str:
    if isinstance(bonus.base, p.OfCommissions):
        return "the one who earned that"
    by_order = isinstance(bonus.base, p.OfOrder) or bonus.base == p.Flat("flat", "order")
    return "the seller" if by_order else "that member"


# To whom


def who(bonus: p.Bonus, plan: p.Plan) -> str:
    match bonus.pays:
        case p.PaysSource():
            return f"It goes to {source_word(bonus)}."
        case p.PaysUpline():
            return " ".join(upline(bonus, bonus.pays, plan))
        case p.PaysPairs():
            return " ".join(pairs(bonus.pays, plan))
        case p.PaysPool():
            return " ".join(pool(bonus.pays, plan))
        case p.PaysCompany(less=less):
            rest = f" less what {words.programmes(less, plan)} paid on it" if less else ""
            return f"The company keeps it{rest}."


def upline(bonus: p.Bonus, pays: p.PaysUpline, plan: p.Plan) -> Iterator[str]:
    yield f"It goes up the {pays.tree} tree, one step after the other."
    yield from starts(bonus, pays)
    match pays.steps:
        case p.Physical():
            yield "Everybody on the way up uses up a step."
        case p.Compressed(counts=counts):
            yield (
                f"Only who {words.condition(counts, plan)} uses up a step; others are passed over."
            )
        case p.Generations():
            yield from generations(pays.steps, plan)
    far = (
        f"among the nearest {words.counted(pays.max_distance, 'upline')}"
        if pays.max_distance is not None
        else "however far up"
    )
    yield f"It pays at most {words.counted(pays.max_steps, 'step')}, {far}."
    if pays.further_steps == "as_last":
        yield "Steps beyond the end of the table pay as its last one does."
    keeper = {"nobody": "pay nobody", "company": "go to the company"}[pays.unfilled]
    yield f"Steps that no upline is left for {keeper}."
    if pays.stop is not None:
        last = "is the last one paid" if pays.stop.pays_him else "is no longer paid"
        yield f"It ends with the first who {words.condition(pays.stop.at, plan)}, who {last}."


def starts(bonus: p.Bonus, pays: p.PaysUpline) -> Iterator[str]:
    source = source_word(bonus)
    first = {"source": f"{source} himself", "upline": f"the next above {source}"}
    if isinstance(pays.start, str):
        yield f"Step 1 is {first[pays.start]}."
        return
    for start, text in first.items():
        kinds = [kind for kind, where in pays.start.items() if where == start]
        if kinds:
            yield f"For orders of the kind {words.kinds(kinds, 'or')} step 1 is {text}."
    yield "Orders of other kinds pay nobody."


def generations(steps: p.Generations, plan: p.Plan) -> Iterator[str]:
    boundary = words.condition(steps.boundary, plan)
    paid = {"boundary": "Only who closes a generation is paid", "everyone": "Everybody is paid"}
    yield f"A step is a generation; it ends with the next upline who {boundary}."
    yield f"{paid[steps.pays]}; who closes one {BELONGS[steps.boundary_belongs_to]}."


def pairs(pays: p.PaysPairs, plan: p.Plan) -> Iterator[str]:
    volume = words.plain(pays.volume)
    yield f"It goes to the owner of two legs in the {pays.tree} tree, on {volume} that both have."
    if pays.cycle is None:
        yield "What is paid on is the volume of the weaker leg."
    else:
        yield cycle(pays, pays.cycle)
    yield f"After that {AFTER_PAYOUT[pays.after_payout]}."
    yield f"Who may not be paid {IF_INELIGIBLE[pays.if_ineligible]}."
    if pays.most_volume is not None or pays.most_by_rank is not None:
        yield f"{most_matched(pays, plan)}; {OVER_MOST[pays.over_most]}."
    yield carried(pays.carry_cap)
    if pays.gate is not None:
        when = {"period": "in this period", "lifetime": "ever"}[pays.gate.window]
        yield (
            "Nothing is matched before one leg has "
            f"{words.counted(pays.gate.more, 'person', 'people')} "
            f"and the other {pays.gate.fewer} {when}."
        )


def most_matched(pays: p.PaysPairs, plan: p.Plan) -> str:
    fixed = "" if pays.most_volume is None else words.volume(pays.most_volume)
    if pays.most_by_rank is None:
        return f"No more than {fixed} is matched in a period"
    named = words.ladder_name(pays.most_by_rank.ladder, plan)
    which = words.WHICH_RANK[pays.most_by_rank.which]
    more = f", and for everybody to {fixed}" if fixed else ""
    return f"What is matched in a period is limited by rank{named}, {which}, see the table{more}"


def cycle(pays: p.PaysPairs, volume: int) -> str:
    if pays.stronger is None:
        return f"Each {words.volume(volume)} on both sides makes a cycle; cycles are paid."
    return (
        f"Each {words.volume(pays.stronger)} in the leg that is the stronger one then and "
        f"{words.volume(volume)} in the other makes a cycle; cycles are paid."
    )


def carried(cap: p.CarryCap | None) -> str:
    if cap is None:
        return "What is left in a leg is carried on without limit."
    limits = [] if cap.amount is None else [words.volume(cap.amount)]
    if cap.times is not None:
        mean = f"the mean matched of the last {words.counted(cap.periods, 'period')}"
        limits.append(f"{words.times(cap.times)} {mean}")
    return f"A leg carries on at most {words.listed(limits)}."


def pool(pays: p.PaysPool, plan: p.Plan) -> Iterator[str]:
    yield "That part of the figure is a pool, which those who meet what is asked below share."
    match pays.shares:
        case p.EqualShares():
            yield "Each has the same share."
        case p.MetricShares(metric=metric):
            yield f"Shares are in proportion to {words.metric_name(metric, plan)}."
        case p.RankShares(ladder=ladder):
            yield f"Shares go by rank{words.ladder_name(ladder, plan)}, see the table."
    rest = {
        "company": "each share is rounded down and the company keeps the rest",
        "largest_remainder": "the rest goes to those who lost most by rounding",
    }
    nobody = {"company": "stays with the company", "carry": "is added to the next period's"}
    yield f"When it does not come out even, {rest[pays.remainder]}."
    yield f"A pool with nobody in it {nobody[pays.if_nobody]}."


def pays_table(bonus: p.Bonus, plan: p.Plan) -> Iterator[Table]:
    if isinstance(bonus.pays, p.PaysPairs) and bonus.pays.most_by_rank is not None:
        most = bonus.pays.most_by_rank
        limits = (
            (
                words.rank_name(most.ladder, code, plan),
                words.volume(most.table[code]) if code in most.table else "no limit of its own",
            )
            for code in words.rank_codes(most.ladder, plan)
        )
        yield Table(("Rank", "Matched at most"), tuple(limits))
    if isinstance(bonus.pays, p.PaysPool) and isinstance(bonus.pays.shares, p.RankShares):
        shares = bonus.pays.shares
        rows = (
            (words.rank_name(shares.ladder, rank, plan), f"{count:,}")
            for rank, count in shares.shares.items()
        )
        yield Table(("Rank", "Shares"), tuple(rows))


# Who may be paid, how often


def eligibility(bonus: p.Bonus, plan: p.Plan) -> str:
    asked = bonus.eligibility.when
    if asked is None:
        return "Nothing more is asked of the earner."
    otherwise = OTHERWISE[bonus.eligibility.otherwise]
    if bonus.eligibility.otherwise == "lost" and not isinstance(bonus.pays, p.PaysUpline):
        otherwise = "he gets nothing of it"
    return f"Only who {words.condition(asked, plan)} is paid; otherwise {otherwise}."


def exceptions(bonus: p.Bonus, plan: p.Plan) -> Iterator[str]:
    if bonus.orders is not None:
        yield f"It counts only {words.orders(bonus.orders)}."
    if bonus.sources is not None:
        yield f"It counts only what comes from somebody who {words.condition(bonus.sources, plan)}."
    if bonus.exclusion is not None:
        names = words.programmes(bonus.exclusion.bonuses, plan)
        where = {
            "line": f"on order lines on which {names} paid anybody",
            "line_and_earner": f"to an earner whom {names} paid on the same order line",
        }
        yield f"Nothing is paid {where[bonus.exclusion.scope]}."


def occurrence(bonus: p.Bonus) -> Iterator[str]:
    match bonus.occurrence:
        case p.Always() as often:
            yield from always(often)
        case p.OnceEver():
            yield "It is paid once in a member's life."
        case p.OncePerRank(skipped_ranks=skipped):
            each = {"pay_all": "each of them", "reached_only": "the highest of them only"}
            yield "It is paid once for each rank, when it is reached for the first time."
            yield f"Who rises over several ranks at once is paid for {each[skipped]}."
            for speed in bonus.occurrence.speed:
                yield (
                    f"Who reaches a rank within {words.counted(speed.within_days, 'day')} of the "
                    f"one before (or of joining) gets {words.times(speed.times)} as much."
                )
    if bonus.instalments > 1:
        yield f"It is paid in {bonus.instalments} equal parts, one a period."


def always(often: p.Always) -> Iterator[str]:
    if often.after_periods == 1:
        yield "It is paid every time it is earned."
    else:
        first = f"{words.ordinal(often.after_periods)} period"
        yield f"It is paid from the {first} in a row on in which it is earned."
    if often.may_miss:
        missed = words.counted(often.may_miss, "period")
        yield f"Up to {missed} without it only pause the row; one more and it starts anew."
    if often.rest_periods:
        rest = words.counted(often.rest_periods, "period")
        yield f"Who was paid is not paid again in the {rest} that follow."
    if often.most_times is not None:
        most = words.counted(often.most_times, "period")
        yield f"Nobody is paid it in more than {most} of his life."


def rewarded(bonus: p.Bonus, plan: p.Plan) -> Iterator[str]:
    """What is given instead of money."""
    if bonus.reward is not None:
        name, value = bonus.reward.name, bonus.reward.value
        worth = "" if value is None else f" One is worth {words.money(value, plan)}."
        yield (
            f"It is no money: what is said to be paid here is given as {name}, "
            f"and no payout or limit counts it.{worth}"
        )
