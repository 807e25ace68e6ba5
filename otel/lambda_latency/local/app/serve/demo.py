"""`demo`: an app under a load, warm, with the traces of all requests."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from lambda_latency.files import replace_files, unwritable
from lambda_latency.local.app.read.app import App
from lambda_latency.local.app.serve.loads import AppCalls, Orders
from lambda_latency.local.app.serve.system import Options, System
from lambda_latency.local.errors import LocalError
from lambda_latency.local.gateway.api_gateway import Answered
from lambda_latency.local.lock import only_one
from lambda_latency.local.log import LogFile
from lambda_latency.local.xray.traces import batch_get_traces

TRACES = "traces.jsonl"
NEW = f".{TRACES}.new"  # the name of the file until the run is over


@dataclass(frozen=True, slots=True)
class Demo:
    """The results of a run.

    `log` is the file of functions' output, `xray` the traces in the format of X-Ray's BatchGetTraces, None for another
    app than the example, of which `kinds` of calls were made; `failed` is the number of failed calls, `ms` the time of
    each answer of the example. `sent` says how the example's functions sent their spans: to a collector, to X-Ray's
    OTLP endpoint or to its daemon.
    """

    traces: Path
    log: Path
    xray: Path | None
    ms: Sequence[float]
    kinds: int
    failed: int
    traced: bool
    sent: str
    complete: bool  # False if an invocation never ended, so that its spans are missing


def run_demo(
    app: App,
    options: Options,
    requests: int,
    seed: int,
    *,
    stage: Callable[[str, int], None] = lambda *_: None,
    step: Callable[[], None] = lambda: None,
    tell: Callable[[str], None] = lambda _: None,
) -> Demo:
    """Start an app, warm it up, send the load and stop. The traces of the warm-up are left out: cold starts here differ
    from Lambda's, and the first recorded request of an environment loads what sends its spans.

    `stage` is called with the name of each stage and its number of steps, `step` after each step; `tell` receives notes
    for the user. Raises `LocalError` if the app does not start, if there is nothing to call, or if a file cannot be
    written.
    """
    for note in app.notes:
        tell(note)
    load = Orders(app, requests, seed) if app.is_example else AppCalls(app, requests, seed)
    sampled: list[str] = []
    options = replace(options, traces=NEW, plan=load.plan, sampler=lambda: True)

    def answered(request: Answered) -> None:
        if request.sampled:
            sampled.append(request.trace_id)

    with only_one(options.out, "demo"), _removed(options.out / NEW):
        stage("starting the app", 0)
        with ExitStack() as ending:
            log = LogFile(options.out / "system.log")
            ending.callback(log.close)
            # What the store says is raised at the end.
            system = System(app, options, answered=answered, log=log.write, tell=tell, failed=lambda _: None)
            ending.callback(system.close)
            stage("warming up", load.warm_ups(system))
            system.faulty = False
            load.warm_up(system, step)
            system.forget()
            sampled.clear()
            system.faulty = True
            stage("sending requests", requests)
            load.send(system, step)
            stage("collecting spans", 0)
            complete = system.finish()
            documents = json.dumps(batch_get_traces(system.stand_ins.xray_url, sampled)) if app.is_example else ""
        if system.store.error is not None:
            raise system.store.error
        traces, xray = options.out / TRACES, options.out / "xray.json"
        try:
            if documents:
                replace_files([(xray, documents)])
            system.store.path.replace(traces)
        except OSError as error:
            raise LocalError(unwritable(error.filename, error)) from error
    return Demo(
        traces,
        log.path,
        xray if documents else None,
        load.ms,
        load.kinds,
        load.failed,
        system.traced,
        system.stand_ins.sent if app.is_example else "",
        complete,
    )


@contextlib.contextmanager
def _removed(path: Path) -> Iterator[None]:
    """Removes the file at the end of the block, so that an interrupted run keeps the traces of the previous run."""
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
