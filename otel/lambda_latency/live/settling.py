"""Traces that may still grow, and the moment at which each is shown as a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambda_latency.live.ring import Line
    from lambda_latency.trace import Row

LATE_S = 0.25
MOST_WAIT_S = 10.0


@dataclass(slots=True)
class Open:
    """A trace that may still grow: its lines, and the time at which it is due."""

    due: float
    lines: list[Line] = field(default_factory=list)


class Settling:
    """Open traces. A trace is due `whole_s` after its last span if it has its root and all parents, else `quiet_s`.

    The sender's own knowledge of the end (`end`) is better: with it, both may be long. Not thread-safe.
    """

    def __init__(self, quiet_s: float, whole_s: float) -> None:
        self._quiet_s, self._whole_s = quiet_s, whole_s
        self._open: dict[str, Open] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, trace_id: str, line: Line, now: float, *, whole: bool, shown: int) -> None:
        """A line of a trace has arrived. A trace that was `shown` before waits longer each time."""
        first = self._whole_s if whole else self._quiet_s
        wait = min(LATE_S * 2**shown, MOST_WAIT_S) if shown else first
        found = self._open.get(trace_id)
        if found is None:
            found = self._open[trace_id] = Open(now + wait)
        found.lines.append(line)
        found.due = now + wait

    def end(self, trace_ids: Iterable[str]) -> None:
        """These traces have ended: they are due now."""
        for trace_id in trace_ids:
            if trace_id in self._open:
                self._open[trace_id].due = 0.0

    def due(self, now: float, most: int) -> Iterator[tuple[str, Open]]:
        """Take out the traces that are due, and those beyond the `most` that may be open, the oldest first."""
        ready = [trace_id for trace_id, one in self._open.items() if one.due <= now]
        for trace_id in ready:
            yield trace_id, self._open.pop(trace_id)
        while len(self._open) > most:
            trace_id = next(iter(self._open))
            yield trace_id, self._open.pop(trace_id)

    def oldest(self) -> tuple[str, Open] | None:
        """Take out the oldest open trace."""
        trace_id = next(iter(self._open), None)
        return None if trace_id is None else (trace_id, self._open.pop(trace_id))

    def wait_s(self, now: float) -> float | None:
        """The time until the next trace is due; None without open traces."""
        return max(0.0, min(one.due for one in self._open.values()) - now) if self._open else None


def is_whole(rows: list[Row]) -> bool:
    """Whether a trace has its root, and the parent of each span."""
    known = {row.span_id for row in rows}
    return any(not row.parent_id for row in rows) and all(not row.parent_id or row.parent_id in known for row in rows)
