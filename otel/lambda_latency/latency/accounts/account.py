"""The account of one request: its wall clock divided among parts, exact to the nanosecond."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.calls import Calls
    from lambda_latency.latency.accounts.part import Part

__all__ = ["Account"]


class Account(NamedTuple):
    """One request. `parts` are sorted by time, the largest first; their nanoseconds add up to `wall_ns` exactly.

    `calls` counts all calls of the request, also those outside the critical path. `took` holds their durations by part,
    in nanoseconds, sorted ascending. `flaws` is a bit mask of the constants in `kind`.
    """

    trace_id: str
    route: str
    function: str
    status_code: int | None
    start_ns: int
    wall_ns: int
    parts: tuple[tuple[Part, int], ...]
    calls: tuple[tuple[Part, Calls], ...]
    took: tuple[tuple[Part, tuple[int, ...]], ...]
    cold_start: bool
    error: bool
    timed_out: bool
    flaws: int = 0
