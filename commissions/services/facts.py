"""What the engine is told about a period, read from the database as it stood at the cut-off.

The same facts come out today and in ten years: volume entries are append-only and cannot count in a
closed period, positions are taken as they were known at the cut-off, ranks and what else a plan
carries on come from the final run of the period before. Their hash is frozen when the period is
closed, so a run that reads anything else refuses to go on; that is stronger than one long database
snapshot. Packages, marks and given ranks are facts where the plan asks for them (`attributes`);
nobody's identity check or status is: they change without a date.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from commerce.models import VolumeEntry
from commissions.engine import EngineError, Plan, Snapshot, asked_of_buyers, build_snapshot
from commissions.engine.orders import WHO
from commissions.engine.plan import PLACEMENT, parts
from commissions.models import CommissionPeriod, CommissionRun
from commissions.services import carried
from commissions.services.arrays import Array, Lookup, read_columns
from commissions.services.attributes import read_attributes
from genealogy.models import Distributor
from mlmcrm.beside import Beside

VOLUMES = ("pv", "cv", "margin")
VOLUME_KINDS = {
    "id": "i8",
    "distributor": "i8",
    "kind": "i2",
    "day": "i4",
    "pv": "i8",
    "cv": "i8",
    "margin": "i8",
}
BUYER_COLUMNS = {
    "number": "o.buyer_number",
    "joined": "o.buyer_since - date '1970-01-01'",
    "who": "o.customer_id",
}
"""What a plan may ask of who bought: it stands on the order, for good since that is paid."""
SALE_WORDS = {"distributor": {"day": 23, "kind": 8}}
POSITION_WORDS = {"id": {"day": 24}, "parent": {"leg": 17}}
"""Read together: any day of a calendar, a place among kinds that a snapshot takes, a small leg."""
MOST_KINDS = 128
EPOCH = date(1970, 1, 1).toordinal()
LAST_ENTRY = 2**63 - 1

LineColumn = Array | dict[str, Array]


class FactsRefused(Exception):
    """What is recorded makes no sense for a calculation; the message names it."""


@dataclass(frozen=True)
class Cut:
    """The days of a period, and up to where facts count as known: positions by the moment they were
    recorded, sales and refunds by the number of their volume entry. `people`: only these, and of
    what was carried only what their ranks go by; left out: the whole company. `attributes_at`: the
    moment for packages, marks and given ranks where it is another than that for positions."""

    starts_on: date
    ends_on: date
    known_at: datetime
    carried_run: int | None
    payment_run: int
    sales_until: int = LAST_ENTRY
    refunds_until: int = LAST_ENTRY
    people: tuple[int, ...] | None = None
    attributes_at: datetime | None = None

    @property
    def params(self) -> dict[str, Any]:
        return {
            "starts_on": self.starts_on,
            "ends_on": self.ends_on,
            "known_at": self.known_at,
            "sales_until": self.sales_until,
            "refunds_until": self.refunds_until,
            "people": None if self.people is None else list(self.people),
        }

    def among(self, column: str) -> str:
        """A condition in SQL on the column of whose the row is."""
        return "true" if self.people is None else f"{column} = any(%(people)s)"


def cut_of(period: CommissionPeriod, known_at: datetime | None = None) -> Cut:
    """Where this period is cut. Raises FactsRefused while the period before is not final."""
    moment = known_at or period.cutoff_at
    if moment is None:
        raise FactsRefused(f"{period.name} has no cut-off yet.")
    paying: int = period.runs.get(kind=CommissionRun.Kind.PAYMENT).pk
    return Cut(period.starts_on, period.ends_on, moment, carried_run(period), paying)


def carried_run(period: CommissionPeriod) -> int | None:
    """The final run of the period before this one, whose highest ranks are carried."""
    earlier = CommissionPeriod.objects.filter(starts_on__lt=period.starts_on)
    before = earlier.order_by("-starts_on").first()
    if before is None:
        return None
    if before.status != CommissionPeriod.Status.FINALIZED:
        raise FactsRefused(
            f"{before.name} has to be final first: its ranks are carried into {period.name}."
        )
    run: int = before.runs.get(kind=CommissionRun.Kind.CLOSE, status=CommissionRun.Status.DONE).pk
    return run


def read_snapshot(cut: Cut, plan: Plan, *, two_sessions: bool = False) -> Snapshot:
    """Everybody and everything that counts. Raises FactsRefused naming what cannot be.

    `two_sessions`: people and volume at the same time, where both are committed.
    """
    with Beside(when=two_sessions) as beside:
        page = page_to_share() if two_sessions else None
        sales = beside.do(read_sales, cut, plan, before=page)
        members = read_members(cut)
        lookup = Lookup(members["id"])
        parents = {tree: members.pop(tree) for tree in ("sponsor", "enroller")}
        if needs_placement(plan):
            parents["placement"], members["leg"] = read_placement(cut, lookup)
        held = read_attributes(
            plan,
            lookup,
            on=cut.ends_on,
            known_at=cut.attributes_at or cut.known_at,
            people=cut.people,
        )
        state = carried.read_state(cut.carried_run, lookup, for_ranks=cut.people is not None)
        ranks = carried.take_ranks(state, cut.carried_run, lookup, plan)
        if cut.people is None:
            state |= carried.read_paid(cut.payment_run, lookup, plan)
        refunds = read_refunds(cut, plan)
        more = read_sales(cut, plan, start=page) if page is not None else None
        sold, returned = net_volume(joined(sales(), more), refunds)
        lines, earlier = lines_of(sold, lookup), lines_of(returned, lookup)
    try:
        return build_snapshot(
            members={**members, "parents": parents, **ranks, **held},
            lines=lines,
            refunds=earlier,
            state=state,
            starts_on=day_number(cut.starts_on),
            ends_on=day_number(cut.ends_on),
        )
    except EngineError as error:
        raise FactsRefused(str(error)) from error


def day_number(day: date) -> int:
    """Days since 1970-01-01, as the engine counts them."""
    return day.toordinal() - EPOCH


def read_members(cut: Cut) -> dict[str, Array]:
    """Members in order of id with pointers to sponsor and enroller, as known at the cut-off.

    Who joined when is told by the first position: it does not change once it is known.
    """
    rows, first, latest = read_positions(cut, "sponsor")
    member_ids, parents = rows["id"][latest], rows["parent"][latest]
    lookup = Lookup(member_ids)
    return {
        "id": member_ids,
        "sponsor": pointers(cut, lookup, member_ids, parents, "sponsor"),
        "enroller": pointers(cut, lookup, member_ids, read_enrollers(cut, lookup), "enroller"),
        "joined": rows["day"][first],
    }


def needs_placement(plan: Plan) -> bool:
    """Whether anything in the plan looks at the placement tree."""
    walks = any(getattr(part, "tree", None) == PLACEMENT for _, part in parts(plan))
    return walks or plan.matrix is not None


def read_placement(cut: Cut, lookup: Lookup) -> tuple[NDArray[np.int32], NDArray[np.signedinteger]]:
    """Pointers and legs in the placement tree; -1 for who has no place, or stands at its top.

    People count legs from 1, the engine from 0.
    """
    rows, _, latest = read_positions(cut, "placement")
    found = {name: column[latest] for name, column in rows.items()}
    place = lookup(found["id"])
    found = {name: column[place >= 0] for name, column in found.items()}
    parent = np.full(lookup.ids.size, -1, np.int32)
    leg = np.full(lookup.ids.size, -1, np.int64)
    placed = place[place >= 0]
    parent[placed] = pointers(cut, lookup, found["id"], found["parent"], "placement parent")
    leg[placed] = found["leg"] - 1
    return parent, leg


def read_positions(
    cut: Cut, tree: str
) -> tuple[dict[str, Array], NDArray[np.intp], NDArray[np.intp]]:
    """All positions in a tree known at the cut-off, and which are each one's first and latest."""
    rows = read_columns(
        f"{POSITIONS} and {cut.among('distributor_id')}", cut.params | {"tree": tree},
        POSITION_WORDS, id="i8", parent="i8", leg="i2", day="i4", position="i8",
    )  # fmt: skip
    ids = rows["id"]
    if (ids[1:] > ids[:-1]).all():
        everybody = np.arange(ids.size)
        return rows, everybody, everybody
    order = np.lexsort((rows["position"], rows["day"], ids))
    ids = ids[order]
    changes = ids[1:] != ids[:-1]
    first = order[np.append(True, changes)] if ids.size else order
    latest = order[np.append(changes, True)] if ids.size else order
    return rows, first, latest


