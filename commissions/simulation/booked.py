"""The lines of a period's ledger as rows: what is paid, kept, held, given besides money, and taken
back by refunds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from commissions.engine.plan import Bonus, Limit
from commissions.engine.result import Block
from commissions.simulation.units import HUNDREDTHS, decimal, rate
from commissions.simulation.view import COMPANY, Row, Rows, View


def ledger(view: View) -> Rows:
    """What distributors get, then what refunds of earlier orders take back."""
    yield from numbered(view, view.outcome.ledger, view.outcome.first_number)
    yield from (reversal(view, place) for place in undone(view, company=False))


def retained(view: View) -> Rows:
    """What the company keeps, and gives back."""
    start = view.outcome.first_number + sum(map(len, view.outcome.ledger))
    yield from numbered(view, view.outcome.retained, start)
    yield from (reversal(view, place) for place in undone(view, company=True))


def held(view: View) -> Rows:
    """What waits for its earner's eligibility."""
    for row in numbered(view, view.outcome.held, 0):
        yield {**row, "number": None}


def rewards(view: View) -> Rows:
    """What distributors get besides money: how many of what, and what they are told it is worth."""
    for row in numbered(view, view.outcome.close.rewards, 0):
        reward = view.plan.bonus(str(row["bonus"])).reward
        if reward is not None:
            count = Decimal(str(row["amount"]))
            worth = None if reward.value is None else count * decimal(reward.value, HUNDREDTHS)
            named = ("distributor", "bonus", "level", "source", "buyer", "order", "line", "rank")
            kept = {name: row[name] for name in named}
            yield {**kept, "reward": reward.name, "count": count, "worth": worth}


def numbered(view: View, blocks: Sequence[Block], first: int) -> Rows:
    count = first
    for block in blocks:
        for place in range(len(block)):
            yield {"number": count, **ledger_line(view, block, place)}
            count += 1


def ledger_line(view: View, block: Block, place: int) -> Row:
    programme, at = view.plan.programmes[block.bonus], int(block.line[place])
    line = view.lines[at] if at >= 0 else None
    source = int(block.source[place])
    return {
        "distributor": view.name(int(block.earner[place])),
        "bonus": programme.code,
        "level": block.level,
        "source": view.name(source) if source >= 0 else None,
        "buyer": line.buyer if line else None,
        "order": line.order if line else None,
        "line": line.line if line else None,
        "base": decimal(block.base[place], HUNDREDTHS),
        "rate": rate(int(block.rate[place])),
        "amount": view.money(block.amount[place]),
        "rank": rank_of(view, programme, int(block.rank_level[place])),
        "reverses": None,
        "refund": None,
    }


def rank_of(view: View, programme: Bonus | Limit, level: int) -> str | None:
    """The line's rank: in the ladder of the bonus's rates, else in the first."""
    ladders = {ladder.code: ladder for ladder in view.plan.ladders}
    named = getattr(getattr(programme, "rates", None), "ladder", None)
    ladder = ladders.get(named) if named else next(iter(ladders.values()), None)
    return view.rank(ladder, level) if ladder else None


def undone(view: View, *, company: bool) -> Iterator[int]:
    for place, entry in enumerate(view.outcome.reversed):
        if (entry.line.earner == "") == company:
            yield place


def reversal(view: View, place: int) -> Row:
    entry = view.outcome.reversed[place]
    line = entry.line
    return {
        "number": line.number,
        "distributor": line.earner or COMPANY,
        "bonus": line.bonus,
        "level": line.level,
        "source": line.source or None,
        "buyer": None,
        "order": line.order or None,
        "line": line.line or None,
        "base": None,
        "rate": None,
        "amount": view.money(line.amount),
        "rank": None,
        "reverses": entry.undoes.number,
        "refund": (entry.refund.order or entry.refund.of[0]) if entry.refund else None,
    }
