"""How people may be reached, as far as they let their reader see it.

Asked anew at each reading: what was withdrawn a moment ago is not shown any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from accounts.models import ConsentText, User
from accounts.services.consents import Contact, published_contacts
from genealogy.models import Distributor, GenealogyNode
from genealogy.models.node import Tree
from genealogy.queries.explorer import More, Row
from genealogy.queries.search import Hit

if TYPE_CHECKING:  # permissions.py reads with these queries
    from genealogy.permissions import Scope

Purpose = ConsentText.Purpose


def contacts_in_line(scope: Scope, people: Iterable[Distributor]) -> dict[int, Contact]:
    """The contact of people of the reader's sponsor line by their pk; who shows none is left out.

    Staff who see all see it of everybody, the reader his own, and of everybody else what he lets
    the people above him see. Two statements for any number.
    """
    by_user = {person.user_id: person.pk for person in people if person.user_id}
    if scope.sees_all:
        users = User.objects.filter(pk__in=by_user).only("email", "phone")
        return {by_user[user.pk]: Contact(user.email, user.phone) for user in users}
    found = {
        by_user[user_id]: contact
        for user_id, contact in published_contacts(by_user, Purpose.CONTACT_UPLINE).items()
    }
    if scope.own and scope.own.user and scope.own.pk in by_user.values():
        found[scope.own.pk] = Contact(scope.own.user.email, scope.own.user.phone)
    return found


def add_contacts(scope: Scope, rows: Iterable[Row | More | Hit]) -> None:
    """Let rows of a list show how their people may be reached."""
    people = [row for row in rows if not isinstance(row, More)]
    contacts = contacts_in_line(scope, [row.distributor for row in people])
    for row in people:
        row.contact = contacts.get(row.distributor.pk, row.contact)


def contact_of(scope: Scope, node: GenealogyNode) -> Contact | None:
    """What a reader may see of one person's contact; None for nothing.

    Of somebody who stands below the reader in the placement tree alone, nothing: the reader is not
    among the people above to whom he said yes.
    """
    if node.tree != Tree.SPONSOR and not scope.sees_all:
        return None
    return contacts_in_line(scope, [node.distributor]).get(node.distributor_id)


def sponsor_contact(person: Distributor) -> Contact | None:
    """What somebody's sponsor lets those he sponsors see; None for nothing."""
    if person.sponsor is None or person.sponsor.user_id is None:
        return None
    user_id = person.sponsor.user_id
    return published_contacts([user_id], Purpose.CONTACT_DOWNLINE).get(user_id)
