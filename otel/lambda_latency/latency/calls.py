"""How a call went: an error, a throttle, a retry, or none of them although its span is an ERROR."""

from __future__ import annotations

from dataclasses import dataclass

from lambda_latency.trace import OUTCOMES, THROTTLES, TIMED_OUT, Shape, Status

__all__ = ["Calls", "calls_of", "is_failed", "is_throttled", "retries_of"]


@dataclass(frozen=True, slots=True)
class Calls:
    """Some calls to one part: how many, how many failed, were throttled, and the attempts after the first."""

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
    """One call."""
    throttled = is_throttled(shape)
    return Calls(1, int(is_failed(shape) and not throttled), int(throttled), retries_of(shape))


def is_failed(shape: Shape) -> bool:
    """Whether the call failed. If the function's deadline cut it short, the request timed out, not the call."""
    if shape.status is not Status.ERROR or shape.is_provisional or shape.roles & TIMED_OUT:
        return False
    return not OUTCOMES & shape.codes


def is_throttled(shape: Shape) -> bool:
    """Whether the callee turned the call away for its rate. Not every 400 of DynamoDB."""
    statuses = (shape["http.status_code"], shape["http.response.status_code"])
    return 429 in statuses or bool(THROTTLES & shape.codes)


def retries_of(shape: Shape) -> int:
    """Attempts after the first, as botocore's instrumentation counts them."""
    retries = shape["retry_attempts"]
    return retries if isinstance(retries, int) and retries > 0 else 0
