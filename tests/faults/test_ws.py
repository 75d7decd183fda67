"""The fault runner for live events passes, and its mutant does not."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.ws", "--clients", "10", "--events", "20", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )


@pytest.mark.slow
def test_nothing_is_lost_when_web_and_valkey_are_killed() -> None:
    trial = run()

    assert trial.returncode == 0, trial.stdout + trial.stderr
    assert "10 clients, 20 events each: 0 lost, 0 shown out of order or twice" in trial.stdout


@pytest.mark.slow
def test_payloads_over_the_channel_layer_are_lost() -> None:
    trial = run("--mutant", "--settle", "2")

    assert trial.returncode == 1, trial.stdout + trial.stderr
    assert " 0 lost" not in trial.stdout
