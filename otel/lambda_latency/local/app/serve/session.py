"""`serve` for any app: runs until a signal, uses changed code at once, prints a line for each request and event."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable, Collection, Iterable
from itertools import chain
from pathlib import Path

from lambda_latency.http import wait_for_signal
from lambda_latency.local.app.read.app import LocalApp
from lambda_latency.local.app.read.declared import Declared
from lambda_latency.local.app.read.differing import differing, joined
from lambda_latency.local.app.serve.invoke import forget, remember
from lambda_latency.local.app.serve.system import System, SystemOptions
from lambda_latency.local.differences import DIFFERENCES, difference_of
from lambda_latency.local.front import Answered
from lambda_latency.local.log import only_one
from lambda_latency.trace import FUNCTION, Span, Trace

MOST_UNPRINTED = 10_000  # traces with ended invocations that are not printed yet
# For the spans of one request after its response; longer only if an extension is slow
SPANS_WAIT_S = 2
SKIPPED = ("__pycache__", "node_modules", "venv")
# Longer than the timestamp resolution of any file system
TICK_NS = 50_000_000
State = tuple[int, int, int]


def serve_app(
    app: LocalApp,
    options: SystemOptions,
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
    gathered = DifferenceNotes(app, tell)
    for note in app.notes:
        gathered(note)

    def shown(request: Answered, trace: Trace | None) -> None:
        options.observer.ended(request.trace_id)
        show(request, trace)

    with only_one(options.out, "serve"), contextlib.closing(Requests(shown)) as requests:
        system = System(app, options, answered=requests.answered, log=log, tell=gathered, prepare=Renewal(app))
        try:
            system.store.watch(requests.spans)
            remember(options.out, system.aws_url)
            up(system, gathered.end(system.absent))
            wait_for_signal()
        finally:
            forget(options.out)
            system.close()


class DifferenceNotes:
    """Passes on the notes for the user, but retains those that name a difference from AWS until the app is up."""

    def __init__(self, app: LocalApp, tell: Callable[[str], None]) -> None:
        self._app, self._tell = app, tell
        self._noted: list[str] | None = []

    def __call__(self, line: str) -> None:
        if self._noted is None or difference_of(line) is None:
            self._tell(line)
        else:
            self._noted.append(line)

    def end(self, absent: Collection[str] = ()) -> list[str]:
        """Return the lines of what runs and the retained ones, each with its remedy, in the order of the table; later
        ones are passed on. `absent` are the keys of what the template has and this machine does not.
        """
        lines, self._noted = [*differing(self._app, absent), *(self._noted or [])], None
        return [d.with_todo(line) for d in DIFFERENCES for line in joined(lines) if difference_of(line) is d]


class Renewal:
    """Called before each invocation: prepares functions again if their code or packages have changed."""

    def __init__(self, app: LocalApp) -> None:
        self._code = Sources(*_watched(app))
        self._lock = threading.Lock()

    def __call__(self, system: System) -> None:
        # A concurrent invocation waits until the functions are renewed
        with self._lock:
            if self._code.changed():
                system.renew()


def _watched(app: LocalApp) -> Iterable[Path]:
    """Return the folders of code and layers, without duplicates and without folders inside others."""
    folders: set[Path] = set()
    for function in app.functions.values():
        if isinstance(function, Declared):
            paths = [content.sources for content in filter(None, (function.code, *function.layers))]
            folders |= {path.parent if path.suffix == ".py" else path for path in paths}
    folders = {path for path in folders if path.is_dir()}
    return sorted(path for path in folders if folders.isdisjoint(path.parents))


class Requests:
    """Joins the gateway's record of a request with its spans, and prints both when they are complete.

    A trace may have several events: the first of them gets the spans of all events that have ended.
    """

    def __init__(self, show: Callable[[Answered, Trace | None], None]) -> None:
        self._show = show
        self._changed = threading.Condition()
        self._spans: dict[str, list[Span]] = {}
        self._ended: dict[str, int] = {}  # invocations of a trace that are not printed yet
        self._closing = False
        self._answered: queue.SimpleQueue[Answered | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="requests", daemon=True)
        self._thread.start()

    def answered(self, request: Answered) -> None:
        self._answered.put(request)

    def spans(self, spans: list[Span]) -> None:
        with self._changed:
            for span in spans:
                self._spans.setdefault(span.trace_id, []).append(span)
                if span.origin == FUNCTION:
                    self._ended[span.trace_id] = self._ended.pop(span.trace_id, 0) + 1
            while len(self._ended) > MOST_UNPRINTED:
                del self._ended[next(iter(self._ended))]
            self._changed.notify_all()

    def close(self) -> None:
        """Print the answered requests with the spans received so far, and stop."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._answered.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (request := self._answered.get()) is not None:
            with self._changed:
                if request.sampled and request.reached_lambda:
                    self._changed.wait_for(lambda: self._closing or request.trace_id in self._ended, SPANS_WAIT_S)
                    unprinted = self._ended.pop(request.trace_id, 1) - 1
                    if unprinted:
                        self._ended[request.trace_id] = unprinted
                spans = self._spans.pop(request.trace_id, [])
            self._show(request, Trace(spans) if spans else None)


class Sources:
    """The source files below some folders.

    A folder is listed again only after an entry was added or removed, because every request checks, and an app's folder
    may have many thousand files.
    """

    def __init__(self, *folders: Path) -> None:
        self._roots = folders
        self._files: dict[str, State | None] = {}
        self._folders: dict[str, State | None] = {}
        self._list()

    def changed(self) -> bool:
        """Return whether a file was written, added or removed since the last call."""
        states = chain(self._files.items(), self._folders.items())
        if self._is_settled and all(_state(path) == state for path, state in states):
            return False
        previous = self._files
        self._list()
        return previous != self._files

    def _list(self) -> None:
        self._files, self._folders = {}, {}
        settled_ns = time.time_ns() - TICK_NS
        for root in self._roots:
            # Also for a missing folder, which may be created later.
            self._folders[str(root)] = _state(str(root))
            for folder, subfolders, files in os.walk(root):
                subfolders[:] = [name for name in subfolders if not name.startswith(".") and name not in SKIPPED]
                self._folders[folder] = _state(folder)
                self._files |= {path: _state(path) for path in _sources(folder, files)}
        # A folder that changed just now may change again within the same timestamp.
        self._is_settled = all(state is None or state[0] < settled_ns for state in self._folders.values())


def _sources(folder: str, files: Iterable[str]) -> list[str]:
    return [f"{folder}/{name}" for name in files if name.endswith(".py") or name == "requirements.txt"]


def _state(path: str) -> State | None:
    """Time of change, size and inode of a file: two writes may have the same timestamp. None for a missing file."""
    try:
        status = os.stat(path)  # noqa: PTH116 - Path takes three times as long
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
