"""The AWS error codes that rules look for, and where a span holds them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CLIENT_TIMEOUT", "CODES", "EXCEPTION_KEYS", "OUTCOMES", "THROTTLES", "codes_in"]

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
CLIENT_TIMEOUT = "ClientTimeout"  # stands for every error with which a client ends a call that takes too long
CODES = THROTTLES | OUTCOMES | {CLIENT_TIMEOUT}
EXCEPTION_KEYS = ("exception.type", "exception.message")  # the attributes of an exception event that may hold a code

# botocore's ClientError holds the code only in its message: "An error occurred (ThrottlingException) when calling ...".
GAVE_UP = re.compile(r"time[sd]?[ _-]?out|deadline[ _-]?exceeded", re.IGNORECASE)
CODE = re.compile(r"An error occurred \((\w+)\)")


def codes_in(texts: Iterable[str]) -> set[str]:
    """All words that may be error codes: the last dotted part of each text, and the codes in botocore's messages.

    A text about a timeout gives `CLIENT_TIMEOUT`.
    """
    codes: set[str] = set()
    for text in texts:
        codes.add(text.rpartition(".")[2])
        codes.update(CODE.findall(text))
        if GAVE_UP.search(text):
            codes.add(CLIENT_TIMEOUT)
    return codes
