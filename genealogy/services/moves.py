"""Another sponsor or another place for somebody, with everybody below.

A move is asked for, approved by a second person where it moves many, and done on its day: then the
parents, the index and the positions change in one transaction. It is undone by a move back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.events import publish
from accounts.history import explain_change
from accounts.models import User
from accounts.numbering import take_number
from genealogy.models import Distributor, GenealogyNode, Move, Waiting
from genealogy.models.node import Tree
from genealogy.services import effects
from genealogy.services.effects import Effects
from genealogy.services.locks import hold_people, lock_trees, stand_behind_the_clock
from genealogy.services.open_places import places_under_each
from genealogy.services.positions import record_position, stood_below
from genealogy.services.tree import insert_node, move_node

FirstDay = Callable[[], date | None]
_FIRST_DAYS: list[FirstDay] = []
NOTHING: Mapping[str, Effects] = {}


class MoveRefused(Exception):
    """The move cannot be made; `field` names what was asked for and is not possible."""

    def __init__(self, message: str, field: str = "") -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True)
class Place:
    """Where somebody stands or is to stand: under nobody is the top of the sponsor tree, or no
    place in the placement tree. Legs of the placement tree are counted from 1."""

    parent: Distributor | None
    leg: int | None = None


def also_bounds_moves(first_day: FirstDay) -> None:
    """Let an app further down say from which day on the tree may change. Called in `ready()`."""
    if first_day not in _FIRST_DAYS:
        _FIRST_DAYS.append(first_day)


def first_day_for_moves() -> date | None:
    """The first day on which a move may take effect; None for any."""
    days = [day for day in (first_day() for first_day in _FIRST_DAYS) if day]
    return max(days, default=None)


def place_of(distributor: Distributor, tree: str) -> Place:
    if tree == Tree.SPONSOR:
        return Place(distributor.sponsor)
    return Place(distributor.placement_parent, distributor.leg)


@transaction.atomic
def request_move(
    *,
    distributor: Distributor,
    tree: str,
    to: Place,
    effective_on: date,
    reason: str,
    actor: User,
    undoes: Move | None = None,
    foreseen: Mapping[str, Effects] | None = NOTHING,
) -> Move:
    """Ask for a move. It is done at once when its day has come and it moves few people.

    `foreseen` is what whoever asks has seen of its effects, and is kept. None has them worked out
    by a task; then the move waits for a word, the same person's where no second one is needed.
    Raises MoveRefused, with the field at fault, and leaves nothing behind.
    """
    lock_trees(tree)
    distributor = Distributor.objects.with_masters().get(pk=distributor.pk)
    if not reason.strip():
        raise MoveRefused("Say why somebody is moved.", "reason")
    refuse_unless_possible(distributor, tree, to, effective_on)
    people = _people(distributor, tree)
    old = place_of(distributor, tree)
    move = Move(
        number=take_number("M"),
        distributor=distributor,
        tree=tree,
        from_parent=old.parent,
        from_leg=old.leg,
        to_parent=to.parent,
        to_leg=to.leg,
        effective_on=effective_on,
        reason=reason.strip(),
        people=people,
        needs_approval=people > settings.MOVE_ALONE_UP_TO,
        requested_by=actor,
        undoes=undoes,
        effects=dict(foreseen or {}),
        is_worked_out=foreseen is not None,
    )
    waits = move.needs_approval or not move.is_worked_out
    move.status = Move.Status.REQUESTED if waits else Move.Status.SCHEDULED
    _save_new(move)
    if not move.is_worked_out:
        effects.order(move.number)
    _record(move, actor, "move.requested", reason=move.reason)
    return _do_if_due(move)


@transaction.atomic
def decide_move(*, move: Move, approve: bool, reason: str, actor: User) -> Move:
    """The word on a move that waits: a second person's where it moves many people. An approved one
    is done on its day.

    Raises MoveRefused when it was decided already, when the same person asked for it, or when the
    tree has changed so that it is not possible any more.
    """
    move = _locked(move)
    if move.status != Move.Status.REQUESTED:
        raise MoveRefused(f"{move} is not waiting for approval any more.")
    if move.needs_approval and actor.pk == move.requested_by_id:
        raise MoveRefused("A move is approved by somebody else than asks for it.")
    if approve and not move.is_worked_out:
        raise MoveRefused("Wait until it is worked out what the move does.")
    if not approve and not reason.strip():
        raise MoveRefused("Say why the move is declined.", "reason")
    move.status = Move.Status.SCHEDULED if approve else Move.Status.DECLINED
    move.decided_by = actor if actor.pk != move.requested_by_id else None
    move.decided_at = timezone.now()
    move.decision_reason = reason.strip()
    move.save()
    _record(move, actor, "move.approved" if approve else "move.declined", reason=reason)
    return _do_if_due(move) if approve else move


@transaction.atomic
def cancel_move(*, move: Move, reason: str, actor: User) -> Move:
    """Take a move back that is not done yet. Raises MoveRefused."""
    move = _locked(move)
    if not move.is_open:
        raise MoveRefused(f"{move} is {move.get_status_display().lower()} already.")
    if not reason.strip():
        raise MoveRefused("Say why the move is cancelled.", "reason")
    move.status = Move.Status.CANCELLED
    move.decision_reason = reason.strip()
    move.save()
    _record(move, actor, "move.cancelled", reason=reason)
    return move


def undo_move(*, move: Move, effective_on: date, reason: str, actor: User) -> Move:
    """A new move back to where somebody stood before. Raises MoveRefused."""
    if not move.may_be_undone:
        raise MoveRefused(f"{move} is not done, or was undone already.")
    return request_move(
        distributor=move.distributor,
        tree=move.tree,
        to=Place(move.from_parent, move.from_leg),
        effective_on=effective_on,
        reason=reason,
        actor=actor,
        undoes=move,
    )


def do_due_moves() -> list[Move]:
    """Do what waited for its day. A move that has become impossible is cancelled with the cause."""
    done = []
    for move in Move.objects.due().order_by("effective_on", "id"):
        try:
            with transaction.atomic():
                fresh = _locked(move)
                if fresh.status == Move.Status.SCHEDULED:
                    done.append(_do(fresh))
        except MoveRefused as refused:
            _give_up(move, str(refused))
    return done


def refuse_unless_possible(
    distributor: Distributor, tree: str, to: Place, effective_on: date
) -> None:
    """Raises MoveRefused when somebody cannot stand there from that day on."""
    parent = to.parent
    if place_of(distributor, tree) == to:
        raise MoveRefused(f"{distributor} stands there already.", "to_parent")
    if parent is None and to.leg is not None:
        raise MoveRefused("A leg is a place under somebody.", "to_leg")
    _refuse_final_days(effective_on)
    if effective_on < distributor.joined_on:
        raise MoveRefused(
            f"{distributor.number} joined on {distributor.joined_on:%d %B %Y}.", "effective_on"
        )
    if parent is not None:
        _refuse_parent(distributor, tree, parent, effective_on)
    if tree == Tree.PLACEMENT and parent is not None:
        _refuse_leg(distributor, to)


def _refuse_final_days(effective_on: date) -> None:
    first = first_day_for_moves()
    if first and effective_on < first:
        raise MoveRefused(
            f"The tree is final before {first:%d %B %Y}: a period that is closed used it.",
            "effective_on",
        )


def _refuse_parent(
    distributor: Distributor, tree: str, parent: Distributor, effective_on: date
) -> None:
    """Who has left sponsors nobody any more; places below his own go on being given."""
    if parent.pk == distributor.pk:
        raise MoveRefused("Nobody can stand under themselves.", "to_parent")
    if tree == Tree.SPONSOR and parent.status == Distributor.Status.TERMINATED:
        raise MoveRefused(f"{parent.number} has left the company.", "to_parent")
    if effective_on < parent.joined_on:
        raise MoveRefused(f"{parent.number} joined on {parent.joined_on:%d %B %Y}.", "effective_on")
    if stands_below(parent, distributor, tree):
        raise MoveRefused(
            f"{parent.number} stands below {distributor.number} and cannot be above too.",
            "to_parent",
        )
    if day := stood_below(above=distributor, below=parent, tree=tree, since=effective_on):
        raise MoveRefused(
            f"{parent.number} stood below {distributor.number} on {day:%d %B %Y}: "
            "choose a later day.",
            "effective_on",
        )


def stands_below(below: Distributor, above: Distributor, tree: str) -> bool:
    """Whether somebody stands anywhere under somebody else, by two index rows."""
    nodes = GenealogyNode.objects.filter(tree=tree, distributor__in=[below, above])
    labels = {who: (lft, rgt) for who, lft, rgt in nodes.values_list("distributor", "lft", "rgt")}
    if len(labels) < 2:
        return False
    lft, rgt = labels[above.pk]
    return lft < labels[below.pk][0] <= rgt


def _refuse_leg(distributor: Distributor, to: Place) -> None:
    if to.leg is None or to.leg < 1:
        raise MoveRefused("Legs are counted from 1, the left one.", "to_leg")
    width = places_under_each()
    if width is not None and to.leg > width:
        raise MoveRefused(f"There are {width} places under each.", "to_leg")
    taken = Distributor.objects.filter(placement_parent=to.parent, leg=to.leg)
    if other := taken.exclude(pk=distributor.pk).first():
        raise MoveRefused(f"{other} stands in leg {to.leg} of {to.parent}.", "to_leg")


def _people(distributor: Distributor, tree: str) -> int:
    size = GenealogyNode.objects.filter(distributor=distributor, tree=tree)
    return size.values_list("size", flat=True).first() or 1


def _save_new(move: Move) -> None:
    try:
        with transaction.atomic():
            move.save(force_insert=True)
    except IntegrityError as error:
        if "genealogy_move_one_open" in str(error):
            raise MoveRefused("Another move of this distributor is still open.") from error
        if "genealogy_move_undone_once" in str(error):
            raise MoveRefused("The move was undone already.") from error
        raise


def _locked(move: Move) -> Move:
    """The move as it is now, behind the tree's lock, so that two decisions follow each other."""
    lock_trees(move.tree)
    rows = Move.objects.with_people().select_for_update(of=("self",), no_key=True)
    return rows.get(pk=move.pk)


