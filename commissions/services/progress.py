"""How far a calculation has come, told outside its transaction. Losing it costs a progress bar."""

from dataclasses import dataclass
from time import monotonic

import structlog
from django.core.cache import cache
from redis import RedisError

logger = structlog.get_logger(__name__)

PHASES = {
    "read": "Reading members and volume",
    "compute": "Calculating volumes, ranks and bonuses",
    "write": "Writing lines and standings",
    "index": "Building indexes",
    "check": "Checking the totals",
    "store": "Storing the result",
}
KEEP_SECONDS = 3600


@dataclass(frozen=True)
class Progress:
    """The phase a run is in, and how many of all phases are behind it."""

    phase: str
    done: int

    @property
    def label(self) -> str:
        return PHASES[self.phase]

    @property
    def of(self) -> int:
        return len(PHASES)


class Phases:
    """Tells which phase begins and keeps the seconds each took."""

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id
        self.seconds: dict[str, float] = {}
        self.phase, self.since = "", monotonic()

    def begin(self, phase: str) -> None:
        self.end()
        self.phase = phase
        try:
            cache.set(_key(self.run_id), phase, KEEP_SECONDS)
        except RedisError:
            logger.info("progress not told", run=self.run_id)

    def end(self) -> None:
        now = monotonic()
        if self.phase:
            self.seconds[self.phase] = round(now - self.since, 3)
        self.since = now


def progress_of(run_id: int) -> Progress | None:
    try:
        phase = cache.get(_key(run_id))
    except RedisError:
        return None
    return Progress(phase, list(PHASES).index(phase)) if phase in PHASES else None


def _key(run_id: int) -> str:
    return f"commissions.progress.{run_id}"
