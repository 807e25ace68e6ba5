"""How a call went: an error, a throttle, a retry, or none of them although its span is an ERROR."""

from __future__ import annotations

from dataclasses import dataclass

from lambda_latency.trace import Span, Status
from lambda_latency.trace.codes import error_codes

__all__ = ["CODES", "Calls", "calls_of", "is_failed", "is_throttled", "retries_of"]

# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
THROTTLES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
# An outcome, not an error: the condition of a conditional write did not hold.
OUTCOMES = frozenset({"ConditionalCheckFailedException"})
CODES = THROTTLES | OUTCOMES  # all that is asked of a span's error codes


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


def calls_of(span: Span) -> Calls:
    """One call."""
    throttled = is_throttled(span)
    return Calls(1, int(is_failed(span) and not throttled), int(throttled), retries_of(span))


def is_failed(span: Span) -> bool:
    """Did the call fail? Not if the function's deadline cut it short: a timeout is the request's, not the call's."""
    if span.status is not Status.ERROR or span.provisional or span.attributes.get("lambda.timeout") is True:
        return False
    return not OUTCOMES & error_codes(span)


def is_throttled(span: Span) -> bool:
    """Did the callee turn the call away for its rate? Not every 400 of DynamoDB."""
    statuses = (span.attributes.get("http.status_code"), span.attributes.get("http.response.status_code"))
    return 429 in statuses or bool(THROTTLES & error_codes(span))


def retries_of(span: Span) -> int:
    """Attempts after the first, as botocore's instrumentation counts them."""
    retries = span.attributes.get("retry_attempts")
    return retries if isinstance(retries, int) and retries > 0 else 0
