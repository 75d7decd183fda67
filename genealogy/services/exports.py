"""Downlines as files: ordered by a reader, made in the background, deleted after some days.

    export = order_export(root=node.distributor, filters={"level": "2"}, columns=[...], actor=user)
    make_export(export.pk)        # by the task, as often as it takes
    delete_old_files()            # by the sweep

The file holds what its reader may see at the moment it is made, in one look at the database. It
is put in its place whole: an attempt that was interrupted leaves nothing and begins again.
"""

import csv
import os
from collections.abc import Generator, Iterable
from contextlib import closing
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import structlog
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from redis import RedisError

from accounts import audit
from accounts.csv_files import as_text
from accounts.events import publish
from accounts.models import User
from genealogy.columns import COLUMNS, Column, asks_contact
from genealogy.forms.explorer import ExplorerForm
from genealogy.models import Distributor, DownlineExport, GenealogyNode
from genealogy.models.export import EXPORT_EDGES
from genealogy.permissions import Scope
from genealogy.queries import Filters, Hit, add_contacts
from mlmcrm.locks import try_advisory_lock
from mlmcrm.transitions import TransitionRefused, advance

logger = structlog.get_logger(__name__)

Status = DownlineExport.Status
TASK = "genealogy.tasks.make_export"
KEPT = timedelta(days=7)
MOST_ATTEMPTS = 3
PART = 2_000
KEEP_SECONDS = 3600


class ExportRefused(Exception):
    """The downline cannot be exported; the message says why."""


class _Stopped(Exception):
    """Somebody cancelled the export while it was made."""


def folder() -> Path:
    path = Path(settings.DATA_DIR) / "exports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def file_of(export: DownlineExport) -> Path:
    return folder() / f"{export.key}.csv"


def order_export(
    *, root: Distributor | None, filters: dict[str, str], columns: list[str], actor: User
) -> DownlineExport:
    """Order a file of the people below a root (everybody for None) to whom the filters apply.

    `filters` are as in the address of the list. The task goes out when this commits. Raises
    ExportRefused while another one is made for the same reader.
    """
    try:
        with transaction.atomic():
            export = DownlineExport.objects.create(
                ordered_by=actor, root=root, filters=filters, columns=columns
            )
            audit.record(
                actor=actor,
                action="downline_export.ordered",
                target=root or export,
                after={"filters": filters, "columns": columns},
            )
            transaction.on_commit(lambda: send(export.pk), robust=True)
    except IntegrityError as error:
        raise ExportRefused(
            "Another export is being made for you already. Wait until it is done."
        ) from error
    return export


def send(export_id: int) -> None:
    current_app.send_task(TASK, args=[export_id])


@transaction.atomic
def cancel_export(*, export: DownlineExport, actor: User) -> DownlineExport:
    """Stop it before it is done. Raises ExportRefused when it has ended."""
    try:
        advance(export, Status.CANCELLED, EXPORT_EDGES, finished_at=timezone.now())
    except TransitionRefused as refused:
        raise ExportRefused("This export has ended already.") from refused
    audit.record(actor=actor, action="downline_export.cancelled", target=export.root or export)
    return export


def waiting_exports() -> list[int]:
    """Exports that are ordered and not done."""
    return list(DownlineExport.objects.under_way().order_by("pk").values_list("pk", flat=True))


def make_export(export_id: int) -> DownlineExport | None:
    """Make the file; None where there is nothing to do or somebody else is at it.

    Safe to run twice. A reader who lost sight of the root since gets `failed` with the reason; a
    broken database connection is raised: the sweep tries again.
    """
    if not _count_attempt(export_id):
        return None
    try:
        return _make(export_id)
    except _Stopped:
        return None
    except OperationalError:
        raise
    except ExportRefused as refused:
        _fail(export_id, str(refused))
    except Exception:
        logger.exception("export broke", export=export_id)
        _fail(export_id, "A fault of the application stopped it; its log has the details.")
    return None


@transaction.atomic
def _count_attempt(export_id: int) -> bool:
    """Note the attempt before it can crash; False when there is nothing to do."""
    if not try_advisory_lock(_lock_name(export_id)):
        return False
    export = DownlineExport.objects.get(pk=export_id)
    if not export.is_under_way:
        return False
    if export.status == Status.QUEUED:
        advance(export, Status.RUNNING, EXPORT_EDGES)
    if export.attempts >= MOST_ATTEMPTS:
        _fail(export_id, f"The export was interrupted {export.attempts} times.")
        return False
    export.attempts += 1
    export.save(update_fields=["attempts"])
    return True


def _lock_name(export_id: int) -> str:
    return f"genealogy.export.{export_id}"


@transaction.atomic
def _make(export_id: int) -> DownlineExport | None:
    if not try_advisory_lock(_lock_name(export_id)):
        return None
    export = DownlineExport.objects.select_related("ordered_by", "root").get(pk=export_id)
    root = _root_in_scope(export)
    path = file_of(export)
    unfinished = path.with_suffix(f".{export.attempts}.part")
    try:
        rows = _write(export, root, unfinished)
        _finish(export, rows, unfinished.stat().st_size)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return export


def _root_in_scope(export: DownlineExport) -> GenealogyNode | None:
    """The node the export begins with, as far as its reader may see it today."""
    scope = Scope(export.ordered_by)
    if export.root is None and scope.sees_all:
        return None
    nodes = scope.nodes([export.root.number]) if export.root else []
    if not nodes or not export.ordered_by.is_active:
        raise ExportRefused("This line is not yours to see any more.")
    return nodes[0]


