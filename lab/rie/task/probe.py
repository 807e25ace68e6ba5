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
