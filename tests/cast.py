"""A small company that the tests share.

            Asha
           /    \\
         Ben    Stella
          |
        Chloe ── customer Rosa
          |
        Dmitri

Ada is admin, Mona manager, Sam support, Fiona and Felix finance, Otto auditor. Stella is the
stranger: in the company, but neither above nor below Ben. Everybody's password is PASSWORD.
"""

import json
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from accounts.models import Profile, User
from accounts.numbering import take_number
from commerce.models import Customer, Order, Product
from commerce.services.orders import OrderLine, pay_order, place_order
from commissions.models import CommissionPeriod, CommissionRun, CompensationPlan, PlanVersion
from commissions.services.finalize import approve_period, finalize_period
from commissions.services.periods import close_period
from commissions.services.plans import activate_version, create_version
from commissions.services.runs import calculate, start_run
from genealogy.models import Distributor
from genealogy.services.enrolment import enrol_distributor

PASSWORD = "correct horse battery staple"
LONDON = ZoneInfo("Europe/London")
DEMO_PLAN = Path(__file__).parent.parent / "commissions" / "plans" / "demo.json"
STAFF = {
    "ada": "admin",
    "mona": "manager",
    "sam": "support",
    "fiona": "finance",
    "felix": "finance",
    "otto": "auditor",
}
LINE = [
    ("asha", "Asha Rao", None),
    ("ben", "Ben Cole", "asha"),
    ("chloe", "Chloe Martin", "ben"),
    ("dmitri", "Dmitri Orlov", "chloe"),
    ("stella", "Stella Stone", "asha"),
]


def make_user(name: str, role: str = "distributor", **fields: object) -> User:
    first, _, last = name.partition(" ")
    user = User.objects.create_user(
        f"{first.lower()}@example.com", role=role, email_verified=True, **fields
    )
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    Profile.objects.create(user=user, first_name=first, last_name=last)
    return user


def at(day: str, time: str = "12:00") -> datetime:
    """A moment in the company's time zone: at("2026-10-05", "09:30")."""
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=LONDON)


def wait_for_worker(run: CommissionRun) -> None:
    """Where the test has a worker, it may have taken the run first."""
    deadline = monotonic() + 30
    while run.status == run.Status.STARTED and monotonic() < deadline:
        sleep(0.05)
        run.refresh_from_db()
    assert run.status == run.Status.DONE, run.error


@dataclass
class Cast:
    """The company, its people by first name, and short ways to make things happen in it."""

    users: dict[str, User] = field(default_factory=dict)
    distributors: dict[str, Distributor] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Distributor:
        try:
            return self.__dict__["distributors"][name]
        except KeyError:
            raise AttributeError(name) from None

    def user(self, name: str) -> User:
        return self.users[name]

    @cached_property
    def tea(self) -> Product:
        """Retail 25.00, for distributors 20.00, 20 PV and CV a piece."""
        return Product.objects.create(
            sku="TEA",
            name="Breakfast tea",
            price=Decimal("25.00"),
            distributor_price=Decimal("20.00"),
            currency=settings.COMPANY_CURRENCY,
            pv=Decimal("20"),
            cv=Decimal("20"),
        )

    @cached_property
    def rosa(self) -> Customer:
        """A retail customer of Chloe's."""
        return Customer.objects.create(
            number=take_number("C"),
            kind="retail",
            distributor=self.chloe,
            first_name="Rosa",
            last_name="Lopez",
            email="rosa@example.com",
        )

    def own_account(self, name: str) -> Customer:
        return Customer.objects.get(kind="self", distributor=self.distributors[name])

    def buys(
        self, who: str | Customer, pieces: int, when: datetime | None = None, *, paid: bool = True
    ) -> Order:
        """An order of tea, paid at once unless told otherwise."""
        customer = who if isinstance(who, Customer) else self.own_account(who)
        when = when or timezone.now()
        order = place_order(
            customer=customer,
            lines=[OrderLine(product=self.tea, quantity=pieces)],
            actor=None,
            placed_at=when,
        )
        if paid:
            pay_order(
                order=order, method="card", reference=str(uuid4()), actor=None, received_at=when
            )
            order.refresh_from_db()
        return order

    def close(self, code: str) -> CommissionPeriod:
        """Close, calculate and finalize a period: Fiona makes, Felix checks."""
        period = CommissionPeriod.objects.get(code=code)
        close_period(period=period, actor=self.user("fiona"))
        run = start_run(period=period, actor=self.user("fiona"))
        if not calculate(run.pk):
            wait_for_worker(run)
        approve_period(period=period, actor=self.user("felix"))
        return finalize_period(period=period, actor=self.user("felix"))

    @cached_property
    def plan(self) -> PlanVersion:
        """The demo plan, written by Ada and activated by Mona."""
        version = create_version(
            plan=CompensationPlan.objects.create(code="demo", name="Demo plan"),
            definition=json.loads(DEMO_PLAN.read_text()),
            effective_from=date(2010, 1, 1),
            actor=self.user("ada"),
        )
        return activate_version(version=version, actor=self.user("mona"))


def gather_paying() -> Cast:
    """The company, paying by the demo plan."""
    cast = gather()
    assert cast.plan
    return cast


def gather(joined_on: date = date(2026, 1, 5), *, sign_in: bool = False) -> Cast:
    """Found the company. Passwords cost time to hash, so only with `sign_in` do they work."""
    cast = Cast()
    for name, role in STAFF.items():
        cast.users[name] = make_user(name.capitalize(), role)
    for name, display_name, sponsor in LINE:
        user = make_user(display_name)
        cast.users[name] = user
        cast.distributors[name] = enrol_distributor(
            sponsor=cast.distributors[sponsor] if sponsor else None,
            display_name=display_name,
            joined_on=joined_on,
            actor=None,
            user=user,
        )
    if sign_in:
        for user in cast.users.values():
            user.set_password(PASSWORD)
            user.save(update_fields=["password"])
    return cast
