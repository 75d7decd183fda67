"""Distributors from a file: adjacency first, in whatever order they come, the tree at the end."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db.models import F
from django.utils import timezone

from accounts.history import record_many
from accounts.imports.bulk import copy_rows, take_ids
from accounts.imports.kinds import Field, ImportKind, Part, Record
from accounts.models import User
from accounts.numbering import skip_numbers
from genealogy.models import Distributor, DistributorAttribute, GenealogyNode
from genealogy.services.enrolment import owners_of, take_enrolment_steps
from genealogy.services.locks import stand_behind_the_clock
from genealogy.services.placement import begin_waiting
from genealogy.services.tree_index import build_trees, rebuild_tree

Kind = DistributorAttribute.Kind
FIELDS = {
    "number": Field(required=True, longest=20),
    "sponsor": Field(longest=20),
    "joined_on": Field("date", required=True),
    "display_name": Field(longest=200),
    "external_reference": Field(longest=60),
    "country": Field(longest=60),
    "package": Field(longest=50),
    "marks": Field(),
}
CODE = re.compile(r"[a-z][a-z0-9_]{0,31}")
REASON = "Imported"
COLUMNS = """id number external_reference display_name country sponsor_id enroller_id joined_on
    status auto_ship_active notes personal_pv group_pv current_month_pv current_month_gv
    lifetime_pv direct_referral_count total_commission_earned
    total_payout_requested created_at updated_at"""
OWN_NUMBER = re.compile(r"D-(\d{1,18})")


def book_distributors(part: Part) -> None:
    """Book those whose sponsor is known or among them; the others wait for a later part.

    With the last part, those still waiting are rejected: their sponsor is unknown, or they stand
    in a circle.
    """
    known = _known(part)
    fresh = _fresh(part, known)
    fresh = {number: record for number, record in fresh.items() if _has_codes(record, part)}
    ready, waiting = _ready(fresh, {number: row["id"] for number, row in known.items()})
    for record in waiting:
        if part.is_last:
            _reject_waiting(record, waiting, part)
        else:
            part.postpone(record)
    if ready:
        _write(ready, {number: row["id"] for number, row in known.items()}, part.actor)


def finish_distributors(actor: User | None) -> None:
    """Build the tree if somebody is not in it yet; of a new company in one go."""
    if not GenealogyNode.objects.exists():
        build_trees()
    elif Distributor.objects.exclude(nodes__tree="sponsor").exists():
        rebuild_tree("sponsor")


def _known(part: Part) -> dict[str, dict[str, Any]]:
    """Those of the part's people and sponsors whom the books have."""
    numbers = {r.values["number"] for r in part.open_records()}
    numbers |= {r.values["sponsor"] for r in part.open_records() if r.values["sponsor"]}
    fields = ("id", "number", "sponsor__number", "joined_on", "external_reference")
    rows = Distributor.objects.filter(number__in=numbers).values(*fields)
    known = {row["number"]: row | {"package": "", "marks": set()} for row in rows}
    held = DistributorAttribute.objects.filter(
        distributor__number__in=numbers, superseded_at=None,
        valid_from__lte=F("distributor__joined_on"),
    )  # fmt: skip
    for number, kind, code in held.values_list("distributor__number", "kind", "code"):
        if kind == Kind.PACKAGE:
            known[number]["package"] = code
        elif kind == Kind.MARK:
            known[number]["marks"].add(code)
    return known


def _has_codes(record: Record, part: Part) -> bool:
    """Whether package and marks are codes as plans have them; rejects what is none."""
    for name in ("package", "marks"):
        for code in record.values[name].split():
            if not CODE.fullmatch(code):
                column = part.mapping.column_of(name)
                record.reject(column, "No code of a plan: small letters, digits, _", code)
                return False
    return True


def _fresh(part: Part, known: dict[str, dict[str, Any]]) -> dict[str, Record]:
    """The part's new distributors by number; leaves or rejects the others."""
    references = [r.values["external_reference"] for r in part.open_records()]
    owners = owners_of([reference for reference in references if reference])
    fresh: dict[str, Record] = {}
    for record in part.open_records():
        values = record.values
        number, reference = values["number"], values["external_reference"]
        if number in fresh:
            record.reject(
                part.mapping.column_of("number"), "Distributor named twice in the file", number
            )
        elif number in known:
            _compare(record, known[number], part)
        elif reference and reference in owners:
            record.reject(
                part.mapping.column_of("external_reference"),
                "Reference belongs to somebody else",
                f"{reference} is {owners[reference]}",
            )
        else:
            fresh[number] = record
            if reference:
                owners[reference] = f"distributor {number}"
    return fresh


