"""Which territory a distributor belongs to, day by day."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from genealogy.models import Distributor, Territory, TerritoryAssignment


class AssignmentRefused(Exception):
    """The distributor cannot belong to this territory from that day; the message says why."""


@transaction.atomic
def assign_territory(
    *,
    distributor: Distributor,
    territory: Territory | None,
    actor: User | None,
    valid_from: date | None = None,
    reason: str = "",
) -> TerritoryAssignment | None:
    """Let a distributor belong to a territory from a day on (today), or to none.

    What held before ends on that day. Assigning to where he is already changes nothing. Raises
    AssignmentRefused for a territory out of use, for a day before the present assignment began and
    for one in the future.
    """
    Distributor.objects.select_for_update(of=("self",), no_key=True).get(pk=distributor.pk)
    day = valid_from or timezone.localdate()
    present = distributor.territory_assignments.filter(valid_to=None).first()
    if (present.territory_id if present else None) == (territory.pk if territory else None):
        return present
    if obstacle := assignment_obstacle(distributor, territory, day):
        raise AssignmentRefused(obstacle)
    if present and present.valid_from == day:
        present.delete()  # it never held for a whole day
    elif present:
        present.valid_to = day
        present.save(update_fields=["valid_to"])
    assignment = None
    if territory:
        assignment = TerritoryAssignment.objects.create(
            distributor=distributor,
            territory=territory,
            valid_from=day,
            assigned_by=actor,
            reason=reason,
        )
    audit.record(
        actor=actor,
        action="distributor.territory",
        target=distributor,
        before={"territory": present.territory.code if present else None},
        after={"territory": territory.code if territory else None, "from": str(day)},
        reason=reason,
    )
    return assignment


def assignment_obstacle(distributor: Distributor, territory: Territory | None, day: date) -> str:
    """Why the distributor cannot belong to the territory from that day; empty when he can."""
    if territory and not territory.is_active:
        return f"{territory.name} is out of use."
    if day > timezone.localdate():
        return "An assignment begins today or earlier."
    latest = distributor.territory_assignments.order_by("-valid_from").first()
    known_until = latest and (latest.valid_to or latest.valid_from)
    if known_until and day < known_until:
        return f"Until {known_until} it is written down already where {distributor.number} belongs."
    return ""
