"""`demo`: an app under a load, warm, with the traces of all requests."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from lambda_latency.files import replace_files, unwritable, writable_by
from lambda_latency.local.app.prepare.instrument import export_of
from lambda_latency.local.app.read.app import LocalApp
from lambda_latency.local.app.serve.system import System, SystemOptions
from lambda_latency.local.app.triggers.calls import FunctionCall, HttpCall, load_calls, perform
from lambda_latency.local.errors import LocalError
from lambda_latency.local.faults import FaultPlan, FaultRule
from lambda_latency.local.load import plan_calls, send, warm_up_calls
from lambda_latency.local.log import LogFile, only_one

TRACES = "traces.jsonl"
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Demo:
    """The results of a run.

    `traces` is a file in memory if `unwritten` says why the one in the folder could not be written.
    `log` is the file of functions' output, `ms` the time of each answer. `sent` says how the functions sent their spans
    by their template, as `export_of` does. `kinds` is the number of different calls, 0 if they are random; `failed` is
    the number of failed calls.
    """

    traces: Path
    log: Path
    ms: Sequence[float]
    kinds: int
    failed: int
    traced: bool
    sent: str
    complete: bool  # False if an invocation never ended, so that its spans are missing
    unwritten: str


def run_demo(
    app: LocalApp,
    options: SystemOptions,
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
    for the user. Raises `LocalError` if the app does not start, or if there is nothing to call.
    """
    for note in app.notes:
        tell(note)
    load = Orders(app, requests, seed) if app.calls_payments else AppCalls(app, requests, seed)
    with only_one(options.out, "demo"), ExitStack() as unfinished:
        # An interrupted run keeps the previous traces. In memory a full disk costs no spans; that file stays open,
        # because the report reads it.
        if hasattr(os, "memfd_create"):
            recorded = Path(f"/proc/{os.getpid()}/fd/{os.memfd_create(TRACES)}")
        else:  # macOS
            recorded = (options.out / f".{TRACES}.new").absolute()
            unfinished.callback(recorded.unlink, missing_ok=True)
        options = replace(options, traces=str(recorded), plan=load.plan, sampler=lambda: True)
        stage("starting the app", 0)
        with ExitStack() as ending:
            log = LogFile(options.out / "system.log")
            ending.callback(log.close)
            system = System(app, options, log=log.write, tell=tell)
            ending.callback(system.close)
            stage("warming up", load.warm_ups(system))
            system.faulty = False
            load.warm_up(system, step)
            system.forget()
            system.faulty = True
            stage("sending requests", requests)
            load.send(system, step)
            stage("collecting spans", 0)
            complete = system.finish()
        traces, unwritten = options.out / TRACES, ""
        try:
            replace_files([(traces, recorded.read_text("utf-8"))])
        except OSError as error:
            unwritten = f"{unwritable(traces, error)}\n  {writable_by(error)}".rstrip()
    return Demo(
        recorded if unwritten else traces,
        log.path,
        load.ms,
        load.kinds,
        load.failed,
        app.is_traced,
        export_of(app),
        complete,
        unwritten,
    )


def demo_plan(seed: int, timeouts_among: int) -> FaultPlan:
    """The fault plan of the demo: payments slow for one order in five, throttles, payment errors, one function timeout,
    and two lines of own code that are slow: a regular expression that backtracks, and a lock that another thread holds.

    `timeouts_among` is the number of requests that read an order: one of them ends in the function timeout.
    """
    rules = [
        FaultRule("provider", "status", 0.04, status=503, route="POST /orders"),
        FaultRule("provider", "delay", 0.1, ms=900, route="POST /orders"),
        FaultRule("provider", "delay", 0.1, ms=1300, route="POST /orders"),
        FaultRule("provider", "delay", 1, ms=60),
        FaultRule("table", "throttle", 0.03),
    ]
    if timeouts_among:
        rules.append(FaultRule("function", "timeout", 1 / timeouts_among, route="GET /orders/{id}"))
    rules += [FaultRule("function", kind, 0.17, ms=700, route="GET /orders/{id}") for kind in ("regex", "lock")]
    return FaultPlan(seed, tuple(rules))


class Orders:
    """The load of an app that calls the payments API, of those of the packaged example's routes that it has. After
    `send`, `ms` has the time of each answer, and `failed` is the number of calls with a status of 500 or more.
    """

    kinds = 0  # a mix, which is not counted by kinds

    def __init__(self, app: LocalApp, requests: int, seed: int) -> None:
        routes = {route for api in app.apis for route in api.routes}
        self._calls, self._warm = plan_calls(requests, seed, routes), warm_up_calls(AT_ONCE, seed, routes)
        plan = demo_plan(seed, sum(call.method == "GET" and "?" not in call.path for call in self._calls))
        self.plan = replace(plan, rules=tuple(rule for rule in plan.rules if rule.route in (None, *routes)))
        self.ms: list[float] = []
        self.failed = 0

    def warm_ups(self, system: System) -> int:
        """Return the number of steps of `warm_up`."""
        return AT_ONCE * len(system.app.functions) + sum(map(len, self._warm))

    def warm_up(self, system: System, step: Callable[[], None]) -> None:
        """Start the environments that the load needs, and send each kind of request to each of them."""
        system.sandbox.prepare(AT_ONCE, step)
        for batch in self._warm:
            send(system.url, batch, AT_ONCE, lambda _: step())

    def send(self, system: System, step: Callable[[], None]) -> None:
        """Send the load."""
        answers = send(system.url, self._calls, AT_ONCE, lambda _: step())
        self.ms, self.failed = [a.ms for a in answers], sum(a.status >= 500 for a in answers)


class AppCalls:
    """The load of another app: its example events and its routes that read, again and again in a seeded order."""

    plan = FaultPlan()
    ms: Sequence[float] = ()

    def __init__(self, app: LocalApp, requests: int, seed: int) -> None:
        self._app, self._requests, self._seed = app, requests, seed
        self._calls: list[HttpCall | FunctionCall] = []
        self.failed = 0

    @property
    def kinds(self) -> int:
        """The number of different calls."""
        return len(self._calls)

    def warm_ups(self, system: System) -> int:
        """Return the number of steps of `warm_up`. Raises `LocalError` if there is nothing to call."""
        self._calls = load_calls(system)
        if not self._calls:
            todo = "put example events into events/, as for `sam local invoke`, each named after its function"
            raise LocalError(f"{self._app.path} has no GET route and no example event: there is nothing to call", todo)
        return len(self._calls)

    def warm_up(self, system: System, step: Callable[[], None]) -> None:
        """Make each call once."""
        self._perform(self._calls, system, step)

    def send(self, system: System, step: Callable[[], None]) -> None:
        """Send the load."""
        calls = [self._calls[number % len(self._calls)] for number in range(self._requests)]
        self.failed = self._perform(calls, system, step)

    def _perform(self, calls: Sequence[HttpCall | FunctionCall], system: System, step: Callable[[], None]) -> int:
        """Returns the number of failed calls."""
        calls = random.Random(self._seed).sample(calls, len(calls))  # noqa: S311 - an order, not a secret
        failed = 0
        with ThreadPoolExecutor(AT_ONCE) as callers:
            try:
                for done in as_completed([callers.submit(perform, call, system) for call in calls]):
                    failed += done.result() is not None
                    step()
            except BaseException:
                callers.shutdown(wait=False, cancel_futures=True)
                # Ends calls in progress, for which the executor would wait
                system.close()
                raise
        return failed
