"""From a plan document to a `Plan`: every field required, every fault named by its path.

    load_plan(json.load(file))
    # PlanError: $.bonuses[1].rates.table.gould: is no rank of the ladder

One function a section of the document, in the order the document has them.
"""

from __future__ import annotations

import re
from dataclasses import replace

from commissions.engine.document import Reader, content_hash
from commissions.engine.errors import Fault, PlanError
from commissions.engine.plan import (
    LEDGER_TYPES,
    LONGEST_WALK,
    MOST_RANKS,
    ORDER_CLASSES,
    PAYMENT,
    SCHEMA_VERSION,
    STARTS,
    TREES,
    TRIGGERS,
    Bonus,
    Ceiling,
    Eligibility,
    Ladder,
    Money,
    Plan,
    Rank,
    Rates,
    Reversal,
    Selector,
    Steps,
    Volumes,
)

NO_RANK = "none"
WHOLE = 1_000_000


def load_plan(document: object) -> Plan:
    """Reads and checks a plan document. Raises PlanError naming each fault by its JSON path."""
    faults: list[Fault] = []
    root = Reader(document, "$", faults)
    root.whole("schema", SCHEMA_VERSION, SCHEMA_VERSION)
    ladder = read_ladder(root.child("ranks"))
    bonuses = read_bonuses(root, ladder)
    plan = Plan(
        content_hash="",
        name=root.text("name"),
        currency=read_currency(root),
        money=read_money(root.child("money")),
        volumes=read_volumes(root.child("volumes")),
        activity_min_pv=read_activity(root.child("activity")),
        ladder=ladder,
        bonuses=bonuses,
        ceiling=read_limits(root.child("limits"), bonuses),
        reversal=read_reversal(root.child("reversal")),
    )
    root.close()
    if faults:
        raise PlanError(faults)
    return replace(plan, content_hash=content_hash(document))


def read_currency(root: Reader) -> str:
    code = root.text("currency")
    if code and not re.fullmatch(r"[A-Z]{3}", code):
        root.fault("currency", f'"{code}" is no ISO 4217 code such as "EUR"')
    return code


def read_money(reader: Reader) -> Money:
    money = Money(
        rounding=reader.choice("rounding", {"half_even", "half_up", "down"}),
        scale=reader.whole("scale", 2, 2),
        granularity=reader.choice("granularity", {"payment"}),
        zero_amounts=reader.choice("zero_amounts", {"omit", "keep"}),
    )
    reader.close()
    return money


def read_volumes(reader: Reader) -> Volumes:
    group = reader.child("group")
    volumes = Volumes(
        personal=reader.choices("personal", ORDER_CLASSES),
        group_tree=group.choice("tree", TREES),
        group_includes_own=group.flag("includes_own"),
    )
    group.close()
    reader.close()
    return volumes


def read_activity(reader: Reader) -> int:
    """Active means: own PV of the period is at least this."""
    needed = reader.amount("min_personal_pv")
    reader.close()
    return needed


def read_ladder(reader: Reader) -> Ladder:
    ladder = Ladder(
        climb=reader.choice("climb", {"each_rank", "highest_met"}),
        when_not_met=reader.choice("when_not_met", {"falls_at_once"}),
        ranks=tuple(read_rank(rung, place) for place, rung in enumerate(reader.children("ladder"))),
    )
    codes = [rank.code for rank in ladder.ranks]
    if len(set(codes)) < len(codes) or NO_RANK in codes:
        reader.fault("ladder", f'rank codes must differ and none may be "{NO_RANK}"')
    if len(codes) > MOST_RANKS:
        reader.fault("ladder", f"has more than {MOST_RANKS} ranks")
    reader.close()
    return ladder


def read_rank(reader: Reader, place: int) -> Rank:
    rank = Rank(
        code=reader.code("code"),
        name=reader.text("name"),
        level=reader.whole("level", 1, MOST_RANKS),
        min_personal_pv=reader.amount("min_personal_pv"),
        min_group_pv=reader.amount("min_group_pv"),
        min_legs=reader.whole("min_legs", 0, 1_000),
        min_leg_volume=reader.amount("min_leg_volume"),
    )
    if rank.level != place + 1:
        reader.fault("level", f"the ladder counts its ranks 1, 2, 3 ...: this one is {place + 1}")
    reader.close()
    return rank


def read_bonuses(root: Reader, ladder: Ladder) -> tuple[Bonus, ...]:
    bonuses = tuple(
        read_bonus(reader, place, ladder) for place, reader in enumerate(root.children("bonuses"))
    )
    codes = [bonus.code for bonus in bonuses]
    if len(set(codes)) < len(codes):
        root.fault("bonuses", "bonus codes must differ")
    return bonuses


def read_bonus(reader: Reader, position: int, ladder: Ladder) -> Bonus:
    base = reader.choice("base", {"cv", "pv", "margin", "flat"})
    selector = read_selector(reader.child("selector"), ladder)
    flat = base == "flat"
    bonus = Bonus(
        position=position,
        code=reader.code("code"),
        name=reader.text("name"),
        ledger_type=reader.choice("ledger_type", LEDGER_TYPES),
        trigger=reader.choice("trigger", TRIGGERS),
        base=base,
        selector=selector,
        eligibility=read_eligibility(reader.child("eligibility"), ladder),
        rates=Rates("step", ()) if flat else read_rates(reader.child("rates"), ladder, selector),
        amounts=read_amounts(reader.child("amounts"), ladder) if flat else (),
        skipped_ranks=read_occurrence(reader.child("occurrence"), flat),
    )
    check_composition(reader, bonus)
    reader.close()
    return bonus


