"""Stories told from a few people's stored facts are those that the whole company tells.

Asha - Ben - Chloe - Dmitri and Asha - Stella, placed Asha - Ben - Dmitri - Chloe, by plans that ask
for what standings do not have.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commissions import earnings
from commissions.engine import Facts, Plan, rank_facts, trace
from commissions.engine.figures import has_story
from commissions.explain import _counted, explain
from commissions.models import CommissionRun, LedgerEntry, MeasuredPart, Standing
from commissions.retold import Scene, scene_of, standing_facts
from commissions.services.claims import claim_volume
from commissions.services.measured import names_kept
from commissions.services.restatements import facts_of
from commissions.standing import plan_of
from genealogy.services.positions import record_position
from tests.cast import Cast, at
from tests.commissions.plans import bonus, cap, demo, pay_by
from tests.commissions.steps import closed, the_period

pytestmark = pytest.mark.django_db
Document = dict[str, Any]

MOST_QUERIES = 14
"""Of a story, whatever the plan and however many people."""


def october(cast: Cast, document: Document) -> CommissionRun:
    """Two orders of everybody but Asha, placed and paid by the document, final."""
    places = {"asha": None, "ben": "asha", "dmitri": "ben", "chloe": "dmitri", "stella": "asha"}
    for leg, (name, parent) in enumerate(places.items()):
        record_position(
            distributor=getattr(cast, name),
            tree="placement",
            parent=getattr(cast, parent) if parent else None,
            leg=1 + leg % 2 if parent else None,
            valid_from=date(2026, 1, 1),
            actor=None,
        )
    pay_by(cast, document)
    for day, (name, pieces) in enumerate(
        [("ben", 5), ("chloe", 6), ("dmitri", 10), ("stella", 3), ("dmitri", 4), ("chloe", 2)], 5
    ):
        cast.buys(name, pieces, at(f"2026-10-{day:02}"))
    claim_volume()
    closed(cast, "2026-10")
    return the_period("2026-10").runs.get(kind="close")


def paid_on_lines(code: str, **parts: Any) -> Document:
    return {
        "code": code,
        "name": code.title(),
        "ledger_type": "leadership",
        "trigger": "period_close",
        "base": {"of": "order", "volume": "sold"},
        "pays": {"who": "source"},
        "rates": {"by": "step", "table": ["0.02"]},
        "eligibility": {"when": None, "otherwise": "lost"},
    } | parts


def upward(tree: str, *, counts: Document | None = None, steps: int = 3) -> Document:
    how = {"count": "compressed", "counts": counts} if counts else {"count": "physical"}
    return {
        "who": "upline",
        "tree": tree,
        "start": "upline",
        "steps": how,
        "max_steps": steps,
        "max_distance": None,
        "unfilled": "nobody",
    }


def selling() -> Document:
    """The demo plan, and the volume of all orders but enrolment kits."""
    document = demo()
    kinds = [kind for kind in document["kinds"] if kind != "enrolment_kit"]
    document["volumes"].append({"code": "sold", "of": "cv", "kinds": kinds})
    return document


def commissions_of(*bonuses: str, after_limits: bool = False) -> Document:
    named = {"of": "commissions", "bonuses": list(bonuses), "per": "line"}
    return named | {"after_limits": after_limits}


def metric(code: str, **parts: Any) -> Document:
    return {"code": code, "name": code.title(), "what": "volume", "volume": "cv"} | parts


BRONZE = {"is": "rank", "ladder": "rank", "rank": "bronze", "which": "paid_as"}
LEG = {
    "is": "legs_with_volume",
    "legs": 1,
    "tree": "sponsor",
    "volume": "pv",
    "figure": "210.00",
}
LEG_OF_BRONZE = {
    "is": "legs_with_members",
    "legs": 1,
    "tree": "sponsor",
    "members": 1,
    "ladder": "rank",
    "rank": "bronze",
}


def legs_of_ranks() -> Document:
    """A Silver has a leg with a Bronze; paid is who has a leg of a size."""
    document = selling()
    document["ladders"][0]["ranks"][1]["when"] = {"is": "all", "of": [BRONZE, LEG_OF_BRONZE]}
    bonus(document, "unilevel")["eligibility"] = {"when": LEG, "otherwise": "compress"}
    document["bonuses"].append(
        paid_on_lines("lead", pays=upward("sponsor", counts=LEG_OF_BRONZE), rates=steps("0.03"))
    )
    return document


def groups_and_caps() -> Document:
    """Who breaks away, a leg that counts for half, a band of a group, the first recruit."""
    document = selling()
    team = {"scope": "group", "tree": "sponsor", "include_self": True}
    document["metrics"].append(metric("team", scope=team | {"until": BRONZE}))
    capped = {"share": "0.50", "of": "total", "own_too": False}
    asked = {"is": "at_least", "metric": "gv", "figure": "150.00", "leg_cap": capped}
    document["ladders"][0]["ranks"][1]["when"]["of"].append(asked)
    first = {"is": "recruit", "first": 1, "last": 1, "by": "first_order"}
    bands = [{"at": "0", "rates": ["0.01"]}, {"at": "100.00", "rates": ["0.02"]}]
    document["bonuses"].append(
        paid_on_lines(
            "band",
            pays=upward("sponsor", counts={"is": "not", "of": first}),
            rates={"by": "band", "metric": "team", "bands": bands},
            eligibility={"when": asked | {"figure": "10.00"}, "otherwise": "lost"},
        )
    )
    return document


def placement() -> Document:
    """Up the placement tree by legs in it; matched up the enrollers."""
    document = selling()
    unilevel = bonus(document, "unilevel")
    unilevel["base"] = {"of": "order", "volume": "sold"}
    unilevel["pays"] = upward("placement", counts=LEG | {"tree": "placement"}, steps=4)
    unilevel["rates"] = steps("0.05", "0.04", "0.03", "0.02")
    match = commissions_of("unilevel")
    document["bonuses"].append(
        paid_on_lines("match", base=match, pays=upward("enroller", steps=1), rates=steps("0.10"))
    )
    return document


def another_ladder() -> Document:
    """A club by people in it, whose title the unilevel goes by."""
    document = selling()
    document["metrics"].append(
        {"code": "busy", "name": "Busy", "what": "members", "where": {"is": "active"}}
        | {"scope": {"scope": "group", "tree": "placement", "include_self": False}}
    )
    member = {"is": "at_least", "metric": "busy", "figure": "1"}
    document["ladders"].append(
        {"code": "club", "source": "computed", "climb": "each_rank"}
        | {"when_not_met": {"policy": "never_falls"}}
        | {"ranks": [{"code": "in", "name": "In", "when": member}]}
    )
    asked = {"is": "rank", "ladder": "club", "rank": "in", "which": "title"}
    rates = {"by": "rank", "ladder": "club", "which": "title"}
    document["bonuses"].append(
        paid_on_lines(
            "club",
            pays=upward("sponsor", counts=asked),
            rates=rates | {"table": {"in": ["0.03", "0.02"]}},
        )
    )
    return document


def matched_once() -> Document:
    """A start bonus on the first order alone and one in parts, matched and in each other's way."""
    document = selling()
    document["bonuses"] += [
        paid_on_lines("start", occurrence={"times": "once"}),
        paid_on_lines("parts", instalments=2, exclusion=excluded("start", scope="line")),
        paid_on_lines(
            "match",
            base=commissions_of("start", "parts"),
            pays=upward("sponsor", steps=2),
            rates=steps("0.50", "0.25"),
        ),
        paid_on_lines("rest", exclusion=excluded("start", "unilevel", scope="line_and_earner")),
    ]
    return document


