"""What a move or a departure would do elsewhere: said before it is done, and kept with the move.

A small company is worked out while one waits for the page. In a large one a task does it: the move
stands there meanwhile, and is done when whoever asked for it has seen what it does.
"""

from django.db import transaction

from genealogy.models import Distributor, Move
from genealogy.services import effects
from genealogy.services.effects import Change, Changes, Effects, Keeper
from genealogy.services.moves import Place


def change_to(distributor: Distributor, tree: str, to: Place) -> Changes:
    return (Change(distributor.pk, tree, to.parent.pk if to.parent else None, to.leg),)


def changes_of_departure(distributor: Distributor) -> Changes:
    """What a roll-up changes: everybody directly below comes under the sponsor."""
    directs = distributor.sponsored.order_by("pk").values_list("pk", flat=True)
    return tuple(Change(pk, "sponsor", distributor.sponsor_id) for pk in directs)


def work_out_now(changes: Changes) -> dict[str, Effects] | None:
    """What the changes would do; None where the company is too large for a page to wait for it.

    Raises EffectsRefused.
    """
    if not changes:
        return {}
    return effects.work_out(changes) if effects.fit_request() else None


def changes_of(reference: str) -> Changes | None:
    move = Move.objects.with_people().open().filter(number=reference).first()
    if move is None:
        return None
    return change_to(move.distributor, move.tree, Place(move.to_parent, move.to_leg))


def waiting(code: str) -> list[str]:
    moves = Move.objects.open().filter(is_worked_out=False).exclude(effects__has_key=code)
    return list(moves.order_by("pk").values_list("number", flat=True))


@transaction.atomic
def keep(reference: str, code: str, found: Effects) -> None:
    rows = Move.objects.open().select_for_update(no_key=True)
    move = rows.filter(number=reference).first()
    if move is not None:
        move.effects[code] = found
        move.is_worked_out = effects.is_complete(move.effects)
        move.save(update_fields=["effects", "is_worked_out"])


KEEPER = Keeper(changes_of=changes_of, waiting=waiting, keep=keep)
