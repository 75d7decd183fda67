"""What came out of a period as tables: lists of rows with names instead of indexes.

A cell is a text, a whole number, an exact decimal, true or false, or nothing. The same rows are
printed as text and as JSON; `TABLES` is the order of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import cached_property

import numpy as np

from commissions.engine import limits, pairs
from commissions.engine.conditions import Finding, measure
from commissions.engine.facts import Facts
from commissions.engine.money import by_member
from commissions.engine.payout import WALLET, due_on
from commissions.engine.plan import NO_RANK, AtLeast, Bonus, Ladder, Limit, PaysPairs
from commissions.engine.result import Block
from commissions.simulation.company import Company
from commissions.simulation.periods import Outcome
from commissions.simulation.units import HUNDREDTHS, day, decimal, rate, written

Cell = str | int | Decimal | bool | None
Row = dict[str, Cell]
Rows = Iterator[Row]
COMPANY = "company"


class View:
    """An outcome with the names at hand."""

    def __init__(self, company: Company, outcome: Outcome) -> None:
        self.company, self.plan, self.outcome = company, company.plan, outcome
        self.names, self.lines = outcome.moment.names, outcome.moment.lines

    @cached_property
    def facts(self) -> Facts:
        """The period's figures once more, for what a result does not hold."""
        return Facts(self.outcome.moment.snapshot, self.plan)

    def name(self, member: int) -> str:
        return self.names[member] if member >= 0 else COMPANY

    def money(self, units: int) -> Decimal:
        return decimal(units, self.plan.money.scale)

    def rank(self, ladder: Ladder, level: int) -> str:
        rank = ladder.rank(int(level))
        return rank.code if rank else NO_RANK


def placements(view: View) -> Rows:
    """Who stands where in the placement tree."""
    for person in view.company.distributors.values():
        if person.placement is not None and person.leg is not None:
            leg: Cell = person.leg + 1
            yield {"distributor": person.name, "parent": person.placement, "leg": leg}


def volumes(view: View) -> Rows:
    """Every figure of every order line, given and derived; refunds negative."""
    sold = [(line.order, line.line) for line in view.lines]
    back = [(refund.order or refund.of[0], refund.of[1]) for refund, _ in view.outcome.refunds]
    for part, keys in (("lines", sold), ("refunds", back)):
        if not keys:
            continue
        figures = [(each.code, view.facts.volume(each.code, part)) for each in view.plan.volumes]
        for place, (order, line) in enumerate(keys):
            for code, found in figures:
                figure = decimal(found[place], HUNDREDTHS)
                yield {"order": order, "line": line, "volume": code, "figure": figure}


def figures(view: View) -> Rows:
    """Every metric of everybody."""
    standings = view.outcome.close.standings
    if standings is None:
        return
    for place, name in enumerate(view.names):
        for code, found in standings.metrics.items():
            figure = decimal(found[place], HUNDREDTHS)
            yield {"distributor": name, "metric": code, "figure": figure}


def ranks(view: View) -> Rows:
    """Ranks in every ladder, and who is active."""
    standings = view.outcome.close.standings
    if standings is None:
        return
    for place, name in enumerate(view.names):
        for ladder in view.plan.ladders:
            known = standings.ranks[ladder.code]
            yield {
                "distributor": name,
                "ladder": ladder.code,
                "paid_as": view.rank(ladder, known.paid_as[place]),
                "title": view.rank(ladder, known.title[place]),
                "highest": view.rank(ladder, known.highest[place]),
                "active": bool(standings.active[place]),
            }


def requirements(view: View) -> Rows:
    """What the next rank asks of everybody, and what of it is there."""
    standings = view.outcome.close.standings
    for ladder in view.plan.ladders:
        if ladder.source == "given" or standings is None:
            continue
        paid_as = standings.ranks[ladder.code].paid_as
        for level, rank in enumerate(ladder.ranks, start=1):
            short = np.flatnonzero(paid_as == level - 1).tolist()
            found = measure(rank.when, view.facts) if short else []
            for place in short:
                for finding in found:
                    known = requirement(finding, place)
                    yield {"distributor": view.names[place], "rank": rank.code, **known}


def requirement(finding: Finding, place: int) -> Row:
    question, scale = finding.question, HUNDREDTHS
    is_figure = isinstance(question, AtLeast)
    if question.is_ not in ("at_least", "legs_with_volume", "legs_with_members"):
        scale = 0
    needed, counted = finding.needed, int(finding.actual[place])
    return {
        "asks": question.is_,
        "metric": question.metric if is_figure else None,  # type: ignore[union-attr]
        "needed": decimal(needed, scale),
        "counted": decimal(counted, scale),
        "missing": decimal(max(0, needed - counted), scale),
        "met": bool(finding.met[place]) != finding.negated,
    }


def legs(view: View) -> Rows:
    """Both legs of whoever has one: carried in, with this period's volume, matched, carried out."""
    for bonus in view.plan.bonuses:
        if isinstance(bonus.pays, PaysPairs):
            yield from legs_of(view, bonus, bonus.pays)


