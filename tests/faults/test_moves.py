"""A short course of the race of moves."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def race(tmp_path, *options):
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.moves", "--processes", "4", *options],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTEST_XDIST_WORKER"}
        | {"MLMCRM_DATA_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_trees_stay_exact_when_many_move_at_once(tmp_path):
    report = race(tmp_path, "--seconds", "12")

    assert report["wrong"] == []
    assert report["as_it_should"], report
    assert report["change_sponsor"] > 10
    assert report["change_place"] > 10
    assert report["say"] > 0
    assert report["close"] > 0


@pytest.mark.slow
def test_without_the_locks_of_the_trees_the_race_finds_them_wrong(tmp_path):
    report = race(tmp_path, "--seconds", "8", "--without-tree-locks")

    assert report["as_it_should"], report
