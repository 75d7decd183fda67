"""The demo plan with parts replaced, for tests of what another plan would do in the books."""

import json
from datetime import date
from typing import Any

from commissions.models import CompensationPlan, PlanVersion
from commissions.services.plans import activate_version, create_version
from tests.cast import DEMO_PLAN, Cast

WATCH = {
    "code": "watch", "name": "Watch for a rank", "ledger_type": "reward_bonus",
    "trigger": "period_close", "base": {"of": "flat", "per": "member"}, "pays": {"who": "source"},
    "unit": "amount",
    "rates": {"by": "rank", "ladder": "rank", "which": "paid_as",
              "table": {"bronze": ["1"], "silver": ["2"]}},
    "eligibility": {"when": None, "otherwise": "lost"},
    "occurrence": {"times": "once_per_rank", "skipped_ranks": "pay_all"},
    "reward": {"name": "Watch", "value": "200.00"},
}  # fmt: skip


def demo() -> dict[str, Any]:
    return json.loads(DEMO_PLAN.read_text())


def bonus(document: dict[str, Any], code: str) -> dict[str, Any]:
    return next(each for each in document["bonuses"] if each["code"] == code)


def cap(amount: str, *bonuses: str, **parts: Any) -> dict[str, Any]:
    """A limit on what each member gets of some bonuses; what is cut waits for room."""
    return {
        "code": "cap",
        "name": "Monthly cap",
        "scope": "member",
        "bonuses": list(bonuses),
        "amount": amount,
        "share": None,
        "metric": None,
        "enforcement": "pro_rata",
        "overflow": "held",
    } | parts


def write(cast: Cast, document: dict[str, Any]) -> PlanVersion:
    """The document as a draft of Ada's."""
    return create_version(
        plan=CompensationPlan.objects.get_or_create(code="demo", name="Demo plan")[0],
        definition=document,
        effective_from=date(2010, 1, 1),
        actor=cast.user("ada"),
    )


def pay_by(cast: Cast, document: dict[str, Any]) -> PlanVersion:
    """The document in force: written by Ada, activated by Mona."""
    return activate_version(version=write(cast, document), actor=cast.user("mona"))
