"""The account of one request: its wall clock, divided among parts to the nanosecond."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lambda_latency.latency.calls import Calls
    from lambda_latency.latency.part import Part

__all__ = ["Account"]


class Account(NamedTuple):
    """One request: `parts`, the largest first, add up to `wall_ns` exactly; `calls` counts those off the path too.

    `took` has the length of each call in nanoseconds, waited for or not, in the order of length. `flaws` are the bits
    of `kind`.
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
