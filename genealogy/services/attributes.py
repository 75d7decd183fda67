"""What plans may ask of a distributor that no order tells: packages, given ranks, marks.

    set_attribute(attribute=Attribute("package", "gold"), distributor=ben, valid_from=day, ...)
    end_attribute(attribute=Attribute("package"), distributor=ben, valid_from=day, ...)

What is said of some days goes before what was said of them earlier. Nothing is changed: the rows
that said otherwise are superseded, and what still holds of them is written anew, so that whoever
asks what was known at an earlier moment hears what was said then.

    Gold from March on, then Silver from June on:
    row 1  Gold from March          superseded
    row 2  Gold from March to June  row 3  Silver from June
"""

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from accounts import audit
from accounts.models import User
from genealogy.models import Distributor, DistributorAttribute
from genealogy.services.locks import hold_people, stand_behind_the_clock

Kind = DistributorAttribute.Kind


class AttributeRefused(Exception):
    """This cannot be said of the distributor; the message says why."""


@dataclass(frozen=True)
class Attribute:
    """A package, a rank of a ladder or a mark, by the codes of the plans. `code`: of a package or
    rank may be left out where any is meant."""

    kind: str
    code: str = ""
    ladder: str = ""

    def rows(self) -> QuerySet[DistributorAttribute]:
        """What is said at the same place: of one mark, or of any package, or rank of the ladder."""
        rows = DistributorAttribute.objects.filter(kind=self.kind, ladder=self.ladder)
        return rows.filter(code=self.code) if self.kind == Kind.MARK else rows


@transaction.atomic
def set_attribute(
    *,
    distributor: Distributor,
    attribute: Attribute,
    valid_from: date,
    valid_to: date | None = None,
    actor: User | None,
    reason: str,
) -> DistributorAttribute:
    """Say what a distributor holds from a day on, up to but without `valid_to` where that is given.

    It takes the place of whatever was said of these days; what is said already changes nothing.
    Raises AttributeRefused for days before he joined and without a reason.
    """
    refuse_unless_possible(distributor, valid_from, valid_to, reason)
    if not attribute.code:
        raise AttributeRefused("Say which package, rank or mark.")
    stand_behind_the_clock()
    hold_people(distributor.pk)
    found = list(_during(distributor, attribute, valid_from, valid_to))
    if len(found) == 1 and _says_it(found[0], attribute, valid_from, valid_to):
        return found[0]
    _make_room(found, valid_from, valid_to)
    row = DistributorAttribute.objects.create(
        distributor=distributor,
        kind=attribute.kind,
        ladder=attribute.ladder,
        code=attribute.code,
        valid_from=valid_from,
        valid_to=valid_to,
        actor=actor,
        reason=reason.strip(),
    )
    days = (valid_from, valid_to)
    _audit("distributor.attribute_set", distributor, attribute, days, actor, reason)
    return row


@transaction.atomic
def end_attribute(
    *,
    distributor: Distributor,
    attribute: Attribute,
    valid_from: date,
    valid_to: date | None = None,
    actor: User | None,
    reason: str,
) -> int:
    """Say that from a day on he holds none of it; returns how many rows said otherwise.

    Raises AttributeRefused as `set_attribute` does.
    """
    refuse_unless_possible(distributor, valid_from, valid_to, reason)
    stand_behind_the_clock()
    hold_people(distributor.pk)
    found = list(_during(distributor, attribute, valid_from, valid_to))
    _make_room(found, valid_from, valid_to)
    if found:
        days = (valid_from, valid_to)
        _audit("distributor.attribute_ended", distributor, attribute, days, actor, reason)
    return len(found)


def refuse_unless_possible(
    distributor: Distributor, valid_from: date, valid_to: date | None, reason: str
) -> None:
    """Raises AttributeRefused for days before he joined, days in the wrong order, no reason."""
    if valid_from < distributor.joined_on:
        raise AttributeRefused(
            f"{distributor.number} joined on {distributor.joined_on}, after {valid_from}."
        )
    if valid_to is not None and valid_to <= valid_from:
        raise AttributeRefused("It ends after it begins.")
    if not reason.strip():
        raise AttributeRefused("Say why.")


def _during(
    distributor: Distributor, attribute: Attribute, start: date, end: date | None
) -> QuerySet[DistributorAttribute]:
    """What is said now of any of these days."""
    rows = attribute.rows().filter(distributor=distributor, superseded_at=None)
    rows = rows.filter(Q(valid_to=None) | Q(valid_to__gt=start))
    return (rows if end is None else rows.filter(valid_from__lt=end)).order_by("valid_from")


def _says_it(
    row: DistributorAttribute, attribute: Attribute, start: date, end: date | None
) -> bool:
    """Whether the row says the same of all these days."""
    lasts = row.valid_to is None or (end is not None and end <= row.valid_to)
    return row.code == attribute.code and row.valid_from <= start and lasts


def _make_room(found: list[DistributorAttribute], start: date, end: date | None) -> None:
    """Supersede what is said of these days, and say anew what it says of the days around them."""
    DistributorAttribute.objects.filter(pk__in=[row.pk for row in found]).update(
        superseded_at=Now()
    )
    for row in found:
        around: list[tuple[date, date | None]] = []
        if row.valid_from < start:
            around.append((row.valid_from, start))
        if end is not None and (row.valid_to is None or row.valid_to > end):
            around.append((end, row.valid_to))
        for first, last in around:
            DistributorAttribute.objects.create(
                distributor_id=row.distributor_id,
                kind=row.kind,
                ladder=row.ladder,
                code=row.code,
                valid_from=first,
                valid_to=last,
                actor_id=row.actor_id,
                reason=row.reason,
            )


def _audit(
    action: str,
    distributor: Distributor,
    attribute: Attribute,
    days: tuple[date, date | None],
    actor: User | None,
    reason: str,
) -> None:
    first, last = days
    audit.record(
        actor=actor,
        action=action,
        target=distributor,
        after={
            "kind": attribute.kind,
            "ladder": attribute.ladder,
            "code": attribute.code,
            "valid_from": str(first),
            "valid_to": str(last) if last else None,
        },
        reason=reason.strip(),
    )
