"""A generated network put into an empty database by COPY, beside what the ORM would take hours for.

Every order is there with its line, paid and delivered, though a close reads only the volume: the
stories of commission lines name them. Who bought is left out, so all is sold through one account.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management import call_command
from django.db import connection, transaction
from numpy.typing import NDArray

from accounts.imports.bulk import rules_at_the_end
from accounts.models import User
from commerce.services.customers import walk_in_account
from commissions.models import CommissionPeriod, CompensationPlan
from commissions.services.arrays import copy_rows, slices
from commissions.services.opening import month_of, open_days
from commissions.services.plans import activate_version, create_version
from genealogy.services.intervals import shape_of
from genealogy.services.tree_index import rebuild_tree
from tests.benchmarks.network import Network

PLAN = Path(__file__).parent.parent.parent / "commissions" / "plans" / "demo.json"
MEMBER = {
    "id": "i8", "sponsor": "i8", "enroller": "i8", "place": "i8", "leg": "i2", "referrals": "i8",
    "rank": "i2", "pv": "i8", "gv": "i8",
}  # fmt: skip
Figures = dict[str, NDArray[np.int64]]
LINE = {
    "id": "i8", "seller": "i8", "order_class": "i2", "product": "i8", "quantity": "i8", "pv": "i8",
    "cv": "i8", "margin": "i8",
}  # fmt: skip


def load(network: Network, definition: dict[str, Any] | None = None) -> None:
    """Migrate, and load a network with a plan (the demo plan) and one open period."""
    call_command("migrate", verbosity=0)
    load_network(network)
    author, approver = make_checkers()
    version = create_version(
        plan=CompensationPlan.objects.create(code="bench", name="Benchmark"),
        definition=definition or json.loads(PLAN.read_text()),
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
    load_people(network)
    load_sales(network)
    put_to_rest()
    rebuild_tree()


def load_people(network: Network, figures: Figures | None = None) -> None:
    """Distributors, and their positions in both trees; the index of the trees is the caller's.

    The tables are empty: what they refuse and what finds their rows is made when the rows are
    there, and looks at all of them.
    """
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        cursor.execute(
            "create unlogged table bench_member (id bigint, sponsor bigint, enroller bigint, "
            "place bigint, leg smallint, referrals bigint, rank smallint, pv bigint, gv bigint)"
        )
        copy_rows("bench_member", MEMBER, member_pieces(network, figures or {}))
        with (
            transaction.atomic(),
            rules_at_the_end("genealogy_distributor", "genealogy_distributorposition"),
        ):
            for statement in PEOPLE:
                cursor.execute(statement)
        cursor.execute("set session_replication_role = origin")


def load_sales(network: Network) -> None:
    """Products, orders with a line each, and volume."""
    walk_in_account(None)
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        cursor.execute(
            "create unlogged table bench_line (id bigint, seller bigint, order_class smallint, "
            "product bigint, quantity bigint, pv bigint, cv bigint, margin bigint)"
        )
        copy_rows("bench_line", LINE, line_pieces(network))
        indexes = take_indexes(cursor, "commerce_order", "commerce_orderitem")
        for statement in [*SALES, *indexes]:
            cursor.execute(statement)
        cursor.execute("set session_replication_role = origin")


def put_to_rest() -> None:
    """So that the server does not begin to tidy up while something is timed."""
    with connection.cursor() as cursor:
        for table in ("distributor", "distributorposition", "genealogynode"):
            cursor.execute(f"vacuum (analyze) genealogy_{table}")
        for table in ("order", "orderitem", "volumeentry"):
            cursor.execute(f"vacuum (analyze) commerce_{table}")
        cursor.execute("checkpoint")


def take_indexes(cursor: Any, *tables: str) -> list[str]:
    """Drop what is indexed beside the constraints; gives the statements that make it again."""
    cursor.execute(
        "select indexname, indexdef from pg_indexes where tablename = any(%s) and not exists "
        "(select 1 from pg_constraint where conindid = indexname::regclass)",
        [list(tables)],
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"drop index {name}")
    return ["set maintenance_work_mem = '256MB'", *(definition for _, definition in found)]


def figures_of(network: Network) -> Figures:
    """A rank, or none, and this month's PV and GV of each, as a close and claims leave them."""
    pv = np.bincount(network.seller, weights=network.pv, minlength=network.member_id.size)
    shape = shape_of(network.sponsor.astype(np.int64))
    place = (shape.enter + shape.depth) // 2
    so_far = np.zeros(place.size + 1, np.int64)
    so_far[place + 1] = pv
    so_far = np.cumsum(so_far)
    rank = np.arange(place.size) % 6
    return {
        "rank": rank,
        "pv": pv.astype(np.int64),
        "gv": so_far[place + shape.size] - so_far[place],
    }


