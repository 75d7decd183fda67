"""A short course of the fault runner and of its control."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, data_dir: Path) -> dict:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "REDIS_URL", "PYTEST_XDIST_WORKER")
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.close", "--size", "3000", *arguments],
        cwd=ROOT,
        env=environment | {"MLMCRM_DATA_DIR": str(data_dir), "MLMCRM_ENV": "development"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.stdout.strip(), f"the runner ended with {done.returncode} and said nothing"
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_close_equals_an_undisturbed_one_whatever_dies(tmp_path):
    report = run("--seed", "1", "--faults", "4", data_dir=tmp_path)

    assert report["different"] == {}
    assert report["breaks"] == []
    assert sum(report["faults"].values()) >= 4


@pytest.mark.slow
def test_the_runner_finds_out_a_naive_task(tmp_path):
    report = run("--seed", "1", "--faults", "3", "--naive", data_dir=tmp_path)

    assert report["different"] != {}
    assert report["paid_times"] > 1