def _do_if_due(move: Move) -> Move:
    if move.status == Move.Status.SCHEDULED and move.effective_on <= timezone.localdate():
        return _do(move)
    return move


def _do(move: Move) -> Move:
    """Change the parents, the index and the positions, behind the tree's lock."""
    stand_behind_the_clock()
    hold_people(move.distributor_id, move.from_parent_id, move.to_parent_id)
    people = Distributor.objects.with_masters().in_bulk([move.distributor_id, move.to_parent_id])
    distributor = people[move.distributor_id]
    to = Place(people.get(move.to_parent_id), move.to_leg)
    if place_of(distributor, move.tree) != Place(move.from_parent, move.from_leg):
        raise MoveRefused(f"{distributor} was moved by somebody else meanwhile.")
    refuse_unless_possible(distributor, move.tree, to, move.effective_on)
    put_under(distributor, move.tree, to, actor=move.requested_by, reason=move.reason)
    record_position(
        distributor=distributor,
        tree=move.tree,
        parent=to.parent,
        leg=to.leg,
        valid_from=move.effective_on,
        actor=move.requested_by,
        reason=f"{move.number}: {move.reason}",
    )
    move.status, move.done_at = Move.Status.DONE, timezone.now()
    move.save()
    _record(move, move.decided_by or move.requested_by, "move.done", reason=move.reason)
    _tell(move, distributor)
    return move


