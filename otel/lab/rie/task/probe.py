"""A handler that does as it is told."""

import os
import sys
import time
from typing import Any

import requests


def handler(event: dict[str, Any], context: Any) -> Any:
    action = event.get("do")
    if action == "call":
        requests.get(os.environ["PEER"], timeout=10)
    elif action == "late":
        requests.get(os.environ["PEER"], timeout=10)
        time.sleep(max(0.0, (context.get_remaining_time_in_millis() - event["left_ms"]) / 1000))
        return {"pid": os.getpid(), "deadline_ms": context._epoch_deadline_time_in_ms}
    elif action == "sleep":
        time.sleep(event["s"])
    elif action == "raise":
        raise ValueError("as told")
    elif action == "exit":
        sys.exit(3)
    elif action == "large":
        return "x" * 7_000_000
    elif action == "deep":
        return handler(event, context)
    return {"pid": os.getpid(), "id": context.aws_request_id}
