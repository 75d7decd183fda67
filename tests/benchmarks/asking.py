"""A plan that asks for what standings do not have, for the pages that explain its lines.

The demo plan, whose ranks ask for legs of a size, legs with people of a rank and a group in which
no leg counts for more than half; besides it pays up both trees by such legs, by a band of a group
whose Silvers break away, by the how-manieth recruit, to the few whose group is very large, however
far up they stand, and matches line by line what a limit has cut.

    python -m tests.benchmarks.close 100000 --asking --chain 5000
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from tests.benchmarks.loading import PLAN

Document = dict[str, Any]

KINDS = ["retail", "preferred", "self_consumption", "autoship"]
SILVER = {"is": "rank", "ladder": "rank", "rank": "silver", "which": "paid_as"}
HALF = {"share": "0.50", "of": "total", "own_too": False}


def legs(tree: str, figure: str) -> Document:
    """Two legs of so much volume."""
    asked = {"is": "legs_with_volume", "legs": 2, "tree": tree, "volume": "pv"}
    return asked | {"figure": figure}


def legs_with(rank: str) -> Document:
    """Two legs with somebody of a rank."""
    asked = {"is": "legs_with_members", "legs": 2, "tree": "sponsor", "members": 1}
    return asked | {"ladder": "rank", "rank": rank}


def at_least(metric: str, figure: str, **parts: Any) -> Document:
    return {"is": "at_least", "metric": metric, "figure": figure} | parts


def asking_plan() -> Document:
    document: Document = json.loads(PLAN.read_text())
    document["volumes"].append({"code": "sold", "of": "cv", "kinds": KINDS})
    group = {"scope": "group", "tree": "sponsor", "include_self": True, "until": SILVER}
    document["metrics"].append(
        {"code": "circle", "name": "Circle", "what": "volume", "volume": "sold", "scope": group}
    )
    ranks = document["ladders"][0]["ranks"]
    for below, rank in pairwise(ranks):
        rank["when"]["of"].append(legs_with(below["code"]))
    first, second = (rank["when"]["of"] for rank in ranks[:2])
    first.append(legs("sponsor", "100.00"))
    second.append(at_least("gv", "500.00", leg_cap=HALF))
    document["bonuses"] += bonuses()
    document["limits"] = [limit("unilevel", "20.00")]
    return document


def bonuses() -> list[Document]:
    early = {"is": "recruit", "first": 1, "last": 3, "by": "joined"}
    active = {"is": "active"}
    capped = at_least("gv", "300.00", leg_cap=HALF)
    return [
        bonus("placed", walk("placement", legs("placement", "500.00")), ["0.02", "0.01", "0.01"]),
        bonus("early", walk("sponsor", {"is": "all", "of": [active, early]}), ["0.01"] * 3),
        bonus("circle", walk("sponsor", capped), ["0.01"] * 3) | {"rates": bands()},
        bonus("far", walk("sponsor", at_least("gv", "1000000.00")), ["0.01"] * 3),
        bonus("match", walk("enroller", legs_with("bronze")), ["0.10", "0.05"])
        | {"base": matched()},
    ]


def bonus(code: str, pays: Document, table: list[str]) -> Document:
    return {
        "code": code,
        "name": code.title(),
        "ledger_type": "leadership",
        "trigger": "period_close",
        "base": {"of": "order", "volume": "sold"},
        "pays": pays,
        "rates": {"by": "step", "table": table},
        "eligibility": {"when": None, "otherwise": "lost"},
    }


def walk(tree: str, counts: Document) -> Document:
    return {
        "who": "upline",
        "tree": tree,
        "start": "upline",
        "steps": {"count": "compressed", "counts": counts},
        "max_steps": 3,
        "max_distance": None,
        "unfilled": "nobody",
    }


def bands() -> Document:
    reached = [{"at": "0", "rates": ["0.01"] * 3}, {"at": "1000.00", "rates": ["0.02"] * 3}]
    return {"by": "band", "metric": "circle", "bands": reached}


def matched() -> Document:
    return {"of": "commissions", "bonuses": ["unilevel"], "per": "line", "after_limits": True}


def limit(code: str, amount: str) -> Document:
    return {
        "code": "cap",
        "name": "Cap",
        "scope": "member",
        "bonuses": [code],
        "amount": amount,
        "share": None,
        "metric": None,
        "enforcement": "pro_rata",
        "overflow": "lost",
    }
