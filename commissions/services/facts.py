"""What the engine is told about a period, read from the database as it stood at the cut-off.

The same facts come out today and in ten years: volume entries are append-only and cannot count in a
closed period, positions are taken as they were known at the cut-off, ranks are carried from the
final run of the period before. Their hash is frozen when the period is closed, so a run that reads
anything else refuses to go on; that is stronger than one long database snapshot.
"""

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from commissions.engine import ORDER_CLASSES, EngineError, Snapshot, build_snapshot
from commissions.models import CommissionPeriod, CommissionRun
from commissions.services.arrays import Array, Lookup, read_columns
from genealogy.models import Distributor


class FactsRefused(Exception):
    """What is recorded makes no sense for a calculation; the message names it."""


@dataclass(frozen=True)
class Cut:
    """The days of a period and the moment up to which positions count as known."""

    starts_on: date
    ends_on: date
    known_at: datetime
    carried_run: int | None

    @property
    def params(self) -> dict[str, object]:
        return {
            "starts_on": self.starts_on,
            "ends_on": self.ends_on,
            "known_at": self.known_at,
            "carried_run": self.carried_run,
        }


def cut_of(period: CommissionPeriod, known_at: datetime | None = None) -> Cut:
    """Where this period is cut. Raises FactsRefused while the period before is not final."""
    moment = known_at or period.cutoff_at
    if moment is None:
        raise FactsRefused(f"{period.name} has no cut-off yet.")
    return Cut(period.starts_on, period.ends_on, moment, carried_run(period))


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


def read_snapshot(cut: Cut) -> Snapshot:
    """Everybody and everything that counts. Raises FactsRefused naming what cannot be."""
    members = read_members(cut)
    lookup = Lookup(members["id"])
    lines, refunds = read_volume(cut, lookup)
    try:
        return build_snapshot(members=members, lines=lines, refunds=refunds)
    except EngineError as error:
        raise FactsRefused(str(error)) from error


def read_members(cut: Cut) -> dict[str, Array]:
    """Members in order of id with pointers to sponsor and enroller, as known at the cut-off."""
    rows = read_columns(_POSITIONS, cut.params, id="i8", parent="i8", day="i4", position="i8")
    order = np.lexsort((rows["position"], rows["day"], rows["id"]))
    ids = rows["id"][order]
    latest = order[np.append(ids[1:] != ids[:-1], True)] if ids.size else order
    member_ids, parents = rows["id"][latest], rows["parent"][latest]
    lookup = Lookup(member_ids)
    return {
        "id": member_ids,
        "sponsor": pointers(lookup, member_ids, parents, "sponsor"),
        "enroller": pointers(lookup, member_ids, read_enrollers(lookup), "enroller"),
        "highest_level": read_carried(cut, lookup),
    }


# A position once begun lasts until the next begins, so valid_to says nothing that is not known.
_POSITIONS = """
select distributor_id as id, coalesce(parent_id, 0) as parent, id as position,
       valid_from - date '2000-01-01' as day
from genealogy_distributorposition
where tree = 'sponsor' and valid_from <= %(ends_on)s and recorded_at <= %(known_at)s
  and (superseded_at is null or superseded_at > %(known_at)s)
"""


def read_enrollers(lookup: Lookup) -> NDArray[np.int64]:
    """The enroller's id of each member, 0 for none; it never changes."""
    rows = read_columns(
        "select id, coalesce(enroller_id, 0) as enroller from genealogy_distributor",
        id="i8",
        enroller="i8",
    )
    enrollers = np.zeros(lookup.ids.size, np.int64)
    place = lookup(rows["id"])
    known = place >= 0
    enrollers[place[known]] = rows["enroller"][known]
    return enrollers


