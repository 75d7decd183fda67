"""Structured logs: one JSON object a line, in files that several processes share and rotate.

app.log has everything, error.log what went wrong, audit.log who did what, slow.log requests over
the limit. No personal data: people appear by key, and what slips into a message is masked.
"""

import fcntl
import logging
import os
import re
from collections.abc import Mapping, MutableMapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "[redacted]"
# A key is private when one of these is a word of it, or the whole of it.
PRIVATE_WORDS = {
    "address", "agent", "account", "aadhaar", "authorization", "birth", "body", "cookie", "email",
    "iban", "ip", "otp", "pan", "passphrase", "password", "phone", "postcode", "query", "secret",
    "session", "sessionid", "signature", "surname", "swift", "token", "username", "vpa",
}  # fmt: skip
PRIVATE_KEYS = {
    "account_holder", "api_key", "date_of_birth", "display_name", "document_number", "first_name",
    "full_name", "holder_name", "kyc_document_number", "last_name", "private_key", "query_string",
    "routing_number", "tax_id", "user_agent",
}  # fmt: skip
# Rows of these tables are named by number, not by what they hold.
HARMLESS_KEYS = {"account_id", "account_kind", "agent_id"}
PATTERNS = (
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"),
    re.compile(r"\b[A-Z]{5}\d{4}[A-Z]\b"),
    re.compile(r"(?<![\w.-])\+?\d(?:[ -]?\d){8,18}(?!\w|[.,-]\d)"),
    re.compile(r"(?<=Key )\([^)]*\)=\([^)]*\)"),
    re.compile(r"(?<=\?)\S+=\S+"),
)
SIZE = 10 * 2**20
FILES = {
    "app": (logging.INFO, 5),
    "error": (logging.ERROR, 10),
    "audit": (logging.INFO, 30),
    "slow": (logging.INFO, 5),
}


def is_private(key: str) -> bool:
    name = key.lower().replace("-", "_")
    if name in HARMLESS_KEYS:
        return False
    return name in PRIVATE_KEYS or not PRIVATE_WORDS.isdisjoint(name.split("_"))


def scrub(value: Any) -> Any:
    """The value without what looks like a mail address, an account or a document number."""
    if isinstance(value, str):
        for pattern in PATTERNS:
            value = pattern.sub(MASK, value)
        return value
    if isinstance(value, Mapping):
        return {
            str(key): MASK if is_private(str(key)) else scrub(item) for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return scrub(str(value))


EXEMPT = {"timestamp", "level", "logger", "request_id", "task_id", "parent_task_id"}


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Drops private keys whole and masks private text inside the others."""
    return {
        key: value if key in EXEMPT else scrub(value)
        for key, value in event.items()
        if not is_private(key)
    }


def drop_bulk(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """What Django and Celery attach for their own handlers has no place in a file."""
    for key in ("request", "data", "args", "kwargs", "result"):
        event.pop(key, None)
    return event


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure() -> None:
    structlog.configure(
        processors=[
            *SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def formatter() -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            drop_bulk,
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(),
        ],
    )


class SharedRotatingFile(RotatingFileHandler):
    """Rotation that several processes may do to the same file: one turns it, the others follow."""

    def __init__(self, filename: Path, backups: int) -> None:
        filename.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(filename, maxBytes=SIZE, backupCount=backups, encoding="utf-8", delay=True)

    def _open(self) -> Any:
        stream = super()._open()
        os.chmod(self.baseFilename, 0o600)
        return stream

    def emit(self, record: logging.LogRecord) -> None:
        self._follow()
        super().emit(record)

    def doRollover(self) -> None:  # noqa: N802
        with open(f"{self.baseFilename}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._follow()
            if os.path.exists(self.baseFilename) and os.path.getsize(self.baseFilename) >= SIZE:
                super().doRollover()

    def _follow(self) -> None:
        """Opens the file anew when another process has turned it."""
        if self.stream is None:
            return
        try:
            here, there = os.fstat(self.stream.fileno()), os.stat(self.baseFilename)
            same = (here.st_ino, here.st_dev) == (there.st_ino, there.st_dev)
        except FileNotFoundError:
            same = False
        if not same:
            self.stream.close()
            self.stream = self._open()


def configuration(folder: Path, *, console_level: str) -> MutableMapping[str, Any]:
    """Django's LOGGING. Everything goes to app.log; audit and slow have a file besides."""
    configure()
    handlers: dict[str, Any] = {
        name: {
            "()": SharedRotatingFile,
            "filename": folder / f"{name}.log",
            "backups": backups,
            "level": level,
            "formatter": "json",
        }
        for name, (level, backups) in FILES.items()
    }
    handlers["console"] = {
        "class": "logging.StreamHandler",
        "level": console_level,
        "formatter": "json",
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": formatter}},
        "handlers": handlers,
        "root": {"handlers": ["app", "error", "console"], "level": "INFO"},
        "loggers": {
            # Django's own handlers mail admins and print to the console; the root has them all.
            "django": {"handlers": [], "propagate": True},
            "audit": {"handlers": ["audit"], "propagate": True},
            "mlmcrm.slow": {"handlers": ["slow"], "propagate": True},
            # The request's own line says it already.
            "django.request": {"level": "ERROR"},
            # Anybody can send a wrong host name.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "uvicorn.access": {"level": "ERROR", "propagate": False},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }
