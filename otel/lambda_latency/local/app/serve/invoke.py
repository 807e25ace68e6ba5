"""`invoke`: sends one event to one function of a running app, or of an app that is started for the event."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from lambda_latency.http import request
from lambda_latency.local.app.read.app import LocalApp
from lambda_latency.local.app.serve.system import System, SystemOptions
from lambda_latency.local.errors import LocalError, UsageError
from lambda_latency.local.sandbox.function import Outcome
from lambda_latency.template import nearest

FILE = "serve.json"
LONGEST_S = 366 * 86_400  # a durable execution


def invoke_function(
    read: Callable[[], LocalApp],
    options: SystemOptions,
    function: str,
    event: bytes,
    *,
    log: Callable[[str, str], None],
    tell: Callable[[str], None],
) -> Outcome:
    """Run a function once. If `serve` is not running, the app that `read` returns is started for the call.

    `log` receives the source and the text of each printed line, `tell` notes for the user. Raises `LocalError` for an
    unknown function.
    """
    served = invoke_running(options.out, function, event)
    if served is not None:
        return served
    app = read()
    for note in app.notes:
        tell(note)
    if function not in app.functions:
        mistake = f"{app.path} has no function {function!r}"
        raise UsageError(mistake, nearest(function, list(app.functions), "it has none"))
    with contextlib.closing(System(app, options, log=log, tell=tell)) as system:
        outcome = system.invoke(function, event)
        system.sandbox.wait_until_idle(10)  # its spans come after the response
    return outcome


def remember(out: Path, url: str) -> None:
    """Store the address of the emulated AWS."""
    (out / FILE).write_text(json.dumps({"aws": url}), encoding="utf-8")


def forget(out: Path) -> None:
    """Remove the stored address."""
    (out / FILE).unlink(missing_ok=True)


def invoke_running(out: Path, function: str, event: bytes) -> Outcome | None:
    """Run a function of the running app with a JSON event; None if none runs. Raises `LocalError` if it is unknown."""
    try:
        url = json.loads((out / FILE).read_text(encoding="utf-8"))["aws"]
        path = f"/2015-03-31/functions/{quote(function, safe='')}/invocations"
        answer = request("POST", url + path, event, timeout_s=LONGEST_S)
    except (ConnectionRefusedError, FileNotFoundError, ValueError, KeyError):
        # Without a connection, `serve` was killed, and its file was not removed
        return None
    except OSError as error:
        raise LocalError("serve has ended before the function", "start it and try again") from error
    if answer.status != 200:
        raise LocalError(f"no function {function!r} is served", "name one that `lambda-latency serve` has listed")
    return Outcome(answer.body, answer.headers["X-Amz-Function-Error"])
