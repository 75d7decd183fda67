"""A payout from the request to its end. Money moves with every step, in the same transaction.

requested  wallet -> payouts in transit
cancelled  payouts in transit -> wallet
completed  payouts in transit -> bank, fees, tax
failed     payouts in transit -> wallet
returned   bank, fees, tax -> wallet
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.audit import record
from accounts.events import publish
from accounts.models import User
from accounts.numbering import take_number
from commissions.models import CommissionPeriod, JournalEntry, LedgerAccount, Payout, PayoutMethod
from commissions.models.payout import PAYOUT_EDGES
from commissions.services.eligibility import payout_checklist
from commissions.services.journal import Leg, WalletTooSmall, get_account, post
from commissions.services.payout_rules import lock_wallet, plan_obstacles
from genealogy.models import Distributor
from genealogy.services.teams import mark_stale
from mlmcrm.locks import advisory_lock
from mlmcrm.money import format_money, quantise
from mlmcrm.transitions import advance

Status = Payout.Status


class PayoutRefused(Exception):
    """The step is not possible; the message says why in words the person can act on."""

    def __init__(self, message: str, code: str = "refused") -> None:
        self.code = code
        super().__init__(message)


@transaction.atomic
def request_payout(
    *,
    distributor: Distributor,
    method: PayoutMethod,
    amount: Decimal,
    request_key: UUID,
    actor: User,
) -> Payout:
    """Set money aside for a payout: wallet to payouts in transit.

    The same request key again gives the same payout, so a double click asks once. Raises
    PayoutRefused when a condition is not met, when the wallet does not hold enough that can be
    paid out (under races too: requests of one wallet wait for each other), or when the key was used
    for something else.
    """
    advisory_lock(f"payout:{request_key}")
    earlier = Payout.objects.filter(request_key=request_key).first()
    if earlier is not None:
        return same_request(earlier, distributor, method, amount)
    lock_wallet(distributor)
    check_request(distributor, method, amount)
    payout = Payout.objects.create(
        number=take_number("P"),
        distributor=distributor,
        method=method,
        period=CommissionPeriod.objects.filter(status="finalized").first(),
        request_key=request_key,
        amount=amount,
        net_amount=amount,
        currency=settings.COMPANY_CURRENCY,
        kyc_status=User.KYCStatus.VERIFIED,
        requested_by=actor,
    )
    wallet, in_transit = wallet_of(payout), company_account("payouts_in_transit", payout)
    try:
        post_step(payout, "", [(wallet, -amount), (in_transit, amount)], actor)
    except WalletTooSmall as error:
        raise PayoutRefused("Your wallet does not hold this much any more.", "wallet") from error
    announce(payout, "requested", actor)
    return payout


def same_request(
    earlier: Payout, distributor: Distributor, method: PayoutMethod, amount: Decimal
) -> Payout:
    """The earlier payout of this key, if it is the same question."""
    asked = (distributor.pk, method.pk, amount)
    if (earlier.distributor_id, earlier.method_id, earlier.amount) != asked:
        raise PayoutRefused("This form was already used for another payout.", "key")
    return earlier


def check_request(distributor: Distributor, method: PayoutMethod, amount: Decimal) -> None:
    checklist = payout_checklist(distributor)
    if checklist.missing:
        first = checklist.missing[0]
        raise PayoutRefused(f"{first.title}: {first.text}", first.code)
    if checklist.method != method:
        raise PayoutRefused("This payout method is no longer in use. Choose it again.", "method")
    if amount != quantise(amount):
        raise PayoutRefused("An amount has at most two decimal places.", "amount")
    wallet, rules = checklist.wallet, checklist.rules
    if amount < rules.minimum:
        raise PayoutRefused(f"The smallest payout is {rules.floor}.", "amount")
    if amount > wallet.free:
        most = format_money(wallet.free, wallet.currency) if wallet.held else "that much"
        raise PayoutRefused(f"Your wallet holds {wallet}; ask for {most} at most.", "amount")


def approval_hash(payout: Payout) -> str:
    """SHA-256 of what is approved: how much, of which money, to whom, to which details."""
    bound = {
        "payout": payout.number,
        "amount": str(quantise(payout.amount)),
        "net": str(quantise(payout.net_amount)),
        "currency": payout.currency,
        "payee": payout.distributor_id,
        "method": str(payout.method.token),
    }
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()


def is_bound(payout: Payout) -> bool:
    """Whether the approval still stands for exactly this payout and these details."""
    return payout.method.is_active and payout.approval_hash == approval_hash(payout)


def approval_obstacle(payout: Payout, actor: User) -> str:
    """Why this person cannot approve this payout now; empty when he can."""
    distributor = payout.distributor
    if not actor.has_perm("commissions.approve_payout"):
        return "Your role does not approve payouts."
    if payout.status != Status.REQUESTED:
        return f"It is {payout.get_status_display().lower()} already."
    if actor.pk == payout.requested_by_id:
        return "You requested it; somebody else has to approve it."
    if actor.pk == distributor.user_id:
        return "It is paid to you; somebody else has to approve it."
    if not payout.method.is_active:
        return "The payout method was changed after the request."
    return payee_obstacle(distributor)


def payee_obstacle(distributor: Distributor) -> str:
    """Why nothing can be paid to this distributor now; empty when it can."""
    if distributor.kyc_status != User.KYCStatus.VERIFIED:
        return "The identity is not verified any more."
    if distributor.status in (Distributor.Status.ON_HOLD, Distributor.Status.TERMINATED):
        return f"The distributor is {distributor.get_status_display().lower()}."
    return ""


@transaction.atomic
def approve_payout(*, payout: Payout, actor: User) -> Payout:
    """Approve, bound by a hash to amount, currency, payee and details. Raises PayoutRefused."""
    payout = locked(payout.pk)
    obstacle = approval_obstacle(payout, actor) or plan_obstacles([payout]).get(payout.pk)
    if obstacle:
        raise PayoutRefused(f"{payout.number}: {obstacle}")
    advance(
        payout,
        Status.APPROVED,
        PAYOUT_EDGES,
        approved_by=actor,
        approved_at=timezone.now(),
        approval_hash=approval_hash(payout),
    )
    announce(payout, "approved", actor)
    return payout


@transaction.atomic
def cancel_payout(*, payout: Payout, actor: User) -> Payout:
    """The distributor takes his request back before it is approved. Raises PayoutRefused."""
    payout = locked(payout.pk)
    if payout.distributor.user_id != actor.pk:
        raise PayoutRefused("Only the person it belongs to can cancel a payout.")
    if payout.status != Status.REQUESTED:
        raise PayoutRefused(
            f"{payout.number} is {payout.get_status_display().lower()} and cannot be cancelled."
        )
    return give_back(payout, "You took the request back.", actor)


@transaction.atomic
def refuse_payout(*, payout: Payout, actor: User, reason: str) -> Payout:
    """Staff refuse a payout that is not on its way yet; the money goes back to the wallet.

    Raises PayoutRefused when it is in a batch: the batch is voided or opened again first.
    """
    payout = locked(payout.pk)
    obstacle = refusal_obstacle(payout, actor)
    if obstacle:
        raise PayoutRefused(f"{payout.number}: {obstacle}")
    if not reason.strip():
        raise PayoutRefused("Say why, so that the distributor can act on it.", "reason")
    return give_back(payout, reason.strip(), actor)


def refusal_obstacle(payout: Payout, actor: User) -> str:
    """Why this person cannot refuse this payout now; empty when he can."""
    if not actor.has_perm("commissions.approve_payout"):
        return "Your role does not refuse payouts."
    if actor.pk == payout.distributor.user_id:
        return "It is paid to you; somebody else decides about it."
    if payout.status not in (Status.REQUESTED, Status.APPROVED):
        return f"It is {payout.get_status_display().lower()} already."
    if payout.batch_id:
        return f"It is in batch {payout.batch}; take it out there first."
    return ""


def give_back(payout: Payout, reason: str, actor: User | None) -> Payout:
    """Cancel a locked payout and put its money back. Needs a transaction."""
    advance(
        payout,
        Status.CANCELLED,
        PAYOUT_EDGES,
        cancelled_at=timezone.now(),
        failed_reason=reason,
    )
    post_step(payout, "cancelled", back_from_transit(payout), actor, reverses_request=True)
    announce(payout, "cancelled", actor)
    return payout


def start_payout(payout: Payout, actor: User) -> None:
    """The bank file with this payout is made. Needs the batch's transaction."""
    advance(payout, Status.PROCESSING, PAYOUT_EDGES, processed_at=timezone.now())
    announce(payout, "processing", actor)


