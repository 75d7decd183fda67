"""Longer lines than the small company has, for the pages that show them."""

from datetime import date

from genealogy.models import Distributor, GenealogyNode
from genealogy.services.enrolment import enrol_distributor
from genealogy.services.positions import record_position
from genealogy.services.tree import rebuild_tree
from tests.cast import Cast

PLACES = [("asha", None, None), ("ben", "asha", 1), ("stella", "asha", 2), ("dmitri", "ben", 2)]


def enrol_under(
    cast: Cast, sponsor: str | Distributor, count: int, joined_on: date | None = None
) -> list[Distributor]:
    above = sponsor if isinstance(sponsor, Distributor) else getattr(cast, sponsor)
    return [
        enrol_distributor(
            sponsor=above,
            display_name=f"Person {place}",
            joined_on=joined_on or above.joined_on,
            actor=None,
        )
        for place in range(count)
    ]


def place_the_company(
    cast: Cast, *more: tuple[Distributor, str, int], since: date | None = None
) -> None:
    """Ben left and Stella right below Asha, Dmitri right below Ben; Chloe waits for a place."""
    placed = [(getattr(cast, name), above, leg) for name, above, leg in PLACES]
    for person, above, leg in [*placed, *more]:
        parent = getattr(cast, above) if above else None
        Distributor.objects.filter(pk=person.pk).update(placement_parent=parent, leg=leg)
        if parent:
            record_position(
                distributor=person,
                tree="placement",
                parent=parent,
                leg=leg,
                valid_from=since or person.joined_on,
                actor=None,
            )
    rebuild_tree("placement")


def node_of(person: Distributor, tree: str = "sponsor") -> GenealogyNode:
    return GenealogyNode.objects.get(distributor=person, tree=tree)
