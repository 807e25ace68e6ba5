"""`invoke`: sends one event to one function of a running app, or of an app that is started for the event."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path

from lambda_latency.local.app.read.app import App
from lambda_latency.local.app.serve.running import invoke_running
from lambda_latency.local.app.serve.system import AppOptions, AppSystem
from lambda_latency.local.errors import UsageError
from lambda_latency.local.example_system import Options, System
from lambda_latency.local.gateway.sam import read_template
from lambda_latency.local.sandbox.function import Outcome
from lambda_latency.template import nearest

__all__ = ["invoke_function"]


def invoke_function(
    read: Callable[[], App | Options],
    options: AppOptions,
    function: str,
    event: bytes,
    *,
    log: Callable[[str, str], None],
    tell: Callable[[str], None],
) -> Outcome:
    """Run a function once. If `serve` is not running, what `read` returns is started for the duration of the call: an
    app, or the packaged example with its options.

    `log` receives the source and the text of each printed line, `tell` notes for the user. Raises `LocalError` for an
    unknown function.
    """
    served = invoke_running(options.out, function, event)
    if served is not None:
        return served
    app = read()
    if isinstance(app, Options):
        return _invoke_example(app, function, event, log, tell)
    if function not in app.functions:
        raise _unknown(function, app.path, app.functions)
    for note in app.notes:
        tell(note)
    with contextlib.closing(AppSystem(app, options, log=log, tell=tell)) as system:
        outcome = system.invoke(function, event)
        system.sandbox.wait_until_idle(10)  # its spans come after the response
    return outcome


def _invoke_example(
    options: Options, function: str, event: bytes, log: Callable[[str, str], None], tell: Callable[[str], None]
) -> Outcome:
    template = read_template(options.template, options.parameters)
    for note in template.notes:
        tell(note)
    names = [one.name for one in template.functions]
    if function not in names:
        raise _unknown(function, options.template, names)  # before the traces of the last call are replaced
    with contextlib.closing(System(options, log=log)) as system:
        outcome = system.invoke(function, event)
        system.sandbox.wait_until_idle(10)
    return outcome


def _unknown(function: str, template: Path, names: Iterable[str]) -> UsageError:
    what = f"{template} has no function {function!r}"
    return UsageError(what, nearest(function, list(names), "it has none"))
