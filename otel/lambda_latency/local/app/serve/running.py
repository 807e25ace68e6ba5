"""Stores the address of a running `serve` in a file beside its traces, for `invoke` in another terminal."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

from lambda_latency.http import request
from lambda_latency.local.errors import LocalError
from lambda_latency.local.sandbox.function import Outcome

NAME = "serve.json"


def remember(out: Path, url: str) -> None:
    """Store the address of the emulated AWS."""
    (out / NAME).write_text(json.dumps({"aws": url}), encoding="utf-8")


def forget(out: Path) -> None:
    """Remove the stored address."""
    (out / NAME).unlink(missing_ok=True)


def invoke_running(out: Path, function: str, event: bytes) -> Outcome | None:
    """Run a function of the app that `serve` is running; None if `serve` is not running.

    `event` is JSON. Raises `LocalError` if the app has no such function.
    """
    try:
        url = json.loads((out / NAME).read_text(encoding="utf-8"))["aws"]
        path = f"/2015-03-31/functions/{quote(function, safe='')}/invocations"
        answer = request("POST", url + path, event, timeout_s=900)
    except (OSError, ValueError, KeyError):
        return None  # without an answer, `serve` was killed, and its file was not removed
    if answer.status != 200:
        raise LocalError(f"no function {function!r} is served", "name one that `lambda-latency serve` has listed")
    return Outcome(answer.body, answer.headers["X-Amz-Function-Error"])
