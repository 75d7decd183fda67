"""Somebody leaves the company: he sells and earns no more, and his downline stays or rolls up."""

from datetime import date

from django.db import connection, transaction
from django.db.models import TextChoices
from django.utils import timezone

from accounts import audit
from accounts.events import publish
from accounts.history import explain_change, record_many
from accounts.models import User
from genealogy.models import Distributor
from genealogy.models.node import Tree
from genealogy.services.attributes import Attribute, end_attribute, set_attribute
from genealogy.services.locks import hold_people, lock_trees, stand_behind_the_clock
from genealogy.services.positions import record_positions_of_many
from genealogy.services.tree import roll_up_node

HAS_LEFT = Attribute("status", "left")


class Downline(TextChoices):
    STAY = "stay", "Stay where they are"
    ROLL_UP = "roll_up", "Directs come under the sponsor above"


class TerminationRefused(Exception):
    """The distributor cannot be terminated, or not in this way."""


@transaction.atomic
def terminate_distributor(
    *, distributor: Distributor, downline: str, reason: str, actor: User
) -> Distributor:
    """End a distributor's membership from today on; his place in the placement tree stays his.
    Plans hear of it by the day: a period that ends today or later knows that he has left.

    With `roll_up` his directs get his sponsor, with everybody below them, in the same transaction.
    Raises TerminationRefused and leaves nothing behind.
    """
    distributor = _locked(distributor, with_directs=downline == Downline.ROLL_UP)
    if not reason.strip():
        raise TerminationRefused("Say why the membership ends.")
    if distributor.status == Distributor.Status.TERMINATED:
        raise TerminationRefused(f"{distributor} has left already.")
    lifted: list[int] = []
    if downline == Downline.ROLL_UP:
        lifted = _roll_up(distributor, reason=reason.strip(), actor=actor)
    _change_status(distributor, Distributor.Status.TERMINATED, reason=reason, actor=actor)
    set_attribute(
        distributor=distributor,
        attribute=HAS_LEFT,
        valid_from=_today(distributor),
        actor=actor,
        reason=reason,
    )
    audit.record(
        actor=actor,
        action="distributor.terminated",
        target=distributor,
        after={"downline": downline, "directs_lifted": len(lifted)},
        reason=reason.strip(),
    )
    publish(
        "distributor.terminated",
        users=[distributor.user],
        staff=True,
        ref=distributor.number,
        person=distributor.display_name,
    )
    return distributor


@transaction.atomic
def reinstate_distributor(*, distributor: Distributor, reason: str, actor: User) -> Distributor:
    """Take somebody back, in the place he kept; who rolled up stays where he is.

    Raises TerminationRefused.
    """
    distributor = _locked(distributor)
    if not reason.strip():
        raise TerminationRefused("Say why the membership goes on.")
    if distributor.status != Distributor.Status.TERMINATED:
        raise TerminationRefused(f"{distributor} has not left.")
    _change_status(distributor, Distributor.Status.ACTIVE, reason=reason, actor=actor)
    end_attribute(
        distributor=distributor,
        attribute=HAS_LEFT,
        valid_from=_today(distributor),
        actor=actor,
        reason=reason,
    )
    audit.record(
        actor=actor, action="distributor.reinstated", target=distributor, reason=reason.strip()
    )
    return distributor


def _locked(distributor: Distributor, *, with_directs: bool = False) -> Distributor:
    """The row as it is now, held; for a roll-up along with the sponsor and those directly below."""
    lock_trees(*Tree)
    stand_behind_the_clock()
    people = Distributor.objects.with_masters()
    distributor = people.get(pk=distributor.pk)
    around = [distributor.sponsor_id, *_directs(distributor)] if with_directs else []
    hold_people(distributor.pk, *around)
    return people.get(pk=distributor.pk)


def _directs(distributor: Distributor) -> list[int]:
    directs = Distributor.objects.filter(sponsor=distributor).order_by("pk")
    return list(directs.values_list("pk", flat=True))


def _today(distributor: Distributor) -> date:
    """Nobody leaves before he has joined."""
    return max(timezone.localdate(), distributor.joined_on)


def _change_status(distributor: Distributor, status: str, *, reason: str, actor: User) -> None:
    distributor.status = status
    explain_change(distributor, actor=actor, reason=reason.strip())
    distributor.save(update_fields=["status", "updated_at"])


def _roll_up(distributor: Distributor, *, reason: str, actor: User) -> list[int]:
    """Give the directs of somebody his own sponsor, in the parents, the index and the positions."""
    sponsor = distributor.sponsor
    if sponsor is None:
        raise TerminationRefused(f"{distributor} stands at the top: there is nobody to roll up to.")
    ids = _directs(distributor)
    why = f"{distributor.number} left: {reason}"
    Distributor.objects.filter(pk__in=ids).update(sponsor=sponsor, updated_at=timezone.now())
    record_many(Distributor, ids, kind="~", actor=actor, reason=why)
    record_positions_of_many(
        ids,
        Tree.SPONSOR,
        parent=sponsor,
        valid_from=timezone.localdate(),
        actor=actor,
        reason=why,
    )
    roll_up_node(distributor, Tree.SPONSOR)
    with connection.cursor() as cursor:
        cursor.execute(
            "update genealogy_distributor set direct_referral_count = direct_referral_count + "
            "case when id = %(sponsor)s then %(count)s else -%(count)s end "
            "where id in (%(sponsor)s, %(left)s)",
            {"sponsor": sponsor.pk, "left": distributor.pk, "count": len(ids)},
        )
    return ids
