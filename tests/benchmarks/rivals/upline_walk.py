"""The plain way: dictionaries, one walk up for each order, bulk_create in batches.

Unilevel alone, as such code usually has it: volumes and ranks by walking up from everybody, then
for each order line the uplines with a rank, up to seven of them, one row each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from time import monotonic

from django.db import connection, models

RATES = (500, 500, 400, 400, 300, 300, 200)
UNLOCKED = (0, 3, 4, 5, 6, 7)
RANKS = (
    (320_00, 0, 0, 0),
    (320_00, 2_000_00, 2, 500_00),
    (340_00, 10_000_00, 3, 2_000_00),
    (340_00, 50_000_00, 3, 8_000_00),
    (340_00, 250_000_00, 4, 40_000_00),
)
CENT = Decimal("0.01")


class Line(models.Model):
    """One commission line of the rival."""

    earner = models.BigIntegerField()
    source = models.BigIntegerField()
    order = models.BigIntegerField()
    level = models.SmallIntegerField()
    base = models.DecimalField(max_digits=14, decimal_places=2)
    amount = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        app_label = "rivals"
        db_table = "rival_line"

    def __str__(self) -> str:
        return f"{self.amount} to {self.earner}"


def run(share: int = 1) -> dict[str, float]:
    """Seconds by step; with a `share` of 10 every tenth order is walked."""
    with connection.schema_editor() as editor:
        editor.create_model(Line)
    since = monotonic()
    sponsor, orders = fetch()
    read = monotonic() - since
    ranks = ranks_of(sponsor, orders)
    rows = list(walk(sponsor, ranks, orders[::share]))
    compute = monotonic() - since - read
    Line.objects.bulk_create(rows, batch_size=5_000)
    write = monotonic() - since - read - compute
    return {"read": read, "compute": compute, "write": write, "rows": len(rows)}


def fetch() -> tuple[dict[int, int | None], list[tuple[int, int, int, int]]]:
    with connection.cursor() as cursor:
        cursor.execute("select id, sponsor from rival.member")
        sponsor = dict(cursor.fetchall())
        cursor.execute("select id, seller, pv, cv from rival.line")
        return sponsor, cursor.fetchall()


def uplines(sponsor: dict[int, int | None], member: int) -> Iterator[int]:
    upline = sponsor[member]
    while upline is not None:
        yield upline
        upline = sponsor[upline]


def ranks_of(
    sponsor: dict[int, int | None], orders: list[tuple[int, int, int, int]]
) -> dict[int, int]:
    own: dict[int, int] = defaultdict(int)
    for _, seller, pv, _ in orders:
        own[seller] += pv
    group = dict(own)
    for member, volume in own.items():
        for upline in uplines(sponsor, member):
            group[upline] = group.get(upline, 0) + volume
    legs: dict[int, list[int]] = defaultdict(list)
    for member, upline in sponsor.items():
        if upline is not None:
            legs[upline].append(group.get(member, 0))
    return {member: rank_of(own[member], group.get(member, 0), legs[member]) for member in sponsor}


def rank_of(own: int, group: int, legs: list[int]) -> int:
    level = 0
    for need_own, need_group, need_legs, need_leg in RANKS:
        met = own >= need_own and group >= need_group
        if not (met and sum(leg >= need_leg for leg in legs) >= need_legs):
            break
        level += 1
    return level


def walk(
    sponsor: dict[int, int | None],
    ranks: dict[int, int],
    orders: list[tuple[int, int, int, int]],
) -> Iterator[Line]:
    for order, seller, _, cv in orders:
        level = 0
        for upline in uplines(sponsor, seller):
            if not ranks[upline]:
                continue
            if level == len(RATES):
                break
            level += 1
            if UNLOCKED[ranks[upline]] >= level:
                base = Decimal(cv) / 100
                amount = (base * RATES[level - 1] / 10_000).quantize(CENT, ROUND_HALF_EVEN)
                yield Line(
                    earner=upline, source=seller, order=order, level=level, base=base, amount=amount
                )
