"""Interprets the answers of an OTLP receiver: spans that it rejects, errors, and how long it asks to wait.

Of X-Ray's endpoint also the remedies. Imported with the first answer that says more than success, after the response.
https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html
"""

from __future__ import annotations

import json
import os
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_latency.runtime.delivery.transport import Answer

LONGEST = 300  # the most characters of a receiver's message
PASSING = (408, 429)  # errors of a request that may succeed later; others of 300 to 499 are final


def outcome(answer: Answer, count: int) -> tuple[int, str]:
    """How many of `count` spans the receiver refuses for good, and why; -1 if it may accept all of them later."""
    if 200 <= answer.status < 300:
        refused, said = rejected(answer)
        return min(refused, count), said[:LONGEST] or "it says no more" * bool(refused)
    is_final = 300 <= answer.status < 500 and answer.status not in PASSING
    return count if is_final else -1, f"it answered {answer.status}"


def retry_after(answer: Answer) -> float:
    """The seconds that the receiver asks to wait before the next request; 0 if it does not."""
    value = answer.header(b"retry-after").decode("latin-1")
    try:
        if value.isdecimal():
            return float(value)
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time()) if value else 0.0
    except (ValueError, TypeError, OverflowError):
        return 0.0


def rejected(answer: Answer) -> tuple[int, str]:
    """OTLP's partial success: the number of rejected spans of an accepted request, and the reason."""
    try:
        if answer.header(b"content-type").startswith(b"application/json"):
            partial = (json.loads(answer.body or b"{}").get("partialSuccess")) or {}
            number, said = int(partial.get("rejectedSpans", 0)), str(partial.get("errorMessage", ""))
        else:
            inner = dict(fields(answer.body)).get(1, b"")
            found: dict[int, Any] = dict(fields(inner)) if isinstance(inner, bytes) else {}
            number, said = int(found.get(1, 0)), bytes(found.get(2, b"")).decode("utf-8", "replace")
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError, RecursionError):
        return 0, ""
    return (number if 0 < number < 2**63 else 0), said  # a larger one is a negative number


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message that are numbers or bytes. Raises `IndexError` for a bad number."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise IndexError("a number of more than ten bytes")

    while at < len(data):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        elif key & 7 == 2:
            size = number()
            yield key >> 3, data[at : at + size]
            at += size
        else:
            return


# Words of an error with their remedy. AWS documents neither a list of the errors nor their form.
REMEDIES = (
    (("segment destination", "transaction search"),
     "Transaction Search is off: switch it on, or set LAMBDA_LATENCY_EXPORT to collector or daemon"),
    (("expired",),
     "the credentials have expired: Lambda renews its own, so a function that sets AWS_SESSION_TOKEN has to"),
    (("scoped to", "wrong region"),
     "it is in another region than AWS_REGION: leave out OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
    (("accessdenied", "not authorized"),
     "the function's role lacks the right: allow xray:PutSpans and xray:PutSpansForIndexing"),
    (("invalidclienttoken", "unrecognizedclient", "signature", "missingauthentication"),
     "the key is not one of this account: find out what sets AWS_ACCESS_KEY_ID in the function"),
)  # fmt: skip


def outcome_of_xray(answer: Answer, count: int) -> tuple[int, str]:
    """How many of `count` spans X-Ray refuses for good, and why; -1 if it may accept all of them later."""
    if answer.status < 300:
        return outcome(answer, count)
    said = f"{answer.header(b'x-amzn-errortype').decode('latin-1').partition(':')[0]} {message(answer)}".strip()
    why = f"it answered {answer.status}" + f", {said[:LONGEST]}" * bool(said)
    for words, remedy in REMEDIES:
        if any(word in said.lower() for word in words):
            return -1, f"{why}; {remedy}"
    for_good = 400 <= answer.status < 500 and answer.status not in (401, 403, *PASSING)
    return count if for_good else -1, why


def unreachable(error: Exception) -> str:
    """The reason and the remedy if X-Ray cannot be reached."""
    why = f"{type(error).__name__}: {error}"
    if isinstance(error, PermissionError):
        return str(error)
    region = os.environ.get("AWS_REGION", "")
    return f"{why}; X-Ray has to be in the region {region!r}, and in reach of the function's subnet if it has one"


def message(answer: Answer) -> str:
    """The message of an error, from AWS's JSON or from the Status of OTLP's protobuf."""
    try:
        if answer.body[:1] == b"{":
            given = json.loads(answer.body)
            name = str(given.get("__type") or given.get("code") or "").rpartition("#")[2]
            return f"{name} {given.get('message') or given.get('Message') or ''}".strip()
        return bytes(dict(fields(answer.body)).get(2, b"")).decode("utf-8", "replace")
    except (ValueError, TypeError, AttributeError, IndexError, RecursionError):
        return ""
