"""The fault runner for live events passes, and its mutant does not."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_nothing_is_lost_when_web_and_valkey_are_killed_but_payloads_over_the_layer_are() -> None:
    trial = subprocess.run(
        [sys.executable, "-m", "tests.faults.ws", "--clients", "10", "--events", "20", "--both"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )

    assert trial.returncode == 0, trial.stdout + trial.stderr
    product, mutant = trial.stdout.splitlines()[-2:]
    assert "10 clients, 20 events each: 0 lost, 0 shown out of order or twice" in product
    assert " 0 lost" not in mutant