def matched_after_limits() -> Document:
    """What a limit cut of somebody is borne by each of his lines, before it is matched."""
    document = selling() | {"limits": [cap("10.00", "unilevel")]}
    base = commissions_of("unilevel", after_limits=True)
    document["bonuses"].append(
        paid_on_lines(
            "match", base=base, pays=upward("sponsor", steps=2), rates=steps("0.5", "0.1")
        )
    )
    return document


def steps(*rates: str) -> Document:
    return {"by": "step", "table": list(rates)}


def excluded(*bonuses: str, scope: str) -> Document:
    return {"scope": scope, "bonuses": list(bonuses)}


PLANS = [legs_of_ranks, groups_and_caps, placement, another_ladder, matched_once]
PLANS += [matched_after_limits]


@pytest.mark.parametrize("document", PLANS)
def test_few_tell_what_all_tell(cast: Cast, document: Callable[[], Document]) -> None:
    """Each story of a sale, and what the ranks asked of each."""
    run = october(cast, document())
    plan = plan_of(run.plan_version)
    whole = Facts(facts_of(run), plan)

    assert run.measured == "kept"
    told = [line for line in lines_of(run) if is_told_by_sale(line, plan)]
    for line in told:
        scene = scene_of_line(line, plan)
        assert steps_of(line, scene) == steps_of(line, on_stage(whole, line)), str(line)
    assert {line.bonus.code for line in told} >= codes_with_stories(plan)
    for place, pk in enumerate(whole.snapshot.members.id.tolist()):
        standing = Standing.objects.select_related("distributor").get(run=run, distributor=pk)
        alone = standing_facts(standing, run, run.period, plan)
        assert rank_facts(alone, 0) == rank_facts(whole, place)


