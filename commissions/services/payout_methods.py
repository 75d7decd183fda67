"""Where payouts go. Details are sealed at once; later only four characters are shown."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from accounts.audit import record
from accounts.events import publish
from accounts.history import explain_change
from accounts.models import User
from commissions.models import Payout, PayoutMethod
from commissions.services.payouts import give_back
from genealogy.models import Distributor
from mlmcrm.encryption import blind_index
from mlmcrm.locks import advisory_lock


@dataclass(frozen=True)
class MethodDetails:
    """Checked details of a payout method.

    `identifier` is what makes two methods the same (an IBAN, an address); `shown` is the text
    whose last four characters people see.
    """

    kind: str
    holder_name: str
    details: dict[str, str]
    identifier: str
    shown: str

    @property
    def last4(self) -> str:
        return "".join(filter(str.isalnum, self.shown))[-4:]

    @property
    def index(self) -> str:
        return blind_index(f"{self.kind}:{self.identifier}", purpose="payout-method")


@transaction.atomic
def add_payout_method(
    *, distributor: Distributor, details: MethodDetails, actor: User
) -> PayoutMethod:
    """Make these details the active ones; the same details again change nothing.

    The former method is kept, inactive. Payouts that still wait for it are cancelled and their
    money goes back, because nobody approves one account and pays another.
    """
    advisory_lock(f"payout-method:{distributor.pk}")
    former = PayoutMethod.objects.filter(distributor=distributor, is_active=True).first()
    if former and (former.details_index, former.holder_name) == (
        details.index,
        details.holder_name,
    ):
        return former
    if former:
        retire(former, actor)
    method = PayoutMethod(
        distributor=distributor,
        kind=details.kind,
        holder_name=details.holder_name,
        details_index=details.index,
        last4=details.last4,
        created_by=actor,
    )
    method.details = details.details
    method.save()
    record(
        actor=actor,
        action="payout_method.added",
        target=method,
        before={"method": str(former)} if former else None,
        after={"method": str(method), "distributor": distributor.number},
    )
    publish("payout_method.changed", users=[distributor.user_id], method=str(method))
    return method


def retire(method: PayoutMethod, actor: User) -> None:
    """Deactivate a method and give back what waits for it. Needs a transaction."""
    method.is_active = False
    explain_change(method, actor=actor, reason="Replaced by new details.")
    method.save(update_fields=["is_active"])
    for payout in waiting_for(method).select_for_update(of=("self",), no_key=True):
        give_back(payout, "The payout method was changed before it was sent.", actor)


def waiting_for(method: PayoutMethod | None) -> QuerySet[Payout]:
    """Payouts to a method that are not in a batch yet, in the order in which they are locked."""
    return (
        Payout.objects.filter(method=method, batch=None, status__in=["requested", "approved"])
        .select_related("distributor", "method")
        .order_by("pk")
    )


def shared_with(methods: Iterable[PayoutMethod]) -> dict[str, list[str]]:
    """For each blind index, the numbers of all distributors who use it: more than one is a sign."""
    indexes = {method.details_index for method in methods}
    owners: dict[str, set[str]] = {}
    rows = PayoutMethod.objects.filter(details_index__in=indexes)
    for index, number in rows.values_list("details_index", "distributor__number").distinct():
        owners.setdefault(index, set()).add(number)
    return {index: sorted(numbers) for index, numbers in owners.items() if len(numbers) > 1}
