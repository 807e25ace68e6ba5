"""The laptop's trace store: `traces.jsonl`, one OTLP/JSON export request a line, and who wants to see spans arrive."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lambda_latency.local.log import open_for_writing
from lambda_latency.trace import Span, to_otlp
from lambda_latency.trace.otlp import spans_of

__all__ = ["Store"]


class Store:
    """Appends to one file, from any thread. A reader of the file may see it grow; each line is written whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._watchers: list[Callable[[list[Span]], None]] = []
        self._file = open_for_writing(path)

    def watch(self, watcher: Callable[[list[Span]], None]) -> None:
        """Call `watcher` with the spans of each export request from now on, on the thread that brought them."""
        self._watchers.append(watcher)

    def add(self, spans: list[Span]) -> None:
        """Keep spans that were made in this process."""
        self._write(to_otlp(spans), spans)

    def add_otlp(self, document: dict[str, Any]) -> None:
        """Keep an export request that came in OTLP/JSON's form."""
        self._write(document, list(spans_of(document, lambda _: None)) if self._watchers else [])

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _write(self, document: dict[str, Any], spans: list[Span]) -> None:
        line = json.dumps(document, separators=(",", ":")) + "\n"
        with self._lock:
            if self._file.closed:  # the system is going down; what still arrives belongs to nobody
                return
            self._file.write(line)
            self._file.flush()
        for watcher in self._watchers:
            watcher(spans)
