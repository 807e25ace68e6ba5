"""The laptop's trace store: `traces.jsonl`, one OTLP/JSON export request per line, and who watches the system."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambda_latency.files import unwritable, writable_by
from lambda_latency.local.log import open_for_writing
from lambda_latency.trace import Span, spans_of, to_otlp


@dataclass(frozen=True, slots=True)
class Observer:
    """Functions that must return at once, because requests wait for them.

    `line` receives each stored export request as a line of OTLP/JSON, `ended` the trace id of each request and event
    after its spans are stored, `printed` a trace id, a function's name and a line that it printed, and `renewed` is
    called when changed code takes effect.
    """

    line: Callable[[bytes], object] = lambda *_: None
    ended: Callable[[str], object] = lambda *_: None
    printed: Callable[[str, str, str], object] = lambda *_: None
    renewed: Callable[[], object] = lambda *_: None


NOBODY = Observer()
START = re.compile(rb'"startTimeUnixNano":"?(\d+)')  # as the lines of this store have it


class Store:
    """Appends export requests to one file, as whole lines. Thread-safe.

    `line` is called with each line, before the watchers of its spans. A line that cannot be written, as on a full disk,
    is dropped; `failed` receives the first error, and at the end once more.
    """

    def __init__(
        self,
        path: Path,
        failed: Callable[[str], None] = lambda _: None,
        line: Callable[[bytes], object] = lambda _: None,
    ) -> None:
        self.path = path
        self._failed, self._line = failed, line
        self._error = ""
        self._size = 0
        self._lock = threading.Lock()
        self._watchers: list[Callable[[list[Span]], None]] = []
        self._begin_ns = 0  # spans that start earlier are dropped
        self._file = open_for_writing(path)

    def watch(self, watcher: Callable[[list[Span]], None]) -> None:
        """Call `watcher` with the spans of each later export request, on the thread that adds them."""
        self._watchers.append(watcher)

    def add(self, spans: list[Span]) -> None:
        """Append spans of this process."""
        begin_ns = self._begin_ns
        spans = [span for span in spans if span.start_ns >= begin_ns]
        if spans:
            self._write(_line(to_otlp(spans)), spans, begin_ns)

    def add_otlp(self, document: dict[str, Any]) -> None:
        """Append an export request in OTLP/JSON."""
        begin_ns, line = self._begin_ns, _line(document)
        if begin_ns and any(int(start) < begin_ns for start in START.findall(line)):
            self.add(list(spans_of(line, lambda _: None)))
            return
        self._write(line, list(spans_of(line, lambda _: None)) if self._watchers else [], begin_ns)

    def forget(self) -> None:
        """Remove all traces so far. Their spans that arrive later are left out, too: they have started before now."""
        with self._lock:
            self._begin_ns = time.time_ns()
            try:
                self._file.truncate(0)
                self._file.seek(0)
                self._size = 0
            except OSError as error:
                self._fail(error)

    def close(self) -> None:
        with self._lock:
            self._file.close()
        if self._error:
            self._failed(self._error)

    def _write(self, line: bytes, spans: list[Span], begin_ns: int) -> None:
        with self._lock:
            # The system is shutting down, and late spans are dropped; or these were forgotten while the line was made
            if self._file.closed or begin_ns != self._begin_ns:
                return
            try:
                unwritten = memoryview(line)
                while unwritten:
                    unwritten = unwritten[self._file.write(unwritten) :]
                self._size += len(line)
            except OSError as error:
                self._fail(error)
        self._line(line)
        for watcher in self._watchers:
            watcher(spans)

    def _fail(self, error: OSError) -> None:
        with contextlib.suppress(OSError):
            self._file.truncate(self._size)
            self._file.seek(self._size)
        if not self._error:
            self._error = f"{unwritable(self.path, error)}: spans are missing\n  {writable_by(error)}".rstrip()
            self._failed(self._error)


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"
