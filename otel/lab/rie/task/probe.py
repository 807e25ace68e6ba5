"""A handler that does as it is told."""

import os
import sys
import time
from typing import Any

import requests


def handler(event: dict[str, Any], context: Any) -> Any:
    what = event.get("do")
    if what == "call":
        requests.get(os.environ["PEER"], timeout=10)
    elif what == "late":
        requests.get(os.environ["PEER"], timeout=10)
        time.sleep(max(0.0, (context.get_remaining_time_in_millis() - event["left_ms"]) / 1000))
        return {"pid": os.getpid(), "deadline_ms": context._epoch_deadline_time_in_ms}
    elif what == "sleep":
        time.sleep(event["s"])
    elif what == "raise":
        raise ValueError("as told")
    elif what == "exit":
        sys.exit(3)
    elif what == "large":
        return "x" * 7_000_000
    elif what == "deep":
        return handler(event, context)
    return {"pid": os.getpid(), "id": context.aws_request_id}
