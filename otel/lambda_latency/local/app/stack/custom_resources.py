"""Custom resources: their answers reach the emulator, and a failed one, which would wait an hour, is reported to it."""

from __future__ import annotations

import contextlib
import json
from typing import Any
from urllib.parse import urlsplit

from lambda_latency.http import request
from lambda_latency.local.sandbox.function import Outcome

COPIED = ("StackId", "RequestId", "LogicalResourceId")


def with_response_url(event: bytes, url: str) -> bytes:
    """A request of CloudFormation that is answered at this address, by HTTP and by HTTPS; another event unchanged.

    Libraries for custom resources use HTTPS whatever the address says; the sandbox sends HTTPS to this one without TLS.
    """
    try:
        asked: Any = json.loads(event)
        own = urlsplit(asked["ResponseURL"])._replace(netloc=urlsplit(url).netloc)
    except (ValueError, TypeError, KeyError):
        return event
    return json.dumps({**asked, "ResponseURL": own.geturl()}).encode()


def answer_for(event: bytes, outcome: Outcome) -> None:
    """Answer a request of CloudFormation for a function that failed; does nothing for any other event."""
    try:
        asked: Any = json.loads(event)
        url: str = asked["ResponseURL"]
        given = {name: asked[name] for name in COPIED}
        said: Any = json.loads(outcome.payload)
        reason = f"{said['errorType']}: {said['errorMessage']}"
    except (ValueError, TypeError, KeyError):
        return
    physical = asked.get("PhysicalResourceId", asked["LogicalResourceId"])
    status = "SUCCESS" if asked.get("RequestType") == "Delete" else "FAILED"  # a failed deletion would keep the stack
    body = json.dumps({"Status": status, "Reason": reason, "PhysicalResourceId": physical, **given})
    with contextlib.suppress(OSError):
        request("PUT", url, body)