def _compare(record: Record, row: dict[str, Any], part: Part) -> None:
    values = record.values
    for name, booked in (
        ("sponsor", row["sponsor__number"] or ""),
        ("joined_on", row["joined_on"]),
        ("external_reference", row["external_reference"] or ""),
    ):
        if values[name] != booked:
            column = part.mapping.column_of(name)
            detail = f"{values['number']} has {booked or 'none'}, the file says {values[name]}"
            record.reject(column, f"Already booked with another {column}", detail)
            return
    for name, said, booked in (
        ("package", values["package"], row["package"]),
        ("marks", " ".join(sorted(values["marks"].split())), " ".join(sorted(row["marks"]))),
    ):
        if said and said != booked:
            column = part.mapping.column_of(name)
            detail = f"{values['number']} joined with {booked or 'none'}, the file says {said}"
            record.reject(column, f"Already booked with another {column}", detail)
            return
    record.leave()


def _ready(fresh: dict[str, Record], ids: dict[str, int]) -> tuple[list[Record], list[Record]]:
    """Those whose line of sponsors reaches the books or a root, and those whose does not."""
    verdict: dict[str, bool] = dict.fromkeys(ids, True)
    for number in fresh:
        line = []
        while number in fresh and number not in verdict:
            line.append(number)
            verdict[number] = False
            number = fresh[number].values["sponsor"]
        reaches = not number or (verdict.get(number, False) and number not in line)
        verdict.update(dict.fromkeys(line, reaches))
    ready = [record for number, record in fresh.items() if verdict[number]]
    return ready, [record for number, record in fresh.items() if not verdict[number]]


def _reject_waiting(record: Record, waiting: list[Record], part: Part) -> None:
    sponsor_of = {r.values["number"]: r.values["sponsor"] for r in waiting}
    column = part.mapping.column_of("sponsor")
    seen: list[str] = []
    number = record.values["number"]
    while number in sponsor_of and number not in seen:
        seen.append(number)
        number = sponsor_of[number]
    if number in seen:
        circle = [*seen[seen.index(number) :], number]
        shown = " under ".join(circle if len(circle) < 6 else [*circle[:5], "..."])
        record.reject(column, "Sponsors stand in a circle", shown)
    elif len(seen) == 1:
        record.reject(column, "Unknown sponsor", number)
    else:
        record.reject(column, "Upline has an unknown sponsor", f"{number}, above {seen[-1]}")


def _write(records: list[Record], known: dict[str, int], actor: User | None) -> None:
    stand_behind_the_clock()
    ids = take_ids("genealogy_distributor", len(records))
    id_of = known | {r.values["number"]: pk for pk, r in zip(ids, records, strict=True)}
    now = timezone.now()
    copy_rows(
        "genealogy_distributor",
        COLUMNS,
        (_row(id_of, record, now) for record in records),
    )
    copy_rows(
        "genealogy_distributorposition",
        "distributor_id tree parent_id valid_from recorded_at actor_id reason",
        (
            (
                id_of[r.values["number"]],
                "sponsor",
                id_of.get(r.values["sponsor"]),
                r.values["joined_on"],
                now,
                actor.pk if actor else None,
                REASON,
            )
            for r in records
        ),
    )
    copy_rows(
        "genealogy_distributorattribute",
        "distributor_id kind ladder code valid_from recorded_at actor_id reason",
        (
            (id_of[r.values["number"]], kind, "", code, r.values["joined_on"], now,
             actor.pk if actor else None, REASON)
            for r in records
            for kind, code in _held(r)
        ),
    )  # fmt: skip
    record_many(Distributor, ids, kind="+", actor=actor, reason=REASON)
    begin_waiting(ids, at_once=False)  # whoever places waits for the tree, before the clock
    take_enrolment_steps(ids, actor)
    _skip_past(records)


def _held(record: Record) -> Iterator[tuple[str, str]]:
    """What somebody joined with, each once."""
    if record.values["package"]:
        yield Kind.PACKAGE, record.values["package"]
    for mark in dict.fromkeys(record.values["marks"].split()):
        yield Kind.MARK, mark


def _row(id_of: dict[str, int], record: Record, now: Any) -> tuple[Any, ...]:
    values = record.values
    sponsor = id_of.get(values["sponsor"])
    return (
        id_of[values["number"]],
        values["number"],
        values["external_reference"] or None,
        values["display_name"],
        values["country"],
        sponsor,
        sponsor,
        values["joined_on"],
        "active",
        False,
        "",
        *[0] * 8,
        now,
        now,
    )


def _skip_past(records: list[Record]) -> None:
    matches = (OWN_NUMBER.fullmatch(record.values["number"]) for record in records)
    highest = max((int(match[1]) for match in matches if match), default=0)
    if highest:
        skip_numbers("D", highest)


DISTRIBUTORS = ImportKind(
    name="distributors",
    label="Distributors",
    fields=FIELDS,
    book=book_distributors,
    finish=finish_distributors,
    tables=(
        "genealogy_distributor",
        "genealogy_distributorposition",
        "genealogy_genealogynode",
        "genealogy_distributorattribute",
    ),
    mappings=Path(__file__).resolve().parent.parent / "mappings",
)
