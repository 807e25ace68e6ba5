"""The demo: the whole system under a load with one dominant cause of slow requests and some noise."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from lambda_latency.files import replace_files, unwritable
from lambda_latency.local.errors import LocalError
from lambda_latency.local.example_system import Options, System
from lambda_latency.local.faults import Plan, Rule
from lambda_latency.local.gateway.api_gateway import Answered
from lambda_latency.local.load import Answer, plan_calls, send, warm_up_calls
from lambda_latency.local.lock import only_one
from lambda_latency.local.log import LogFile
from lambda_latency.local.xray.traces import batch_get_traces

__all__ = ["AT_ONCE", "NEW", "TRACES", "Demo", "demo_plan", "removed", "run_demo"]

AT_ONCE = 4
TRACES = "traces.jsonl"
NEW = f".{TRACES}.new"  # the name of the file until the run is over


@dataclass(frozen=True, slots=True)
class Demo:
    """The results of a run: the answers as the callers saw them, and the paths of the files.

    `xray` has the same traces as `traces`, in the format of X-Ray's BatchGetTraces.
    """

    answers: list[Answer]
    traces: Path
    xray: Path
    log: Path
    traced: bool
    collected: bool
    direct: bool
    complete: bool  # False if an invocation never ended, so that its spans are missing


def demo_plan(seed: int, timeouts_among: int) -> Plan:
    """The fault plan of the demo: payments slow for one order in five, throttles, payment errors, one function timeout,
    and two lines of own code that are slow: a regular expression that backtracks, and a lock that another thread holds.

    `timeouts_among` is the number of requests that read an order: one of them ends in the function timeout.
    """
    rules = [
        Rule("provider", "status", 0.04, status=503, route="POST /orders"),
        Rule("provider", "delay", 0.1, ms=900, route="POST /orders"),
        Rule("provider", "delay", 0.1, ms=1300, route="POST /orders"),
        Rule("provider", "delay", 1, ms=60),
        Rule("table", "throttle", 0.03),
    ]
    if timeouts_among:
        rules.append(Rule("function", "timeout", 1 / timeouts_among, route="GET /orders/{id}"))
    rules += [Rule("function", kind, 0.17, ms=700, route="GET /orders/{id}") for kind in ("regex", "lock")]
    return Plan(seed, tuple(rules))


def run_demo(
    options: Options,
    requests: int,
    seed: int,
    *,
    stage: Callable[[str, int], None] = lambda *_: None,
    step: Callable[[], None] = lambda: None,
    tell: Callable[[str], None] = lambda _: None,
) -> Demo:
    """Start the system, warm it up, send the load and stop it.

    `stage` is called with the name of each stage and its number of steps, `step` after each step; `tell` receives notes
    for the user. Raises `LocalError` if the system does not start, if a function does not initialize, or if a file
    cannot be written.
    """
    calls = plan_calls(requests, seed)
    reads = sum(call.method == "GET" and "?" not in call.path for call in calls)
    warm = warm_up_calls(AT_ONCE, seed)
    sampling = [False]  # the warm-up is not traced: cold starts on a laptop differ from Lambda's
    options = replace(options, traces=NEW, plan=demo_plan(seed, reads), sampler=lambda: sampling[0])
    sampled: list[str] = []

    def answered(request: Answered) -> None:
        if request.sampled:
            sampled.append(request.trace_id)

    with only_one(options.out, "demo"), removed(options.out / NEW):
        stage("starting the system", 0)
        with ExitStack() as ending:
            log = LogFile(options.out / "system.log")
            ending.callback(log.close)
            system = System(options, log=log.write, answered=answered)
            ending.callback(system.close)
            for note in system.template.notes:
                tell(note)
            stage("warming up", AT_ONCE * len(system.template.functions) + sum(map(len, warm)))
            system.sandbox.prepare(AT_ONCE, step)
            system.faulty = False
            for batch in warm:
                send(system.url, batch, AT_ONCE, lambda _: step())
            system.faulty = True
            sampling[0] = True
            stage("sending requests", len(calls))
            answers = send(system.url, calls, AT_ONCE, lambda _: step())
            stage("collecting spans", 0)
            complete = system.finish()
            documents = json.dumps(batch_get_traces(system.xray_url, sampled))
        if system.store.error is not None:
            raise system.store.error
        traces, xray = options.out / TRACES, options.out / "xray.json"
        try:
            replace_files([(xray, documents)])
            system.store.path.replace(traces)
        except OSError as error:
            raise LocalError(unwritable(error.filename, error)) from error
        template = system.template
        return Demo(answers, traces, xray, log.path, template.traced, template.collected, template.direct, complete)


@contextlib.contextmanager
def removed(path: Path) -> Iterator[None]:
    """Removes the file at the end of the block, so that an interrupted run keeps the traces of the previous run."""
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
