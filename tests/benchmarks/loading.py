"""A generated network put into an empty database by COPY, beside what the ORM would take hours for.

Order items are left out: nothing in a close reads them unless something was refunded.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from accounts.models import User
from commissions.models import CommissionPeriod, CompensationPlan
from commissions.services.arrays import copy_rows, slices
from commissions.services.opening import month_of, open_days
from commissions.services.plans import activate_version, create_version
from tests.benchmarks.network import Network

PLAN = Path(__file__).parent.parent.parent / "commissions" / "plans" / "demo.json"
MEMBER = {"id": "i8", "sponsor": "i8", "enroller": "i8", "place": "i8", "leg": "i2"}
LINE = {"id": "i8", "seller": "i8", "order_class": "i2", "pv": "i8", "cv": "i8", "margin": "i8"}


def load(network: Network, plan: Path = PLAN) -> None:
    """Migrate, and load a network with a plan and one open period."""
    call_command("migrate", verbosity=0)
    load_network(network)
    author, approver = make_checkers()
    definition = json.loads(plan.read_text())
    version = create_version(
        plan=CompensationPlan.objects.create(code="bench", name="Benchmark"),
        definition=definition,
        effective_from=date(2026, 1, 1),
        actor=author,
    )
    activate_version(version=version, actor=approver)
    open_days(month_of(date(2026, 10, 1)))


def make_checkers() -> tuple[User, User]:
    pair = [
        User.objects.create_user(f"{name}@example.com", role="finance", email_verified=True)
        for name in ("closer", "approver")
    ]
    return pair[0], pair[1]


def checkers() -> tuple[User, User]:
    first, second = User.objects.filter(role="finance").order_by("pk")
    return first, second


def period_named(code: str) -> CommissionPeriod:
    return CommissionPeriod.objects.get(code=code)


def load_network(network: Network) -> None:
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        cursor.execute(
            "create table bench_member (id bigint, sponsor bigint, enroller bigint, "
            "place bigint, leg smallint)"
        )
        cursor.execute(
            "create table bench_line (id bigint, seller bigint, order_class smallint, "
            "pv bigint, cv bigint, margin bigint)"
        )
        copy_rows("bench_member", MEMBER, member_pieces(network))
        copy_rows("bench_line", LINE, line_pieces(network))
        for statement in STATEMENTS:
            cursor.execute(statement)
        cursor.execute("set session_replication_role = origin")
        for table in ("genealogy_distributor", "genealogy_distributorposition"):
            cursor.execute(f"analyze {table}")
        cursor.execute("vacuum (analyze) commerce_volumeentry")


def member_pieces(network: Network):
    ids = network.member_id
    for part in slices(ids.size):
        sponsor, enroller, place = (
            tree[part] for tree in (network.sponsor, network.enroller, network.place)
        )
        yield (
            len(sponsor),
            {
                "id": ids[part],
                "sponsor": (sponsor >= 0) * ids[sponsor],
                "enroller": (enroller >= 0) * ids[enroller],
                "place": (place >= 0) * ids[place],
                "leg": network.leg[part],
            },
        )


def line_pieces(network: Network):
    for part in slices(network.order_id.size):
        yield (
            len(network.order_id[part]),
            {
                "id": network.order_id[part],
                "seller": network.member_id[network.seller[part]],
                "order_class": network.order_class[part],
                "pv": network.pv[part],
                "cv": network.cv[part],
                "margin": network.margin[part],
            },
        )


STATEMENTS = [
    """insert into genealogy_distributor (id, number, display_name, country, sponsor_id,
         enroller_id, joined_on, status, auto_ship_active, notes, personal_pv, group_pv,
         current_month_pv, current_month_gv, lifetime_pv, direct_referral_count, downline_count,
         total_commission_earned, total_payout_requested, created_at, updated_at)
       select id, 'D-' || lpad(id::text, 8, '0'), 'Distributor ' || id, '', nullif(sponsor, 0),
         nullif(enroller, 0), '2026-01-05', 'active', false, '', 0, 0, 0, 0, 0, 0, 0, 0, 0,
         now(), now()
       from bench_member""",
    """insert into genealogy_distributorposition (distributor_id, tree, parent_id, valid_from,
         recorded_at, reason)
       select id, 'sponsor', nullif(sponsor, 0), '2026-01-05', now(), '' from bench_member""",
    """insert into genealogy_distributorposition (distributor_id, tree, parent_id, leg, valid_from,
         recorded_at, reason)
       select id, 'placement', nullif(place, 0), nullif(leg, -1), '2026-01-05', now(), ''
       from bench_member""",
    """insert into commerce_volumeentry (id, kind, order_item_id, distributor_id, order_class,
         pv, cv, margin, occurred_at, counts_on, created_at)
       select id, 'sale', id, seller,
         (array['retail', 'preferred', 'self_consumption', 'autoship'])[order_class + 1],
         pv, cv, margin, '2026-10-15 12:00+00', '2026-10-15', now()
       from bench_line""",
    "drop table bench_member, bench_line",
]
