"""Where everybody stands in a period: places, figures, ranks, what the next rank asks, legs."""

from __future__ import annotations

import numpy as np

from commissions.engine import pairs
from commissions.engine.conditions import Finding, measure
from commissions.engine.plan import (
    AtLeast,
    Bonus,
    LegsWithMembers,
    LegsWithRecruits,
    LegsWithVolume,
    PaysPairs,
)
from commissions.simulation.units import HUNDREDTHS, decimal
from commissions.simulation.view import Cell, Row, Rows, View


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
    if not isinstance(question, AtLeast | LegsWithVolume | LegsWithMembers | LegsWithRecruits):
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
    matched, _ = pairs.matched_of(bonus, facts, came, facts.meets(bonus.eligibility.when))
    nothing = np.zeros(len(view.names), np.int64)
    left, right = (state.get(f"pairs.{bonus.code}.{side}", nothing) for side in ("left", "right"))
    of_stronger = matched if rule.stronger is None else matched // (rule.cycle or 1) * rule.stronger
    flushed = came.left + came.right - matched - of_stronger - left - right
    columns = {
        "left_in": before.left,
        "right_in": before.right,
        "left_total": came.left,
        "right_total": came.right,
        "matched": matched,
        **({} if rule.stronger is None else {"matched_stronger": of_stronger}),
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