def legs_of(view: View, bonus: Bonus, rule: PaysPairs) -> Rows:
    facts, state = view.facts, view.outcome.close.state
    before, came = pairs.carried_in(bonus, facts), pairs.legs_before(bonus, facts)
    takes_part = pairs.takes_part(bonus, facts.meets(bonus.eligibility.when))
    matched, _ = pairs.match(rule, came, takes_part, pairs.gate_open(rule.gate, facts))
    nothing = np.zeros(len(view.names), np.int64)
    left, right = (state.get(f"pairs.{bonus.code}.{side}", nothing) for side in ("left", "right"))
    flushed = came.left + came.right - 2 * matched - left - right
    columns = {
        "left_in": before.left,
        "right_in": before.right,
        "left_total": came.left,
        "right_total": came.right,
        "matched": matched,
        "left_out": left,
        "right_out": right,
        "flushed": flushed,
    }
    for place, name in enumerate(view.names):
        if any(int(column[place]) for column in columns.values()):
            row: Row = {"distributor": name, "bonus": bonus.code}
            row |= {key: decimal(found[place], HUNDREDTHS) for key, found in columns.items()}
            row["cycles"] = int(matched[place]) // rule.cycle if rule.cycle else None
            yield row


# The ledger


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
        "order": line.order,
        "line": line.line,
        "base": None,
        "rate": None,
        "amount": view.money(line.amount),
        "rank": None,
        "reverses": entry.undoes.number,
        "refund": entry.refund.order or entry.refund.of[0],
    }


# Limits and sums


def limited(view: View) -> Rows:
    """What each limit allows: all together, or those whom it cut."""
    blocks = view.outcome.ledger
    for limit in view.plan.limits:
        codes = {view.plan.programmes.index(view.plan.bonus(code)) for code in limit.bonuses}
        place = view.plan.programmes.index(limit)
        size = len(view.names)
        cut = -by_member([block for block in blocks if block.bonus == place], size)
        earned = by_member([block for block in blocks if block.bonus in codes], size)
        allowed = limits.allowances(limit, view.facts)
        if limit.scope == "company":
            yield limit_row(view, limit, COMPANY, allowed[0], earned.sum(), cut.sum())
            continue
        group = limits.groups(limit, view.facts)
        for member in np.flatnonzero(cut).tolist():
            what = allowed[group[member]], earned[member], cut[member]
            yield limit_row(view, limit, view.names[member], *what)


def limit_row(view: View, limit: Limit, who: str, allowed: int, earned: int, cut: int) -> Row:
    return {
        "limit": limit.code,
        "scope": limit.scope,
        "distributor": who,
        "allowed": view.money(allowed),
        "earned": view.money(earned),
        "cut": view.money(cut),
    }


def bonus_totals(view: View) -> Rows:
    """What each bonus and limit comes to, for distributors and for the company."""
    sums = summed(view, ledger, "bonus"), summed(view, retained, "bonus")
    for programme in view.plan.programmes:
        amount, kept = (found.get(programme.code, view.money(0)) for found in sums)
        yield {"bonus": programme.code, "amount": amount, "retained": kept}


def distributor_totals(view: View) -> Rows:
    """What everybody who has a line gets."""
    for name, amount in summed(view, ledger, "distributor").items():
        yield {"distributor": name, "amount": amount}


def summed(view: View, table: Callable[[View], Rows], key: str) -> dict[str, Decimal]:
    """Amounts of a table by one of its columns, in the order of the file or as they come."""
    order = {name: place for place, name in enumerate(view.names)}
    sums: dict[str, Decimal] = {}
    for row in table(view):
        sums[str(row[key])] = sums.get(str(row[key]), view.money(0)) + Decimal(str(row["amount"]))
    return dict(sorted(sums.items(), key=lambda item: order.get(item[0], 0)))


def payable(view: View) -> Rows:
    """What may be paid out of this period's earnings and what was brought, and what is carried."""
    outcome = view.outcome
    earned = summed(view, ledger, "distributor")
    found, wallet = outcome.close.payable, outcome.close.state.get(WALLET)
    due = day(due_on(view.plan, outcome.moment.period.ends_on))
    for place, name in enumerate(view.names):
        brought = outcome.brought.get(name, 0)
        if name in earned or brought:
            yield {
                "distributor": name,
                "brought": view.money(brought),
                "earned": earned.get(name, view.money(0)),
                "payable": view.money(0 if found is None else found[place]),
                "carried": view.money(0 if wallet is None else wallet[place]),
                "due_on": due,
            }


def carried(view: View) -> Rows:
    """What the period hands on: the engine's figures by name, zeros left out."""
    for code, found in sorted(view.outcome.close.state.items()):
        for place in np.flatnonzero(found).tolist():
            figure = written(code, int(found[place]), view.plan)
            yield {"distributor": view.names[place], "name": code, "figure": figure}


TABLES: dict[str, Callable[[View], Rows]] = {
    "placements": placements,
    "volumes": volumes,
    "figures": figures,
    "ranks": ranks,
    "requirements": requirements,
    "legs": legs,
    "ledger": ledger,
    "retained": retained,
    "held": held,
    "limits": limited,
    "bonus_totals": bonus_totals,
    "distributor_totals": distributor_totals,
    "payable": payable,
    "carried": carried,
}


def tables(company: Company, outcome: Outcome) -> dict[str, list[Row]]:
    """Every table of a period."""
    view = View(company, outcome)
    return {name: list(make(view)) for name, make in TABLES.items()}
