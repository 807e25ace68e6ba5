"""The account of one request: its wall clock divided among parts, exact to the nanosecond."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.calls import Calls
    from lambda_latency.latency.accounts.part import Cell, Part

# Bits of `flaws`: the reasons why an account is less certain.
SKEWED = 1  # the clocks of services differed and were corrected
ABSENT_PARENT = 2  # the common parent of several spans was not recorded
LEFT_OUT = 4  # spans of the trace are outside the request, because their parent was not recorded
RUNS_ON = 8  # work ends later after the request than the request is long
FLOW = 32  # a message of the request was processed by a consumer, which the request did not wait for
CLIENT_TIMEOUTS = 64  # a client ended a call, because it took too long
OPEN = 16  # the span of the request has no end, and not because of a timeout


class Kind(NamedTuple):
    """The properties of a request besides its times. Requests have few different kinds."""

    route: str
    function: str
    status_code: int | None
    cold_start: bool
    error: bool
    timed_out: bool
    flaws: int = 0


class Operation(NamedTuple):
    """The spans of one service and name in a request, and the set of what they call: spans directly below them."""

    service: str
    name: str
    callees: tuple[str, ...]


class Account(NamedTuple):
    """One request. `cells` are sorted by time, the largest first; their nanoseconds add up to `wall_ns` exactly.

    `cell_calls` counts all calls of the request, also those outside the critical path. `took` holds their durations by
    cell, in nanoseconds, sorted ascending. `flaws` is a bit mask of the constants above. `outline` has each
    operation with what it calls; it is empty if the source does not keep spans.
    """

    trace_id: str
    route: str
    function: str
    status_code: int | None
    start_ns: int
    wall_ns: int
    cells: tuple[tuple[Cell, int], ...]
    cell_calls: tuple[tuple[Cell, Calls], ...]
    took: tuple[tuple[Cell, tuple[int, ...]], ...]
    cold_start: bool
    error: bool
    timed_out: bool
    flaws: int = 0
    outline: tuple[Operation, ...] = ()

    @property
    def parts(self) -> tuple[tuple[Part, int], ...]:
        """The time of each part, whoever waits for it; the largest first."""
        sums: dict[Part, int] = {}
        for cell, ns in self.cells:
            sums[cell.part] = sums.get(cell.part, 0) + ns
        return tuple(sorted(sums.items(), key=lambda one: (-one[1], one[0])))

    @property
    def calls(self) -> tuple[tuple[Part, Calls], ...]:
        """The calls of each part, whoever made them."""
        counts: dict[Part, Calls] = {}
        for cell, calls in self.cell_calls:
            counts[cell.part] = counts[cell.part] + calls if cell.part in counts else calls
        return tuple(sorted(counts.items(), key=lambda one: one[0]))
