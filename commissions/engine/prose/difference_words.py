"""What the fields of a plan are called where two plans are compared, and how their values read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

from commissions.engine import plan as p
from commissions.engine import prose
from commissions.engine.plan.reading import MILLIONTHS, Scaled, hints, written
from commissions.engine.prose import bonuses as prose_bonuses
from commissions.engine.prose import rates as prose_rates
from commissions.engine.prose import words

LABELS = {
    "above": "only what of it is above",
    "activity": "being active",
    "after_limits": "matched after limits",
    "after_payout": "legs after a payout",
    "after_periods": "first paid in period",
    "at": "ends at who",
    "at_most": "no more of it than",
    "base": "what it is paid on",
    "bonuses": "counting bonuses",
    "boundary": "who closes a generation",
    "boundary_belongs_to": "generation of who closes one",
    "by": "by",
    "carry_cap": "most that a leg carries on",
    "climb": "how one climbs",
    "joined_within_days": "days after joining",
    "commissions": "commissions of a refunded order",
    "counts": "who uses up a step",
    "cycle": "volume of a cycle on each side",
    "derived": "bonuses on refunded commissions go back",
    "each": "an amount for each whole",
    "eligibility": "the earner",
    "enforcement": "what happens beyond",
    "factor": "money for 1.00 of volume, as a share",
    "figure": "at least",
    "first": "from",
    "fewer": "people in the other leg",
    "further_steps": "steps beyond the end of the table",
    "granularity": "what is rounded",
    "hold_days": "days until payout",
    "if_ineligible": "legs of who may not be paid",
    "if_nobody": "a pool with nobody in it",
    "include_self": "with the member's own",
    "instalments": "equal parts",
    "kinds": "order kinds",
    "last": "up to",
    "ledger_type": "listed under",
    "least": "of buyers of at least",
    "left": "people who have left",
    "length": "length of the window",
    "less": "what is deducted",
    "matrix": "placement tree",
    "may_miss": "periods that only pause",
    "max_distance": "how many uplines it looks up",
    "max_steps": "steps paid at most",
    "metric": "measured by",
    "minimum": "at least",
    "money": "money",
    "more": "people in one leg",
    "most_times": "paid at most so many times",
    "most_by_rank": "most volume matched by rank",
    "most_volume": "most volume matched",
    "occurrence": "how often",
    "of": "taken of",
    "orders": "which orders count",
    "otherwise": "what becomes of it if not",
    "over_most": "legs that had more than is matched",
    "overflow": "what is cut",
    "owed": "instalments still to come",
    "own_too": "also limits own volume",
    "parts": "what is added up",
    "pays": "who is paid",
    "pays_him": "the last one is paid",
    "periods": "number of periods",
    "rest_periods": "periods without it after it is paid",
    "reversal": "refunds",
    "reward": "what is given instead of money",
    "remainder": "what rounding leaves over",
    "scale": "decimals of an amount",
    "scope": "for whom",
    "shares": "shares",
    "since": "first days after the joining of",
    "skipped_ranks": "ranks that are skipped",
    "smaller_package": "limited by the smaller package",
    "sources": "whose orders count",
    "speed": "reward for speed",
    "start": "step 1",
    "steps": "how steps are counted",
    "stop": "where it ends",
    "stronger": "volume of a cycle in the stronger leg",
    "than": "difference to",
    "trigger": "when it is worked out",
    "unfilled": "steps that nobody is left for",
    "unit": "what the rates are",
    "value": "worth",
    "until": "who breaks away",
    "when_not_met": "a title that is not met any more",
    "where": "who is counted",
    "what": "what is counted",
    "which": "which rank counts",
    "window_days": "days after the sale",
    "zero_amounts": "payments of nothing",
}


NO_LIMIT = (
    "max_distance", "window_days", "most_volume", "most_by_rank", "carry_cap", "width", "at_most",
    "last", "most_times",
)  # fmt: skip


def title(item: Any, plan: p.Plan) -> str:
    """How a part of a plan is called in a sentence."""
    match item:
        case p.Rank(name=name):
            return f"Rank {name}"
        case p.Package(name=name):
            return f"Package {name}"
        case p.Volume(code=code):
            return f"Figure {words.plain(code)}"
        case p.Ladder(code=code):
            return f"The ladder {words.plain(code)}"
        case p.Metric(name=name):
            return f"Metric {name}"
        case _:
            return str(item.name)


def said_of_new(item: Any, plan: p.Plan) -> str:
    """The rule of a part that was not there before."""
    match item:
        case p.Rank(when=when):
            return f"It is for a member who {words.condition(when, plan)}."
        case p.Package(value=value):
            return f"Its value is {words.money(value, plan)}."
        case p.Volume():
            return f"It is {prose.derivation(item, plan)}."
        case p.Metric():
            return f"It is {prose.explain_metric(item, plan)}."
        case p.Limit():
            return prose.explain_limit(item, plan)
        case p.Bonus():
            rates = prose_rates.by_what(item, plan)
            return f"{prose_bonuses.base(item, plan)} {prose_bonuses.who(item, plan)} {rates}"
        case _:
            return f"Its ranks are {words.listed(rank.name for rank in item.ranks)}."


def field_words(record: Any, name: str, value: Any, plan: p.Plan) -> str:
    """A value of a field; codes of metrics and bonuses by their names."""
    if name in NO_LIMIT and value is None:
        return "no limit"
    if name == "metric" and value is not None:
        return words.metric_name(value, plan)
    if name == "bonuses":
        return words.programmes(value, plan)
    return value_words(hint_of(record, name), value, plan)


def value_words(kind: Any, value: Any, plan: p.Plan) -> str:
    """A value as people read it, by the type of its field."""
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return words.plain(value)
    if isinstance(value, int):
        scaled = scale_of(kind)
        if scaled is None:
            return f"{value:,}"
        return words.percent(value) if scaled.places == MILLIONTHS else words.volume(value)
    if isinstance(value, tuple):
        return words.listed(value_words(str, each, plan) for each in value)
    if isinstance(value, Mapping):
        pairs = (
            f"{words.plain(key)} {value_words(kind, each, plan)}" for key, each in value.items()
        )
        return words.listed(pairs)
    if is_condition(value):
        return f'"{words.condition(value, plan)}"'
    return record_words(value, plan)


def record_words(record: Any, plan: p.Plan) -> str:
    """The fields of a record but the tag that says which kind it is."""
    shown = [field.name for field in written(type(record)) if not is_tag(record, field.name)]
    return words.listed(
        f"{LABELS.get(name, words.plain(name))} "
        f"{field_words(record, name, getattr(record, name), plan)}"
        for name in shown
    )


def is_tag(record: Any, name: str) -> bool:
    kind = hint_of(record, name)
    return get_origin(kind) is Literal and len(get_args(kind)) == 1


def kind_words(record: object) -> str:
    """What a kind of record says of itself: the first sentence of its description."""
    first = " ".join((type(record).__doc__ or "").split()).split(". ")[0].rstrip(".")
    return f'"{first}"'


def said(record: object, plan: p.Plan) -> str:
    """A record as a whole."""
    if record is None:
        return "none"
    inside = record_words(record, plan)
    return kind_words(record) + ("" if inside == "nothing" else f" ({inside})")


def is_condition(value: object) -> bool:
    return isinstance(value, p.Condition)


def hint_of(record: Any, name: str) -> Any:
    """The annotated type of a record's field."""
    kind: Any = type(record)
    return hints(kind)[name]


def scale_of(kind: Any) -> Scaled | None:
    """How a whole number is to be read; found in the annotations of its type."""
    if isinstance(kind, Scaled):
        return kind
    if get_origin(kind) is Annotated or get_args(kind):
        return next((found for each in get_args(kind) if (found := scale_of(each))), None)
    return None
