"""The course of one import."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.db import transaction

from accounts.imports.bulk import count_anew
from accounts.imports.errors import ImportStopped
from accounts.imports.kinds import ImportKind, Part, Record
from accounts.imports.mapping import Mapping
from accounts.imports.parts import PART_SIZE, Measure, Survey, cut, survey_file
from accounts.imports.progress import Silent
from accounts.imports.reader import Table, open_table
from accounts.imports.report import Rejects, Report
from accounts.models import User
from mlmcrm.locks import advisory_lock


class Progress(Protocol):
    def show(self, done: int, total: int) -> None: ...

    def end(self) -> None: ...


@dataclass
class Import:
    """What is asked for. `after_part` runs in each part's transaction; False from it ends the run
    after that part. `first_lines` bounds a trial."""

    kind: ImportKind
    mapping: Mapping
    path: Path
    name: str = ""
    on_error: str = "stop"
    is_dry: bool = False
    actor: User | None = None
    rejects_path: Path | None = None
    part_size: int = PART_SIZE
    first_lines: int | None = None
    progress: Progress | None = None
    after_part: Callable[[Report, int], bool] | None = None


def run_import(wanted: Import, survey: Survey | None = None) -> Report:
    """Book a file part by part, each in its own transaction, and account for every line.

    Idempotent: what the books have already is left as it is, so running it again completes what a
    crash cut short. Dry, everything is done and rolled back. Raises ImportRefused for the file as
    a whole and ImportStopped at the first bad line unless `on_error` is skip; parts before it
    stay booked.
    """
    started = time.monotonic()
    survey = survey or survey_file(wanted.path, wanted.mapping, wanted.name)
    report = Report(survey.sums, is_dry=wanted.is_dry)
    with (
        open_table(
            wanted.path, wanted.mapping.dialect, encoding=survey.encoding, name=wanted.name
        ) as table,
        Rejects(wanted.rejects_path, survey.columns) as rejects,
        _undone_if(wanted.is_dry),
    ):
        wanted.mapping.bind(table.columns, table.name)
        _book_all(wanted, table, survey, report, rejects)
        if wanted.kind.finish:
            with transaction.atomic():
                wanted.kind.finish(wanted.actor)
        count_anew(wanted.kind.tables)
    report.seconds = time.monotonic() - started
    report.prove()
    return report


def _book_all(
    wanted: Import, table: Table, survey: Survey, report: Report, rejects: Rejects
) -> None:
    progress = wanted.progress or Silent()
    memory: dict[str, object] = {}
    waiting: list[Record] = []
    records = _records(table, wanted, report)
    parts = cut(records, survey.scattered, wanted.mapping.group_place, wanted.part_size)
    for lines in parts:
        part = _part(wanted, waiting + lines, memory)
        waiting = _book(wanted, part, report, rejects)
        progress.show(report.accounted.lines, survey.sums.lines)
        if report.is_partial:
            break
    if waiting and not report.is_partial:
        part = _part(wanted, waiting, memory)
        part.is_last = True
        _book(wanted, part, report, rejects)
    progress.show(report.accounted.lines, survey.sums.lines)
    progress.end()


def _records(table: Table, wanted: Import, report: Report) -> Iterator[Record]:
    for count, (line, cells) in enumerate(table.lines()):
        if count == wanted.first_lines:
            report.is_partial = True
            return
        yield Record(line, cells)


def _part(wanted: Import, records: list[Record], memory: dict[str, object]) -> Part:
    return Part(records, wanted.mapping, wanted.actor, is_dry=wanted.is_dry, memory=memory)


def _book(wanted: Import, part: Part, report: Report, rejects: Rejects) -> list[Record]:
    """One part in one transaction; returns the records that wait for a later part."""
    with transaction.atomic():
        advisory_lock(f"imports.{wanted.kind.name}")
        _fill(part)
        wanted.kind.book(part)
        postponed = {id(record) for record in part.postponed}
        done = [record for record in part.records if id(record) not in postponed]
        rejects.write(done)
        if wanted.on_error == "stop":
            _stop_at_first(done, wanted)
        report.add(done)
        if wanted.after_part and not wanted.after_part(report, len(done)):
            report.is_partial = True
    return part.postponed


def _fill(part: Part) -> None:
    """Read the cells of lines that are new to the run, and what stands on each."""
    measure = Measure(part.mapping)
    for record in part.records:
        if record.values or record.rejection:
            continue
        part.mapping.fill(record)
        record.quantity, record.amount = measure.of(record)


def _stop_at_first(records: list[Record], wanted: Import) -> None:
    for record in records:
        if record.rejection:
            name = wanted.name or wanted.path.name
            column = f", column {record.rejection.column}" if record.rejection.column else ""
            raise ImportStopped(f"{name}, line {record.line}{column}: {record.rejection.reason}")


@contextmanager
def _undone_if(is_dry: bool) -> Iterator[None]:
    """For a dry run: one transaction around everything, rolled back at the end."""
    if not is_dry:
        yield
        return
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