def put_under(
    distributor: Distributor, tree: str, to: Place, *, actor: User | None, reason: str
) -> None:
    """Write a new parent and bring the index in line; who waited for a place waits no more.

    Positions are the caller's.
    """
    old = place_of(distributor, tree).parent
    explain_change(distributor, actor=actor, reason=reason)
    if tree == Tree.SPONSOR:
        distributor.sponsor = to.parent
        distributor.save(update_fields=["sponsor", "updated_at"])
    else:
        distributor.placement_parent, distributor.leg = to.parent, to.leg
        distributor.save(update_fields=["placement_parent", "leg", "updated_at"])
        waiting = Waiting.objects.open().filter(distributor=distributor)
        waiting.update(settled_at=timezone.now(), settled_by=actor)
    if not GenealogyNode.objects.filter(distributor=distributor, tree=tree).exists():
        insert_node(distributor, tree)
    elif old != to.parent:
        move_node(distributor, tree, from_parent_id=old.pk if old else None)


def _give_up(move: Move, why: str) -> None:
    with transaction.atomic():
        fresh = _locked(move)
        if fresh.status != Move.Status.SCHEDULED:
            return
        fresh.status, fresh.decision_reason = Move.Status.CANCELLED, why
        fresh.save()
        _record(fresh, None, "move.cancelled", reason=why)


def _record(move: Move, actor: User | None, action: str, *, reason: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=move,
        before=_as_facts(move, move.from_parent, move.from_leg),
        after=_as_facts(move, move.to_parent, move.to_leg)
        | {"effective_on": str(move.effective_on), "people": move.people},
        reason=reason,
    )


def _as_facts(move: Move, parent: Distributor | None, leg: int | None) -> dict[str, object]:
    return {
        "distributor": move.distributor.number,
        "tree": move.tree,
        "parent": parent.number if parent else None,
        "leg": leg,
    }


def _tell(move: Move, distributor: Distributor) -> None:
    if move.tree != Tree.SPONSOR or move.to_parent is None:
        return
    publish(
        "distributor.moved",
        users=[distributor.user],
        staff=True,
        ref=move.number,
        person=distributor.display_name,
        sponsor=move.to_parent.display_name,
        day=f"{move.effective_on:%d %B %Y}",
    )
