"""The import jobs of the admin and of the commands: files kept, previewed, run, cancelled."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import audit
from accounts.events import publish
from accounts.imports.errors import FileRefused, ImportRefused
from accounts.imports.kinds import KINDS, ImportKind, Record
from accounts.imports.mapping import Mapping, load_mapping
from accounts.imports.parts import Survey, survey_file
from accounts.imports.reader import open_table, sha256_of
from accounts.imports.report import Report
from accounts.imports.running import Import, Progress, run_import
from accounts.models import ImportJob, User
from mlmcrm.locks import lock_number

logger = structlog.get_logger(__name__)

TRIAL_LINES = 5000
SHOWN_LINES = 20
WAITING = (ImportJob.Status.QUEUED, ImportJob.Status.RUNNING)


class JobRefused(Exception):
    """The import is not in a state for this step, or its file is not what was previewed."""


def folder() -> Path:
    path = Path(settings.DATA_DIR) / "imports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


# From the admin: upload and preview, confirm, run, cancel


def keep_upload(
    *, file: "UploadedFile[bytes]", kind: ImportKind, mapping: str, on_error: str, actor: User
) -> ImportJob:
    """Keep an uploaded file where only the application reads it, and try it out.

    The report holds what the whole file says, and what would become of its first lines; nothing
    is booked. Raises ImportRefused, in which case nothing is kept.
    """
    suffix = ".csv.gz" if (file.name or "").endswith(".gz") else ".csv"
    job = ImportJob.objects.create(
        kind=kind.name,
        file_name=Path(file.name or "upload.csv").name[:200],
        mapping=mapping,
        on_error=on_error,
        created_by=actor,
    )
    path = folder() / f"{job.pk}{suffix}"
    try:
        _write_private(path, file)
        _preview(job, path, kind, actor)
    except Exception:
        path.unlink(missing_ok=True)
        job.delete()
        raise
    return job


def _write_private(path: Path, file: "UploadedFile[bytes]") -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as kept:
        for chunk in file.chunks():
            kept.write(chunk)


def _preview(job: ImportJob, path: Path, kind: ImportKind, actor: User) -> None:
    mapping = load_mapping(kind, job.mapping)
    survey = survey_file(path, mapping, job.file_name)
    trial = run_import(
        Import(
            kind=kind,
            mapping=mapping,
            path=path,
            name=job.file_name,
            on_error="skip",
            is_dry=True,
            actor=actor,
            first_lines=TRIAL_LINES,
        ),
        survey,
    )
    job.file_path = str(path)
    job.file_sha256 = survey.sha256
    job.lines_total = survey.sums.lines
    job.report = trial.as_json() | {"sample": sample(path, mapping, survey, job.file_name)}
    job.save()


def sample(path: Path, mapping: Mapping, survey: Survey, name: str) -> dict[str, Any]:
    """The first lines as they were read: field names, then line number, values, complaint."""
    names = [source.name for source in mapping.sources if source.column]
    lines = []
    with open_table(path, mapping.dialect, encoding=survey.encoding, name=name) as table:
        mapping.bind(table.columns, name)
        for record in _first(table.lines()):
            mapping.fill(record)
            values = [_shown(record.values.get(name)) for name in names]
            reason = record.rejection.reason if record.rejection else ""
            lines.append({"line": record.line, "values": values, "reason": reason})
    headings = [name.replace("_", " ").capitalize() for name in names]
    return {"fields": headings, "lines": lines}


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%d %b %Y, %H:%M}"
    return "" if value is None else str(value)


def _first(lines: Iterator[tuple[int, list[str]]]) -> Iterator[Record]:
    for _, (line, cells) in zip(range(SHOWN_LINES), lines, strict=False):
        yield Record(line, cells)


@transaction.atomic
def confirm_import(*, job: ImportJob, actor: User, sha256: str) -> None:
    """Queue a previewed import. Raises JobRefused when it is not the file that was looked at."""
    job = ImportJob.objects.select_for_update().get(pk=job.pk)
    if job.status != ImportJob.Status.PREVIEWED:
        raise JobRefused(f"This import is {job.get_status_display().lower()}.")
    if not sha256 or sha256 != job.file_sha256:
        raise JobRefused("This is not the file that was previewed. Upload it again.")
    job.status = ImportJob.Status.QUEUED
    job.save(update_fields=["status"])
    transaction.on_commit(partial(send_task, job.pk), robust=True)
    audit.record(
        actor=actor,
        action="import.confirmed",
        target=job,
        after={"file": job.file_name, "sha256": job.file_sha256, "kind": job.kind},
    )


@transaction.atomic
def cancel_import(*, job: ImportJob, actor: User) -> None:
    """Stop an import after the part it is at. What is booked stays booked."""
    job = ImportJob.objects.select_for_update().get(pk=job.pk)
    if job.status not in (ImportJob.Status.PREVIEWED, *WAITING):
        raise JobRefused(f"This import is {job.get_status_display().lower()}.")
    job.status = ImportJob.Status.CANCELLED
    job.finished_at = timezone.now()
    job.save(update_fields=["status", "finished_at"])
    audit.record(actor=actor, action="import.cancelled", target=job)


def send_task(job_id: int) -> None:
    current_app.send_task("accounts.tasks.run_import", [job_id])


def send_waiting() -> None:
    """Send what waits or was cut short again; a job that is being worked on declines."""
    for job_id in (
        ImportJob.objects.filter(status__in=WAITING)
        .exclude(file_path="")
        .values_list("pk", flat=True)
    ):
        send_task(job_id)


def run_job(job_id: int) -> None:
    """Run a queued import, or one that a crash left running, to its end.

    Idempotent, and one at a time: while another process works on the job it does nothing.
    """
    with _alone_with(job_id) as is_alone:
        if not is_alone:
            return
        started = ImportJob.objects.filter(pk=job_id, status__in=WAITING).update(
            status=ImportJob.Status.RUNNING, started_at=Coalesce("started_at", timezone.now())
        )
        if started:
            _run_kept_file(ImportJob.objects.select_related("created_by").get(pk=job_id))


def _run_kept_file(job: ImportJob) -> None:
    path = Path(job.file_path)
    try:
        run_for_job(job, path)
    except ImportRefused:
        logger.info("import_stopped", job=job.pk)
    except OperationalError:
        raise
    except Exception:
        words = "A fault of the application stopped it; its log has the details."
        end_job(job, ImportJob.Status.STOPPED, words, {"error": words})
        raise


@contextmanager
def _alone_with(job_id: int) -> Iterator[bool]:
    """Whether nobody else works on the job; held by the connection, gone when it dies."""
    number = lock_number(f"imports.job.{job_id}")
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(%s)", [number])
        (is_alone,) = cursor.fetchone()
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(%s)", [number])


# Shared with the commands


def open_job(
    *, kind: ImportKind, path: Path, mapping: str, on_error: str, actor: User | None
) -> ImportJob:
    """The job of an import by command; one that was cut short on the same file is taken up."""
    sha256 = sha256_of(path)
    job = ImportJob.objects.filter(
        kind=kind.name,
        file_sha256=sha256,
        mapping=Path(mapping).stem,
        status=ImportJob.Status.RUNNING,
        file_path="",
    ).first()
    job = job or ImportJob(kind=kind.name, file_sha256=sha256, mapping=Path(mapping).stem)
    job.file_name, job.on_error, job.created_by = path.name[:200], on_error, actor
    job.status, job.started_at = ImportJob.Status.RUNNING, timezone.now()
    job.save()
    return job


def run_for_job(
    job: ImportJob,
    path: Path,
    mapping: Mapping | None = None,
    rejects_path: Path | None = None,
    progress: Progress | None = None,
) -> Report:
    """Run the import and keep its progress, outcome and rejects on the job.

    Raises ImportRefused, after noting the reason on the job.
    """
    kind = KINDS[job.kind]
    rejects_path = rejects_path or folder() / f"{job.pk}.rejects.csv"
    ImportJob.objects.filter(pk=job.pk).update(rejects_path=str(rejects_path))
    try:
        if not path.exists() or sha256_of(path) != job.file_sha256:
            raise FileRefused(job.file_name, "this is not the file that was looked at before")
        mapping = mapping or load_mapping(kind, job.mapping)
        survey = survey_file(path, mapping, job.file_name)
        ImportJob.objects.filter(pk=job.pk).update(lines_total=survey.sums.lines)
        report = run_import(
            Import(
                kind=kind,
                mapping=mapping,
                path=path,
                name=job.file_name,
                on_error=job.on_error,
                actor=job.created_by,
                rejects_path=rejects_path,
                progress=progress,
                after_part=lambda report, _: _note_progress(job, report),
            ),
            survey,
        )
    except ImportRefused as error:
        end_job(job, ImportJob.Status.STOPPED, str(error), {"error": str(error)})
        raise
    end_job(job, ImportJob.Status.DONE, report.outcome, report.as_json())
    return report


def _note_progress(job: ImportJob, report: Report) -> bool:
    """Write how far it is, with the part itself; False once somebody cancelled."""
    running = ImportJob.objects.filter(pk=job.pk, status=ImportJob.Status.RUNNING)
    return bool(
        running.update(
            lines_done=report.accounted.lines,
            **{f"lines_{state}": sums.lines for state, sums in report.by_state.items()},
        )
    )


@transaction.atomic
def end_job(job: ImportJob, status: str, outcome: str, report: dict[str, Any]) -> None:
    """Close the job unless it was cancelled, and tell staff and whoever started it."""
    job = ImportJob.objects.select_for_update(of=("self",)).get(pk=job.pk)
    job.report = job.report | report if "error" in report else report
    if job.status != ImportJob.Status.CANCELLED:
        job.status, job.finished_at = status, timezone.now()
    job.save(update_fields=["report", "status", "finished_at"])
    publish(
        "import.finished",
        users=[job.created_by],
        staff=True,
        ref=str(job.pk),
        file=job.file_name,
        outcome=outcome,
    )
    audit.record(actor=job.created_by, action="import.finished", target=job, after={"is": outcome})
