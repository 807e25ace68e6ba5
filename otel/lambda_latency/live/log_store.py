"""The printed lines of each invocation, bounded, without the secrets that are removed from spans."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_latency.live.bounds import Bounds

LONGEST = 4_096  # characters of a line
MOST_WAITING = 200  # traces beyond the kept requests whose lines are held


@dataclass(slots=True)
class _Lines:
    lines: list[tuple[str, str]] = field(default_factory=list)
    size: int = 0
    left_out: int = 0


class LogStore:
    """Lines by trace id, each with the name of the function that printed it. Thread-safe."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._lock = threading.Lock()
        self._of: OrderedDict[str, _Lines] = OrderedDict()

    def add(self, trace_id: str, function: str, line: str) -> None:
        """Keep a line of an invocation, the first ones up to the bounds."""
        with self._lock:
            found = self._of.setdefault(trace_id, _Lines())
            cut = line[:LONGEST]
            if len(found.lines) >= self._bounds.log_lines or found.size + len(cut) > self._bounds.log_bytes:
                found.left_out += 1
            else:
                found.lines.append((function, cut))
                found.size += len(cut)
            while len(self._of) > self._bounds.requests + MOST_WAITING:
                self._of.popitem(last=False)

    def of(self, trace_id: str) -> tuple[list[tuple[str, str]], int]:
        """The lines of an invocation, redacted, and the number of those that were left out."""
        from lambda_latency.runtime.redact import Redaction  # a slow import, for a click on a request

        with self._lock:
            found = self._of.get(trace_id, _Lines())
            lines, left_out = list(found.lines), found.left_out
        clean = Redaction(None, LONGEST).text
        return [(function, clean(line)) for function, line in lines], left_out
