"""The demo company, founded from nothing: people, papers, sales, a closed month, payouts."""

from collections.abc import Callable
from decimal import Decimal

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from commissions.models import Payout
from commissions.services.projections import refresh
from commissions.services.team_figures import measure
from compliance.demo import books, consents, enrolments, identities, sales
from compliance.demo.figures import Figures, Member
from compliance.demo.staff import SIGN_INS, engage_staff
from genealogy.models import Distributor

VERIFIED, WAITING = 36, 5
"""How many identities are verified, and how many wait for a reviewer."""


@transaction.atomic
def found(say: Callable[[str], None]) -> None:
    """Load the whole company, or nothing of it."""
    figures = Figures(timezone.now())
    staff = engage_staff()
    say("Staff, and a plan that two people agreed on")
    books.adopt_plan(staff["Ada"], staff["Mona"], figures.closed_month)
    people = sales.bring_in(figures, staff["Mona"])
    sales.form_team(people, staff["Mona"])
    sales.invite(figures, people, staff["Mona"])
    say(f"{len(people)} distributors, and the orders of two months")
    consents.ask(figures, [books.owner(person) for person in people.values()], staff["Ada"])
    enrolments.invite_somebody(people[sales.BEN])
    say("Texts to agree to, who did, and somebody whom Ben has invited")
    books.close_month(f"{figures.closed_month:%Y-%m}", staff["Fiona"], staff["Felix"])
    say(f"{figures.closed_month:%B %Y} closed, calculated, approved and final")
    verified = check_identities(figures, people, staff["Sam"])
    say("Identity papers in every state")
    pay_out(verified, staff["Fiona"], staff["Felix"])
    say("Payouts asked for, approved, sent and settled")
    sales.sell_today(people)
    books.claim_volume()
    say("Orders of the last hour, one of them still to be paid")
    refresh()
    measure()
    cache.clear()


def check_identities(
    figures: Figures, people: dict[str, Distributor], reviewer: User
) -> list[tuple[int, Distributor]]:
    """Papers of some of the network; returns whose identity is verified, best earners first."""
    refused = next(sign_in.number for sign_in in SIGN_INS if sign_in.name == "Clara Vogel")
    by_earnings = sorted(
        (member for member in figures.distributors if member.number != refused),
        key=lambda member: (-_earned(people[member.number]), member.number),
    )
    verified = by_earnings[:VERIFIED]
    for member in verified:
        identities.verify(_user(people, member), member.person, reviewer)
    for member in by_earnings[VERIFIED : VERIFIED + WAITING]:
        identities.hand_in(_user(people, member), member.person)
    clara = next(member for member in figures.distributors if member.number == refused)
    identities.refuse_blurred(_user(people, clara), clara.person, reviewer)
    return [(member.person.place, _fresh(people[member.number])) for member in verified]


def _earned(distributor: Distributor) -> Decimal:
    return _fresh(distributor).total_commission_earned


def _fresh(distributor: Distributor) -> Distributor:
    return Distributor.objects.select_related("user").get(pk=distributor.pk)


def _user(people: dict[str, Distributor], member: Member) -> User:
    return books.owner(people[member.number])


def pay_out(verified: list[tuple[int, Distributor]], maker: User, checker: User) -> None:
    """Twelve payouts: four settled, two sent, two approved, three requested, one taken back."""
    shares = [Decimal("0.8"), Decimal("0.5"), Decimal("0.6")]
    asked: list[Payout] = []
    for turn, (place, distributor) in enumerate(verified):
        payout = books.ask_for(distributor, place, shares[turn % len(shares)])
        if payout is not None:
            asked.append(payout)
        if len(asked) == 12:
            break
    settled, sent, approved = asked[4:8], asked[:2], asked[2:4]
    books.approve([*settled, *sent, *approved], checker)
    books.settle(books.send(settled, maker, checker), maker)
    books.send(sent, maker, checker)
    for payout in asked[11:]:
        books.take_back(payout)
