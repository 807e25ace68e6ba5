"""The verdict on the requests of a page's window, renewed while they happen, on one thread for all pages."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from lambda_latency.latency import report_of
from lambda_latency.text import Style, flat, paragraphs, timeout_groups, timeout_sentence

if TYPE_CHECKING:
    from lambda_latency.latency import Report
    from lambda_latency.live.stream import Stream

LEAST_S = 1.0  # between two verdicts
SHARE = 600  # a verdict is renewed after so many times the processor time that it takes
MOST_S = 30.0
STYLE = Style(thin=False)
MOST_PARAGRAPHS = 14


class Window(NamedTuple):
    """The requests of the last minutes (0: all that are kept) that came after the row with a number."""

    minutes: int = 15
    after: int = 0


class Verdicts:
    """The verdicts of the windows that connected pages show. Thread-safe."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._changed = threading.Condition()
        self._wanted: dict[Window, int] = {}
        self._told: dict[Window, tuple[int, bytes]] = {}
        self._version = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="verdict", daemon=True)

    def start(self) -> None:
        """Begin to judge."""
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def add(self, window: Window) -> None:
        """A page shows this window from now on."""
        with self._changed:
            self._wanted[window] = self._wanted.get(window, 0) + 1
            self._changed.notify_all()

    def remove(self, window: Window) -> None:
        """The page is gone."""
        with self._changed:
            self._wanted[window] -= 1
            if not self._wanted[window]:
                del self._wanted[window]
                self._told.pop(window, None)

    def newer(self, window: Window, version: int) -> tuple[int, bytes] | None:
        """The verdict of a window as JSON, with its version; None if it is not newer."""
        with self._changed:
            told = self._told.get(window)
        return told if told is not None and told[0] > version else None

    def _run(self) -> None:
        seen = -1
        known: set[Window] = set()
        while not self._stop.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._stop.is_set())
                wanted = set(self._wanted)
            if self._stream.last == seen and wanted == known:
                self._stream.after(seen, LEAST_S)  # an old window loses requests without new ones
                with self._changed:
                    same = wanted == set(self._wanted)
                if self._stream.last == seen and same and not self._stop.is_set():
                    continue
            seen, known = self._stream.last, wanted
            begun = time.thread_time()
            for window in wanted:
                told = self._judged(window)
                with self._changed:
                    if window in self._wanted and (window not in self._told or self._told[window][1] != told):
                        self._version += 1
                        self._told[window] = (self._version, told)
            wait_s = min(max(LEAST_S, SHARE * (time.thread_time() - begun)), MOST_S)
            self._pause(wait_s, known)

    def _pause(self, limit_s: float, known: set[Window]) -> None:
        """Wait, but not longer than until a page shows another window."""
        with self._changed:
            self._changed.wait_for(lambda: self._stop.is_set() or not self._wanted.keys() <= known, limit_s)

    def _judged(self, window: Window) -> bytes:
        report = report_on(self._stream, window)
        if report is None:
            return b'{"requests":0}'
        return msgspec.json.encode(
            {
                "requests": report.totals.requests,
                "paragraphs": [flat(one) for one in paragraphs(report, STYLE)[:MOST_PARAGRAPHS]],
                "timeouts": [flat(timeout_sentence(one, report, STYLE)) for one in timeout_groups(report)],
            }
        )


def report_on(stream: Stream, window: Window) -> Report | None:
    """The report on a window; None without a request."""
    some, _ = stream.accounts(stream.range_of(*window))
    if not some:
        return None
    owners = stream.terms.owners.settle(some)
    return report_of(some, stream.find, owners=owners)
