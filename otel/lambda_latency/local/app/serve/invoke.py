"""`invoke`: sends one event to one function of a running app, or of an app that is started for the event."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from lambda_latency.local.app.read.app import App
from lambda_latency.local.app.serve.running import invoke_running
from lambda_latency.local.app.serve.system import Options, System
from lambda_latency.local.errors import UsageError
from lambda_latency.local.sandbox.function import Outcome
from lambda_latency.template import nearest


def invoke_function(
    read: Callable[[], App],
    options: Options,
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
        what = f"{app.path} has no function {function!r}"
        raise UsageError(what, nearest(function, list(app.functions), "it has none"))
    with contextlib.closing(System(app, options, log=log, tell=tell)) as system:
        outcome = system.invoke(function, event)
        system.sandbox.wait_until_idle(10)  # its spans come after the response
    return outcome
