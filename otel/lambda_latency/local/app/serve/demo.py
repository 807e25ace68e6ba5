"""`demo` for any app: calls its routes and example events concurrently, then reports."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from lambda_latency.files import unwritable
from lambda_latency.local.app.read.app import App
from lambda_latency.local.app.serve.system import AppOptions, AppSystem
from lambda_latency.local.app.triggers.calls import Invocation, Request, load, perform
from lambda_latency.local.errors import LocalError
from lambda_latency.local.example_demo import AT_ONCE, NEW, TRACES, removed
from lambda_latency.local.lock import only_one
from lambda_latency.local.log import LogFile

__all__ = ["AppDemo", "demo_app"]

PATIENCE_S = 10  # for the last spans


@dataclass(frozen=True, slots=True)
class AppDemo:
    """The results of a run: the files of traces and output, and the numbers of calls, kinds of calls and failures."""

    traces: Path
    log: Path
    calls: int
    kinds: int
    failed: int
    complete: bool


def demo_app(
    app: App,
    options: AppOptions,
    requests: int,
    seed: int,
    *,
    stage: Callable[[str, int], None],
    step: Callable[[], None],
    tell: Callable[[str], None],
) -> AppDemo:
    """Start the app, make each kind of call once without tracing, then `requests` traced calls, and stop the app.

    `stage` is called with the name of each stage and its number of steps, `step` after each step; `tell` receives notes
    for the user. Raises `LocalError` if there is nothing to call, or if the app does not start.
    """
    for note in app.notes:
        tell(note)
    with only_one(options.out, "demo"), removed(options.out / NEW), ExitStack() as ending:
        stage("starting the app", 0)
        log = LogFile(options.out / "system.log")
        ending.callback(log.close)
        system = AppSystem(app, replace(options, traces=NEW), log=log.write, tell=tell)
        ending.callback(system.close)
        kinds = load(system)
        if not kinds:
            todo = "put example events into events/, as for `sam local invoke`, each named after its function"
            raise LocalError(f"{app.path} has no GET route and no example event: there is nothing to call", todo)
        failed = _run(system, kinds, requests, seed, stage, step)
        stage("collecting spans", 0)
        complete = system.sandbox.wait_until_idle(PATIENCE_S)
        system.close()
        if system.store.error is not None:
            raise system.store.error
        traces = options.out / TRACES
        try:
            system.store.path.replace(traces)
        except OSError as error:
            raise LocalError(unwritable(error.filename, error)) from error
    return AppDemo(traces, log.path, requests, len(kinds), failed, complete)


def _run(
    system: AppSystem,
    kinds: list[Request | Invocation],
    requests: int,
    seed: int,
    stage: Callable[[str, int], None],
    step: Callable[[], None],
) -> int:
    """Returns the number of failed requests. The first calls are not traced: their cold starts differ from Lambda's."""
    gateways = system.gateways
    for traced, calls in ((False, kinds), (True, [kinds[number % len(kinds)] for number in range(requests)])):
        stage("sending requests" if traced else "warming up", len(calls))
        for gateway in gateways:
            gateway.sampler = (lambda: True) if traced else (lambda: False)
        random.Random(seed).shuffle(calls)  # noqa: S311 - an order, not a secret
        failed = 0
        with ThreadPoolExecutor(AT_ONCE) as callers:
            try:
                for done in as_completed([callers.submit(perform, one, system, sampled=traced) for one in calls]):
                    failed += done.result() is not None
                    step()
            except BaseException:
                callers.shutdown(wait=False, cancel_futures=True)
                system.close()  # ends calls in progress, for which the executor would wait
                raise
    return failed