def member_pieces(network: Network, figures: Figures):
    ids, count = network.member_id, network.member_id.size
    referrals = np.bincount(network.sponsor[network.sponsor >= 0], minlength=count)
    for part in slices(count):
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
                "referrals": referrals[part],
                **{name: figures[name][part] if figures else 0 for name in ("rank", "pv", "gv")},
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
                "product": network.product[part] + 1,
                "quantity": network.quantity[part],
                "pv": network.pv[part],
                "cv": network.cv[part],
                "margin": network.margin[part],
            },
        )


PEOPLE = [
    # What was empty at the beginning of a transaction needs no log.
    "truncate genealogy_distributorposition",
    """insert into genealogy_distributor (id, number, display_name, country, sponsor_id,
         enroller_id, placement_parent_id, leg, joined_on, status, auto_ship_active,
         notes, personal_pv, group_pv,
         current_month_pv, current_month_gv, lifetime_pv, direct_referral_count,
         total_commission_earned, total_payout_requested, created_at, updated_at,
         paid_as_rank_id, highest_rank_id)
       select id, 'D-' || lpad(id::text, 8, '0'), 'Distributor ' || id, '', nullif(sponsor, 0),
         nullif(enroller, 0), nullif(place, 0), nullif(leg + 1, 0), '2026-01-05',
         'active', false, '', 0, 0, pv, gv, 0, referrals,
         0, 0, now(), now(), rank_id, rank_id
       from bench_member left join (select id as rank_id, level from genealogy_rank) ranks
         on level = rank""",
    """insert into genealogy_distributorposition (distributor_id, tree, parent_id, valid_from,
         recorded_at, reason)
       select id, 'sponsor', nullif(sponsor, 0), '2026-01-05', now(), '' from bench_member""",
    """insert into genealogy_distributorposition (distributor_id, tree, parent_id, leg, valid_from,
         recorded_at, reason)
       select id, 'placement', nullif(place, 0), nullif(leg + 1, 0), '2026-01-05', now(), ''
       from bench_member""",
    "drop table bench_member",
]
SALES = [
    """insert into commerce_product (id, sku, name, description, short_description, price,
         currency, pv, cv, is_commissionable, dimensions, images, is_subscription, tax_code,
         shipping_class, inventory_tracked, stock_quantity, min_stock_level, status, created_at,
         updated_at)
       select product, 'P-' || product, 'Product ' || product, '', '', price, 'GBP', price, cv,
         true, '{}', '[]', false, '', '', false, 0, 0, 'active', now(), now()
       from (select product, max(pv / quantity) / 100.0 as price, max(cv / quantity) / 100.0 as cv
             from bench_line group by product) each""",
    """insert into commerce_order (id, number, customer_id, distributor_id, order_class, status,
         payment_status, subtotal, discount_amount, tax_amount, shipping_amount, total, currency,
         payment_method, payment_reference, shipping_address, billing_address, shipping_method,
         tracking_number, placed_at, paid_at, buyer_number, buyer_since, notes, created_at,
         updated_at)
       select l.id, 'O-' || lpad(l.id::text, 8, '0'), c.id, seller,
         (array['retail', 'preferred', 'self_consumption', 'autoship'])[order_class + 1],
         'delivered', 'paid', pv / 100.0, 0, 0, 0, pv / 100.0, 'GBP', '', '', '{}', '{}', '', '',
         '2026-10-15 12:00+00', '2026-10-15 12:00+00', l.id, '2026-10-15', '', now(), now()
       from bench_line l, commerce_customer c""",
    """insert into commerce_orderitem (id, order_id, line_number, product_id, description,
         quantity, unit_price, total_price, unit_pv, unit_cv, unit_margin, refunded_quantity,
         created_at)
       select id, id, 1, product, 'Product ' || product, quantity, pv / quantity / 100.0,
         pv / 100.0, pv / quantity / 100.0, cv / quantity / 100.0, margin / 100.0 / quantity, 0,
         now()
       from bench_line""",
    """insert into commerce_volumeentry (id, kind, order_item_id, distributor_id, order_class,
         pv, cv, margin, occurred_at, counts_on, created_at)
       select id, 'sale', id, seller,
         (array['retail', 'preferred', 'self_consumption', 'autoship'])[order_class + 1],
         pv, cv, margin, '2026-10-15 12:00+00', '2026-10-15', now()
       from bench_line""",
    "drop table bench_line",
]
