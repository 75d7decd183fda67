"""Every way to change one field of a plan: what prose and comparison must not overlook.

Driven by the records themselves: each field is given another value of its own type. Names for code
alone (a `code`, the tag of a record) and fields without a meaning where they stand are left out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Annotated, Any, Literal, get_args, get_origin

from commissions.engine import plan as p
from commissions.engine.plan.reading import Between, hints

Change = tuple[str, Any]


def changed(value: Any, path: str = "$") -> Iterator[Change]:
    """The record with one field changed, for every field in it and below, with the path."""
    kind: Any = type(value)
    for field in fields(kind):
        where = f"{path}.{field.name}"
        before = getattr(value, field.name)
        if is_silent(value, field.name):
            continue
        for after in others(hints(kind)[field.name], before, field.name):
            yield where, replace(value, **{field.name: after})
        for below, after in inside(before, where):
            yield below, replace(value, **{field.name: after})


def inside(value: Any, path: str) -> Iterator[Change]:
    """A part with one field changed somewhere below it."""
    if is_dataclass(value):
        yield from changed(value, path)
    elif isinstance(value, tuple):
        for place, item in enumerate(value):
            for below, after in inside(item, f"{path}[{place}]"):
                yield below, (*value[:place], after, *value[place + 1 :])
    elif isinstance(value, Mapping):
        for key, item in value.items():
            for below, after in inside(item, f"{path}.{key}"):
                yield below, {**value, key: after}


def others(kind: Any, value: Any, name: str) -> Iterator[Any]:
    """Other values for a field of that type."""
    if name == "schema":
        return
    if value is None:
        yield from SOMETHING.get(name, [])
        return
    if get_origin(kind) is Annotated:
        kind, *notes = get_args(kind)
        high = next((note.high for note in notes if isinstance(note, Between)), None)
        if high is not None:
            yield value + 1 if value < high else value - 1
            return
    if type(None) in get_args(kind):
        yield None
    yield from of_type(kind, value)


def of_type(kind: Any, value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        yield from other_tuples(value)
    elif isinstance(value, Mapping):
        yield from other_mappings(value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, str):
        yield from other_words(kind, value)


def other_words(kind: Any, value: str) -> Iterator[str]:
    """The other words a field may have; for a text or a name another one."""
    found = [kind, *get_args(kind)]
    options = [word for each in found if get_origin(each) is Literal for word in get_args(each)]
    yield from [word for word in options if word != value] if options else [f"{value}_x"]


def other_tuples(value: tuple[Any, ...]) -> Iterator[Any]:
    for place in range(len(value)):
        yield (*value[:place], *value[place + 1 :])
    if len(set(map(repr, value))) > 1:
        yield value[::-1]
    for place, item in enumerate(value):
        if isinstance(item, int):
            yield (*value[:place], item + 1, *value[place + 1 :])
        elif isinstance(item, str):
            yield (*value[:place], f"{item}_x", *value[place + 1 :])


def other_mappings(value: Mapping[str, Any]) -> Iterator[Any]:
    for key, item in value.items():
        rest = {other: each for other, each in value.items() if other != key}
        yield rest
        if isinstance(item, int):
            yield {**value, key: item + 1}
        elif isinstance(item, str):
            yield {**value, key: {"source": "upline", "upline": "source"}[item]}
        elif isinstance(item, tuple):
            yield from ({**value, key: after} for after in other_tuples(item) if after)


ACTIVE = p.IsActive("active")
SOMETHING: dict[str, list[Any]] = {
    "activity": [ACTIVE],
    "amounts": [{"retail": 5_00}],
    "at_most": [90_00],
    "below": [10**12],
    "carry_cap": [p.CarryCap(amount=1), p.CarryCap(times=1, periods=2)],
    "cycle": [100_00],
    "each": [3_00],
    "exclusion": [p.Exclusion("line", ("other",)), p.Exclusion("line_and_earner", ("other",))],
    "gate": [p.Gate(2, 1, "period"), p.Gate(2, 1, "lifetime")],
    "kinds": [("retail",)],
    "last": [9],
    "leg_cap": [p.LegCap(500_000, "total", True)],
    "less": [p.Less("paid_below", 0), p.Less("source", 1)],
    "lock": [p.Lock(30, 3)],
    "matrix": [p.Matrix(2, "breadth_first"), p.Matrix(None, "weaker_leg")],
    "max_distance": [9],
    "most_times": [12],
    "most_by_rank": [p.MostByRank("rank", "paid_as", {"none": 100_00})],
    "most_volume": [100_00],
    "orders": [p.Orders(last=1), p.Orders(first=2), p.Orders(within_days=30)],
    "reward": [p.Reward("Car", None), p.Reward("Car", 1_00)],
    "sources": [ACTIVE, p.JoinedInPeriod("joined_in_period"), p.Recruit("recruit", 1, 2, "joined")],
    "stop": [p.Stop(ACTIVE, True), p.Stop(ACTIVE, False)],
    "stronger": [500_00],
    "until": [ACTIVE],
    "value": [1_00],
    "when": [p.HasFlag("flag", "approved"), p.HasPackage("package", ("large",))],
    "where": [ACTIVE, p.JoinedWithin("joined_within", 30)],
    "window_days": [90],
    "within_days": [90],
}


NO_MEANING: list[tuple[type, str, Callable[[Any], bool]]] = [
    (p.PaysPairs, "stronger", lambda pays: pays.cycle is None),
    (p.PaysPairs, "over_most", lambda pays: pays.most_volume is pays.most_by_rank is None),
    (p.CarryCap, "periods", lambda cap: cap.times is None),
    (p.Eligibility, "otherwise", lambda asked: asked.when is None),
    (p.Volume, "rate", lambda volume: volume.of is None),
    (p.Bonus, "base", lambda bonus: isinstance(bonus.pays, p.PaysPairs)),
    (p.Limit, "metric", lambda limit: limit.share is None),
    (p.Limit, "overflow", lambda limit: limit.enforcement == "refuse"),
]


def is_silent(record: Any, name: str) -> bool:
    """Names for code alone, and fields that mean nothing where they stand."""
    if isinstance(record, p.Metric):
        return name == "code" or is_silent_of_metric(record, name)
    return name in ("code", "_hash") or any(
        isinstance(record, kind) and name == field and has_none(record)
        for kind, field, has_none in NO_MEANING
    )


def is_silent_of_metric(metric: p.Metric, name: str) -> bool:
    if metric.what == "sum":
        return name not in ("what", "name", "parts")
    return (
        (name == "length" and metric.window in ("period", "lifetime"))
        or (name == "volume" and metric.what not in ("volume", "buyers"))
        or (name == "least" and metric.what != "buyers")
        or (name == "since" and (metric.window != "first_days" or metric.what == "members"))
    )
