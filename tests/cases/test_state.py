"""What a period carries out says the same after it was written to a file and read again."""

import json

import pytest

from commissions.simulation.calendar import periods
from commissions.simulation.periods import run, run_period, span
from commissions.simulation.printing import as_document
from commissions.simulation.reading import read_company
from commissions.simulation.state import read_state, write_state
from tests.cases.cases import all_rows, files

RUNS = sorted({(row.case, row.variant or "", row.calendar) for row in all_rows()})


@pytest.mark.parametrize(("case", "variant", "calendar"), RUNS)
def test_state_survives_a_file(case, variant, calendar):
    company = read_company(*files(case, variant or None))
    whole, last = run(company, calendar)
    outcomes, carried = [], company.carried

    for period in periods(calendar, *span(company, None)):
        outcome, carried = run_period(company, period, carried)
        outcomes.append(outcome)
        text, faults = json.dumps(write_state(carried, company.plan)), []
        carried = read_state(
            json.loads(text), company.plan, company.distributors, "state.json", faults
        )
        assert faults == []

    assert as_document(company, outcomes, carried) == as_document(company, whole, last)
