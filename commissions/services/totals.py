"""What the control room shows of a run: totals by bonus and rank, top earners, warnings."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from django.db import connection

from commissions.engine import Block, LimitCheck, check_limits
from commissions.engine.plan import Limit
from commissions.known import seen
from commissions.models import Bonus, CommissionPeriod, CommissionRun
from commissions.services.arrays import read_columns
from commissions.services.calculation import Outcome, decimal_text
from commissions.services.opening import payment_run
from commissions.services.plans import bonus_ids
from commissions.services.writing import RunRefused
from genealogy.models import Distributor

TOP = 10

Totals = dict[str, Any]


def totals_of(run: CommissionRun, outcome: Outcome, phases: Mapping[str, float]) -> Totals:
    """The figures to store with the run. Raises RunRefused where the plan's ceiling is broken."""
    period = run.period
    by_bonus = bonus_totals(payment_run(period), outcome, bonus_ids(period.frozen_plan))
    besides = {bonus.code for bonus in outcome.plan.rewards}
    by_bonus = [row for row in by_bonus if row["code"] not in besides]
    standings, volume = outcome.standings, sum_of(outcome.figures["cv"])
    paid = sum(row["hundredths"] for row in by_bonus)
    return {
        "by_bonus": by_bonus,
        "by_rank": rank_totals(outcome),
        "top_earners": top_earners(outcome, period),
        "limits": limits_of(outcome, by_bonus),
        "kept": block_totals(outcome, outcome.result.retained),
        "waiting": waiting_of(outcome),
        "rewards": rewards_of(outcome),
        "pv": decimal_text(sum_of(outcome.figures["pv"])),
        "cv": decimal_text(volume),
        "paid": decimal_text(paid),
        "payout_share": f"{100 * paid / volume:.2f}" if volume > 0 else None,
        "members": len(standings),
        "active": int(standings.active.sum()),
        "earners": int((outcome.earned != 0).sum()),
        "sale_lines": len(outcome.snapshot.lines),
        "refund_lines": len(outcome.snapshot.refunds),
        "reversed_lines": len(outcome.reversed["amount"]),
        "reversed": decimal_text(int(outcome.reversed["amount"].sum())),
        "seconds": dict(phases),
    }


def sum_of(values: np.ndarray[Any, np.dtype[np.int64]]) -> int:
    return int(values.sum())


def bonus_totals(paid: CommissionRun, outcome: Outcome, ids: list[int]) -> list[dict[str, Any]]:
    """Lines and amounts by bonus, what was paid at payment and what the close computed together.

    `ids`: of the plan's bonuses, in its order. A limit is named among them when it cut anything.
    """
    found = Counter[int](), Counter[int]()
    for block in outcome.result.ledger:
        add_lines(found, ids[block.bonus], len(block), int(block.amount.sum()))
    for pk in np.unique(outcome.reversed["bonus_id"]).tolist():
        amounts = outcome.reversed["amount"][outcome.reversed["bonus_id"] == pk]
        add_lines(found, pk, amounts.size, int(amounts.sum()))
    with connection.cursor() as cursor:
        cursor.execute(
            f"select bonus_id, count(*), sum(amount) from {paid.ledger_table} group by 1"
        )
        for pk, lines, amount in cursor.fetchall():
            add_lines(found, pk, lines, int(amount))
    return named_totals(*found, paid.plan_version_id)


def add_lines(found: tuple[Counter[int], Counter[int]], pk: int, lines: int, amount: int) -> None:
    for counter, figure in zip(found, (lines, amount), strict=True):
        counter[pk] += figure


def named_totals(
    lines_of: Counter[int], amount_of: Counter[int], version: int | None
) -> list[dict[str, Any]]:
    """One row a bonus code, those of the version in force first of all, in the plan's order."""
    known = Bonus.objects.filter(version=version) | Bonus.objects.filter(pk__in=list(lines_of))
    rows: dict[str, dict[str, Any]] = {}
    for bonus in known.distinct().order_by("position", "version"):
        lines, hundredths = lines_of[bonus.pk], amount_of[bonus.pk]
        if bonus.ledger_type == "adjustment" and not lines:
            continue
        row = rows.setdefault(
            bonus.code,
            {
                "code": bonus.code,
                "name": bonus.name,
                "trigger": bonus.trigger,
                "lines": 0,
                "hundredths": 0,
            },
        )
        row["lines"] += lines
        row["hundredths"] += hundredths
    for row in rows.values():
        row["amount"] = decimal_text(row["hundredths"])
    return list(rows.values())


def rank_totals(outcome: Outcome) -> list[dict[str, Any]]:
    """How many stand at each paid-as rank and what they earn at the close; no rank first.

    Empty for a plan without ranks.
    """
    earned, level = outcome.earned, outcome.ranks.paid_as
    ranks = seen(outcome.plan).ranks
    names = ["No rank", *(rank.name for rank in ranks)] if ranks else []
    rows = []
    for number, name in enumerate(names):
        chosen = level == number
        rows.append(
            {
                "level": number,
                "name": name,
                "members": int(chosen.sum()),
                "amount": decimal_text(int(earned[chosen].sum())),
            }
        )
    return rows


def top_earners(outcome: Outcome, period: CommissionPeriod) -> list[dict[str, str]]:
    earned = outcome.earned
    best = np.argsort(-earned, kind="stable")[:TOP]
    ids = [int(outcome.snapshot.members.id[place]) for place in best if earned[place] > 0]
    people = Distributor.objects.in_bulk(ids)
    return [
        {
            "number": people[pk].number,
            "name": people[pk].display_name,
            "amount": decimal_text(int(earned[place])),
        }
        for pk, place in zip(ids, best, strict=False)
    ]