def read_carried(cut: Cut, lookup: Lookup) -> NDArray[np.int16]:
    """The highest rank each member ever had before, from the final run of the period before."""
    levels = np.zeros(lookup.ids.size, np.int16)
    if cut.carried_run is None:
        return levels
    rows = read_columns(
        "select distributor_id as id, highest_level as level from commissions_standing "
        "where run_id = %(carried_run)s and highest_level > 0",
        cut.params,
        id="i8",
        level="i2",
    )
    place = lookup(rows["id"])
    known = place >= 0
    levels[place[known]] = rows["level"][known]
    return levels


def pointers(
    lookup: Lookup, member_ids: NDArray[np.int64], parents: NDArray[np.int64], what: str
) -> NDArray[np.int32]:
    place = lookup(parents)
    missing = np.flatnonzero((place < 0) & (parents != 0))
    if missing.size:
        names = numbers_of(member_ids[missing[:5]])
        raise FactsRefused(f"The {what} of {names} had not joined by the end of the period.")
    return place


def read_volume(cut: Cut, lookup: Lookup) -> tuple[dict[str, Array], dict[str, Array]]:
    """Sales less what was refunded in the same period, and refunds of earlier sales."""
    sales = read_columns(_SALES, cut.params, **_VOLUME_KINDS)
    refunds = read_columns(_REFUNDS, cut.params, **_VOLUME_KINDS, sale="i8", own="i2")
    in_order = np.argsort(sales["id"], kind="stable")
    sales = {name: column[in_order] for name, column in sales.items()}
    own = refunds["own"] == 1
    place = Lookup(sales["id"])(refunds["sale"][own])
    if (place < 0).any():
        raise FactsRefused("A refund takes back a sale that is not in its period.")
    for volume in ("pv", "cv", "margin"):
        np.add.at(sales[volume], place, refunds[volume][own])
    earlier = {name: refunds[name][~own] for name in _VOLUME_KINDS}
    return with_sellers(sales, lookup), with_sellers(earlier, lookup)


def with_sellers(rows: dict[str, Array], lookup: Lookup) -> dict[str, Array]:
    seller = lookup(rows.pop("distributor"))
    if (seller < 0).any():
        entries = rows["id"][seller < 0][:5]
        raise FactsRefused(
            f"{numbers_of_sellers(entries)} sold in the period without having joined by its end."
        )
    return rows | {"seller": seller}


def numbers_of(ids: NDArray[np.int64]) -> str:
    people = Distributor.objects.filter(pk__in=ids.tolist()).order_by("number")
    return ", ".join(people.values_list("number", flat=True))


def numbers_of_sellers(entry_ids: NDArray[np.int64]) -> str:
    people = Distributor.objects.filter(volume_entries__in=entry_ids.tolist()).distinct()
    return ", ".join(people.order_by("number").values_list("number", flat=True))


_CLASS = "case {alias}.order_class {cases} else -1 end as order_class"
_CASES = " ".join(f"when '{code}' then {place}" for place, code in enumerate(ORDER_CLASSES))


def class_of(alias: str) -> str:
    """SQL for an order class as the engine's number."""
    return _CLASS.format(alias=alias, cases=_CASES)


_VOLUME_KINDS = {
    "id": "i8",
    "distributor": "i8",
    "order_class": "i2",
    "pv": "i8",
    "cv": "i8",
    "margin": "i8",
}
_SALES = f"""
select v.id, v.distributor_id as distributor, {class_of("v")}, v.pv, v.cv, v.margin
from commerce_volumeentry v
where v.counts_on between %(starts_on)s and %(ends_on)s and v.kind = 'sale'
"""
_REFUNDS = f"""
select v.id, v.distributor_id as distributor, {class_of("v")}, v.pv, v.cv, v.margin,
       v.reverses_id as sale, (s.counts_on >= %(starts_on)s)::int as own
from commerce_volumeentry v join commerce_volumeentry s on s.id = v.reverses_id
where v.counts_on between %(starts_on)s and %(ends_on)s and v.kind = 'refund'
"""
