"""Computing a closed period again from the facts, to show that the same comes out."""

from dataclasses import dataclass

from commissions.models import CommissionPeriod, CommissionRun
from commissions.services.calculation import decimal_text, payments_of, read_facts, work_out_closed
from commissions.services.carried import state_hash
from commissions.services.finalize import close_run
from commissions.services.opening import PeriodRefused, payment_run
from commissions.services.plans import bonus_ids
from commissions.services.reward_rows import given_by, rewards_hash


@dataclass(frozen=True)
class Proof:
    """One part of the certificate: what was recorded, and what comes out now."""

    name: str
    recorded: str
    replayed: str

    @property
    def is_same(self) -> bool:
        return self.recorded == self.replayed


def replay(period: CommissionPeriod) -> list[Proof]:
    """Every part of the period's certificate, recomputed; writes nothing.

    Before it is final, a period is compared with its run that is done, or its frozen input alone.
    Raises PeriodRefused for an open period.
    """
    if period.status == CommissionPeriod.Status.OPEN:
        raise PeriodRefused(f"{period.name} is open; there is nothing to replay yet.")
    outcome = work_out_closed(period, read_facts(period))
    found = {
        "input_hash": outcome.input_hash,
        "plan_hash": outcome.plan.content_hash,
        "engine_version": outcome.result.engine_version,
        "result_hash": outcome.result_hash,
        "state_hash": state_hash(outcome.carried),
        "lines": str(outcome.line_count),
        "total": decimal_text(outcome.total),
    }
    bonuses = bonus_ids(period.frozen_plan)
    given = given_by(outcome.result, outcome.snapshot.members.id, bonuses)
    found |= {"rewards": str(len(given["count"])), "rewards_hash": rewards_hash(given)}
    payments = payments_of(payment_run(period))
    found |= {
        "payment_hash": payments.hash,
        "payment_lines": str(payments.lines),
        "payment_total": decimal_text(payments.total),
    }
    recorded = recorded_proof(period)
    return [Proof(name, str(value), found[name]) for name, value in recorded.items()]


def recorded_proof(period: CommissionPeriod) -> dict[str, str | int]:
    if period.certificate:
        return dict(period.certificate)
    proof: dict[str, str | int] = {"input_hash": period.input_hash}
    done = period.runs.filter(
        kind=CommissionRun.Kind.CLOSE, status=CommissionRun.Status.DONE
    ).exists()
    if done:
        run = close_run(period)
        proof |= {
            "result_hash": run.result_hash,
            "lines": run.line_count,
            "total": str(run.total_amount),
        }
    return proof
