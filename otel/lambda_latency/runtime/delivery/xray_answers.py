"""Interprets answers of X-Ray's OTLP endpoint: refused for good, or to be sent again, and the remedy.

Imported with the first answer, after the response.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from lambda_latency.runtime.delivery.answers import LONGEST, PASSING, fields, outcome

if TYPE_CHECKING:
    from lambda_latency.runtime.delivery.transport import Answer

__all__ = ["outcome_of_xray", "unreachable"]

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