@pytest.mark.parametrize("document", PLANS)
def test_a_story_is_told_by_few_queries_and_agrees(
    cast: Cast, document: Callable[[], Document]
) -> None:
    run = october(cast, document())
    names = len(names_kept(plan_of(run.plan_version)))

    for line in lines_of(run):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            why = explain(line, for_staff=True)
        assert len(asked) <= MOST_QUERIES
        assert why.agrees or not why.is_checked, str(line)
    assert MeasuredPart.objects.filter(run=run).count() <= names


def lines_of(run: CommissionRun) -> list[LedgerEntry]:
    numbers = LedgerEntry.objects.filter(run=run).order_by("pk").values_list("pk", flat=True)
    found = [earnings.line_by_key(number) for number in numbers]
    return [line for line in found if line is not None]


def is_told_by_sale(line: LedgerEntry, plan: Plan) -> bool:
    programmes = {each.code: each for each in plan.bonuses}
    told = programmes.get(line.bonus.code)
    return line.volume_entry is not None and told is not None and has_story(told)


def codes_with_stories(plan: Plan) -> set[str]:
    """The bonuses that a plan of these has beside those of the demo plan."""
    codes = {each.code for each in plan.triggered_by("period_close") if has_story(each)}
    return codes - {each["code"] for each in demo()["bonuses"]}


def scene_of_line(line: LedgerEntry, plan: Plan) -> Scene:
    entry = line.volume_entry
    assert entry is not None
    return scene_of(line, plan.bonus(line.bonus.code), plan, entry, _counted(line, entry))


def on_stage(whole: Facts, line: LedgerEntry) -> Scene:
    place = int(np.searchsorted(whole.snapshot.lines.id, line.volume_entry_id))
    return Scene(whole, place, booked=None)  # type: ignore[arg-type]


def steps_of(line: LedgerEntry, scene: Scene) -> list[Any]:
    source = scene.place(line.source_distributor_id or line.distributor_id)
    base = int(line.base * 100)
    told = trace(scene.facts, line.bonus.code, scene.line, source, base, scene.booked)
    ids = scene.ids([step.member for step in told])
    return [replace(step, member=pk) for step, pk in zip(told, ids, strict=True)]
