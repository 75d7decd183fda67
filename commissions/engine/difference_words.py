"""What the fields of a plan are called where two plans are compared, and how their values read."""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin

from commissions.engine import plan as p
from commissions.engine import prose, prose_bonuses, words
from commissions.engine.language import MILLIONTHS, Scaled, hints

LABELS = {
    "activity": "being active",
    "after_limits": "matched after limits",
    "after_payout": "legs after a payout",
    "after_periods": "first paid in period",
    "at": "ends at who",
    "base": "what it is paid on",
    "bonuses": "counting bonuses",
    "boundary": "who closes a generation",
    "boundary_belongs_to": "generation of who closes one",
    "by": "by",
    "carry_cap": "most that a leg carries on",
    "climb": "how one climbs",
    "commissions": "commissions of a refunded order",
    "counts": "who uses up a step",
    "cycle": "volume of a cycle on each side",
    "derived": "bonuses on refunded commissions go back",
    "eligibility": "the earner",
    "enforcement": "what happens beyond",
    "factor": "money for 1.00 of volume, as a share",
    "figure": "at least",
    "first": "from",
    "fewer": "people in the other leg",
    "granularity": "what is rounded",
    "hold_days": "days until payout",
    "if_ineligible": "legs of who may not be paid",
    "if_nobody": "a pool with nobody in it",
    "include_self": "with the member's own",
    "instalments": "equal parts",
    "kinds": "order kinds",
    "last": "up to",
    "ledger_type": "listed under",
    "length": "length of the window",
    "less": "what is deducted",
    "matrix": "placement tree",
    "max_distance": "how many uplines it looks up",
    "max_steps": "steps paid at most",
    "metric": "what is measured",
    "minimum": "at least",
    "money": "rounding",
    "more": "people in one leg",
    "most_volume": "most volume matched",
    "occurrence": "how often",
    "of": "taken of",
    "otherwise": "what becomes of it if not",
    "overflow": "what is cut",
    "own_too": "also limits own volume",
    "pays": "who is paid",
    "pays_him": "the last one is paid",
    "periods": "number of periods",
    "remainder": "what rounding leaves over",
    "scale": "decimals of an amount",
    "scope": "whose",
    "shares": "shares",
    "skipped_ranks": "ranks that are skipped",
    "smaller_package": "limited by the smaller package",
    "sources": "whose orders count",
    "speed": "reward for speed",
    "start": "step 1",
    "steps": "how steps are counted",
    "stop": "where it ends",
    "than": "difference to",
    "trigger": "when it is worked out",
    "unfilled": "steps that nobody is left for",
    "unit": "what the rates are",
    "until": "who breaks away",
    "when_not_met": "a title that is not met any more",
    "where": "who is counted",
    "which": "which rank counts",
    "window_days": "days after the sale",
    "zero_amounts": "payments of nothing",
}


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
            rates = prose_bonuses.by_what(item, plan)
            return f"{prose_bonuses.base(item, plan)} {prose_bonuses.who(item, plan)} {rates}"
        case _:
            return f"Its ranks are {words.listed(rank.name for rank in item.ranks)}."


def value_words(kind: Any, value: Any, plan: p.Plan) -> str:
    """A value as people read it, by the type of its field."""
    if value is None or value == ():
        return "nothing"
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
    parts = ((name, getattr(value, name)) for name in value.__slots__)
    return words.listed(
        f"{LABELS.get(name, words.plain(name))} {value_words(hint_of(value, name), part, plan)}"
        for name, part in parts
    )


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
