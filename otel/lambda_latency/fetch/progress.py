"""The progress of a fetch: one line on stderr, if that is a terminal, removed before other output."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from typing import TextIO

EVERY_S = 0.1
BAR = 16
CLEAR = "\r\x1b[2K"


class Meter:
    """Counts traces, from any thread, and draws the count, the rate and the remaining time."""

    def __init__(self, out: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._out, self._clock = out, clock
        self._on = out.isatty()
        self._lock = threading.Lock()
        self._begin = self._drawn = clock()
        self._listed = self._fetched = self._waiting = 0
        self._share = 0.0

    def listed(self, count: int, share: float) -> None:
        """Set the number of listed traces, and the share of the time range that was listed."""
        self._listed, self._share = count, share
        self._draw()

    def fetched(self, count: int) -> None:
        """Set the number of fetched traces."""
        self._fetched = count
        self._draw()

    def waiting(self, count: int) -> None:
        """Set the number of traces that are requested again, after all were requested."""
        self._waiting = count
        self._draw()

    def close(self) -> None:
        """Remove the line."""
        with self._lock:
            if self._on:
                self._on = False
                self._out.write(CLEAR)
                self._out.flush()

    def _draw(self) -> None:
        now_s = self._clock()
        if not self._on or now_s - self._drawn < EVERY_S:
            return
        with self._lock:
            if self._on:
                self._drawn = now_s
                width = shutil.get_terminal_size().columns
                self._out.write(CLEAR + self.line(now_s)[: width - 1])
                self._out.flush()

    def line(self, now_s: float) -> str:
        """Return the line: `fetching 1,250 of 20,000 traces  ━━────  430 a second, 0:44 left`."""
        if self._waiting:
            return f"fetching {self._fetched:,} traces, requesting {self._waiting:,} again that were not ready"
        if not self._listed:
            return "listing traces"
        # The total is extrapolated from the listed share, and marked as an estimate until the listing is complete.
        total = self._listed / self._share if self._share else 0.0
        about = "" if self._share >= 1 else "about "
        words = f"fetching {self._fetched:,}" + (f" of {about}{round(total):,}" if total else "") + " traces"
        rate = self._fetched / max(now_s - self._begin, 1e-9)
        if total:
            done = min(1.0, self._fetched / total)
            words += "  " + ("━" * round(BAR * done)).ljust(BAR, "─")
        words += f"  {rate:,.0f} a second"
        if total and rate:
            left_s = round(max(0.0, total - self._fetched) / rate)
            words += f", {left_s // 60}:{left_s % 60:02} left"
        return words
