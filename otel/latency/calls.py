"""How a call went: an error, a throttle, a retry, or none of them although its span is an ERROR."""

from __future__ import annotations

import re
from dataclasses import dataclass

from otel.trace import Span, Status

__all__ = ["Calls", "calls_of", "is_failed", "is_throttled", "retries_of"]

# Of botocore's ClientError only the message tells the code: "An error occurred (ThrottlingException) when calling ...".
CODE = re.compile(r"An error occurred \((\w+)\)")
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


def calls_of(span: Span) -> Calls:
    """One call."""
    throttled = is_throttled(span)
    return Calls(1, int(is_failed(span) and not throttled), int(throttled), retries_of(span))


def is_failed(span: Span) -> bool:
    """Did the call fail? Not if the function's deadline cut it short: a timeout is the request's, not the call's."""
    if span.status is not Status.ERROR or span.provisional or span.attributes.get("lambda.timeout") is True:
        return False
    return not OUTCOMES & _codes(span)


def is_throttled(span: Span) -> bool:
    """Did the callee turn the call away for its rate? Not every 400 of DynamoDB."""
    statuses = (span.attributes.get("http.status_code"), span.attributes.get("http.response.status_code"))
    return 429 in statuses or bool(THROTTLES & _codes(span))


def retries_of(span: Span) -> int:
    """Attempts after the first, as botocore's instrumentation counts them."""
    retries = span.attributes.get("retry_attempts")
    return retries if isinstance(retries, int) and retries > 0 else 0


def _codes(span: Span) -> set[str]:
    texts = [span.status_message, str(span.attributes.get("error.type", ""))]
    for event in span.events:
        if event.name == "exception":
            texts += [str(event.attributes.get(key, "")) for key in ("exception.type", "exception.message")]
    codes = {text.rpartition(".")[2] for text in texts}
    return codes.union(*(CODE.findall(text) for text in texts))
