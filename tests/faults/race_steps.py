"""What the processes of the race do (`tests.faults.moves`), each step one service called at random.

A step that cannot be is refused by the service in words (REFUSALS); any other error is a fault.
"""

import random
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from commerce.models import Customer, Product
from commerce.services.orders import OrderLine, pay_order, place_order
from commissions.models import CommissionPeriod
from commissions.services import estimates
from commissions.services.claims import claim_volume
from commissions.services.finalize import approve_period, finalize_period
from commissions.services.opening import PeriodRefused
from commissions.services.periods import close_period
from commissions.services.runs import calculate, start_run
from genealogy.models import Distributor
from genealogy.services import attributes, placement
from genealogy.services.attributes import Attribute, AttributeRefused
from genealogy.services.completion import complete_enrolment
from genealogy.services.enrolment import EnrolmentRefused, enrol_distributor
from genealogy.services.enrolment_links import confirm, invite
from genealogy.services.enrolment_steps import texts_to_show
from genealogy.services.enrolments import agree, choose_order, choose_place
from genealogy.services.moves import MoveRefused, Place, request_move
from genealogy.services.terminations import (
    TerminationRefused,
    reinstate_distributor,
    terminate_distributor,
)
from mlmcrm.transitions import TransitionRefused
from tests.genealogy.joining import NIA, SECRET, begun, delivered, token_of

REFUSALS = (
    AttributeRefused,
    CommandError,
    EnrolmentRefused,
    MoveRefused,
    PeriodRefused,
    TerminationRefused,
    TransitionRefused,
)


def somebody(draw: random.Random, status: str = "active") -> Distributor:
    pks = Distributor.objects.filter(status=status).values_list("pk", flat=True)
    return Distributor.objects.get(pk=draw.choice(list(pks)))


def admin(name: str = "ada") -> User:
    return User.objects.get(email=f"{name}@example.com")


# The trees


def change_sponsor(draw: random.Random) -> None:
    _move(draw, "sponsor", Place(somebody(draw)))


def change_place(draw: random.Random) -> None:
    _move(draw, "placement", Place(somebody(draw), draw.randint(1, 3)))


def _move(draw: random.Random, tree: str, to: Place) -> None:
    request_move(
        distributor=somebody(draw),
        tree=tree,
        to=to,
        effective_on=timezone.localdate(),
        reason="Race",
        actor=admin(),
    )


def enrol(draw: random.Random) -> None:
    enrol_distributor(
        sponsor=somebody(draw), display_name="New", joined_on=timezone.localdate(), actor=None
    )


def join(draw: random.Random) -> None:
    """By an own enrolment, with an account, a place and a first order."""
    person = replace(NIA, email=f"{uuid4()}@example.com")
    enrolment = begun(somebody(draw), person=person)
    invite(enrolment=enrolment, actor=None)
    enrolment = confirm(token=token_of(delivered(enrolment)))
    choose_place(enrolment=enrolment, choice="rule", place=None, by=None)
    agree(enrolment=enrolment, texts=texts_to_show(enrolment))
    enrolment = choose_order(enrolment=enrolment, lines=[("TEA", 1)])
    complete_enrolment(enrolment=enrolment, account=None, password=SECRET)


def come_by_file(draw: random.Random) -> None:
    """Three at once, under one another."""
    first, *others = (f"X-{uuid4().hex[:12]}" for _ in range(3))
    day = timezone.localdate()
    lines = [f"{first},{somebody(draw).number},{day},gold"]
    lines += [f"{number},{first},{day},gold" for number in others]
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("distributor_number,sponsor_number,joined_on,package\n" + "\n".join(lines))
        file.flush()
        call_command("import_distributors", Path(file.name), verbosity=0)


def sweep(draw: random.Random) -> None:
    placement.place_waiting()


def leave(draw: random.Random) -> None:
    terminate_distributor(
        distributor=somebody(draw),
        downline=draw.choice(["stay", "roll_up"]),
        reason="Race",
        actor=admin(),
    )