def check_composition(reader: Reader, bonus: Bonus) -> None:
    """What one part of a bonus forbids another."""
    who = bonus.selector.who
    if (bonus.base == "flat") != (who == "self"):
        reader.fault("base", 'flat amounts by rank go with the selector "self", and only they do')
    if bonus.trigger == PAYMENT and bonus.needs_standings:
        reader.fault(
            "trigger",
            "at payment nobody's rank or activity of the period is known: it can't matter",
        )


def read_selector(reader: Reader, ladder: Ladder) -> Selector:
    who = reader.choice("who", {"self", "seller", "walk"})
    if who == "walk":
        selector = Selector(
            who=who,
            starts=read_starts(reader.child("start")),
            tree=reader.choice("tree", TREES),
            steps=read_steps(reader.child("steps"), ladder),
            max_steps=reader.whole("max_steps", 1, LONGEST_WALK),
        )
    else:
        orders = reader.choices("orders", ORDER_CLASSES) if who == "seller" else ()
        selector = Selector(who, dict.fromkeys(orders, "seller"), TREES[0], None, 1)
    reader.close()
    return selector


def read_starts(reader: Reader) -> dict[str, str]:
    """Order class -> seller or upline; a class left out pays nothing."""
    starts = {code: reader.choice(code, STARTS) for code in ORDER_CLASSES if code in reader.value}
    if reader.usable and not starts:
        reader.fault("", "names no order class, so the bonus could never be paid")
    reader.close()
    return starts


def read_steps(reader: Reader, ladder: Ladder) -> Steps:
    count = reader.choice("count", {"physical", "compressed"})
    if count == "physical":
        steps = Steps(count, skip_inactive=False, skip_below_level=0)
    else:
        steps = Steps(
            count,
            skip_inactive=reader.flag("skip_inactive"),
            skip_below_level=read_rank_code(reader, "skip_below", ladder),
        )
    reader.close()
    return steps


def read_rank_code(reader: Reader, key: str, ladder: Ladder) -> int:
    """A rank's code as its level; null means that no rank is asked for: 0."""
    code = reader.get(key)
    if code is None:
        return 0
    level = ladder.level(code) if isinstance(code, str) else 0
    if not level:
        reader.fault(key, "is neither a rank of the ladder nor null")
    return level


def read_eligibility(reader: Reader, ladder: Ladder) -> Eligibility:
    eligibility = Eligibility(
        active=reader.flag("active"),
        min_level=read_rank_code(reader, "min_rank", ladder),
        otherwise=reader.choice("otherwise", {"lost"}),
    )
    reader.close()
    return eligibility


def read_rates(reader: Reader, ladder: Ladder, selector: Selector) -> Rates:
    steps = selector.max_steps
    by = reader.choice("by", {"step", "rank_and_step"})
    if by == "step":
        row = padded(reader.rates("table", steps), steps)
        table = (row,) * (len(ladder.ranks) + 1)
    else:
        rows = reader.child("table")
        known = [NO_RANK, *(rank.code for rank in ladder.ranks)]
        table = tuple(
            padded(rows.rates(code, steps) if code in rows.value else (), steps) for code in known
        )
        for code in sorted(set(rows.value) - set(known)):
            rows.fault(code, f'is no rank of the ladder, nor "{NO_RANK}"')
    if any(rate > WHOLE for row in table for rate in row):
        reader.fault("table", "a rate above 1 would pay more than its base")
    reader.close()
    return Rates(by, table)


def padded(row: tuple[int, ...], steps: int) -> tuple[int, ...]:
    return (row + (0,) * steps)[:steps]


def read_amounts(reader: Reader, ladder: Ladder) -> tuple[int, ...]:
    """Hundredths by rank level; a rank left out, and no rank, pay 0."""
    amounts = tuple(
        reader.amount(rank.code) if rank.code in reader.value else 0 for rank in ladder.ranks
    )
    reader.close()
    return (0, *amounts)


def read_occurrence(reader: Reader, flat: bool) -> str | None:
    """A flat amount is paid once for each rank ever; everything else whenever it is earned."""
    times = reader.choice("times", {"once_per_rank_ever"} if flat else {"always"})
    once = times == "once_per_rank_ever"
    skipped = reader.choice("skipped_ranks", {"pay_all", "reached_only"}) if once else None
    reader.close()
    return skipped


def read_limits(reader: Reader, bonuses: tuple[Bonus, ...]) -> Ceiling | None:
    """`payout_share` must be there; null says that the plan has no ceiling."""
    if reader.get("payout_share") is None:
        reader.close()
        return None
    ceiling = reader.child("payout_share")
    limit = Ceiling(
        share=ceiling.rate("share"),
        of=ceiling.choice("of", {"cv", "pv"}),
        bonuses=ceiling.choices("bonuses", [bonus.code for bonus in bonuses]),
        when_exceeded=ceiling.choice("when_exceeded", {"refuse"}),
    )
    ceiling.close()
    reader.close()
    return limit


def read_reversal(reader: Reader) -> Reversal:
    reversal = Reversal(
        commissions=reader.choice("commissions", {"proportional"}),
        volume_counts_in=reader.choice("volume_counts_in", {"period_of_refund"}),
        reevaluate_rank=reader.flag("reevaluate_rank"),
    )
    if reversal.reevaluate_rank:
        reader.fault("reevaluate_rank", "must be false: ranks of closed periods stand")
    reader.close()
    return reversal
