"""The functions that the sandbox's tests run: as plain as a Lambda function can be."""

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from typing import Any

NAME = re.compile("(?P<name>[a-z]+)")
LOCK = threading.Lock()
ticks = 0


def look(event: Any, context: Any) -> Any:
    """What a handler can see of its circumstances."""
    return {
        "event": event,
        "pid": os.getpid(),
        "python": list(sys.version_info[:2]),
        "opentelemetry": sorted(
            name for name in sys.modules if name.split(".")[0] in ("opentelemetry", "lambda_latency")
        ),
        "path": sys.path[:2],
        "environ": {name: os.environ.get(name) for name in event.get("names", ())},
        "context": {
            "arn": context.invoked_function_arn,
            "name": context.function_name,
            "version": context.function_version,
            "memory": context.memory_limit_in_mb,
            "request_id": context.aws_request_id,
            "remaining_ms": context.get_remaining_time_in_millis(),
        },
    }


def act(event: Any, context: Any) -> Any:
    """Do what the event says."""
    what = event.get("do")
    if what == "raise":
        raise ValueError("on purpose")
    if what == "exit":
        os._exit(3)
    if what == "sleep":
        time.sleep(60)
    if what == "print":
        print("hello from the function")
    if what == "large":
        return "x" * (6 * 1024 * 1024 + 1)
    if what == "spawn":
        return {"pid": os.getpid(), "child": subprocess.Popen(["sleep", "600"]).pid}
    if what == "check":
        locked, begun = LOCK.locked(), time.perf_counter()
        found = [match and match["name"] for match in (NAME.fullmatch("tea"), NAME.fullmatch("tea-1"))]
        with LOCK:
            return {"found": found, "locked": locked, "pattern": NAME.pattern, "took": time.perf_counter() - begun}
    if what == "meet":
        # Come back only when as many requests as named are here at once.
        urllib.request.urlopen(event["url"], timeout=30).read()
    return {"pid": os.getpid()}


def tick(event: Any, context: Any) -> Any:
    """How often a background thread has run so far; it goes on whenever the environment is not frozen."""
    if ticks == 0:
        threading.Thread(target=_count, daemon=True).start()
    return {"ticks": ticks, "pid": os.getpid()}


def _count() -> None:
    global ticks
    while True:
        ticks += 1
        time.sleep(0.001)


def environ(event: Any, context: Any) -> Any:
    return json.loads(json.dumps(dict(os.environ)))
