"""Small plan documents for tests: a minimal valid plan, with the parts a test is about replaced.

    plan = load(document(bonuses=[bonus("unilevel", rates=by_step("0.10", "0.05"))]))
    plan = load(document(metrics=[*METRICS, metric("team", scope=levels(1, 3))]))

Every call makes a new document, so a test may change what it got.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from commissions.engine.plan import Plan
from commissions.engine.plan.loading import load_plan

PLANS = Path(__file__).parents[2] / "commissions" / "plans"
KINDS = ["retail", "preferred", "self_consumption", "autoship", "enrolment_kit"]

Document = dict[str, Any]
OWN: Document = {"scope": "own"}
COMPANY: Document = {"scope": "company"}
FALLS_AT_ONCE: Document = {"policy": "falls_at_once"}


def demo() -> Document:
    """The document of the demo company's plan."""
    document: Document = json.loads((PLANS / "demo.json").read_text())
    return document


def load(document: Mapping[str, Any]) -> Plan:
    return load_plan(json.loads(json.dumps(document)))


def document(**parts: object) -> Document:
    """A plan that measures PV, CV and GV in the sponsor tree and pays nothing yet."""
    minimal: Document = {
        "schema": 2,
        "name": "Small plan",
        "currency": "EUR",
        "money": money(),
        "kinds": KINDS,
        "volumes": [{"code": "pv"}, {"code": "cv"}, {"code": "margin"}],
        "metrics": METRICS,
        "activity": None,
        "ladders": [],
        "bonuses": [],
        "limits": [],
        "reversal": {
            "commissions": "proportional",
            "derived": True,
            "window_days": None,
            "volume_counts_in": "period_of_refund",
            "reevaluate_rank": "never",
        },
        "payout": {"minimum": "0", "when": None, "hold_days": 0},
    }
    return deepcopy(minimal | parts)


def money(**parts: object) -> Document:
    given: Document = {"scale": 2, "rounding": "half_even", "granularity": "line"}
    return given | {"zero_amounts": "omit"} | parts


def metric(code: str, **parts: object) -> Document:
    """The own sum of the figure of that code, unless `parts` say otherwise."""
    what = parts.get("what", "volume")
    volume = {"volume": code} if what == "volume" else {}
    return {"code": code, "name": code.upper(), "what": what, **volume, "scope": OWN} | parts


def group(tree: str = "sponsor", *, include_self: bool = True, **parts: object) -> Document:
    return {"scope": "group", "tree": tree, "include_self": include_self} | parts


def levels(first: int, last: int, tree: str = "sponsor") -> Document:
    return {"scope": "levels", "tree": tree, "first": first, "last": last}


METRICS = [metric("pv"), metric("cv"), metric("gv", volume="pv", scope=group())]


def at_least(code: str, figure: str, **parts: object) -> Document:
    return {"is": "at_least", "metric": code, "figure": figure} | parts


def has_rank(rank: str, ladder: str = "rank", which: str = "paid_as") -> Document:
    return {"is": "rank", "ladder": ladder, "rank": rank, "which": which}


def all_of(*conditions: Document) -> Document:
    return {"is": "all", "of": list(conditions)}


def any_of(*conditions: Document, count: int = 1) -> Document:
    return {"is": "any", "count": count, "of": list(conditions)}


def ladder(ranks: Mapping[str, object] | None = None, **parts: object) -> Document:
    """A ladder `rank` of these ranks and what each asks; left out: Bronze 100 PV, Silver 200."""
    asked = ranks or {"bronze": at_least("pv", "100"), "silver": at_least("pv", "200")}
    rungs = [{"code": code, "name": code.title(), "when": when} for code, when in asked.items()]
    given: Document = {"code": "rank", "source": "computed", "climb": "each_rank"}
    return given | {"when_not_met": FALLS_AT_ONCE, "ranks": rungs} | parts


def given_ladder(code: str, *ranks: str) -> Document:
    """A ladder whose levels come with the members."""
    return ladder(dict.fromkeys(ranks), code=code, source="given")


def by_step(*rates: str) -> Document:
    return {"by": "step", "table": list(rates)}


def by_rank(table: Mapping[str, list[str]], which: str = "paid_as") -> Document:
    return {"by": "rank", "ladder": "rank", "which": which, "table": dict(table)}


def upline(max_steps: int = 3, **parts: object) -> Document:
    """A walk up the sponsor tree from the seller's upline, every upline a step."""
    given: Document = {"who": "upline", "tree": "sponsor", "start": "upline"}
    steps: Document = {"steps": {"count": "physical"}, "max_steps": max_steps}
    return given | steps | {"max_distance": None, "unfilled": "nobody"} | parts


def bonus(code: str = "unilevel", **parts: object) -> Document:
    """10 %, 5 %, 2 % of CV to three uplines at the close, unless `parts` say otherwise."""
    given: Document = {
        "code": code,
        "name": code.title(),
        "ledger_type": "unilevel",
        "trigger": "period_close",
        "base": {"of": "order", "volume": "cv"},
        "pays": upline(),
        "rates": by_step("0.10", "0.05", "0.02"),
        "eligibility": {"when": None, "otherwise": "lost"},
    }
    return given | parts
