"""What a run carries out, as a document that the next run takes in (`--state`).

    {"carried": {"pairs.binary.left": {"Asha": "300.00"}},
     "titles": {"rank": {"Asha": "gold"}}, "highest": {"rank": {"Asha": "gold"}},
     "until": "2024-01-31", "sold": [...], "ledger": [...], "closed": [...]}

Every part may be left out. `sold` and `ledger` are the lines that a refund may still come back to,
`closed` their periods (`state_closed`); the plan's `window_days` lets go of the old ones. `bought`
says how many orders each buyer made, where the plan asks for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from commissions.engine.orders import JOINED, NUMBER, asked_of_buyers
from commissions.engine.plan import Plan
from commissions.simulation.company import Carried, LedgerLine, OrderLine
from commissions.simulation.faults import InputFault
from commissions.simulation.state_closed import read_closed, write_closed, write_figures
from commissions.simulation.units import HUNDREDTHS, KNOWN, day, decimal, understood

PARTS = (
    "carried", "titles", "highest", "until", "last_number", "bought", "sold", "ledger", "closed",
)  # fmt: skip
PRINTED = {
    "number": int, "earner": str, "source": str, "bonus": str, "level": int, "order": str,
    "line": str,
}  # fmt: skip
DAY = "rank.since"
VOLUME = "metric."


class _Reader:
    """Reads with the fault list at hand; every value comes with the path it stands at."""

    def __init__(self, plan: Plan, people: Mapping[str, object], file: str) -> None:
        self.plan, self.people, self.file = plan, people, file
        self.faults: list[InputFault] = []

    def fault(self, path: str, message: str) -> None:
        self.faults.append(InputFault(self.file, 0, path, message))

    def mapping(self, value: object, path: str) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self.fault(path, "must be an object")
        return {}

    def by_person(self, value: object, path: str) -> Iterator[tuple[str, Any]]:
        for name, item in self.mapping(value, path).items():
            if name in self.people:
                yield name, item
            else:
                self.fault(f"{path}.{name}", "there is no such distributor")

    def figure(self, name: str, text: object, path: str) -> int:
        try:
            return understood(name, text, self.plan)
        except ValueError as error:
            self.fault(path, str(error))
            return 0


def read_state(
    document: Mapping[str, Any],
    plan: Plan,
    people: Mapping[str, object],
    file: str,
    faults: list[InputFault],
) -> Carried:
    """The state of a document; what it says of nobody or of nothing is a fault."""
    reader, carried = _Reader(plan, people, file), Carried()
    for part in set(document) - set(PARTS):
        reader.fault(part, f"is no part of a state: {', '.join(PARTS)}")
    for name, figures in reader.mapping(document.get("carried", {}), "carried").items():
        path = f"carried.{name}"
        if name.partition(".")[0] not in KNOWN:
            reader.fault(path, f"is nothing that is carried: {', '.join(KNOWN)}")
            continue
        carried.figures[name] = {
            who: reader.figure(name, text, f"{path}.{who}")
            for who, text in reader.by_person(figures, path)
        }
    carried.title = read_ranks(reader, document, "titles")
    carried.highest = read_ranks(reader, document, "highest")
    if "until" in document:
        carried.last_day = reader.figure(DAY, document["until"], "until")
    for who, count in reader.by_person(document.get("bought", {}), "bought"):
        carried.bought[who] = reader.figure("once.", count, f"bought.{who}")
    if "last_number" in document:
        carried.last_number = reader.figure("once.", document["last_number"], "last_number")
    try:
        read_lineage(reader, document, carried)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reader.fault("sold, ledger, closed", f"is not what a run printed: {error!r}")
    faults += reader.faults
    return carried


def read_ranks(
    reader: _Reader, document: Mapping[str, Any], part: str
) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    ladders = {ladder.code: ladder for ladder in reader.plan.ladders}
    for code, ranks in reader.mapping(document.get(part, {}), part).items():
        if code not in ladders:
            reader.fault(f"{part}.{code}", "is no ladder of the plan")
            continue
        found[code] = {}
        for who, rank in reader.by_person(ranks, f"{part}.{code}"):
            found[code][who] = ladders[code].level(rank)
            if not found[code][who] and rank != "none":
                reader.fault(f"{part}.{code}.{who}", f'"{rank}" is no rank of the ladder')
    return found


def read_lineage(reader: _Reader, document: Mapping[str, Any], carried: Carried) -> None:
    for row in document.get("sold", []):
        volumes = {
            code: understood(VOLUME, text, reader.plan) for code, text in row["volumes"].items()
        }
        sale = OrderLine(
            row["order"],
            row["line"],
            row["buyer"],
            row["seller"],
            reader.plan.kinds.index(row["kind"]),
            understood(DAY, row["date"], reader.plan),
            volumes,
            None if row["quantity"] is None else understood(VOLUME, row["quantity"], reader.plan),
            int(row.get("number", 0)),
            understood(DAY, row["joined"], reader.plan) if "joined" in row else 0,
        )
        carried.sold[sale.key] = sale
        carried.returned[sale.key] = understood(VOLUME, row["returned"], reader.plan)
    codes = {programme.code for programme in reader.plan.programmes}
    for row in document.get("ledger", []):
        line = LedgerLine(**{**row, "amount": understood("wallet", row["amount"], reader.plan)})
        if not all(isinstance(getattr(line, name), kind) for name, kind in PRINTED.items()):
            raise ValueError(f"line {line.number!r} is not as a run printed it")
        if line.bonus not in codes or (line.earner and line.earner not in reader.people):
            raise ValueError(f"line {line.number} is of a bonus or a distributor not known here")
        carried.ledger.append(line)
    for row in document.get("closed", []):
        ranks = partial(read_ranks, reader, row)
        carried.closed.append(read_closed(row, reader.plan, ranks))


# Writing


def write_state(carried: Carried, plan: Plan) -> dict[str, Any]:
    """The document; zeros are left out, people without anything too."""
    return {
        "carried": write_figures(carried.figures, plan),
        "titles": write_ranks(carried.title, plan),
        "highest": write_ranks(carried.highest, plan),
        **({} if carried.last_day is None else {"until": day(carried.last_day)}),
        "last_number": str(carried.last_number),
        **({"bought": written_counts(carried.bought)} if NUMBER in asked_of_buyers(plan) else {}),
        "sold": [write_sale(sale, carried, plan) for sale in carried.sold.values()],
        "ledger": [
            {
                "number": line.number,
                "earner": line.earner,
                "source": line.source,
                "bonus": line.bonus,
                "level": line.level,
                "order": line.order,
                "line": line.line,
                "amount": str(decimal(line.amount, plan.money.scale)),
            }
            for line in carried.ledger
        ],
        "closed": [write_closed(one, plan, write_ranks) for one in carried.closed],
    }


def write_ranks(levels: Mapping[str, Mapping[str, int]], plan: Plan) -> dict[str, dict[str, str]]:
    codes = {ladder.code: [rank.code for rank in ladder.ranks] for ladder in plan.ladders}
    return {
        ladder: {who: codes[ladder][level - 1] for who, level in sorted(known.items()) if level}
        for ladder, known in sorted(levels.items())
        if any(known.values())
    }


def write_sale(sale: OrderLine, carried: Carried, plan: Plan) -> dict[str, Any]:
    asked = asked_of_buyers(plan)
    return {
        "order": sale.order,
        "line": sale.line,
        "buyer": sale.buyer,
        "seller": sale.seller,
        "kind": plan.kinds[sale.kind],
        "date": day(sale.day),
        "quantity": None if sale.quantity is None else str(decimal(sale.quantity, HUNDREDTHS)),
        "volumes": {
            code: str(decimal(figure, HUNDREDTHS)) for code, figure in sale.volumes.items()
        },
        "returned": str(decimal(carried.returned.get(sale.key, 0), HUNDREDTHS)),
        **({"number": str(sale.number)} if NUMBER in asked else {}),
        **({"joined": day(sale.since)} if JOINED in asked else {}),
    }


def written_counts(counts: Mapping[str, int]) -> dict[str, str]:
    return {who: str(count) for who, count in sorted(counts.items())}
