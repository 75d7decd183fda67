"""From files to a company: distributors, orders, and the state an earlier run printed.

    distributor,sponsor,rank,flags        order,buyer,kind,date,cv,refund_of
    Asha,,gold,                           o1,Carol,customer,2024-01-15,200,
    Bela,Asha,silver,                     r1,Carol,customer,2024-02-03,50,o1
    Carol,Bela,,customer

Every fault of all files is named, with file, line and column, and nothing is computed with any.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from commissions.engine.errors import PlanError
from commissions.engine.plan import Plan
from commissions.engine.plan.loading import load_plan
from commissions.engine.plan.text import DocumentRefused, parsed
from commissions.simulation.company import Carried, Company, Distributor
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
    if state is not None:
        carried = read_carried(found, state, people, faults)
    if not faults:
        people = with_owners(with_days(people))
    lines, refunds = read_orders(found, orders, people, carried, faults)
    if not faults:
        people = place(found, people, lines, distributors.name, faults)
    if faults:
        raise InputError(faults)
    return Company(found, people, lines, refunds, carried)


def read_carried(
    plan: Plan, path: Path, people: Mapping[str, Distributor], faults: list[InputFault]
) -> Carried:
    """What an earlier run carried out: its whole answer, or the part `state` of it."""
    document = read_json(path, faults)
    if isinstance(document, dict):
        document = document.get("state", document)
    if isinstance(document, dict):
        return read_state(document, plan, people, path.name, faults)
    if not any(fault.file == path.name for fault in faults):
        faults.append(InputFault(path.name, 0, "", "is no state: it must be an object"))
    return Carried()


def read_json(path: Path, faults: list[InputFault]) -> object:
    try:
        return parsed(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        faults.append(InputFault(path.name, 0, "", f"can't be read: {error}"))
    except DocumentRefused as error:
        message = f"can't be read: {error.place} {error.reason}"
        faults.append(InputFault(path.name, error.line, "", message))
    return None


def read_plan(document: object, file: str, faults: list[InputFault]) -> Plan | None:
    if document is None and faults:
        return None
    try:
        return load_plan(document)
    except PlanError as error:
        faults += [InputFault(file, 0, fault.path, fault.message) for fault in error.faults]
        return None
