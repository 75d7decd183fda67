"""Somebody whom Ben has invited and who has not answered."""

from accounts.models import User
from compliance.demo.people import person
from genealogy.models import Distributor, Enrolment
from genealogy.services.enrolment_links import invite
from genealogy.services.enrolments import Person, start_for_somebody

INVITED = 500
"""Whom Ben invites, by the place among the invented people: nobody of the network."""


def invite_somebody(sponsor: Distributor) -> Enrolment:
    """Ben's open invitation, to which nobody has answered yet."""
    user = User.objects.get(distributor=sponsor)
    somebody = person(INVITED, "Ireland")
    enrolment = start_for_somebody(
        sponsor=sponsor,
        actor=user,
        person=Person(somebody.first_name, somebody.last_name, somebody.country, somebody.email),
    )
    return invite(enrolment=enrolment, actor=user)
