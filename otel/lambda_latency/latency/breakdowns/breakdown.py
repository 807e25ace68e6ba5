"""The breakdown of one request: its wall clock divided among components, exact to the nanosecond, and its calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from lambda_latency.latency.breakdowns.component import Component, Edge
from lambda_latency.trace import OUTCOMES, THROTTLES, TIMED_OUT, Signature, Status


@dataclass(frozen=True, slots=True)
class Calls:
    """The counts of calls to one component: calls, errors, throttles, and attempts after the first."""

    calls: int = 0
    errors: int = 0
    throttles: int = 0
    retries: int = 0

    def __add__(self, calls: Calls) -> Calls:
        return Calls(
            self.calls + calls.calls,
            self.errors + calls.errors,
            self.throttles + calls.throttles,
            self.retries + calls.retries,
        )

    def __mul__(self, times: int) -> Calls:
        return Calls(self.calls * times, self.errors * times, self.throttles * times, self.retries * times)


def calls_of(shape: Signature) -> Calls:
    """Return the counts of one call. The attempts of a step after its first are retries."""
    throttled = is_throttled(shape)
    number = shape["durable.attempt.number"]
    if isinstance(number, int) and number > 1:
        return Calls(0, int(is_failed(shape)), 0, 1)
    return Calls(1, int(is_failed(shape) and not throttled), int(throttled), retries_of(shape))


def is_failed(shape: Signature) -> bool:
    """Return whether the call failed.

    A call that the function's deadline cut short did not fail: the request timed out. Error codes in `OUTCOMES`, such
    as a failed condition, are results and no failures.
    """
    if shape.status is not Status.ERROR or shape.is_provisional or shape.roles & TIMED_OUT:
        return False
    return not OUTCOMES & shape.codes


def is_throttled(shape: Signature) -> bool:
    """Return whether the callee rejected the call for its rate: status 429 or a throttling code, not any 400."""
    statuses = (shape["http.status_code"], shape["http.response.status_code"])
    return 429 in statuses or bool(THROTTLES & shape.codes)


def http_status(shape: Signature) -> int:
    """Return the HTTP status of the call's response; 0 if it is not recorded."""
    code = shape["http.response.status_code"] or shape["http.status_code"]
    return code if isinstance(code, int) else 0


def retries_of(shape: Signature) -> int:
    """Return the number of attempts after the first, as counted by botocore's instrumentation."""
    retries = shape["retry_attempts"]
    return retries if isinstance(retries, int) and retries > 0 else 0


class Flaw:
    """Bits of `flaws`: the reasons why a breakdown is less certain."""

    SKEWED = 1  # the clocks of services differed and were corrected
    ABSENT_PARENT = 2  # the common parent of several spans was not recorded
    # Spans of the trace are outside the request, because their parent was not recorded
    LEFT_OUT = 4
    # Work ends later after the request than the request is long
    RUNS_ON = 8
    # A message of the request was processed by a consumer, which the request did not wait for
    FLOW = 32
    CLIENT_TIMEOUTS = 64  # a client ended a call, because it took too long
    # The span of the request has no end, and not because of a timeout
    OPEN = 16


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


class Breakdown(NamedTuple):
    """One request. `edges` are sorted by time, the largest first; their nanoseconds add up to `wall_ns` exactly.

    `edge_calls` counts all calls of the request, also those outside the critical path; `durations_ns` are sorted
    ascending. `flaws` is a bit mask of `Flaw`. `outline` is empty if the source does not keep spans.
    """

    trace_id: str
    route: str
    function: str
    status_code: int | None
    start_ns: int
    wall_ns: int
    edges: tuple[tuple[Edge, int], ...]
    edge_calls: tuple[tuple[Edge, Calls], ...]
    durations_ns: tuple[tuple[Edge, tuple[int, ...]], ...]
    cold_start: bool
    error: bool
    timed_out: bool
    flaws: int = 0
    outline: tuple[Operation, ...] = ()

    @property
    def kind(self) -> Kind:
        """The properties besides its times."""
        outcome = self.cold_start, self.error, self.timed_out
        return Kind(self.route, self.function, self.status_code, *outcome, self.flaws)

    @property
    def components(self) -> tuple[tuple[Component, int], ...]:
        """The time of each component, whoever waits for it; the largest first."""
        sums: dict[Component, int] = {}
        for edge, ns in self.edges:
            sums[edge.component] = sums.get(edge.component, 0) + ns
        return tuple(sorted(sums.items(), key=lambda component_and_ns: (-component_and_ns[1], component_and_ns[0])))

    @property
    def calls(self) -> tuple[tuple[Component, Calls], ...]:
        """The calls of each component, whoever made them."""
        counts: dict[Component, Calls] = {}
        for edge, calls in self.edge_calls:
            counts[edge.component] = counts[edge.component] + calls if edge.component in counts else calls
        return tuple((component, counts[component]) for component in sorted(counts))
