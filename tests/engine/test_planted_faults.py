"""The worked examples can tell: each fault of the table makes the example of its rule fail."""

from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.engine.planted_faults import FAULTS, Fault
from tests.engine.planting import WRONG, run_into

# Each trial is forked from a process that knows the libraries and nothing of the engine.
TRIALS = get_context("forkserver")
TRIALS.set_forkserver_preload(["pytest", "numpy", "hypothesis.strategies"])


def examples(folder: Path, fault: Fault | None = None) -> tuple[int | None, str]:
    """The exit code of the examples, with the fault in the engine, and what was printed."""
    output = folder / "output"
    trial = TRIALS.Process(target=run_into, args=(str(output), fault))
    trial.start()
    trial.join(120)
    code = trial.exitcode
    trial.kill()
    trial.join()
    return code, output.read_text()


def test_without_a_fault_every_example_passes(tmp_path: Path):
    code, printed = examples(tmp_path)

    assert code == 0, printed


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_fails_the_example_of_its_rule(fault: Fault, tmp_path: Path):
    code, printed = examples(tmp_path, fault)

    assert code == WRONG, printed
    assert f"FAILED {fault.test}" in printed
