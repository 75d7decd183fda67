"""How far an import is, for whoever watches it."""

import sys
import time
from typing import TextIO

WIDTH = 30


class Silent:
    def show(self, done: int, total: int) -> None: ...

    def end(self) -> None: ...


class Terminal:
    """A bar on a terminal, now and then a plain line elsewhere. Goes to standard error."""

    def __init__(self, label: str, stream: TextIO | None = None) -> None:
        self._label = label
        self._stream = stream or sys.stderr
        self._is_bar = self._stream.isatty()
        self._start = self._shown = time.monotonic()

    def show(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._shown < (0.1 if self._is_bar else 5.0) and done < total:
            return
        self._shown = now
        share = done / total if total else 1.0
        rate = done / max(now - self._start, 0.001)
        words = f"{self._label}: {done:,} of {total:,} lines, {rate:,.0f}/s"
        if self._is_bar:
            bar = "█" * round(share * WIDTH)
            self._stream.write(f"\r{bar:░<{WIDTH}} {share:4.0%} {words}\033[K")
        else:
            self._stream.write(words + "\n")
        self._stream.flush()

    def end(self) -> None:
        if self._is_bar:
            self._stream.write("\n")
            self._stream.flush()
