"""Approving a calculated period and making it final: its lines, its money, its ranks, its proof."""

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.event_rows import hold_listeners, publish_rows
from accounts.events import publish
from accounts.models import User
from commissions.engine import ENGINE_VERSION
from commissions.models import CommissionPeriod, CommissionRun
from commissions.models.period import PERIOD_EDGES
from commissions.services import titles
from commissions.services.calculation import Payments, decimal_text, payments_of
from commissions.services.carried import state_hash, stored_state
from commissions.services.ledger_tables import attach_tables
from commissions.services.opening import PeriodRefused, payment_run
from commissions.services.reward_rows import rewards_hash, stored_in
from commissions.services.wallets import post_commissions
from genealogy.services.teams import mark_stale
from mlmcrm.transitions import TransitionRefused, advance

Status = CommissionPeriod.Status


@transaction.atomic
def approve_period(*, period: CommissionPeriod, actor: User) -> CommissionPeriod:
    """Confirm a calculated period; not by the person who closed it. Raises PeriodRefused."""
    period = CommissionPeriod.objects.select_for_update(no_key=True).get(pk=period.pk)
    if period.closed_by_id == actor.pk:
        raise PeriodRefused("Whoever closed the period cannot approve it.")
    _advance(period, Status.APPROVED, approved_by=actor, approved_at=timezone.now())
    run = close_run(period)
    after = {"run": run.number, "result": run.result_hash, "total": str(run.total_amount)}
    audit.record(actor=actor, action="period.approved", target=period, after=after)
    publish("period.approved", staff=True, ref=period.code, period=period.name)
    return period


@transaction.atomic
def finalize_period(*, period: CommissionPeriod, actor: User | None) -> CommissionPeriod:
    """Make an approved period final, in one transaction; a second call changes nothing.

    The run's tables become partitions of the ledger, every distributor's sum goes to the wallet
    under one key, ranks and projections follow, the certificate is stored and everybody concerned
    is told. Raises PeriodRefused before approval.
    """
    period = CommissionPeriod.objects.select_for_update(no_key=True).get(pk=period.pk)
    if period.status == Status.FINALIZED:
        return period
    if period.status != Status.APPROVED:
        raise PeriodRefused(f"{period.name} is not approved yet.")
    run = close_run(period)
    attach_tables(run)
    post_run(run, period, actor)
    titles.award(run, period)
    mark_stale()
    titles.record_changes(run, period)
    proof = certificate_of(run, payments_of(payment_run(period)))
    _advance(
        period,
        Status.FINALIZED,
        finalized_at=timezone.now(),
        finalized_by=actor,
        certificate=proof,
    )
    audit.record(actor=actor, action="period.finalized", target=period, after=proof)
    tell_everybody(period)
    return period


def _advance(period: CommissionPeriod, to: str, **fields: Any) -> None:
    try:
        advance(period, to, PERIOD_EDGES, **fields)
    except TransitionRefused as error:
        raise PeriodRefused(str(error)) from error


def close_run(period: CommissionPeriod) -> CommissionRun:
    """The calculation that counts: the only one of the period that is done."""
    run: CommissionRun = period.runs.get(
        kind=CommissionRun.Kind.CLOSE, status=CommissionRun.Status.DONE
    )
    return run


def post_run(run: CommissionRun, period: CommissionPeriod, actor: User | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("set local work_mem = '256MB'")
        cursor.execute("drop table if exists pg_temp.owed")
        cursor.execute(
            "create temporary table owed on commit drop as "
            f"select distributor_id, sum(amount)::bigint as amount from {run.ledger_table} "
            "group by 1 having sum(amount) <> 0"
        )
        cursor.execute("select count(*) from owed")
        count = cursor.fetchone()[0]
        cursor.execute("analyze owed")
    if count:
        post_commissions(
            key=f"finalize:{period.code}",
            request_hash=run.result_hash,
            kind="commission",
            memo=f"Commissions of {period.name}",
            owed="select distributor_id, amount from pg_temp.owed",
            params={},
            currency=period.currency,
            actor=actor,
        )


def certificate_of(run: CommissionRun, payments: Payments) -> dict[str, str | int]:
    """What a replay has to give again, byte for byte."""
    given = stored_in(run)
    return {
        "input_hash": run.input_hash,
        "plan_hash": run.period.frozen_plan.definition_hash,
        "engine_version": run.engine_version or ENGINE_VERSION,
        "result_hash": run.result_hash,
        "state_hash": state_hash(stored_state(run)),
        "lines": run.line_count,
        "total": str(run.total_amount),
        "rewards": len(given["count"]),
        "rewards_hash": rewards_hash(given),
        "payment_hash": payments.hash,
        "payment_lines": payments.lines,
        "payment_total": decimal_text(payments.total),
    }


def tell_everybody(period: CommissionPeriod) -> None:
    """Staff of the period, everybody who can sign in of what he gets and of another rank."""
    hold_listeners(_CONCERNED, {"period": period.pk})
    publish(
        "period.finalized",
        staff=True,
        ref=period.code,
        period=period.name,
        amount=period.total_commissions,
        currency=period.currency,
    )
    params = {"ref": period.code, "period_name": period.name, "currency": period.currency}
    publish_rows("commission.approved", _CREDITED, params)
    publish_rows("incentive.awarded", _GIVEN, params | {"period": period.pk})
    titles.tell_changes(period)


_CONCERNED = """
select user_id from genealogy_distributor where id in (
  select distributor_id from pg_temp.owed where amount > 0
  union select distributor_id from commissions_reward where period_id = %(period)s
  union select distributor_id from commissions_rankchange where period_id = %(period)s)
"""
_GIVEN = """
select d.user_id, %(ref)s as ref,
       jsonb_build_object('period', %(period_name)s::text, 'reward', string_agg(
         case when r.count = 100 then r.name
              else trim_scale(r.count::numeric / 100)::text || ' × ' || r.name end,
         ', ' order by r.place)) as facts
from commissions_reward r
join genealogy_distributor d on d.id = r.distributor_id
where r.period_id = %(period)s and d.user_id is not null
group by 1
"""
# What `post_run` owed.
_CREDITED = """
select d.user_id, %(ref)s as ref,
       jsonb_build_object('period', %(period_name)s::text, 'currency', %(currency)s::text,
                          'amount', (o.amount::numeric / 100)::numeric(20, 2)::text) as facts
from pg_temp.owed o join genealogy_distributor d on d.id = o.distributor_id
where d.user_id is not null and o.amount > 0
"""
