"""Every number that the sources print, computed from the plan documents, exactly."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from commissions.engine.plan.loading import load_plan
from tests.cases.cases import HERE, all_rows, computed, files, published, rows, wanted
from tests.cases.table import TARGET, page

ROOT = Path(__file__).parents[2]
LABELS = {"member", "type", "period", "variant", "source", "order", "mode", "note", "reason",
          "within_days", "category"}  # fmt: skip
"""What in an entry says which number it is, not a number."""


@pytest.mark.parametrize("row", list(all_rows()), ids=str)
def test_number_is_what_the_source_prints(row):
    assert computed(row) == wanted(row)


@pytest.mark.parametrize("row", list(all_rows()), ids=str)
def test_row_copies_its_number_from_the_source(row):
    case = published()[row.case]

    if row.entry is None:
        assert row.why
        assert row.key in case
    else:
        assert case["expected"][row.entry][row.key] == row.printed


@pytest.mark.parametrize("row", list(all_rows()), ids=str)
def test_row_asks_for_what_there_is(row):
    """A sum of no rows is zero: names that don't exist would agree with every zero."""
    plan_file, people_file, orders_file, _ = files(row.case, row.variant)
    plan = load_plan(json.loads(plan_file.read_text()))
    people, orders = column(people_file, "distributor"), column(orders_file, "order")
    known = {
        "bonus": {programme.code for programme in plan.programmes},
        "distributor": people,
        "source": people,
        "buyer": people,
        "order": orders,
        "refund": orders,
        "metric": {metric.code for metric in plan.metrics},
        "volume": {volume.code for volume in plan.volumes},
        "ladder": {ladder.code for ladder in plan.ladders},
        "limit": {limit.code for limit in plan.limits},
    }

    for key in row.where.keys() & known.keys():
        asked = row.where[key]
        assert set(asked if isinstance(asked, list) else [asked]) <= known[key], key


def column(file, name):
    with file.open(newline="") as lines:
        return {line[name] for line in csv.DictReader(lines)}


def test_every_number_of_the_sources_is_compared_or_left_out_with_a_reason():
    compared = {(row.case, row.entry, row.key) for row in all_rows()}
    left_out = {
        (row["case"], row["entry"], row["key"])
        for row in json.loads((HERE / "left-out.json").read_text())
        if row["why"]
    }
    printed = {
        (code, entry, key)
        for code, case in published().items()
        for entry, row in enumerate(case["expected"])
        for key in row.keys() - LABELS
    }
    entries = {(code, entry) for code, entry, _ in compared}

    assert printed - compared == left_out
    assert all(
        (code, entry) in entries
        for code, case in published().items()
        for entry in range(len(case["expected"]))
    )


def test_every_case_has_rows_and_no_folder_is_without_a_case():
    folders = {path.name for path in HERE.iterdir() if (path / "expected.json").exists()}

    assert folders == set(published())
    assert all(rows(code) for code in published())


def test_table_of_results_is_up_to_date():
    assert TARGET.read_text(encoding="utf-8") == page()


# The same by the command line, without a database


NOWHERE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "MLMCRM_ENV": "development"}


def command(start, code, variant, *more):
    plan, people, orders, state = files(code, variant)
    named = ["--plan", plan, "--distributors", people, "--orders", orders, *more]
    if state:
        named += ["--state", state]
    return subprocess.run(
        [sys.executable, *start, *map(str, named)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **NOWHERE},
        check=True,
    ).stdout


@pytest.mark.parametrize(
    ("start", "code", "variant"),
    [
        (["manage.py", "simulate_plan"], "bin-03", "d"),
        (["manage.py", "simulate_plan"], "brk-01", None),
        (["-m", "commissions.simulation"], "claw-01", None),
        (["-m", "commissions.simulation"], "mtx-01", None),
    ],
)
def test_command_says_the_same(start, code, variant, monkeypatch):
    printed = json.loads(command(start, code, variant, "--json"))
    monkeypatch.setattr("tests.cases.cases.simulated", lambda *_: printed)

    for row in rows(code):
        if row.variant == variant:
            assert computed(row) == wanted(row), str(row)


def test_command_prints_tables_a_person_can_read():
    text = command(["-m", "commissions.simulation"], "uni-03", None)

    assert text == TABLES


TABLES = """\
Volume to money (USD)

== 2024-01: 2024-01-01 to 2024-01-31

VOLUMES
order  line      cv
o1        1  200.00

LEDGER
number  distributor  bonus     level  source  buyer  order  line    base  rate  amount
     1  U            unilevel      1  X       X      o1        1  200.00  0.10   10.00

BONUS TOTALS
bonus     amount  retained
unilevel   10.00      0.00

DISTRIBUTOR TOTALS
distributor  amount
U             10.00

PAYABLE
distributor  brought  earned  payable  carried  due_on
U               0.00   10.00    10.00     0.00  2024-01-31
"""


def test_command_explains_a_line():
    text = command(["-m", "commissions.simulation"], "uni-01", None, "--explain", "4")

    assert text.splitlines() == [
        "Line 4, 2024-01: Unilevel, TopLeader, 4.00 USD",
        "  order o1, line 1, bought by C",
        "  200.00 x 0.4 x 0.05 = 4, half_up: 4.00",
        "    0  B          paid     step 1, 4.00",
        "    1  A          paid     step 2, 4.00",
        "    2  Sponsor    paid     step 3, 4.00",
        "    3  TopLeader  paid     step 4, 4.00",
    ]
