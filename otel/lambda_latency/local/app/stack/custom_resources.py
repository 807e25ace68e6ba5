"""Reports a failed custom resource to CloudFormation, which would otherwise wait an hour for an answer."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from lambda_latency.http import request
from lambda_latency.local.sandbox.function import Outcome

__all__ = ["answer_for"]

COPIED = ("StackId", "RequestId", "LogicalResourceId")


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
