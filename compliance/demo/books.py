"""The plan, the month that is closed, and what became of the money."""

import json
import uuid
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from django.conf import settings

from accounts.models import User
from commissions.method_forms import method_form_class
from commissions.models import (
    CommissionPeriod,
    CompensationPlan,
    Payout,
    PayoutBatch,
    PayoutMethod,
)
from commissions.models.payout import MethodKind
from commissions.services.batches import approve_batch, create_batch, export_batch, submit_batch
from commissions.services.claims import claim_volume
from commissions.services.finalize import approve_period, finalize_period
from commissions.services.payout_methods import add_payout_method
from commissions.services.payout_rules import wallet_of
from commissions.services.payouts import approve_payout, cancel_payout, request_payout
from commissions.services.periods import close_period
from commissions.services.plans import activate_version, create_version
from commissions.services.runs import calculate, start_run
from commissions.services.statusfiles import import_status_file
from genealogy.models import Distributor
from mlmcrm.money import quantise

PLAN = Path(settings.BASE_DIR) / "commissions" / "plans" / "demo.json"
KEYS = uuid.UUID("0d5f7a4c-52f1-4d0c-9a43-6a1f0f5b2e11")


def adopt_plan(author: User, approver: User, first_day: date) -> None:
    """The demo plan, written by one person and activated by another."""
    plan = CompensationPlan.objects.create(code="demo", name="Harbour plan")
    version = create_version(
        plan=plan,
        definition=json.loads(PLAN.read_text()),
        effective_from=first_day,
        actor=author,
    )
    activate_version(version=version, actor=approver, reason="Checked against the old figures")


def close_month(code: str, closer: User, approver: User) -> CommissionPeriod:
    """Take a month the whole way: settled at payment, closed, calculated, approved, final."""
    claim_volume()
    period = CommissionPeriod.objects.get(code=code)
    close_period(period=period, actor=closer)
    run = start_run(period=period, actor=closer)
    calculate(run.pk)
    approve_period(period=period, actor=approver)
    return finalize_period(period=period, actor=approver)


# Paying out


def choose_method(distributor: Distributor, place: int) -> PayoutMethod:
    """An account that does not exist, in the name of the distributor, checked like any other."""
    user = owner(distributor)
    kind = MethodKind.PAYPAL if place % 4 == 3 else MethodKind.BANK_TRANSFER
    form = method_form_class(kind, "GB")(
        {
            "holder_name": distributor.display_name,
            "sort_code": "12-34-56",
            "account_number": f"{31926800 + place * 19:08d}",
            "email": user.email,
        },
        country="GB",
    )
    if not form.is_valid():
        raise ValueError(f"{distributor.number}: {form.errors.as_text()}")
    return add_payout_method(distributor=distributor, details=form.method_details(), actor=user)


def owner(distributor: Distributor) -> User:
    if distributor.user is None:
        raise ValueError(f"{distributor.number} has no user")
    return distributor.user


def ask_for(distributor: Distributor, place: int, share: Decimal) -> Payout | None:
    """Ask for a share of the wallet; None where it holds too little."""
    amount = quantise(wallet_of(distributor).free * share)
    if amount < settings.MIN_PAYOUT_AMOUNT:
        return None
    return request_payout(
        distributor=distributor,
        method=choose_method(distributor, place),
        amount=amount,
        request_key=uuid.uuid5(KEYS, distributor.number),
        actor=owner(distributor),
    )


def approve(payouts: Sequence[Payout], approver: User) -> None:
    for payout in payouts:
        approve_payout(payout=payout, actor=approver)


def take_back(payout: Payout) -> None:
    cancel_payout(payout=payout, actor=owner(payout.distributor))


def send(payouts: Sequence[Payout], maker: User, checker: User) -> PayoutBatch:
    """Put approved payouts into a batch and export it."""
    batch = create_batch(payouts=[payout.pk for payout in payouts], actor=maker)
    batch = submit_batch(batch=batch, actor=maker)
    batch = approve_batch(batch=batch, actor=checker, seen_hash=batch.content_hash)
    return export_batch(batch=batch, actor=maker)


def settle(batch: PayoutBatch, importer: User) -> None:
    """The bank's answer: all paid but the last, whose account is closed."""
    lines = ["payout_number,status,amount,bank_reference,reason"]
    payouts = list(batch.payouts.order_by("pk"))
    for place, payout in enumerate(payouts, 1):
        if place == len(payouts) and place > 1:
            lines.append(f"{payout.number},failed,{payout.net_amount},,Account closed")
        else:
            reference = f"FT{batch.number.removeprefix('PB-')}{place:04d}"
            lines.append(f"{payout.number},completed,{payout.net_amount},{reference},")
    content = "\r\n".join([*lines, ""]).encode()
    file_name = f"{batch.number}-status.csv"
    import_status_file(batch=batch, file_name=file_name, content=content, actor=importer)
