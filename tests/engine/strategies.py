"""Random plans of the whole language, and random companies for them.

Drawn dense on purpose: deep trees, figures that about half reach, tables that most have a row in.
Left to itself Hypothesis likes empty lists and zeros, and nobody would be paid at a second step.
"""

import pickle
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from commissions.engine.errors import PlanError
from commissions.engine.snapshot import Snapshot, build_snapshot
from tests.engine.documents import Document, document, load, money
from tests.engine.plan_bonuses import Parts, Told

STARTS_ON, ENDS_ON = 1_000, 1_029
WORLDS = 400
FIGURES = ("pv", "cv", "margin")
LEFT = [
    {"steps": steps, "counts": counts, "owed": owed}
    for steps in ("passed_over", "as_ineligible")
    for counts in ("nowhere", "as_others")
    for owed in ("lapses", "paid")
]


@dataclass(frozen=True)
class World:
    """A plan and a company that it can be computed for, as plain lists."""

    document: Document
    members: dict[str, Any]
    lines: list[dict[str, int]]
    refunds: list[dict[str, int]]
    state: dict[str, list[int]] = field(default_factory=dict)

    def snapshot(self, order: list[int] | None = None) -> Snapshot:
        """The company as arrays, members in the given order (places in the lists)."""
        order = list(range(len(self.members["id"]))) if order is None else order
        place = {old: new for new, old in enumerate(order)} | {-1: -1}

        def moved(name: str, values: Any) -> Any:
            if isinstance(values, dict):
                return {
                    key: moved("parents" if name == "parents" else key, part)
                    for key, part in values.items()
                }
            if name in ("parents", "owner"):
                return [place[values[old]] for old in order]
            return [values[old] for old in order]

        return build_snapshot(
            members={name: moved(name, values) for name, values in self.members.items()},
            lines=columns(self.lines, place),
            refunds=columns(self.refunds, place),
            state={name: moved(name, values) for name, values in self.state.items()},
            starts_on=STARTS_ON,
            ends_on=ENDS_ON,
        )


def columns(entries: list[dict[str, int]], place: dict[int, int]) -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: [entry[name] for entry in entries] for name in ("id", "kind", "day")
    }
    volumes = {figure: [entry[figure] for entry in entries] for figure in FIGURES}
    asked = ("number", "joined", "who")
    buyer = {what: [entry[f"buyer_{what}"] for entry in entries] for what in asked}
    seller = [place[entry["seller"]] for entry in entries]
    return columns | {"seller": seller, "volumes": volumes, "buyer": buyer}


@st.composite
def plans(draw: st.DrawFn, *, told: bool = False) -> Document:
    """Everything the language has, in compositions that make sense of it. `told`: with bonuses
    that are paid line by line."""
    granularity = "line" if told else draw(st.sampled_from(["line", "line", "member"]))
    scale = 2 if told else draw(st.sampled_from([2, 2, 2, 2, 0, 1, 3, 6]))
    kind = Told if told else Parts
    parts = kind(draw, line_by_line=granularity == "line", fine=scale > 2)
    volumes = parts.volumes()
    metrics, activity = parts.first_metrics(), parts.activity()
    metrics += parts.metrics_of_the_active()
    ladders = parts.ladders()
    metrics += parts.metrics_of_ranks()
    bonuses = parts.bonuses()
    return document(
        money=money(
            rounding=draw(
                st.sampled_from(["half_even", "half_up", "toward_zero", "away_from_zero"])
            ),
            scale=scale,
            granularity=granularity,
            zero_amounts="keep"
            if granularity == "member"
            else draw(st.sampled_from(["omit", "keep"])),
        ),
        kinds=parts.kinds,
        volumes=volumes,
        metrics=metrics,
        activity=activity,
        ladders=ladders,
        bonuses=bonuses,
        limits=parts.limits(),
        payout={"minimum": parts.figure(2_000), "when": parts.condition(), "hold_days": 14},
        packages=parts.packages,
        left=draw(st.sampled_from([None, *LEFT])),
    )