def may_fetch(export: DownlineExport) -> bool:
    """Whether there is a file, and its reader may still see the line it is about."""
    try:
        _root_in_scope(export)
    except ExportRefused:
        return False
    return export.status == Status.DONE and file_of(export).exists()


def _write(export: DownlineExport, root: GenealogyNode | None, path: Path) -> int:
    columns = [COLUMNS[key] for key in export.columns if key in COLUMNS]
    filters = _filters(export)
    total = filters.within(root).order_by().count()
    nodes = filters.within(root).select_related("distributor__sponsor").order_by("lft")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with (
        os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file,
        closing(_streamed(nodes)) as read,
    ):
        return _write_rows(file, export, columns, root, read, total)


def _streamed(nodes: QuerySet[GenealogyNode]) -> Generator[GenealogyNode, None, None]:
    """Closed with its cursor where the transaction still stands, even when it is cut short."""
    yield from nodes.iterator(PART)


def _write_rows(
    file: TextIO,
    export: DownlineExport,
    columns: list[Column],
    root: GenealogyNode | None,
    nodes: Iterable[GenealogyNode],
    total: int,
) -> int:
    writer = csv.writer(file)
    scope, done = Scope(export.ordered_by), 0
    file.write("\ufeff")
    labels = [_label(column, scope) for column in columns]
    writer.writerow(["Number", "Name", "Level", "Sponsor", *labels])
    depth = root.depth if root else 0
    hits = (Hit(node, node.depth - depth) for node in nodes)
    while part := list(islice(hits, PART)):
        if asks_contact(columns):
            add_contacts(scope, part)
        writer.writerows(_row(hit, columns) for hit in part)
        done += len(part)
        _tell(export, done, total)
    return done


def _label(column: Column, scope: Scope) -> str:
    """The head of a column; where cells stay empty for want of consent it says so."""
    if column.is_contact and not scope.sees_all:
        return f"{column.label} (only of people who agreed to it)"
    return column.label


def _row(hit: Hit, columns: list[Column]) -> list[str]:
    person = hit.distributor
    return [
        as_text(person.number),
        as_text(person.display_name),
        str(hit.distance),
        as_text(person.sponsor.number if person.sponsor else ""),
        *(_cell(column, column.value(hit)) for column in columns),
    ]


def _cell(column: Column, value: Any) -> str:
    if column.kind == "status":
        return str(value.get_status_display())
    if column.kind == "day":
        return str(value.isoformat())
    return str(value) if column.is_number else as_text(value)


def _filters(export: DownlineExport) -> Filters:
    form = ExplorerForm(export.filters)
    if not form.is_valid():
        raise ExportRefused("A filter of this export does not exist any more.")
    return form.filters


def _tell(export: DownlineExport, done: int, total: int) -> None:
    """How far it is, outside the transaction; losing it costs a progress bar."""
    if not DownlineExport.objects.filter(pk=export.pk, status=Status.RUNNING).exists():
        raise _Stopped
    try:
        cache.set(_key(export), (done, total), KEEP_SECONDS)
    except RedisError:
        logger.info("progress not told", export=export.pk)


def progress_of(export: DownlineExport) -> tuple[int, int]:
    """Rows written of an export under way, and of how many; (0, 0) where nobody knows yet."""
    try:
        done, total = cache.get(_key(export)) or (0, 0)
    except RedisError:
        return 0, 0
    return int(done), int(total)


def _key(export: DownlineExport) -> str:
    return f"genealogy.export.{export.pk}"


def _finish(export: DownlineExport, rows: int, size: int) -> None:
    now = timezone.now()
    begins = export.root.number if export.root else "everybody"
    try:
        advance(
            export,
            Status.DONE,
            EXPORT_EDGES,
            rows=rows,
            file_size=size,
            file_name=f"downline-{begins}-{timezone.localdate()}.csv",
            finished_at=now,
            delete_at=now + KEPT,
        )
    except TransitionRefused as refused:
        raise _Stopped from refused
    publish(
        "export.finished",
        users=[export.ordered_by],
        ref=str(export.key),
        outcome=f"{rows:,} people. The file is kept for {KEPT.days} days.",
    )


@transaction.atomic
def _fail(export_id: int, reason: str) -> None:
    export = DownlineExport.objects.select_related("ordered_by").get(pk=export_id)
    if not export.is_under_way:
        return
    if export.status == Status.QUEUED:
        advance(export, Status.RUNNING, EXPORT_EDGES)
    advance(export, Status.FAILED, EXPORT_EDGES, finished_at=timezone.now(), error=reason)
    publish("export.failed", users=[export.ordered_by], ref=str(export.key), reason=reason)


def delete_old_files() -> int:
    """Delete the files whose time is over, and what crashed attempts left; returns how many."""
    now, count = timezone.now(), 0
    for export in DownlineExport.objects.filter(status=Status.DONE, delete_at__lte=now):
        file_of(export).unlink(missing_ok=True)
        advance(export, Status.DELETED, EXPORT_EDGES)
        count += 1
    for path in folder().iterdir():
        if path.stat().st_mtime < (now - KEPT - timedelta(days=1)).timestamp():
            path.unlink(missing_ok=True)
            count += 1
    return count
