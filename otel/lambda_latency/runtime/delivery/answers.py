"""Interprets the answers of an OTLP receiver: spans that it rejects, errors, and how long it asks to wait.

Of X-Ray's endpoint also the remedies. Imported with the first answer that says more than success, after the response.
https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from lambda_latency.runtime.delivery.transport import Reply

LONGEST = 300  # the most characters of a receiver's message
LONGEST_KIND = 60  # of the type of an answer
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
# Errors of a request that may succeed later; others of 300 to 499 are final
PASSING = (408, 429)


def outcome(answer: Reply, count: int, headers: Iterable[str]) -> tuple[int, str]:
    """Return how many of `count` spans are refused for good, and why; -1 if all may be accepted later.

    `headers` are the names of those that each request has by a setting.
    """
    if 200 <= answer.status < 300:
        return accepted(answer, count) if is_otlp(answer) else (count, foreign(answer))
    is_final = 300 <= answer.status < 500 and answer.status not in PASSING
    why = f"it answered {answer.status}"
    if answer.status in (401, 403):
        names = ", ".join(headers)
        why += f" to the header {names}: correct its value" if names else f" to no header: set {HEADERS}"
    return count if is_final else -1, why


def accepted(answer: Reply, count: int) -> tuple[int, str]:
    """As `outcome`, of an answer that means success: partial success rejects some spans."""
    refused, said = rejected(answer)
    if len(said) > LONGEST:
        said = said[:LONGEST].rpartition(" ")[0] or said[:LONGEST]  # a key is a word: whole, or not at all
    return min(refused, count), said or "it says no more" * bool(refused)


def is_otlp(answer: Reply) -> bool:
    """Whether an answer that means success may come from an OTLP receiver: protobuf, JSON, or no body at all.

    Servers for anything else answer any path, too: with a page, or with a document about their health. A JSON text that
    cannot be parsed may be cut off.
    """
    kind, body = answer.header(b"content-type").lower(), answer.body.lstrip()
    if b"protobuf" in kind:
        return True
    if body[:1] == b"{":
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return True
        return not document or "partialSuccess" in document
    if not body:
        return not kind.startswith(b"text/") or answer.header(b"content-length") == b"0"
    # The first byte of a partial success in protobuf
    return answer.body[0] == 10 and not body.startswith(b"<")


def foreign(answer: Reply) -> str:
    """Return why the spans are lost to a receiver of something else."""
    kind = answer.header(b"content-type").decode("latin-1")[:LONGEST_KIND] or "no type"
    return f"its answer {answer.status} ({kind}) is none of OTLP: correct the address or its port"


def retry_after(answer: Reply) -> float:
    """Return the seconds that the receiver asks to wait before the next request; 0 if it does not."""
    value = answer.header(b"retry-after").decode("latin-1")
    try:
        if value.isdecimal():
            return float(value)
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time()) if value else 0.0
    except (ValueError, TypeError, OverflowError):
        return 0.0


def rejected(answer: Reply) -> tuple[int, str]:
    """OTLP's partial success: the number of rejected spans of an accepted request, and the reason."""
    try:
        if answer.body[:1] == b"{":
            partial = (json.loads(answer.body).get("partialSuccess")) or {}
            number, said = int(partial.get("rejectedSpans", 0)), str(partial.get("errorMessage", ""))
        else:
            inner = dict(fields(answer.body)).get(1, b"")
            parts: dict[int, Any] = dict(fields(inner)) if isinstance(inner, bytes) else {}
            number, said = int(parts.get(1, 0)), bytes(parts.get(2, b"")).decode("utf-8", "replace")
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError, RecursionError):
        return 0, ""
    return (number if 0 < number < 2**63 else 0), said  # a larger one is a negative number


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Return the fields of a protobuf message that are numbers or bytes. Raises `IndexError` for a bad number."""
    position = 0

    def number() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise IndexError("a number of more than ten bytes")

    while position < len(data):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        elif key & 7 == 2:
            size = number()
            yield key >> 3, data[position : position + size]
            position += size
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


def outcome_of_xray(answer: Reply, count: int) -> tuple[int, str]:
    """Return how many of `count` spans X-Ray refuses for good, and why; -1 if all may be accepted later."""
    if answer.status < 300:
        return accepted(answer, count)
    said = f"{answer.header(b'x-amzn-errortype').decode('latin-1').partition(':')[0]} {message(answer)}".strip()
    why = f"it answered {answer.status}" + f", {said[:LONGEST]}" * bool(said)
    for words, remedy in REMEDIES:
        if any(word in said.lower() for word in words):
            return -1, f"{why}; {remedy}"
    for_good = 400 <= answer.status < 500 and answer.status not in (401, 403, *PASSING)
    return count if for_good else -1, why


def unreachable(error: Exception) -> str:
    """Return the reason and the remedy if X-Ray cannot be reached."""
    why = f"{type(error).__name__}: {error}"
    if isinstance(error, PermissionError):
        return str(error)
    region = os.environ.get("AWS_REGION", "")
    return f"{why}; X-Ray has to be in the region {region!r}, and in reach of the function's subnet if it has one"


def message(answer: Reply) -> str:
    """Return the message of an error, from AWS's JSON or from the Status of OTLP's protobuf."""
    try:
        if answer.body[:1] == b"{":
            error = json.loads(answer.body)
            name = str(error.get("__type") or error.get("code") or "").rpartition("#")[2]
            return f"{name} {error.get('message') or error.get('Message') or ''}".strip()
        return bytes(dict(fields(answer.body)).get(2, b"")).decode("utf-8", "replace")
    except (ValueError, TypeError, AttributeError, IndexError, RecursionError):
        return ""
