"""`invoke`: sends one event to one function of a running app, or of an app that is started for the event."""

from __future__ import annotations

from collections.abc import Callable

from lambda_latency.local.app.read import App
from lambda_latency.local.app.running import invoke_running
from lambda_latency.local.app.system import AppOptions, AppSystem
from lambda_latency.local.errors import UsageError
from lambda_latency.local.function import Outcome
from lambda_latency.template import nearest

__all__ = ["invoke_function"]


def invoke_function(
    read: Callable[[], App],
    options: AppOptions,
    function: str,
    event: bytes,
    *,
    log: Callable[[str, str], None],
    tell: Callable[[str], None],
) -> Outcome:
    """Run a function once. If `serve` is not running, the app from `read` is started for the duration of the call.

    `log` receives the source and the text of each printed line, `tell` notes for the user. Raises `LocalError` for an
    unknown function.
    """
    served = invoke_running(options.out, function, event)
    if served is not None:
        return served
    app = read()
    if function not in app.functions:
        raise UsageError(
            f"{app.path} has no function {function!r}", nearest(function, list(app.functions), "it has none")
        )
    for note in app.notes:
        tell(note)
    system = AppSystem(app, options, log=log, tell=tell)
    try:
        outcome = system.invoke(function, event)
        system.sandbox.wait_until_idle(10)  # its spans come after the response
    finally:
        system.close()
    return outcome
