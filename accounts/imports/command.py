"""What the four import commands share."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.imports.errors import ImportRefused
from accounts.imports.kinds import KINDS
from accounts.imports.mapping import load_mapping
from accounts.imports.progress import Terminal
from accounts.imports.report import Report
from accounts.imports.running import Import, run_import
from accounts.models import User
from accounts.services.imports import open_job, run_for_job


class ImportCommand(BaseCommand):
    """Imports one file of one kind; says what became of every line."""

    kind: str

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a .csv or .csv.gz file")
        parser.add_argument(
            "--mapping", default="standard", help="the name of a mapping, or a path to a JSON file"
        )
        parser.add_argument(
            "--on-error",
            choices=["stop", "skip"],
            default="stop",
            help="stop at the first bad line, or skip bad lines and keep them in the rejects file",
        )
        parser.add_argument("--rejects", type=Path, help="where to write the rejected lines")
        parser.add_argument("--dry-run", action="store_true", help="the same report, nothing kept")
        parser.add_argument("--actor", help="e-mail address of the user who answers for the import")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = self._run(options)
        except ImportRefused as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            self._say(report, options)

    def _run(self, options: dict[str, Any]) -> Report:
        kind, path = KINDS[self.kind], options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        mapping = load_mapping(kind, options["mapping"])
        actor = self._actor(options["actor"])
        progress = Terminal(kind.label) if options["verbosity"] else None
        if options["dry_run"]:
            return run_import(
                Import(
                    kind=kind,
                    mapping=mapping,
                    path=path,
                    on_error=options["on_error"],
                    is_dry=True,
                    actor=actor,
                    rejects_path=options["rejects"],
                    progress=progress,
                )
            )
        job = open_job(
            kind=kind,
            path=path,
            mapping=options["mapping"],
            on_error=options["on_error"],
            actor=actor,
        )
        self._job = job
        return run_for_job(job, path, mapping, options["rejects"], progress)

    def _actor(self, email: str | None) -> User | None:
        if not email:
            return None
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise CommandError(f"There is no user {email}.")
        return user

    def _say(self, report: Report, options: dict[str, Any]) -> None:
        self.stdout.write(report.as_text(KINDS[self.kind].has_amounts))
        rate = report.accounted.lines / max(report.seconds, 0.001)
        self.stdout.write(f"{report.seconds:.1f} s, {rate:,.0f} lines a second")
        if report.is_dry:
            self.stdout.write("Dry run: nothing was kept.")
        elif not report.by_state["booked"].lines:
            self.stdout.write("Nothing changed.")
        if report.by_state["rejected"].lines:
            path = options["rejects"]
            if not report.is_dry:
                self._job.refresh_from_db(fields=["rejects_path"])
                path = self._job.rejects_path
            if path:
                self.stdout.write(f"Rejected lines: {path}")
