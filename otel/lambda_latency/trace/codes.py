"""The error codes of AWS that decide what a failed call was, and where a span tells them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CODES", "EXCEPTION_KEYS", "OUTCOMES", "THROTTLES", "codes_in"]

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
CODES = THROTTLES | OUTCOMES
EXCEPTION_KEYS = ("exception.type", "exception.message")  # of an exception event

# Of botocore's ClientError only the message tells the code: "An error occurred (ThrottlingException) when calling ...".
CODE = re.compile(r"An error occurred \((\w+)\)")


def codes_in(texts: Iterable[str]) -> set[str]:
    """The codes in some texts; the last word of a dotted name counts."""
    codes: set[str] = set()
    for text in texts:
        codes.add(text.rpartition(".")[2])
        codes.update(CODE.findall(text))
    return codes
