"""The outcome of a call: error, throttle, retries, or none of them although the status of its span is ERROR."""

from __future__ import annotations

from dataclasses import dataclass

from lambda_latency.trace import OUTCOMES, THROTTLES, TIMED_OUT, Shape, Status


@dataclass(frozen=True, slots=True)
class Calls:
    """The counts of calls to one part: calls, errors, throttles, and attempts after the first."""

    calls: int = 0
    errors: int = 0
    throttles: int = 0
    retries: int = 0

    def __add__(self, other: Calls) -> Calls:
        return Calls(
            self.calls + other.calls,
            self.errors + other.errors,
            self.throttles + other.throttles,
            self.retries + other.retries,
        )

    def __mul__(self, times: int) -> Calls:
        return Calls(self.calls * times, self.errors * times, self.throttles * times, self.retries * times)


def calls_of(shape: Shape) -> Calls:
    """The counts of one call."""
    throttled = is_throttled(shape)
    return Calls(1, int(is_failed(shape) and not throttled), int(throttled), retries_of(shape))


def is_failed(shape: Shape) -> bool:
    """Whether the call failed.

    A call that the function's deadline cut short did not fail: the request timed out. Error codes in `OUTCOMES`, such
    as a failed condition, are results and no failures.
    """
    if shape.status is not Status.ERROR or shape.is_provisional or shape.roles & TIMED_OUT:
        return False
    return not OUTCOMES & shape.codes


def is_throttled(shape: Shape) -> bool:
    """Whether the callee rejected the call for its rate: status 429 or a throttling code, not every 400 of DynamoDB."""
    statuses = (shape["http.status_code"], shape["http.response.status_code"])
    return 429 in statuses or bool(THROTTLES & shape.codes)


def retries_of(shape: Shape) -> int:
    """The number of attempts after the first, as counted by botocore's instrumentation."""
    retries = shape["retry_attempts"]
    return retries if isinstance(retries, int) and retries > 0 else 0
