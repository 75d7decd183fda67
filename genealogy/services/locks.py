"""Who changes the trees waits here, in the one order of locks (docs/architecture.md).

    lock_trees(Tree.SPONSOR, Tree.PLACEMENT)     first, all that are going to change
    stand_behind_the_clock()                     then the tables that a close reads
    hold_people(ben.pk, asha.pk)                 then the people, all at once

Each may be called again for what is held already: that waits for nobody.
"""

from django.db import connection

from genealogy.models import Distributor
from genealogy.models.node import Tree
from mlmcrm.locks import advisory_lock


def lock_trees(*trees: str) -> None:
    """Be the only one who changes these trees until the transaction ends, the sponsor tree first.

    Whoever leaves holds both: behind either lock nobody leaves in whose line somebody is put.
    """
    for tree in Tree:
        if tree in trees:
            advisory_lock(f"genealogy.tree.{tree.value}")


def stand_behind_the_clock() -> None:
    """Wait for whoever stops the clock, to say where people stand and what they hold: both tables
    in the order in which he locks them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "lock table genealogy_distributorposition, genealogy_distributorattribute "
            "in row exclusive mode"
        )


def hold_people(*distributor_ids: int | None) -> None:
    """Hold people's own rows, in the order of their ids: all that the transaction changes, by one
    call, before the first is changed. Whoever wants to know how they are now reads them after."""
    rows = Distributor.objects.select_for_update(of=("self",), no_key=True)
    known = [pk for pk in distributor_ids if pk is not None]
    list(rows.filter(pk__in=known).order_by("pk").values_list("pk"))