# A position once begun lasts until the next begins, so valid_to says nothing that is not known.
POSITIONS = """
select distributor_id as id, coalesce(parent_id, 0) as parent, coalesce(leg, 0) as leg,
       id as position, valid_from - date '1970-01-01' as day
from genealogy_distributorposition
where tree = %(tree)s and valid_from <= %(ends_on)s and recorded_at <= %(known_at)s
  and (superseded_at is null or superseded_at > %(known_at)s)
"""


def read_enrollers(cut: Cut, lookup: Lookup) -> NDArray[np.int64]:
    """The enroller's id of each member, 0 for none; it never changes."""
    rows = read_columns(
        "select id, coalesce(enroller_id, 0) as enroller from genealogy_distributor "
        f"where {cut.among('id')}",
        cut.params,
        id="i8",
        enroller="i8",
    )
    enrollers = np.zeros(lookup.ids.size, np.int64)
    place = lookup(rows["id"])
    known = place >= 0
    enrollers[place[known]] = rows["enroller"][known]
    return enrollers


def pointers(
    cut: Cut, lookup: Lookup, member_ids: NDArray[np.int64], parents: NDArray[np.int64], what: str
) -> NDArray[np.int32]:
    """Where the parents stand; -1 for none. Of the whole company none may be missing."""
    place = lookup(parents)
    if cut.people is not None:
        return place
    missing = np.flatnonzero((place < 0) & (parents != 0))
    if missing.size:
        names = numbers_of(member_ids[missing[:5]])
        raise FactsRefused(f"The {what} of {names} had not joined by the end of the period.")
    return place