@st.composite
def companies(draw: st.DrawFn, plan: Document) -> World:
    size = draw(st.sampled_from([8, 5, 12, 3, 1]))
    ids = draw(st.permutations(range(101, 101 + size)))
    levels = st.integers(0, 3)
    highest = {ladder["code"]: [draw(levels) for _ in ids] for ladder in plan["ladders"]}
    title = {code: [draw(st.integers(0, top)) for top in tops] for code, tops in highest.items()}
    members = {
        "id": ids,
        "parents": {tree: draw(forests(size)) for tree in ("sponsor", "enroller")},
        "owner": owners(draw, size),
        "joined": [draw(st.integers(ENDS_ON - 90, ENDS_ON)) for _ in ids],
        "sequence": draw(st.permutations(range(size))),
        "package": [draw(st.integers(-1, len(plan["packages"]) - 1)) for _ in ids],
        "flags": {
            "approved": [draw(st.booleans()) for _ in ids],
            "status.left": [draw(st.sampled_from([False, False, False, True])) for _ in ids],
        },
        "given": {
            ladder["code"]: [draw(levels) for _ in ids]
            for ladder in plan["ladders"]
            if ladder["source"] == "given"
        },
        "highest": highest,
        "title": title,
    }  # fmt: skip
    members["parents"]["placement"], members["leg"] = draw(binaries(size))
    world = World(plan, members, draw(sales(size, 1)), draw(sales(size, -1)))
    return World(plan, members, world.lines, world.refunds, draw(states(plan, size)))


def owners(draw: st.DrawFn, size: int) -> list[int]:
    """Himself, but some positions belong to the first one."""
    return [0 if draw(st.sampled_from([0, 0, 0, 1])) else place for place in range(size)]


@st.composite
def forests(draw: st.DrawFn, size: int) -> list[int]:
    """A chain, a star, or mostly one of the three before: deep trees with some branches."""
    shape = draw(st.sampled_from(["forest", "forest", "forest", "chain", "star"]))
    if shape == "chain":
        return list(range(-1, size - 1))
    if shape == "star":
        return [-1] + [0] * (size - 1)
    return [draw(st.sampled_from([-1, *range(k), *[*range(k)][-3:] * 3])) for k in range(size)]


@st.composite
def binaries(draw: st.DrawFn, size: int) -> tuple[list[int], list[int]]:
    """Two places under each, filled in a random order."""
    free: list[tuple[int, int]] = []
    parents, legs = [], []
    for place in range(size):
        parent, leg = draw(st.sampled_from(free)) if free and place else (-1, -1)
        if (parent, leg) in free:
            free.remove((parent, leg))
        free += [(place, 0), (place, 1)]
        parents.append(parent)
        legs.append(leg)
    return parents, legs


@st.composite
def sales(draw: st.DrawFn, size: int, sign: int) -> list[dict[str, int]]:
    figure = st.integers(0, 42_000).map(lambda n: max(40_000 - n, 0))
    sale = st.tuples(
        st.integers(0, size - 1), st.integers(0, 2), st.integers(STARTS_ON, ENDS_ON),
        st.tuples(figure, figure, figure), st.integers(1, 3), st.integers(ENDS_ON - 60, ENDS_ON),
        st.integers(1, 3),
    )  # fmt: skip
    few = draw(st.sampled_from([size, size, 2 * size, 0])) if sign > 0 else 0
    many = few + 3 if few or sign < 0 else 0
    return [
        {"id": (1 if sign > 0 else 501) + place, "seller": seller, "kind": kind, "day": day}
        | {code: sign * figure for code, figure in zip(FIGURES, figures, strict=True)}
        | {"buyer_number": number, "buyer_joined": joined, "buyer_who": who}
        for place, (seller, kind, day, figures, number, joined, who) in enumerate(
            draw(st.lists(sale, min_size=few, max_size=many))
        )
    ]


@st.composite
def states(draw: st.DrawFn, plan: Document, size: int) -> dict[str, list[int]]:
    """What earlier periods may have left, under the names that the plan's parts use."""
    if draw(st.sampled_from([False, False, True])):
        return {}
    figure, small = st.integers(0, 30_000), st.integers(0, 3)
    names: dict[str, st.SearchStrategy[int]] = {}
    for metric in plan["metrics"]:
        names |= states_of_metric(metric, figure, small)
    for ladder in plan["ladders"]:
        names |= states_of_ladder(ladder, small)
    for bonus in plan["bonuses"]:
        names |= states_of(bonus, figure, small)
    for limit in plan["limits"]:
        if limit["overflow"] == "held":
            names[f"limit.{limit['code']}"] = figure
    names["wallet"] = st.integers(-3_000, 30_000)
    return {name: [draw(values) for _ in range(size)] for name, values in names.items()}