def complete_payout(payout: Payout, reference: str, actor: User) -> None:
    """The bank has paid. Needs the importer's transaction."""
    advance(
        payout,
        Status.COMPLETED,
        PAYOUT_EDGES,
        completed_at=timezone.now(),
        reference_number=reference,
    )
    in_transit = company_account("payouts_in_transit", payout)
    post_step(payout, "completed", [(in_transit, -payout.amount), *paid_out(payout)], actor)
    announce(payout, "completed", actor)
    facts = {"payout": payout.number, "amount": payout.net_amount, "currency": payout.currency}
    publish("commission.paid", users=[payout.distributor.user_id], ref=payout.number, **facts)


def fail_payout(payout: Payout, reason: str, actor: User) -> None:
    """The bank could not pay; the money goes back. Needs the importer's transaction."""
    advance(payout, Status.FAILED, PAYOUT_EDGES, failed_reason=reason)
    post_step(payout, "failed", back_from_transit(payout), actor, reverses_request=True)
    announce(payout, "failed", actor)


def return_payout(payout: Payout, reason: str, actor: User) -> None:
    """The bank had paid and the money came back. Needs the importer's transaction."""
    advance(payout, Status.RETURNED, PAYOUT_EDGES, failed_reason=reason)
    legs = [(wallet_of(payout), payout.amount)]
    legs += [(account, -amount) for account, amount in paid_out(payout)]
    post_step(payout, "returned", legs, actor)
    announce(payout, "returned", actor)