def page_to_share() -> int:
    """The page of the volume entries from which on this session reads them, people beside."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_relation_size('commerce_volumeentry') / current_setting('block_size')::int"
        )
        (pages,) = cursor.fetchone()
    return int(pages) * 9 // 10


def read_sales(
    cut: Cut, plan: Plan, *, start: int | None = None, before: int | None = None
) -> dict[str, Array]:
    """Sales in any order; of some pages of the table only, where that is said."""
    query = f"{sales_query(plan)} and {cut.among('v.distributor_id')}"
    if start is not None:
        query += f" and v.ctid >= '({start},0)'"
    if before is not None:
        query += f" and v.ctid < '({before},0)'"
    together = SALE_WORDS if len(plan.kinds) <= MOST_KINDS else None
    return read_columns(query, cut.params, together, **entry_kinds(plan))


def joined(some: dict[str, Array], more: dict[str, Array] | None) -> dict[str, Array]:
    if more is None:
        return some
    return {name: np.concatenate([column, more[name]]) for name, column in some.items()}


def read_refunds(cut: Cut, plan: Plan) -> dict[str, Array]:
    """`sale`: the entry that each takes back; `own`: 1 for one of this period."""
    query = f"{refunds_query(plan)} and {cut.among('v.distributor_id')}"
    return read_columns(query, cut.params, **entry_kinds(plan), sale="i8", own="i2")


def net_volume(
    sales: dict[str, Array], refunds: dict[str, Array]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Sales less what was refunded in the same period, and refunds of earlier sales."""
    if (sales["id"][1:] < sales["id"][:-1]).any():
        in_order = np.argsort(sales["id"], kind="stable")
        sales = {name: column[in_order] for name, column in sales.items()}
    own = refunds["own"] == 1
    place = Lookup(sales["id"])(refunds["sale"][own])
    if (place < 0).any():
        raise FactsRefused("A refund takes back a sale that is not in its period.")
    for volume in VOLUMES:
        np.add.at(sales[volume], place, refunds[volume][own])
    return sales, {name: refunds[name][~own] for name in sales}


