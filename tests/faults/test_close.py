"""A short course of the fault runner and of its control."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_close_equals_an_undisturbed_one_whatever_dies_and_a_naive_task_does_not(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.close", "--size", "3000", "--seed", "1",
         "--faults", "4", "--both"],
        cwd=ROOT,
        env={
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "REDIS_URL", "PYTEST_XDIST_WORKER")
        }
        | {"MLMCRM_DATA_DIR": str(tmp_path), "MLMCRM_ENV": "development"},
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) > 1, f"the runner ended with {done.returncode} and said {done.stdout}"
    report, naive = map(json.loads, lines[-2:])

    assert report["different"] == {}
    assert report["breaks"] == []
    assert sum(report["faults"].values()) >= 4
    assert naive["different"] != {}
    assert naive["paid_times"] > 1
