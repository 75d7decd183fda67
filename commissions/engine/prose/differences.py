"""What changes between two plans, in sentences for whoever signs them off.

    Unilevel: Gold earns 4 % instead of 5 % at step 2.
    Rank Silver asks for 1,200.00 Group volume instead of 1,000.00.
    New bonus Fast start: Paid on CV of each order line. ...

Parts with a code are matched by it, all others by their place in the record. What changes often has
sentences of its own; any other field is named and shown as it was and is, so that nothing that
changes is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from itertools import zip_longest
from typing import Any, get_args, get_origin

from commissions.engine import plan as p
from commissions.engine.lint.ranks import conditions
from commissions.engine.plan.reading import written
from commissions.engine.prose import words
from commissions.engine.prose.difference_words import (
    LABELS,
    field_words,
    hint_of,
    is_condition,
    said,
    said_of_new,
    title,
    value_words,
)
from commissions.engine.prose.rates import by_what

Rates = p.Rates


def plan_diff(old: p.Plan, new: p.Plan) -> list[str]:
    """A sentence for each change from one plan to another; none when they say the same."""
    old, new = old.as_written, new.as_written
    return list(Comparison(old, new).records(old, new, "The plan"))


@dataclass(frozen=True, slots=True)
class Comparison:
    old: p.Plan
    new: p.Plan

    def records(self, old: Any, new: Any, where: str) -> Iterator[str]:
        """Two records of the same place."""
        if old == new:
            return
        if type(old) is not type(new):
            yield f"{where}: {said(new, self.new)} instead of {said(old, self.old)}."
            return
        for field in written(type(old)):
            before, after = getattr(old, field.name), getattr(new, field.name)
            if before != after:
                yield from self.fields(old, new, field.name, where)

    def fields(self, old: Any, new: Any, name: str, where: str) -> Iterator[str]:
        """One field that differs."""
        before, after = getattr(old, name), getattr(new, name)
        label = LABELS.get(name, words.plain(name))
        if name == "name":
            yield f"{where} is now called {after} instead of {before}."
        elif isinstance(old, p.Bonus) and name == "rates":
            yield from self.rates(old, new)
        elif is_condition(before) or is_condition(after):
            yield from self.conditions(old, name, before, after, where)
        elif is_coded(before) or is_coded(after):
            yield from self.lists(before, after, name)
        elif is_dataclass(before) or is_dataclass(after):
            inner = label.capitalize() if isinstance(old, p.Plan) else f"{where}, {label}"
            yield from self.records(before, after, inner)
        elif isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from self.mappings(before, after, item_kind(old, name), f"{where}, {label}")
        else:
            now, then = (
                field_words(old, name, after, self.new),
                field_words(old, name, before, self.old),
            )
            yield f"{where}, {label}: {now} instead of {then}."

    def mappings(
        self, old: Mapping[str, Any], new: Mapping[str, Any], kind: Any, where: str
    ) -> Iterator[str]:
        for key in {**old, **new}:
            if old.get(key) != new.get(key):
                now = value_words(kind, new.get(key), self.new)
                then = value_words(kind, old.get(key), self.old)
                yield f"{where}: {words.plain(key)} {now} instead of {then}."

    # Lists of parts with codes

    def lists(self, old: Sequence[Any], new: Sequence[Any], name: str) -> Iterator[str]:
        """Parts that are gone, new, changed, or stand elsewhere."""
        before, after = ({item.code: item for item in items} for items in (old, new))
        for code, item in before.items():
            if code not in after:
                yield f"{title(item, self.old)} is gone."
        for place, (code, item) in enumerate(after.items(), 1):
            if code not in before:
                said_first = f"New: {title(item, self.new)} at place {place}."
                yield f"{said_first} {said_of_new(item, self.new)}"
            else:
                yield from self.records(before[code], item, title(before[code], self.old))
        yield from self.places(before, after, name)

    def places(self, old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> Iterator[str]:
        """Who stands elsewhere among those that were there before."""
        kept = [code for code in old if code in new]
        for code, was in zip([code for code in new if code in old], kept, strict=True):
            if code != was:
                now, then = list(new).index(code) + 1, list(old).index(code) + 1
                among = "of the ladder" if name == "ranks" else f"among the {words.plain(name)}"
                item = title(new[code], self.new)
                yield f"{item} stands at place {now} {among} instead of {then}."

    # Rates

    def rates(self, old: p.Bonus, new: p.Bonus) -> Iterator[str]:
        """Cell by cell, where both tables go by the same; else the new table row by row."""
        if type(old.rates) is not type(new.rates):
            yield f"{old.name}: {by_what(new, self.new)} Before: {by_what(old, self.old)}"
            for key, row in rows(new.rates).items():
                offered = ", ".join(words.rate(rate, new, self.new) for rate in row)
                yield f"{old.name}: {row_words(new.rates, key, self.new)} {offered}."
            return
        for name in ("ladder", "which", "whose", "metric", "volume"):
            if getattr(old.rates, name, None) != getattr(new.rates, name, None):
                yield from self.fields(old.rates, new.rates, name, f"{old.name}, rates")
        before, after = rows(old.rates), rows(new.rates)
        for key in {**before, **after}:
            cells = zip_longest(before.get(key, ()), after.get(key, ()), fillvalue=0)
            for step, (was, now_is) in enumerate(cells, 1):
                if was != now_is:
                    yield self.cell(old, new, key, step, was, now_is)

    def cell(
        self, old: p.Bonus, new: p.Bonus, key: str | int, step: int, was: int, now_is: int
    ) -> str:
        now = words.rate(now_is, new, self.new) if now_is else "nothing"
        then = words.rate(was, old, self.old) if was else "nothing"
        at = f" at step {step}" if isinstance(new.pays, p.PaysUpline) else ""
        return f"{old.name}: {self.row(old, new, key)} {now} instead of {then}{at}."

    def row(self, old: p.Bonus, new: p.Bonus, key: str | int) -> str:
        for bonus, plan in ((new, self.new), (old, self.old)):
            if key in rows(bonus.rates):
                return row_words(bonus.rates, key, plan)
        raise KeyError(key)

    # Conditions

    def conditions(
        self,
        record: Any,
        name: str,
        old: p.Condition | None,
        new: p.Condition | None,
        where: str,
    ) -> Iterator[str]:
        """What is asked for something is compared part by part, all other conditions as a whole."""
        if name == "when" and isinstance(record, p.Eligibility):
            yield from self.asked(old, new, where.partition(",")[0], "the earner")
        elif name in ("when", "activity"):
            yield from self.asked(
                old, new, "Being active" if name == "activity" else where, "a member"
            )
        else:
            nobody = "nobody" if name == "until" else "everybody"
            now, then = (
                nobody if each is None else f"who {words.condition(each, plan)}"
                for each, plan in ((new, self.new), (old, self.old))
            )
            yield f"{where}, {LABELS.get(name, words.plain(name))}: {now}, instead of {then}."

    def asked(
        self, old: p.Condition | None, new: p.Condition | None, where: str, whom: str
    ) -> Iterator[str]:
        """Changed figures by themselves; other parts as no longer or now also asked."""
        before, after = list(conditions(old)), list(conditions(new))
        gone = [part for part in before if part not in after]
        added = [part for part in after if part not in before]
        for part in list(added):
            twin = next((each for each in gone if is_twin(each, part)), None)
            if isinstance(part, p.AtLeast) and isinstance(twin, p.AtLeast):
                gone.remove(twin)
                added.remove(part)
                now = words.figure(part.metric, part.figure, self.new)
                then = words.figure(twin.metric, twin.figure, self.old)
                name = words.metric_name(part.metric, self.new)
                yield f"{where} asks for {now} {name} instead of {then}."
        if len(gone) == len(added) == 1:
            now, then = words.condition(added[0], self.new), words.condition(gone[0], self.old)
            yield f"{where} asks that {whom} {now}. Before: that {whom} {then}."
            return
        for part in gone:
            yield f"{where} no longer asks that {whom} {words.condition(part, self.old)}."
        for part in added:
            yield f"{where} now also asks that {whom} {words.condition(part, self.new)}."


def is_twin(old: p.Condition, new: p.Condition) -> bool:
    """Whether two conditions differ in the figure alone."""
    if not isinstance(old, p.AtLeast) or not isinstance(new, p.AtLeast):
        return False
    return (old.metric, old.below, old.leg_cap) == (new.metric, new.below, new.leg_cap)


def is_coded(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and hasattr(value[0], "code")


def item_kind(record: object, name: str) -> Any:
    """The type of the values of a mapping field."""
    kind = hint_of(record, name)
    inner = [option for each in get_args(kind) for option in (each, *get_args(each))]
    for option in (kind, *inner):
        if get_origin(option) is Mapping:
            return get_args(option)[1]
    return str


def rows(rates: Rates) -> Mapping[str | int, tuple[int, ...]]:
    match rates:
        case p.ByStep(table=row):
            return {"": row}
        case p.ByBand(bands=bands) | p.ByFigure(bands=bands):
            return {band.at: band.rates for band in bands}
        case p.ByRank(table=table) | p.ByPackage(table=table) | p.ByKind(table=table):
            return dict(table.items())


def row_words(rates: Rates, key: str | int, plan: p.Plan) -> str:
    match rates:
        case p.ByRank(ladder=ladder):
            return f"{words.rank_name(ladder, str(key), plan)} earns"
        case p.ByPackage():
            return f"who holds {words.package_name(str(key), plan)} earns"
        case p.ByKind():
            return f"an order of the kind {words.plain(str(key))} pays"
        case p.ByBand(metric=metric):
            at = words.figure(metric, int(key), plan)
            return f"who has {at} {words.metric_name(metric, plan)} or more earns"
        case p.ByFigure(volume=volume):
            return f"an order line of {words.volume(int(key))} {words.plain(volume)} or more pays"
        case p.ByStep():
            return "it pays"
