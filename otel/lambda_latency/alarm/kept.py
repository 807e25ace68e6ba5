"""The traces of this machine's last hour as an account to fetch from, and records of messages in memory."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from lambda_latency.alarm.evidence import BEFORE_NS
from lambda_latency.fetch import Fetched, NothingFoundError, Result
from lambda_latency.trace import dump_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import TextIO

    from lambda_latency.fetch import Asked
    from lambda_latency.trace import Trace

__all__ = ["Kept", "Remembered"]

MOST = 2000
KEPT_NS = BEFORE_NS + 10 * 60 * 1_000_000_000  # the hour before a window, and the window


class Kept:
    """The newest traces of the last 70 minutes, at most `MOST`; `name` is where messages say that they come from."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._traces: deque[Trace] = deque(maxlen=MOST)

    def __len__(self) -> int:
        return len(self._traces)

    def add(self, trace: Trace) -> None:
        """Keeps a trace, and drops those that no explanation from now on can need."""
        self._traces.append(trace)
        while self._traces[0].outermost.start_ns < trace.outermost.start_ns - KEPT_NS:
            self._traces.popleft()

    def fetch(self, asked: Asked, path: Path, _err: TextIO, *, waits_s: Sequence[float]) -> Result:
        """Writes the selected traces, the newest first. Raises `NothingFoundError`."""
        del waits_s  # the traces are complete
        slower_ns = asked.choice.slower_ns
        found = [
            one
            for one in reversed(self._traces)
            if asked.since_ns <= one.outermost.start_ns < asked.until_ns
            and (slower_ns is None or (one.outermost.end_ns or 0) - one.outermost.start_ns > slower_ns)
        ][: asked.most]
        if not found:
            raise NothingFoundError("no trace of this time is kept")
        path.write_text("".join(dump_line(one.spans) for one in found), "utf-8")
        return Result(path, asked, "", Fetched(traces=len(found)), self._name)


class Remembered:
    """Records of messages, of one thread."""

    def __init__(self) -> None:
        self._changes: dict[str, frozenset[str]] = {}
        self._notes: dict[str, dict[str, Any]] = {}

    def claim(self, identity: str) -> frozenset[str] | None:
        """The sinks that received a change."""
        return self._changes.get(identity, frozenset())

    def told(self, identity: str, heard: frozenset[str], *, done: bool) -> None:
        """Records the sinks that received a change."""
        del done
        self._changes[identity] = heard

    def release(self, identity: str, heard: frozenset[str]) -> None:
        """Records the sinks that received a change whose other sinks failed."""
        self._changes[identity] = heard

    def read(self, name: str) -> dict[str, Any]:
        """The record of a name; empty if there is none."""
        return self._notes.get(name, {})

    def change(self, name: str, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Edits a record. Returns the old one."""
        before = self.read(name)
        self._notes[name] = edit(dict(before))
        return before
