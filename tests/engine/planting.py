"""Runs the test of one planted fault against the engine with that fault in it.

    python -m tests.engine.planting "the next step's rate"      one fault, and the test it must fail
    python -m tests.engine.planting                             no fault: all of those tests

The fault is put into the source as it is imported; no file is written, and no compiled one read.
Exit code 0: everything passed. 1: a result was wrong. 3: something else went wrong, which proves
nothing about the test. It runs without the project's settings, servers and plugins: the engine
needs none of them.
"""

import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from tests.engine.planted_faults import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[2]
WRONG, BROKEN = 1, 3


class Planting(MetaPathFinder):
    """Finds the faulty module in place of the sound one."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path)
        if name == f"commissions.engine.{self.fault.module}" and spec and spec.origin:
            spec.loader = Planted(name, spec.origin, self.fault)
        return spec


class Planted(SourceFileLoader):
    """Reads the source, never what was compiled of it before, and changes it."""

    def __init__(self, name: str, path: str, fault: Fault) -> None:
        super().__init__(name, path)
        self.fault = fault

    def get_code(self, fullname: str) -> CodeType:
        sound, fault = self.get_source(fullname) or "", self.fault
        if sound.count(fault.sound) != 1:
            raise ImportError(f"{fault.name}: not once in {fullname}")
        return self.source_to_code(sound.replace(fault.sound, fault.faulty).encode(), self.path)


class Verdict:
    """Tells a wrong result from an error."""

    def __init__(self) -> None:
        self.broken = False

    def pytest_exception_interact(self, call: pytest.CallInfo[Any]) -> None:
        wrong = (AssertionError, pytest.fail.Exception)
        self.broken |= call.excinfo is None or not call.excinfo.errisinstance(wrong)


def run(fault: Fault | None) -> int:
    os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    tests = sorted({known.test for known in FAULTS}) if fault is None else [fault.test]
    if fault is not None:
        sys.meta_path.insert(0, Planting(fault))
    verdict = Verdict()
    options = ["-c", os.devnull, "--rootdir", str(ROOT), "--noconftest", "-p", "no:cacheprovider"]
    style = ["--import-mode=importlib", "--assert=plain", "-W", "error", "-q", "--tb=short"]
    code = pytest.main([*options, *style, *tests], plugins=[verdict])
    return BROKEN if verdict.broken or code not in (0, WRONG) else int(code)


def run_into(output: str, fault: Fault | None) -> None:
    """The same as a process of its own, with what it prints in a file."""
    with open(output, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(ROOT)
    sys.exit(run(fault))


if __name__ == "__main__":
    os.chdir(ROOT)
    named = {fault.name: fault for fault in FAULTS}
    sys.exit(run(named[sys.argv[1]] if len(sys.argv) > 1 else None))
