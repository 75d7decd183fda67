"""Payouts that go to the bank together: one person makes the batch, another checks it.

From submitting on the batch is locked: its content hash stands for every item, amount, payee and
approval in it, is shown before approval, printed in the file and compared again at each step.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone

from accounts.audit import record
from accounts.events import publish, told_together
from accounts.models import User
from accounts.numbering import take_number
from commissions.models import Payout, PayoutBatch, PayoutFile
from commissions.models.batch import BATCH_EDGES
from commissions.services.payout_rules import plan_obstacles
from commissions.services.payouts import (
    PayoutRefused,
    hold_payees,
    is_bound,
    payee_obstacle,
    start_payout,
)
from commissions.services.registers import Register, render_csv, render_xlsx
from mlmcrm.encryption import seal_bytes, unseal_bytes
from mlmcrm.money import quantise
from mlmcrm.transitions import advance

Status = PayoutBatch.Status
RENDERERS: dict[str, Callable[[Register], bytes]] = {"csv": render_csv, "xlsx": render_xlsx}


class BatchRefused(PayoutRefused):
    """The step is not possible for this batch; the message says why."""


def batch_obstacle(payout: Payout, actor: User, currency: str) -> str:
    """Why this payout cannot go into a batch made by this person; empty when it can."""
    if payout.status != Payout.Status.APPROVED:
        return f"It is {payout.get_status_display().lower()}, not approved."
    if payout.batch_id:
        return f"It is in batch {payout.batch} already."
    if payout.currency != currency:
        return f"It is in {payout.currency}; a batch has one currency."
    if payout.distributor.user_id == actor.pk:
        return "It is paid to you; somebody else has to make that batch."
    if not is_bound(payout):
        return "It is not what was approved any more. Refuse it, so that the money goes back."
    return payee_obstacle(payout.distributor)


@transaction.atomic
def create_batch(*, payouts: Iterable[int], actor: User) -> PayoutBatch:
    """Put approved payouts (their ids) of one currency into a new draft. Raises BatchRefused."""
    must(actor, "commissions.add_payoutbatch", "make batches")
    rows = list(
        Payout.objects.select_related("distributor__user", "method", "batch")
        .select_for_update(of=("self",), no_key=True)
        .filter(pk__in=list(payouts))
        .order_by("pk")
    )
    if not rows:
        raise BatchRefused("Choose at least one approved payout.")
    kept = plan_obstacles(rows)
    for payout in rows:
        obstacle = batch_obstacle(payout, actor, rows[0].currency) or kept.get(payout.pk)
        if obstacle:
            raise BatchRefused(f"{payout.number}: {obstacle}")
    batch = PayoutBatch.objects.create(
        number=take_number("PB"), currency=rows[0].currency, created_by=actor
    )
    Payout.objects.filter(pk__in=[payout.pk for payout in rows]).update(batch=batch)
    recount(batch)
    tell(batch, "created", actor)
    return batch


@transaction.atomic
def remove_from_batch(*, batch: PayoutBatch, payout: Payout, actor: User, reason: str) -> None:
    """Take one payout out of a draft; it stays approved. Raises BatchRefused."""
    must(actor, "commissions.add_payoutbatch", "change batches")
    batch = locked(batch.pk)
    if batch.status != Status.DRAFT:
        raise BatchRefused(f"{batch.number} is locked; open it again first.")
    if not Payout.objects.filter(pk=payout.pk, batch=batch).update(batch=None):
        raise BatchRefused(f"{payout.number} is not in {batch.number}.")
    recount(batch)
    tell(batch, "item_removed", actor, reason=f"{payout.number}: {reason}")


@transaction.atomic
def submit_batch(*, batch: PayoutBatch, actor: User) -> PayoutBatch:
    """Lock a draft under the hash of its content. Raises BatchRefused."""
    must(actor, "commissions.add_payoutbatch", "submit batches")
    batch = locked(batch.pk)
    items = batch_items(batch)
    if not items:
        raise BatchRefused("An empty batch cannot be submitted.")
    refuse_unpayable(items)
    recount(batch)
    step(batch, Status.SUBMITTED, submitted_at=timezone.now(), content_hash=hash_of(batch, items))
    tell(batch, "submitted", actor)
    return batch


@transaction.atomic
def reopen_batch(*, batch: PayoutBatch, actor: User, reason: str) -> PayoutBatch:
    """Send a submitted batch back to its maker, as a draft. Raises BatchRefused."""
    must(actor, "commissions.add_payoutbatch", "change batches")
    must_say_why(reason)
    batch = locked(batch.pk)
    step(batch, Status.DRAFT, submitted_at=None, content_hash="")
    tell(batch, "reopened", actor, reason=reason)
    return batch


@transaction.atomic
def approve_batch(*, batch: PayoutBatch, actor: User, seen_hash: str) -> PayoutBatch:
    """Approve exactly what the approver saw, named by its hash. Raises BatchRefused.

    The approver neither made the batch nor gets money from it.
    """
    must(actor, "commissions.approve_payoutbatch", "approve batches")
    batch = locked(batch.pk)
    items = batch_items(batch)
    obstacle = approver_obstacle(batch, items, actor)
    if obstacle:
        raise BatchRefused(obstacle)
    if seen_hash != batch.content_hash:
        raise BatchRefused("The batch has changed since you looked at it. Check it again.")
    refuse_changed(batch, items)
    step(batch, Status.APPROVED, approved_by=actor, approved_at=timezone.now())
    tell(batch, "approved", actor)
    return batch


def approver_obstacle(batch: PayoutBatch, items: list[Payout], actor: User) -> str:
    """Why this person cannot approve this batch, whatever its state; empty when he can."""
    if actor.pk == batch.created_by_id:
        return "You made this batch; somebody else has to approve it."
    if any(actor.pk == payout.distributor.user_id for payout in items):
        return "A payout in this batch is paid to you; somebody else has to approve it."
    return ""


@transaction.atomic
@told_together()
def export_batch(*, batch: PayoutBatch, actor: User) -> PayoutBatch:
    """Render the register once in each format, keep the bytes, and send the payouts on their way.

    Raises BatchRefused, also when the batch was exported before: the files are there.
    """
    must(actor, "commissions.add_payoutbatch", "export batches")
    batch = locked(batch.pk)
    items = batch_items(batch)
    if batch.status == Status.APPROVED:
        refuse_changed(batch, items)
    hold_payees(items)
    now = timezone.now()
    step(batch, Status.EXPORTED, exported_at=now)
    register = Register(batch=batch, payouts=items, generated_at=now)
    for file_format, render in RENDERERS.items():
        keep_file(register, file_format, render(register), actor)
    for payout in items:
        start_payout(payout, actor)
    tell(batch, "exported", actor)
    return batch


def keep_file(register: Register, file_format: str, content: bytes, actor: User) -> PayoutFile:
    """Store a rendered file sealed, with its SHA-256, count and control sum."""
    batch = register.batch
    return PayoutFile.objects.create(
        batch=batch,
        format=file_format,
        file_name=f"{batch.number}-register.{file_format}",
        sealed_content=seal_bytes(content, context=file_context(batch, file_format)),
        sha256=hashlib.sha256(content).hexdigest(),
        item_count=len(register.payouts),
        control_sum=register.control_sum,
        created_by=actor,
    )


@transaction.atomic
def open_file(*, file: PayoutFile, actor: User) -> bytes:
    """The bytes as they were rendered; every opening is audited before a byte is given out."""
    must(actor, "commissions.add_payoutbatch", "download bank registers")
    content = unseal_bytes(
        bytes(file.sealed_content), context=file_context(file.batch, file.format)
    )
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise BatchRefused(f"{file.file_name} does not match its SHA-256.")
    record(
        actor=actor,
        action="payout_file.downloaded",
        target=file.batch,
        after={"file": file.file_name, "sha256": file.sha256},
    )
    return content


def file_context(batch: PayoutBatch, file_format: str) -> str:
    return f"commissions_payoutfile|content|{batch.number}|{file_format}"


@transaction.atomic
def void_batch(*, batch: PayoutBatch, actor: User, reason: str) -> PayoutBatch:
    """Give a batch up before export; its payouts stay approved. Raises BatchRefused."""
    must(actor, "commissions.add_payoutbatch", "void batches")
    must_say_why(reason)
    batch = locked(batch.pk)
    step(batch, Status.VOID, void_reason=reason.strip())
    batch.payouts.update(batch=None)
    tell(batch, "voided", actor, reason=reason)
    return batch


def settle_if_ended(batch: PayoutBatch, actor: User) -> None:
    """Mark an exported batch settled once nothing of it is on its way. Needs its lock."""
    open_items = batch.payouts.filter(status=Payout.Status.PROCESSING)
    if batch.status == Status.EXPORTED and not open_items.exists():
        step(batch, Status.SETTLED, settled_at=timezone.now())
        tell(batch, "settled", actor)


# The parts of each step


def locked(pk: int) -> PayoutBatch:
    """The batch as it is now, held to the end of the transaction; before any of its payouts."""
    rows = PayoutBatch.objects.select_related("created_by", "approved_by")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=pk)


def batch_items(batch: PayoutBatch) -> list[Payout]:
    """The payouts of a batch with all that is shown or paid, by number."""
    return list(
        batch.payouts.select_related(
            "distributor__user", "method", "approved_by", "requested_by"
        ).order_by("number")
    )


def hash_of(batch: PayoutBatch, items: list[Payout]) -> str:
    """SHA-256 over the batch and its items, sorted by payout number."""
    content = {
        "batch": batch.number,
        "currency": batch.currency,
        "count": len(items),
        "control_sum": str(quantise(sum((item.net_amount for item in items), Decimal(0)))),
        "items": sorted([item.number, item.approval_hash] for item in items),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def refuse_unpayable(items: list[Payout]) -> None:
    """Stop the batch while an item is not what was approved, or its payee cannot be paid now."""
    changed = [item.number for item in items if not is_bound(item)]
    if changed:
        raise BatchRefused(
            f"Not what was approved any more: {', '.join(changed)}. "
            "Take them out of the batch and refuse them, so that the money goes back."
        )
    kept = plan_obstacles(items)
    for item in items:
        obstacle = payee_obstacle(item.distributor) or kept.get(item.pk)
        if obstacle:
            raise BatchRefused(f"{item.number}: {obstacle}")


def refuse_changed(batch: PayoutBatch, items: list[Payout]) -> None:
    refuse_unpayable(items)
    if hash_of(batch, items) != batch.content_hash:
        raise BatchRefused(f"The content of {batch.number} is not what was submitted. Void it.")


def recount(batch: PayoutBatch) -> None:
    """Set count and control sum from the items. Needs the batch's lock."""
    totals = batch.payouts.aggregate(count=Count("pk"), total=Sum("net_amount"))
    batch.item_count, batch.control_sum = totals["count"], totals["total"] or Decimal("0.00")
    batch.save(update_fields=["item_count", "control_sum"])


def step(batch: PayoutBatch, to: str, **fields: object) -> None:
    advance(batch, to, BATCH_EDGES, **fields)


def must(actor: User, permission: str, deed: str) -> None:
    if not actor.has_perm(permission):
        raise BatchRefused(f"Your role does not {deed}.")


def must_say_why(reason: str) -> None:
    if not reason.strip():
        raise BatchRefused("Say why.", "reason")


def tell(batch: PayoutBatch, deed: str, actor: User, reason: str = "") -> None:
    """Audit record and staff event of one step."""
    facts = {
        "batch": batch.number,
        "deed": "changed" if deed == "item_removed" else deed,
        "amount": str(batch.control_sum),
        "currency": batch.currency,
    }
    record(
        actor=actor,
        action=f"payout_batch.{deed}",
        target=batch,
        after={
            "status": batch.status,
            "count": batch.item_count,
            "control_sum": facts["amount"],
            "content_hash": batch.content_hash,
        },
        reason=reason,
    )
    publish("payout_batch.changed", staff=True, ref=batch.number, **facts)
