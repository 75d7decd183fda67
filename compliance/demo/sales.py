"""The network and its orders, brought in by the same import commands as any company's files."""

import csv
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.management import call_command
from django.utils import timezone

from accounts.history import explain_change
from accounts.models import User
from commerce.models import Customer, Product
from commerce.services.orders import OrderLine, pay_order, place_order
from compliance.demo.figures import Figures
from compliance.demo.staff import PASSWORD, SIGN_INS, open_account
from genealogy.models import Distributor
from genealogy.services.referral_codes import issue_codes
from genealogy.services.teams import add_member, create_team

ORDER_MAPPING = "online-retail"
BEN = next(sign_in.number for sign_in in SIGN_INS if sign_in.name == "Ben Cole")


def bring_in(figures: Figures, actor: User) -> dict[str, Distributor]:
    """Import the shifted files; returns the distributors by the number of the file."""
    with TemporaryDirectory(prefix="mlmcrm-demo-") as folder:
        for kind, rows, mapping in (
            ("distributors", figures.distributor_rows(), "standard"),
            ("customers", figures.customer_rows(), "standard"),
            ("products", figures.order_rows(), ORDER_MAPPING),
            ("orders", figures.order_rows(), ORDER_MAPPING),
        ):
            path = Path(folder) / f"{kind}.csv"
            write_csv(path, rows)
            call_command(
                f"import_{kind}",
                path,
                mapping=mapping,
                on_error="skip",
                actor=actor.email,
                verbosity=0,
            )
    people = {row.number: row for row in Distributor.objects.all()}
    return {member.number: people[member.own_number] for member in figures.distributors}


def write_csv(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer: csv.DictWriter[str] | None = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(file, list(row))
                writer.writeheader()
            writer.writerow(row)


def invite(figures: Figures, people: Mapping[str, Distributor], actor: User) -> None:
    """Give every distributor a user; three of them can sign in."""
    signing_in = {sign_in.number: sign_in for sign_in in SIGN_INS if sign_in.number}
    for member in figures.distributors:
        sign_in = signing_in.get(member.number)
        distributor = people[member.number]
        distributor.user = open_account(
            member.name,
            sign_in.email if sign_in else member.person.email,
            User.Role.DISTRIBUTOR,
            PASSWORD if sign_in else None,
            phone=member.person.phone,
        )
        explain_change(distributor, actor=actor, reason="Invited to sign in")
        distributor.save(update_fields=["user"])
    issue_codes([distributor.pk for distributor in people.values()], actor)


def form_team(people: Mapping[str, Distributor], actor: User) -> None:
    """Ben leads a team of four people he sponsors, who came one after the other."""
    now = timezone.now()
    ben = people[BEN]
    team = create_team(
        name="Harbour lights",
        description="We meet on Tuesdays and share what sells.",
        lead=ben,
        actor=actor,
        monthly_target=Decimal("250.00"),
        founded_at=now - timedelta(days=200),
    )
    for turn, person in enumerate(ben.sponsored.order_by("pk")[:4]):
        joined_at = now - timedelta(days=180 - 45 * turn)
        add_member(team=team, distributor=person, actor=actor, joined_at=joined_at)


def sell_today(people: Mapping[str, Distributor]) -> None:
    """A few orders of the last hour. The last is by somebody under Ben and still to be paid."""
    products = list(Product.objects.filter(is_commissionable=True, price__gte=5).order_by("sku"))
    buyers = list(Customer.objects.filter(kind=Customer.Kind.RETAIL).order_by("pk")[:3])
    below_ben = people[BEN].sponsored.order_by("pk").first()
    buyers.append(Customer.objects.get(kind=Customer.Kind.SELF, distributor=below_ben))
    for place, customer in enumerate(buyers):
        moment = timezone.now() - timedelta(minutes=50 - place * 14)
        chosen = products[place * 31 : place * 31 + 3]
        lines = [
            OrderLine(product=product, quantity=step) for step, product in enumerate(chosen, 2)
        ]
        order = place_order(customer=customer, lines=lines, actor=None, placed_at=moment)
        if customer is not buyers[-1]:
            reference = f"demo-{order.number}"
            pay_order(
                order=order, method="card", reference=reference, actor=None, received_at=moment
            )
