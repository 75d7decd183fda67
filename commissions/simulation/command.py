"""The command line, for `manage.py simulate_plan` and `python -m commissions.simulation`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import date
from pathlib import Path

from commissions.simulation.calendar import CALENDARS
from commissions.simulation.periods import run
from commissions.simulation.printing import as_document, as_json, as_text
from commissions.simulation.reading import read_company
from commissions.simulation.story import explain
from commissions.simulation.table import EPOCH

HELP = "Compute a plan on files: distributors, orders, and the state of an earlier run."


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--plan", type=Path, required=True, help="the plan document (JSON)")
    parser.add_argument("--distributors", type=Path, required=True, help="who there is (CSV)")
    parser.add_argument("--orders", type=Path, required=True, help="what was sold (CSV)")
    parser.add_argument("--state", type=Path, help="what an earlier run carried out (JSON)")
    parser.add_argument(
        "--period", choices=CALENDARS, default="month", help="how orders fall into periods"
    )
    parser.add_argument(
        "--until", type=date.fromisoformat, help="go on to this day even without orders"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument(
        "--explain", type=int, metavar="LINE", help="how one ledger line came to be"
    )


def simulate(options: Namespace) -> str:
    """What is to be printed. Raises InputError, EngineError, TooManyPeriods;
    LookupError for an unknown line."""
    company = read_company(options.plan, options.distributors, options.orders, options.state)
    until = None if options.until is None else (options.until - EPOCH).days
    outcomes, carried = run(company, options.period, until)
    if options.explain is not None:
        return explain(company, outcomes, options.explain)
    document = as_document(company, outcomes, carried)
    return as_json(document) + "\n" if options.json else as_text(document)