def limits_of(outcome: Outcome, by_bonus: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The limits that refuse a run, over both triggers. Raises RunRefused where one is broken."""
    totals = {row["code"]: row["hundredths"] for row in by_bonus}
    names = {limit.code: limit for limit in outcome.plan.limits}
    checks = check_limits(outcome.plan, totals, outcome.standings.metrics)
    return [limit_row(names[check.code], check, outcome) for check in checks]


def limit_row(limit: Limit, check: LimitCheck, outcome: Outcome) -> dict[str, Any]:
    if check.excess:
        raise RunRefused(
            f"The plan allows {allowance(limit, outcome)}{decimal_text(check.allowed)}; "
            f"{decimal_text(check.paid)} would be paid, {decimal_text(check.excess)} too much."
        )
    return {
        "code": limit.code,
        "name": limit.name,
        "allowed": decimal_text(check.allowed),
        "paid": decimal_text(check.paid),
        "used": f"{100 * check.paid / check.allowed:.1f}" if check.allowed else None,
    }


def allowance(limit: Limit, outcome: Outcome) -> str:
    """How a limit's amount comes about: "45 % of 1,000.00, "; empty for a plain amount."""
    if limit.share is None or limit.metric is None:
        return ""
    figures = outcome.standings.metrics[limit.metric]
    volume = int(figures[0]) if figures.size else 0
    return f"{limit.share / 10_000:g} % of {decimal_text(volume)}, "


def block_totals(outcome: Outcome, blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """Lines and amounts by bonus of what does not go to distributors; only where there is any."""
    rows: dict[int, dict[str, Any]] = {}
    for block in blocks:
        programme = outcome.plan.programmes[block.bonus]
        row = rows.setdefault(block.bonus, {"code": programme.code, "name": programme.name,
                                            "lines": 0, "hundredths": 0})  # fmt: skip
        row["lines"] += len(block)
        row["hundredths"] += int(block.amount.sum())
    return [
        row | {"amount": decimal_text(row["hundredths"])}
        for _, row in sorted(rows.items())
        if row["hundredths"]
    ]


def rewards_of(outcome: Outcome) -> list[dict[str, Any]]:
    """What is given besides money: how many of what, to how many people."""
    rows = []
    for bonus in outcome.plan.rewards:
        place = outcome.plan.programmes.index(bonus)
        blocks = [block for block in outcome.result.rewards if block.bonus == place]
        count = sum(int(block.amount.sum()) for block in blocks)
        earners = {earner for block in blocks for earner in np.unique(block.earner).tolist()}
        if count and bonus.reward is not None:
            rows.append({"code": bonus.code, "name": bonus.name, "reward": bonus.reward.name,
                         "count": decimal_text(count), "people": len(earners)})  # fmt: skip
    return rows


WAITS = {
    "held": "until its earner qualifies",
    "limit": "until the limit has room",
    "due": "instalments to come",
}


def waiting_of(outcome: Outcome) -> list[dict[str, Any]]:
    """What was earned up to now and is paid in a later period, by bonus and reason."""
    names = {programme.code: programme.name for programme in outcome.plan.programmes}
    rows: dict[tuple[str, str], int] = {}
    for key, figures in outcome.result.state.items():
        why, _, rest = key.partition(".")
        code = rest.partition(".")[0]
        if why in WAITS and code in names:
            rows[code, why] = rows.get((code, why), 0) + int(figures.sum())
    return [
        {"code": code, "name": names[code], "why": WAITS[why], "amount": decimal_text(hundredths)}
        for (code, why), hundredths in rows.items()
        if hundredths
    ]


def warnings_of(outcome: Outcome) -> list[str]:
    """What whoever approves should know; none of it stops a run."""
    earned = outcome.earned
    negative, unearned = int((earned < 0).sum()), unlined_refunds(outcome)
    has_ranks = bool(outcome.plan.ladders)
    unranked = int((outcome.standings.active & (outcome.ranks.paid_as == 0) & has_ranks).sum())
    below = int((outcome.figures["pv"] < 0).sum())
    waiting = without_kyc(outcome)
    found = [
        (negative, "{} giving back more than earned in this period", "distributor"),
        (below, "{} with negative PV, through refunds of earlier sales", "distributor"),
        (unranked, "{} with no rank", "active distributor"),
        (waiting, "{} whose identity is not verified yet: no payout before it is", "earner"),
        (unearned, "{} undoing nothing, because the sale paid no commission", "earlier refund"),
    ]
    said = [
        text.format(f"{count:,} {noun}{'' if count == 1 else 's'}") + "."
        for count, text, noun in found
        if count
    ]
    return said + [
        f"Refunds of sales of {period} undo nothing that was paid on sums there: another version "
        "of the engine closed it, and it comes out different now."
        for period in outcome.restated.unknown
    ]


def without_kyc(outcome: Outcome) -> int:
    """Earners whose identity is not verified."""
    verified = read_columns(
        "select d.id from genealogy_distributor d join accounts_user u on u.id = d.user_id "
        "where u.kyc_status = 'verified'",
        id="i8",
    )
    earners = outcome.snapshot.members.id[outcome.earned > 0]
    return int((~np.isin(earners, verified["id"])).sum())


def unlined_refunds(outcome: Outcome) -> int:
    refunds = outcome.snapshot.refunds.id
    undoing = np.concatenate([outcome.reversed["volume_entry_id"], *outcome.restated.refunds])
    return int((~np.isin(refunds, undoing)).sum())
