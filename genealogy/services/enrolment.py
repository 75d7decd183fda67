from collections.abc import Callable
from datetime import date

from django.db import transaction

from accounts import audit
from accounts.events import told_together
from accounts.history import explain_change
from accounts.models import User
from accounts.numbering import take_number
from genealogy.models import Distributor
from genealogy.models.node import Tree
from genealogy.services.locks import lock_trees, stand_behind_the_clock
from genealogy.services.placement import begin_waiting
from genealogy.services.positions import record_position
from genealogy.services.referrals import Claim, credit
from genealogy.services.tree import insert_node

EnrolmentStep = Callable[[list[int], User | None], None]
ReferenceOwners = Callable[[list[str]], dict[str, str]]
_STEPS: list[EnrolmentStep] = []
_OWNERS: list[ReferenceOwners] = []


class EnrolmentRefused(Exception):
    """The distributor cannot be enrolled in this place."""


def also_on_enrolment(step: EnrolmentStep) -> None:
    """Let an app further down add its part to every enrolment, in the same transaction.

    The step gets the ids of the new distributors, one or many, and the actor. Called in `ready()`.
    """
    if step not in _STEPS:
        _STEPS.append(step)


def take_enrolment_steps(distributor_ids: list[int], actor: User | None) -> None:
    for step in _STEPS:
        step(distributor_ids, actor)


def also_owns_references(owners: ReferenceOwners) -> None:
    """Let an app further down name who has an external reference that an enrolment would need.

    The function gets references and returns the taken ones with their owner. Called in `ready()`.
    """
    if owners not in _OWNERS:
        _OWNERS.append(owners)


def owners_of(references: list[str]) -> dict[str, str]:
    """Who has these external references already, by reference: "distributor D-000123"."""
    rows = Distributor.objects.filter(external_reference__in=references)
    taken = {str(row.external_reference): f"distributor {row.number}" for row in rows}
    for owners in _OWNERS:
        taken = owners(references) | taken
    return taken


@transaction.atomic
@told_together()
def enrol_distributor(
    *,
    sponsor: Distributor | None,
    display_name: str,
    joined_on: date,
    actor: User | None,
    enroller: Distributor | None = None,
    user: User | None = None,
    country: str = "",
    external_reference: str | None = None,
    claim: Claim | None = None,
    is_placed_after: bool = False,
) -> Distributor:
    """Enrol one distributor under a sponsor: number, place in the tree, position, own account.

    Whoever's claim it is (`referrals.find_claim`) is the enroller unless told otherwise, and the
    sponsor where none is named; else the sponsor enrols. With `is_placed_after` the caller gives
    the place, also where nobody waits for one. Raises EnrolmentRefused.
    """
    name = display_name.strip()
    if claim:
        sponsor, enroller = sponsor or claim.referrer, enroller or claim.referrer
    lock_trees(*Tree)
    stand_behind_the_clock()
    sponsor, enroller = _as_they_are(sponsor), _as_they_are(enroller)
    _refuse_unless_possible(sponsor, enroller, user, name, joined_on)
    if external_reference and (owner := owners_of([external_reference]).get(external_reference)):
        raise EnrolmentRefused(f"The reference {external_reference} belongs to {owner}.")
    distributor = Distributor(
        number=take_number("D"),
        external_reference=external_reference or None,
        user=user,
        display_name=name,
        country=country,
        sponsor=sponsor,
        enroller=enroller or sponsor,
        joined_on=joined_on,
    )
    explain_change(distributor, actor=actor, reason="Enrolled")
    distributor.save()
    insert_node(distributor, Tree.SPONSOR)
    record_position(
        distributor=distributor,
        tree=Tree.SPONSOR,
        parent=sponsor,
        valid_from=joined_on,
        actor=actor,
        reason="Enrolled",
    )
    begin_waiting([distributor.pk], at_once=not is_placed_after)
    take_enrolment_steps([distributor.pk], actor)
    if claim:
        credit(distributor=distributor, claim=claim, actor=actor)
    audit.record(
        actor=actor,
        action="distributor.enrolled",
        target=distributor,
        after={"sponsor": sponsor.number if sponsor else None, "joined_on": str(joined_on)},
    )
    return distributor


def _as_they_are(person: Distributor | None) -> Distributor | None:
    """Read again behind the trees' locks: whoever leaves meanwhile has left."""
    return Distributor.objects.get(pk=person.pk) if person else None


def _refuse_unless_possible(
    sponsor: Distributor | None,
    enroller: Distributor | None,
    user: User | None,
    name: str,
    joined_on: date,
) -> None:
    if not name:
        raise EnrolmentRefused("A distributor needs a name.")
    for role, person in (("sponsor", sponsor), ("enroller", enroller)):
        if person and person.status == Distributor.Status.TERMINATED:
            raise EnrolmentRefused(f"The {role} {person.number} has left the company.")
        if person and joined_on < person.joined_on:
            raise EnrolmentRefused(
                f"The {role} {person.number} joined on {person.joined_on}, after {joined_on}."
            )
    if user and Distributor.objects.filter(user=user).exists():
        raise EnrolmentRefused(f"{user.email} is a distributor already.")
