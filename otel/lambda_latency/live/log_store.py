"""The log lines of each invocation, bounded, redacted as spans are."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from lambda_latency.live.bounds import Bounds

LONGEST = 4_096  # characters of a line
MOST_WAITING = 200  # traces beyond the retained requests whose lines are held


@dataclass(slots=True)
class _LogLines:
    lines: list[tuple[str, str]] = field(default_factory=list)
    size: int = 0
    left_out: int = 0


class LogStore:
    """Lines by trace id, each with the name of the function that printed it. Thread-safe."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._lock = threading.Lock()
        self._logs: OrderedDict[str, _LogLines] = OrderedDict()

    def add(self, trace_id: str, function: str, line: str) -> None:
        """Retain a line of an invocation, unless the lines before it reach the bounds."""
        with self._lock:
            log = self._logs.setdefault(trace_id, _LogLines())
            cut = line[:LONGEST]
            if len(log.lines) >= self._bounds.log_lines or log.size + len(cut) > self._bounds.log_bytes:
                log.left_out += 1
            else:
                log.lines.append((function, cut))
                log.size += len(cut)
            while len(self._logs) > self._bounds.requests + MOST_WAITING:
                self._logs.popitem(last=False)

    def lines_of(self, trace_id: str) -> tuple[list[tuple[str, str]], int]:
        """Return the lines of an invocation, redacted, and the number of lines that were left out."""
        from lambda_latency.redaction import Redaction  # a slow import, for a click on a request

        with self._lock:
            log = self._logs.get(trace_id, _LogLines())
            lines, left_out = list(log.lines), log.left_out
        clean = Redaction(None, LONGEST).text
        return [(function, clean(line)) for function, line in lines], left_out
