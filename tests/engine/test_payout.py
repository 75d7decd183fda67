"""What may be paid out, and what waits."""

from typing import Any

import numpy as np
import pytest

from commissions.engine.calculate import calculate
from commissions.engine.facts import Facts
from commissions.engine.payout import pay_out
from commissions.engine.plan import Plan
from commissions.engine.result import Result
from tests.engine.documents import at_least, bonus, by_step, document, levels, load, metric, money
from tests.engine.small import LAST_DAY, company

ACTIVE = {"is": "flag", "flag": "active"}
TIER = {
    "by": "band",
    "metric": "cv",
    "bands": [{"at": "1", "rates": ["0.30"]}, {"at": "300000", "rates": ["0.40"]}],
}


def plan_with(minimum: str = "0", when: object = None, hold_days: int = 0, **parts: Any) -> Plan:
    team = metric("team", what="members", where=ACTIVE, scope=levels(1, 1))
    own = bonus("own", pays={"who": "source"}, rates=by_step("1"))
    given = {
        "metrics": [metric("cv"), team],
        "bonuses": [own],
        "payout": {"minimum": minimum, "when": when, "hold_days": hold_days},
    }
    return load(document(**given | parts))


def affiliates(**active: int) -> dict[str, str | None]:
    """Each with so many members under him."""
    people: dict[str, str | None] = dict.fromkeys(active)
    for name, count in active.items():
        people |= {f"{name}{number}": name for number in range(count)}
    return people


def run(plan: Plan, people: dict[str, str | None], earned: dict[str, str], state: Any) -> Result:
    flags = {"active": [len(name) > 1 for name in people]}
    return calculate(company(people, list(earned.items()), state=state, flags=flags), plan)


def test_money_waits_for_the_minimum_and_for_five_active_members():
    tiers = bonus("own", pays={"who": "source"}, rates=TIER)
    plan = plan_with("500", at_least("team", "5"), bonuses=[tiers])
    people = affiliates(a=22, b=9, c=2, d=5)

    result = run(plan, people, {"a": "800000", "b": "600000", "c": "800000", "d": "1000"}, {})

    assert result.earned()[:4].tolist() == [320000_00, 240000_00, 320000_00, 300_00]
    assert result.payable[:4].tolist() == [320000_00, 240000_00, 0, 0]
    assert result.state["wallet"][:4].tolist() == [0, 0, 320000_00, 300_00]


def test_what_waited_is_paid_as_soon_as_it_may_be():
    plan = plan_with("500")
    state = {"wallet": [499_99, 300_00]}

    result = run(plan, {"a": None, "b": None}, {"a": "0.01", "b": "199.99"}, state)

    assert result.payable.tolist() == [500_00, 0]
    assert result.state["wallet"].tolist() == [0, 499_99]


def test_a_debt_is_carried_and_set_off():
    plan = plan_with()
    people: dict[str, str | None] = {"a": None, "b": None}

    result = run(plan, people, {"a": "30", "b": "100"}, {"wallet": [-80_00, -80_00]})

    assert result.payable.tolist() == [0, 20_00]
    assert result.state["wallet"].tolist() == [-50_00, 0]


def test_with_nothing_left_nothing_is_carried():
    assert "wallet" not in run(plan_with(), {"a": None}, {"a": "1"}, {}).state


@pytest.mark.parametrize(("scale", "units"), [(0, 11), (1, 101), (2, 1001), (6, 10_010_000)])
def test_the_minimum_is_never_undercut_by_the_scale_of_money(scale, units):
    plan = plan_with("10.01", money=money(scale=scale))
    facts = Facts(company({"a": None, "b": None}), plan)
    just = np.array([units, units - 1])

    found = pay_out(just, facts)

    assert found.payable.tolist() == [units, 0]
    assert found.carried.tolist() == [0, units - 1]


def test_payable_money_is_due_after_the_hold():
    facts = Facts(company({"a": None}), plan_with(hold_days=14))

    assert pay_out(facts.carried("nothing"), facts).due_on == LAST_DAY + 14


def test_what_was_paid_at_payment_is_payable_too():
    at_payment = bonus("direct", trigger="payment", pays={"who": "source"}, rates=by_step("1"))
    plan = plan_with("100", bonuses=[at_payment])

    result = run(plan, {"a": None, "b": None}, {}, {"paid.direct": [100_00, 99_99]})

    assert result.payable.tolist() == [100_00, 0]
