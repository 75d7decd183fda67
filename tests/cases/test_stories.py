"""Whatever the ledger of a published case says, its story says too."""

from itertools import islice

import pytest

from commissions.engine.explain import PAID, trace
from commissions.engine.figures import has_story
from commissions.simulation.periods import run
from commissions.simulation.reading import read_company
from commissions.simulation.story import explain
from commissions.simulation.view import View
from tests.cases.cases import all_rows, files

RUNS = sorted({(row.case, row.variant or "", row.calendar) for row in all_rows()})
MOST = 60


@pytest.mark.parametrize(("case", "variant", "calendar"), RUNS)
def test_who_was_paid_is_paid_in_the_story(case, variant, calendar):
    company = read_company(*files(case, variant or None))
    outcomes, _ = run(company, calendar)

    for outcome in outcomes:
        view = View(company, outcome)
        for block, place, bonus in islice(paid_lines(company.plan, outcome.ledger), MOST):
            source, base = int(block.source[place]), int(block.base[place])
            steps = trace(view.facts, bonus.code, int(block.line[place]), source, base)
            told = {(step.member, step.step, step.amount) for step in steps if step.outcome == PAID}
            line = int(block.earner[place]), block.level, int(block.amount[place])
            assert line in told, (bonus.code, line)


def paid_lines(plan, ledger):
    for block in ledger:
        programme = plan.programmes[block.bonus]
        if programme in plan.bonuses and has_story(programme):
            for place in range(len(block)):
                yield block, place, programme


@pytest.mark.parametrize(
    ("case", "number", "told"),
    [
        (
            "cmp-01",
            2,
            [
                "Line 2, 2024-01: Level income, u3, 2.00 USD",
                "  order reg, line 1, bought by NEW",
                "  50.00 x 0.04 = 2, half_up: 2.00",
                "    1  u1  lost     no_rate",
                "    2  u2  skipped  not_counted: active",
                "    3  u3  paid     step 2, 2.00",
                "    4  u4  paid     step 3, 1.00",
            ],
        ),
        (
            "claw-01",
            2,
            [
                "Line 2, 2024-08: Direct, Enroller, -50.00 USD",
                "  takes back line 1, order s, for r",
            ],
        ),
        (
            "bin-04",
            4,
            [
                "Line 4, 2024-01: Per period cap, P, -3000.00 USD",
                "  what the limit cuts off, or lets go of what it held",
            ],
        ),
    ],
)
def test_line_is_told(case, number, told):
    company = read_company(*files(case, None))
    outcomes, _ = run(company)

    assert explain(company, outcomes, number).splitlines() == told


def test_line_that_is_not_there_is_refused():
    company = read_company(*files("uni-03", None))
    outcomes, _ = run(company)

    with pytest.raises(LookupError, match="there is no ledger line 2"):
        explain(company, outcomes, 2)