def paid_out(payout: Payout) -> list[Leg]:
    """Where the money of a completed payout is: most in the bank, the rest kept for fee and tax."""
    parts = {
        "bank": payout.net_amount,
        "fees": payout.fee_amount,
        "tax_payable": payout.tax_amount,
    }
    return [(company_account(kind, payout), amount) for kind, amount in parts.items() if amount]


def back_from_transit(payout: Payout) -> list[Leg]:
    in_transit = company_account("payouts_in_transit", payout)
    return [(in_transit, -payout.amount), (wallet_of(payout), payout.amount)]


def wallet_of(payout: Payout) -> LedgerAccount:
    return get_account("wallet", distributor=payout.distributor, currency=payout.currency)


def company_account(kind: str, payout: Payout) -> LedgerAccount:
    return get_account(kind, currency=payout.currency)


def post_step(
    payout: Payout,
    step: str,
    legs: list[Leg],
    actor: User | None,
    reverses_request: bool = False,
) -> None:
    """Post one step of a payout under its natural key."""
    root = f"payout:{payout.request_key}"
    post(
        key=f"{root}:{step}" if step else root,
        kind=f"payout_{step or 'requested'}",
        memo=f"Payout {payout.number} {step or 'requested'}",
        legs=legs,
        actor=actor,
        reverses=JournalEntry.objects.get(key=root) if reverses_request else None,
    )


def posted_at(payout: Payout) -> datetime | None:
    """When the money of the payout's present state moved; None when that step moves none."""
    entries = JournalEntry.objects.filter(key=f"payout:{payout.request_key}:{payout.status}")
    return entries.values_list("occurred_at", flat=True).first()


def announce(payout: Payout, step: str, actor: User | None) -> None:
    """Audit record and event of one step, and the recount of what was ever asked for."""
    record(
        actor=actor,
        action=f"payout.{step}",
        target=payout,
        after={
            "status": payout.status,
            "amount": str(payout.amount),
            "currency": payout.currency,
            "approval_hash": payout.approval_hash,
        },
        reason=payout.failed_reason,
    )
    mark_stale([payout.distributor_id])
    publish(
        f"payout.{step}",
        users=[payout.distributor.user_id],
        staff=True,
        ref=payout.number,
        payout=payout.number,
        amount=payout.net_amount,
        currency=payout.currency,
        method=str(payout.method),
        reason=payout.failed_reason,
    )
    transaction.on_commit(lambda: recount_requested(payout.distributor_id), robust=True)


def recount_requested(distributor_id: int) -> None:
    """Set the distributor's projection of all payouts that were not given back."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            update genealogy_distributor set total_payout_requested = coalesce((
              select sum(amount * 100)::bigint from commissions_payout
              where distributor_id = %(id)s
                and status not in ('cancelled', 'failed', 'returned')), 0)
            where id = %(id)s
            """,
            {"id": distributor_id},
        )


def hold_payees(payouts: Iterable[Payout]) -> None:
    """Hold the wallets and the teams of all whose payouts are to take a step together, in the order
    of locks (docs/architecture.md)."""
    payees = {payout.distributor_id for payout in payouts}
    wallets = LedgerAccount.objects.filter(kind="wallet", distributor__in=payees).order_by("pk")
    list(wallets.select_for_update(no_key=True).values_list("pk"))
    mark_stale(list(payees))


def locked(pk: int) -> Payout:
    """The payout as it is now, held to the end of the transaction."""
    rows = Payout.objects.select_related("distributor__user", "method", "batch")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=pk)
