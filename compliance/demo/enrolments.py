"""Somebody whom Ben has invited and who has not answered yet."""

from compliance.demo.books import owner
from compliance.demo.people import person
from genealogy.models import Distributor, Enrolment
from genealogy.services.enrolment_links import invite
from genealogy.services.enrolments import Person, start_for_somebody

INVITED = 500
"""By the place among the invented people: nobody of the network."""


def invite_somebody(sponsor: Distributor) -> Enrolment:
    """An open invitation; its message goes out once there is a worker."""
    somebody = person(INVITED, "Ireland")
    enrolment = start_for_somebody(
        sponsor=sponsor,
        actor=owner(sponsor),
        person=Person(somebody.first_name, somebody.last_name, somebody.country, somebody.email),
    )
    return invite(enrolment=enrolment, actor=owner(sponsor))
