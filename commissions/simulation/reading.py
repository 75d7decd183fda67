"""From files to a company: distributors, orders, and the state an earlier run printed.

    distributor,sponsor,rank,flags        order,buyer,kind,date,cv,refund_of
    Asha,,gold,                           o1,Carol,customer,2024-01-15,200,
    Bela,Asha,silver,                     r1,Carol,customer,2024-02-03,50,o1
    Carol,Bela,,customer

Every fault of all files is named, with file, line and column, and nothing is computed with any.
"""

from __future__ import annotations

import json
from pathlib import Path

from commissions.engine.errors import PlanError
from commissions.engine.plan import Plan
from commissions.engine.plan.loading import load_plan
from commissions.simulation.company import Carried, Company
from commissions.simulation.faults import InputError, InputFault
from commissions.simulation.orders import read_orders
from commissions.simulation.people import read_people, with_days, with_owners
from commissions.simulation.placement import place
from commissions.simulation.state import read_state


def read_company(
    plan: Path, distributors: Path, orders: Path, state: Path | None = None
) -> Company:
    """The company that the files describe, everybody placed. Raises InputError with every fault."""
    faults: list[InputFault] = []
    document = read_json(plan, faults)
    found = read_plan(document, plan.name, faults)
    if found is None:
        raise InputError(faults)
    people = read_people(found, distributors, faults)
    carried = Carried()
    if state is not None and isinstance(before := read_json(state, faults), dict):
        before = before.get("state", before)
        carried = read_state(before, found, people, state.name, faults)
    if not faults:
        people = with_owners(with_days(people))
    lines, refunds = read_orders(found, orders, people, carried, faults)
    if not faults:
        people = place(found, people, lines, distributors.name, faults)
    if faults:
        raise InputError(faults)
    return Company(found, people, lines, refunds, carried)


def read_json(path: Path, faults: list[InputFault]) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        faults.append(InputFault(path.name, line, "", f"can't be read: {error}"))
        return None


def read_plan(document: object, file: str, faults: list[InputFault]) -> Plan | None:
    if document is None and faults:
        return None
    try:
        return load_plan(document)
    except PlanError as error:
        faults += [InputFault(file, 0, fault.path, fault.message) for fault in error.faults]
        return None