def come_back(draw: random.Random) -> None:
    gone = Distributor.objects.filter(status="terminated").first()
    if gone is not None:
        reinstate_distributor(distributor=gone, reason="Race", actor=admin())


# What people hold, and the clock


def say(draw: random.Random) -> None:
    """A package, a rank or a mark, from some day of the last weeks on."""
    kind = draw.choice(["package", "rank", "mark"])
    day = timezone.localdate() - timedelta(days=draw.randint(0, 20))
    until = day + timedelta(days=draw.randint(1, 30))
    set_, end = attributes.set_attribute, attributes.end_attribute
    write = draw.choice([set_, set_, end])
    write(
        distributor=somebody(draw),
        attribute=Attribute(kind, draw.choice("abc"), "titles" if kind == "rank" else ""),
        valid_from=day,
        valid_to=draw.choice([None, until]),
        actor=admin(),
        reason="Race",
    )


def sell(draw: random.Random) -> None:
    buyer = Customer.objects.get(kind="self", distributor=somebody(draw))
    tea = Product.objects.get(sku="TEA")
    order = place_order(customer=buyer, lines=[OrderLine(tea, draw.randint(1, 5))], actor=None)
    pay_order(order=order, method="card", reference=str(uuid4()), actor=None)
    claim_volume()


def estimate(draw: random.Random) -> None:
    estimates.take_mark()


def close(draw: random.Random) -> None:
    """The next step of the earliest period that is not final: days of the past, one by one."""
    period = CommissionPeriod.objects.exclude(status="finalized").order_by("starts_on").first()
    if period is None or period.ends_on >= timezone.localdate() - timedelta(days=30):
        return
    if period.status == "open":
        close_period(period=period, actor=admin("fiona"))
    elif period.status == "closed":
        start_run(period=period, actor=admin("fiona"))
    elif period.status == "calculating":
        calculate(period.runs.get(status="started").pk)
    elif period.status == "calculated":
        approve_period(period=period, actor=admin())
    else:
        finalize_period(period=period, actor=admin())


STEPS: dict[Callable[[random.Random], None], int] = {
    change_sponsor: 30,
    change_place: 30,
    say: 20,
    close: 12,
    sell: 8,
    estimate: 6,
    enrol: 6,
    leave: 2,
    come_back: 3,
    join: 2,
    come_by_file: 2,
    sweep: 2,
}


# The company


def found(people: int) -> None:
    """A company of some hundred, grown at random, with a plan, a rule of places and old days."""
    import json

    from accounts.services.consents import publish_text
    from commissions.models import CompensationPlan
    from commissions.services.opening import open_period
    from commissions.services.plans import activate_version, create_version
    from genealogy.models import PlacementRule
    from tests.cast import DEMO_PLAN

    today = timezone.localdate()
    ada, fiona = (
        User.objects.create_user(f"{name}@example.com", role=role)
        for name, role in (("ada", "admin"), ("fiona", "finance"))
    )
    version = create_version(
        plan=CompensationPlan.objects.create(code="demo", name="Demo plan"),
        definition=json.loads(DEMO_PLAN.read_text()),
        effective_from=today - timedelta(days=3650),
        actor=fiona,
    )
    activate_version(version=version, actor=ada)
    publish_text(
        purpose="distributor_agreement", version="1", title="Agreement", body="As agreed.",
        effective_from=today, actor=ada,
    )  # fmt: skip
    Product.objects.create(
        sku="TEA", name="Tea", price=Decimal(25), distributor_price=Decimal(20), currency="GBP",
        pv=Decimal(20), cv=Decimal(20),
    )  # fmt: skip
    PlacementRule.objects.create(width=3, waiting_days=0)
    first = today - timedelta(days=400)
    open_period(
        starts_on=first, ends_on=first, code=f"{first}", frequency=CommissionPeriod.Frequency.DAILY
    )
    draw = random.Random(7)
    grown: list[Distributor] = []
    for number in range(people):
        above = draw.choice(grown) if grown else None
        joined = first
        grown.append(
            enrol_distributor(
                sponsor=above, display_name=f"N {number}", joined_on=joined, actor=None
            )
        )
