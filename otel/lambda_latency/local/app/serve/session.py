"""`serve` for any app: runs until a signal, uses changed code at once, prints a line for each request and event."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from lambda_latency.http import wait_for_signal
from lambda_latency.local.app.read.app import App
from lambda_latency.local.app.read.declared import Declared
from lambda_latency.local.app.read.differing import differing
from lambda_latency.local.app.serve.requests import Requests
from lambda_latency.local.app.serve.running import forget, remember
from lambda_latency.local.app.serve.system import Options, System
from lambda_latency.local.differences import DIFFERENCES, difference_of
from lambda_latency.local.gateway.api_gateway import Answered
from lambda_latency.local.lock import only_one
from lambda_latency.local.sources import Sources
from lambda_latency.trace import Trace


def serve_app(
    app: App,
    options: Options,
    *,
    up: Callable[[System, list[str]], None],
    show: Callable[[Answered, Trace | None], None],
    log: Callable[[str, str], None],
    tell: Callable[[str], None],
) -> None:
    """Run an app until a signal handler raises an exception in the main thread; then stop it.

    `up` receives the running system and the lines in which this machine differs from AWS for this app, `show` each
    request and event with its trace, `log` the source and the text of each printed line, `tell` notes for the user.
    Raises `LocalError` if the app does not start.
    """
    gathered = Gathered(app, tell)
    for note in app.notes:
        gathered(note)

    def shown(request: Answered, trace: Trace | None) -> None:
        options.observer.ended(request.trace_id)
        show(request, trace)

    with only_one(options.out, "serve"), contextlib.closing(Requests(shown)) as requests:
        system = System(app, options, answered=requests.answered, log=log, tell=gathered, before=Renewal(app))
        try:
            system.store.watch(requests.spans)
            remember(options.out, system.aws_url)
            up(system, gathered.end())
            wait_for_signal()
        finally:
            forget(options.out)
            system.close()


class Gathered:
    """Passes on the notes for the user, but keeps those that name a difference from AWS until the app is up."""

    def __init__(self, app: App, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._kept: list[str] | None = differing(app)

    def __call__(self, line: str) -> None:
        if self._kept is None or difference_of(line) is None:
            self._tell(line)
        else:
            self._kept.append(line)

    def end(self) -> list[str]:
        """The lines that were kept, with what to do, in the order of the table; later ones are passed on at once."""
        kept, self._kept = self._kept or [], None
        return [one.with_todo(line) for one in DIFFERENCES for line in kept if difference_of(line) is one]


class Renewal:
    """Called before each invocation: prepares functions again if their code or packages have changed."""

    def __init__(self, app: App) -> None:
        self._code = Sources(*_watched(app))
        self._lock = threading.Lock()

    def __call__(self, system: System) -> None:
        with self._lock:  # a concurrent invocation waits until the functions are renewed
            if self._code.changed():
                system.renew()


def _watched(app: App) -> Iterable[Path]:
    """The folders of code and layers, without duplicates and without folders inside others."""
    folders: set[Path] = set()
    for one in app.functions.values():
        if isinstance(one, Declared):
            paths = [part.path for part in (one.code, *one.layers) if part is not None]
            folders |= {path.parent if path.suffix == ".py" else path for path in paths}
    folders = {path for path in folders if path.is_dir()}
    return sorted(one for one in folders if not any(other != one and one.is_relative_to(other) for other in folders))
