"""The AWS error codes that rules look for, and where a span holds them."""

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
# An outcome, not an error: the condition of a conditional write was false.
OUTCOMES = frozenset({"ConditionalCheckFailedException"})
CODES = THROTTLES | OUTCOMES
EXCEPTION_KEYS = ("exception.type", "exception.message")  # the attributes of an exception event that may hold a code

# botocore's ClientError holds the code only in its message: "An error occurred (ThrottlingException) when calling ...".
CODE = re.compile(r"An error occurred \((\w+)\)")


def codes_in(texts: Iterable[str]) -> set[str]:
    """All words that may be error codes: the last dotted part of each text, and the codes in botocore's messages."""
    codes: set[str] = set()
    for text in texts:
        codes.add(text.rpartition(".")[2])
        codes.update(CODE.findall(text))
    return codes
