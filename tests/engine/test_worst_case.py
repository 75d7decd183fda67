"""No plan pays more than its worst case, whatever the company: random plans, random people."""

from dataclasses import replace

from hypothesis import HealthCheck, given, reject, settings

from commissions.engine.calculate import calculate
from commissions.engine.errors import PlanError
from commissions.engine.lint.worst_case import worst_case
from commissions.engine.plan import Plan
from tests.engine.documents import COMPANY, Document, load, metric
from tests.engine.strategies import World, worlds

MEASURE = "company_cv"


def measured(world: World) -> Document:
    """Its plan without limits, measuring the company and rounding nothing up."""
    bonuses = [before_limits(bonus) for bonus in world.document["bonuses"]]
    money = world.document["money"] | {"rounding": "toward_zero", "scale": 2}
    metrics = [*world.document["metrics"], metric(MEASURE, volume="cv", scope=COMPANY)]
    parts = {"money": money, "metrics": metrics, "bonuses": bonuses, "limits": []}
    return world.document | parts


def plan_of(world: World) -> Plan:
    """The plan as loaded; a composition that checking refuses is not tried."""
    try:
        return load(measured(world))
    except PlanError:
        reject()


def before_limits(bonus: Document) -> Document:
    base = bonus["base"]
    late = {"after_limits": False} if base["of"] == "commissions" else {}
    return bonus | {"base": base | late}


def alike(world: World) -> World:
    """The same company from its first period on, each line with one figure for all volumes."""
    lines = [line | dict.fromkeys(("pv", "cv", "margin"), line["cv"]) for line in world.lines]
    members = world.members | {"highest": {}, "title": {}}
    return replace(world, members=members, lines=lines, refunds=[], state={})


@given(worlds)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_bonus_pays_more_than_its_worst_case(world):
    plan = plan_of(world)
    company = alike(world).snapshot()
    sold = sum(int(volume) for volume in company.lines.volume("cv"))

    for trigger in ("payment", "period_close"):
        result = calculate(company, plan, trigger)
        for bonus in plan.triggered_by(trigger):
            worst = worst_case((bonus.code,), MEASURE, plan).share
            if worst is not None:
                paid = result.totals[bonus.code]
                assert paid <= worst * sold