Names = dict[str, st.SearchStrategy[int]]


def states_of_metric(
    metric: Document, figure: st.SearchStrategy[int], small: st.SearchStrategy[int]
) -> Names:
    code, window = metric["code"], metric.get("window", "period")
    whole = figure if metric["what"] == "volume" else small.map(lambda n: 100 * n)
    if window == "periods":
        return {f"metric.{code}.{ago}": whole for ago in range(1, metric.get("length", 1))}
    return {f"metric.{code}.total": whole} if window in ("lifetime", "first_days") else {}


def states_of_ladder(ladder: Document, small: st.SearchStrategy[int]) -> Names:
    code = ladder["code"]
    names = {f"rank.{code}.since": st.integers(ENDS_ON - 100, STARTS_ON)}
    if ladder["source"] == "computed":
        missed = max(0, ladder["when_not_met"].get("periods", 1) - 1)
        names |= {f"rank.{code}.missed": st.integers(0, missed)}
    return names | ({f"rank.{code}.locked": small} if ladder.get("lock") else {})


def states_of_occurrence(code: str, often: Document, small: st.SearchStrategy[int]) -> Names:
    names: Names = {}
    if often.get("times") == "once":
        names[f"once.{code}"] = st.integers(0, 1)
    if often.get("after_periods", 1) > 1:
        names[f"run.{code}"] = small
    if often.get("may_miss", 0):
        names[f"missed.{code}"] = st.integers(0, often["may_miss"])
    if often.get("rest_periods", 0):
        names[f"rest.{code}"] = st.integers(0, often["rest_periods"])
    if often.get("most_times") is not None:
        names[f"times.{code}"] = st.integers(0, often["most_times"])
    return names


def states_of(
    bonus: Document, figure: st.SearchStrategy[int], small: st.SearchStrategy[int]
) -> dict[str, st.SearchStrategy[int]]:
    if bonus["trigger"] == "payment":
        return {f"paid.{bonus['code']}": figure}
    code, pays = bonus["code"], bonus["pays"]
    names = states_of_occurrence(code, bonus.get("occurrence", {}), small)
    if pays["who"] == "pairs":
        names |= {f"pairs.{code}.{side}": figure for side in ("left", "right")}
        cap = pays["carry_cap"] or {}
        names |= {f"pairs.{code}.matched.{k}": figure for k in range(1, cap.get("periods", 1))}
    if pays["who"] == "pool" and pays["if_nobody"] == "carry":
        names[f"pool.{code}"] = figure.map(lambda n: n * 100)
    if bonus.get("reward"):
        names[f"reward.{code}"] = figure
    if bonus["eligibility"]["otherwise"] == "held":
        names[f"held.{code}"] = figure
    names |= {f"due.{code}.{k}": figure for k in range(1, bonus.get("instalments", 1))}
    return names


new_worlds = plans().flatmap(companies)


@cache
def drawn(*, told: bool) -> list[bytes]:
    """WORLDS different worlds, pickled: every test gets copies of its own."""
    found: dict[bytes, None] = {}

    @settings(
        max_examples=WORLDS * 5 // 4,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(plans(told=told).flatmap(companies))
    def collect(world: World) -> None:
        if len(found) < WORLDS:
            found[pickle.dumps(world)] = None

    collect()
    assert len(found) == WORLDS
    return list(found)


def ready(*, told: bool) -> st.SearchStrategy[World]:
    """Each of the worlds once. Drawing one takes longer than what most tests do with it, so a
    process draws them once for all its tests."""
    return st.deferred(lambda: st.sampled_from(drawn(told=told))).map(pickle.loads)


worlds, told_worlds = ready(told=False), ready(told=True)


def at_payment(world: World) -> World:
    """The same company with the bonuses of its plan that can be paid when an order is."""
    document = {**world.document, "bonuses": [], "limits": []}
    for bonus in world.document["bonuses"]:
        payable = bonus | {"trigger": "payment"}
        try:
            load(document | {"bonuses": [*document["bonuses"], payable]})
        except PlanError:
            continue
        document["bonuses"].append(payable)
    return replace(world, document=document)