def lines_of(rows: dict[str, Array], lookup: Lookup) -> dict[str, LineColumn]:
    """Rows of `entry_kinds` as the lines of a snapshot. Raises FactsRefused for a stranger."""
    seller = lookup(rows["distributor"])
    if (seller < 0).any():
        entries = rows["id"][seller < 0][:5]
        raise FactsRefused(
            f"{numbers_of_sellers(entries)} sold in the period without having joined by its end."
        )
    return {
        "id": rows["id"],
        "seller": seller,
        "kind": rows["kind"],
        "day": rows["day"],
        "volumes": {volume: rows[volume] for volume in VOLUMES},
        "buyer": {what: rows[what] for what in BUYER_COLUMNS if what in rows},
    }


def buyer_of(entry: VolumeEntry, plan: Plan) -> dict[str, list[int]]:
    """What the plan asks of who bought, of a single entry; as `lines_of` has it of many."""
    order = entry.order_item.order
    since = day_number(order.buyer_since) if order.buyer_since else 0
    known = {"number": order.buyer_number or 0, "joined": since, "who": order.customer_id}
    return {what: [known[what]] for what in sorted(asked_of_buyers(plan))}


def numbers_of(ids: NDArray[np.int64]) -> str:
    people = Distributor.objects.filter(pk__in=ids.tolist()).order_by("number")
    return ", ".join(people.values_list("number", flat=True))


def numbers_of_sellers(entry_ids: NDArray[np.int64]) -> str:
    people = Distributor.objects.filter(volume_entries__in=entry_ids.tolist()).distinct()
    return ", ".join(people.order_by("number").values_list("number", flat=True))


def entry_kinds(plan: Plan) -> dict[str, str]:
    """The columns that are read of a volume entry: who bought only where the plan asks."""
    asked = sorted(asked_of_buyers(plan))
    return VOLUME_KINDS | {what: "i8" if what == WHO else "i4" for what in asked}


def entries(plan: Plan) -> str:
    """SQL for the volume entries `v`, with their orders `o` where the plan asks who bought."""
    if not asked_of_buyers(plan):
        return "commerce_volumeentry v"
    return (
        "commerce_volumeentry v join commerce_orderitem i on i.id = v.order_item_id "
        "join commerce_order o on o.id = i.order_id"
    )


def entry_columns(plan: Plan, returned: str = "") -> str:
    """SQL for the `entry_kinds` of a volume entry `v`, its kind by the place in the plan.

    A refund's order is the one that it takes back from, so it has the same number. `returned`: the
    table, if any, whose figures are added, where it has a row.
    """
    cases = " ".join(f"when '{code}' then {place}" for place, code in enumerate(plan.kinds))
    volumes = ", ".join(
        f"v.{name} + coalesce({returned}.{name}, 0) as {name}" if returned else f"v.{name}"
        for name in VOLUMES
    )
    of_buyer = "".join(
        f", {BUYER_COLUMNS[what]} as {what}" for what in sorted(asked_of_buyers(plan))
    )
    return (
        "v.id, v.distributor_id as distributor, "
        f"case v.order_class {cases} else -1 end as kind, "
        f"v.counts_on - date '1970-01-01' as day, {volumes}{of_buyer}"
    )


def sales_query(plan: Plan) -> str:
    return f"""
        select {entry_columns(plan)} from {entries(plan)}
        where v.counts_on between %(starts_on)s and %(ends_on)s and v.kind = 'sale'
          and v.id <= %(sales_until)s
    """


def refunds_query(plan: Plan) -> str:
    return f"""
        select {entry_columns(plan)}, v.reverses_id as sale,
               (s.counts_on >= %(starts_on)s)::int as own
        from {entries(plan)} join commerce_volumeentry s on s.id = v.reverses_id
        where v.counts_on between %(starts_on)s and %(ends_on)s and v.kind = 'refund'
          and v.id <= %(refunds_until)s
    """
