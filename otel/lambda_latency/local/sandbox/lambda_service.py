"""The sandbox: functions and their execution environments, as Lambda runs them. The core of the laptop's system."""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from lambda_latency.local.errors import LocalError
from lambda_latency.local.faults import Rule
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.environment import Environment
from lambda_latency.local.sandbox.function import Function, Outcome, Run
from lambda_latency.local.sandbox.pool import Pool, stop_all
from lambda_latency.local.sandbox.runtime_api import Invocation
from lambda_latency.local.sandbox.variables import Settings, lambda_variables
from lambda_latency.local.xray.segments import Times, TraceHeader, function_segments, new_span_id
from lambda_latency.trace import Span

READ_ONLY = "LAMBDA_LATENCY_LOCAL_READ_ONLY"
BOOTSTRAP = Path(__file__).with_name("bootstrap.py")


@dataclass(frozen=True, slots=True)
class _Request:
    """The data of an invocation that its spans need; times are epoch nanoseconds."""

    header: TraceHeader
    span_id: str
    called_ns: int
    cold: bool
    init: tuple[int, int] | None


class Sandbox:
    """Runs each invocation in an idle environment or in a new one.

    `record` receives the platform spans of each sampled invocation after its end, `log` a function's name and each line
    that it prints, `printed` the trace id of the invocation, the function's name and the line.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        settings: Settings,
        processes: Processes,
        *,
        record: Callable[[list[Span]], None],
        log: Callable[[str, str], None],
        printed: Callable[[str, str, str], object] = lambda *_: None,
    ) -> None:
        self._settings, self._processes = settings, processes
        self._record, self._log, self._printed = record, log, printed
        self._starts = threading.BoundedSemaphore(settings.starts_at_once)
        self._pools = {function.name: self._pool(function) for function in functions}
        self._replaced: list[Pool] = []  # with environments that are still busy
        self._requests: dict[str, _Request] = {}
        self._over = threading.Condition()
        self._closed = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="sandbox", daemon=True)
        self._keeper.start()

    def invoke(self, name: str, event: bytes, header: TraceHeader, fault: Rule | None = None) -> Outcome:
        """Run a function once and wait for its response. `event` is JSON; an error is part of the outcome."""
        pool = self._pools[name]
        called_ns = time.time_ns()
        request_id = str(uuid.uuid4())
        while True:
            environment, waited = pool.take()
            if isinstance(environment, Outcome):
                self._record_failed_init(pool.function, header, called_ns, environment)
                return environment
            request = _request(environment, header, called_ns, waited=waited)
            invocation = Invocation(
                request_id=request_id,
                event=event,
                function_arn=pool.function.arn,
                deadline_ms=int((time.time() + pool.function.timeout_s) * 1000),
                trace_header=str(TraceHeader(header.trace_id, request.span_id, header.sampled)),
                client_context=_planned(fault),
            )
            with self._over:
                self._requests[request_id] = request
            run = environment.invoke(invocation)
            if run is not None:
                assert run.outcome is not None
                return run.outcome
            # The environment had ended while it was idle: take the next one.

    def prepare(self, count: int, started: Callable[[], None] = lambda: None) -> None:
        """Start `count` environments of each function before any request, as provisioned concurrency would.

        Raises `LocalError` with the error of a function that does not initialize.
        """

        def start(pool: Pool) -> tuple[Function, Outcome | None]:
            failure = pool.start()
            started()
            return pool.function, failure

        with ThreadPoolExecutor(self._settings.starts_at_once) as workers:
            for function, failure in workers.map(start, [pool for pool in self._pools.values() for _ in range(count)]):
                if failure is not None:
                    workers.shutdown(cancel_futures=True)
                    error = json.loads(failure.payload)
                    raise LocalError(
                        f"{function.name} does not initialize: {error['errorType']}: {error['errorMessage']}",
                        f"correct {function.handler}, or what it imports",
                    )

    def add(self, function: Function) -> None:
        """Add a function. It replaces a function of the same name, whose environments end after their invocations."""
        before = self._pools.get(function.name)
        self._pools[function.name] = self._pool(function)
        if before is not None:
            self._replaced.append(before)
            before.retire()

    def environments(self, name: str | None = None) -> list[Environment]:
        """The existing environments of one function, or of all."""
        pools = [*self._pools.values(), *self._replaced]
        return [
            environment for pool in pools if name in (None, pool.function.name) for environment in pool.environments()
        ]

    def wait_until_idle(self, limit_s: float) -> bool:
        """Wait until all invocations have ended, with the work after their responses; False at the limit."""
        with self._over:
            return self._over.wait_for(lambda: not self._requests, limit_s)

    def renew(self) -> None:
        """Serve later requests from new environments: idle ones end now, busy ones after their invocation."""
        for pool in self._pools.values():
            pool.renew()

    def close(self) -> None:
        """Stop every environment."""
        self._closed.set()
        self._keeper.join()
        stop_all(self.environments())

    def _pool(self, function: Function) -> Pool:
        settings = self._settings
        if function.code is not None:
            extra = {**settings.extra, READ_ONLY: "1"} if function.read_only else settings.extra
            settings = replace(settings, task_root=function.code, extra=extra)
        wrapper = settings.wrapper(function)  # raises for a missing wrapper now, not at the first request
        command: list[str | Path] = [function.python or sys.executable, BOOTSTRAP]

        def log(line: str) -> None:
            self._log(function.name, line)

        def printed(header: str, line: str) -> None:
            told = TraceHeader.parse(header)
            if told is not None:
                self._printed(told.trace_id, function.name, line)

        def new() -> Environment:
            return Environment(
                function,
                command if wrapper is None else [wrapper, *command],
                lambda_variables(function, settings),
                settings.task_root,
                self._processes,
                settled=settled,
                ended=pool.forget,
                log=log,
                printed=printed,
            )

        def settled(environment: Environment, run: Run) -> None:
            self._settled(pool, environment, run)

        # An environment returns to its own pool: the function may have a new pool by then.
        pool = Pool(function, new, settings, self._starts, log)
        return pool

    def _settled(self, pool: Pool, environment: Environment, run: Run) -> None:
        request_id = run.invocation.request_id
        request = self._requests[request_id]
        pool.give_back(environment)  # before the spans are recorded: whoever reads them finds it idle
        if request.header.sampled:
            times = Times(request.called_ns, run.started_ns, run.responded_ns, run.ended_ns, request.init)
            self._record(_segments(environment.function, request, request_id, times, run.outcome))
        with self._over:
            del self._requests[request_id]
            self._over.notify_all()

    def _keep(self) -> None:
        while not self._closed.wait(0.1):
            for pool in (*self._pools.values(), *self._replaced):
                pool.tidy()
            for pool in [one for one in self._replaced if one.empty]:
                self._replaced.remove(pool)

    def _record_failed_init(self, function: Function, header: TraceHeader, called_ns: int, failure: Outcome) -> None:
        if header.sampled:
            now = time.time_ns()
            request = _Request(header, new_span_id(), called_ns, True, (called_ns, now))
            self._record(_segments(function, request, "", Times(called_ns, now, now, now, request.init), failure))


def _request(environment: Environment, header: TraceHeader, called_ns: int, *, waited: bool) -> _Request:
    """The request's data. Its init begins at its own call: a start that waits for others is none of Lambda's queues.

    A request that waited for a start, but got an environment of another request, would have a start of its own there.
    """
    cold = environment.invocations == 0
    ready_ns = environment.ready_ns if cold else time.time_ns()
    init = (called_ns, ready_ns) if (cold or waited) and called_ns < ready_ns else None
    return _Request(header, new_span_id(), called_ns, cold, init)


def _planned(fault: Rule | None) -> str | None:
    """The client context that passes a fault to the laptop's bootstrap; None without a fault."""
    if fault is None:
        return None
    return json.dumps({"custom": {"lambda-latency-fault": {"kind": fault.kind, "ms": fault.ms}}})


def _segments(
    function: Function, request: _Request, request_id: str, times: Times, outcome: Outcome | None
) -> list[Span]:
    attributes: dict[str, object] = {
        "cloud.resource_id": function.arn,
        "faas.invocation_id": request_id,
        "faas.coldstart": request.cold,
    }
    failure = None
    if outcome is not None and outcome.error is not None:
        failure = outcome.error
        attributes["error.type"] = outcome.error
        if outcome.error == "Sandbox.Timedout":
            attributes |= {"lambda.timeout": True, "lambda.timeout.limit_ms": int(function.timeout_s * 1000)}
    return function_segments(function.name, request.header, request.span_id, times, attributes, failure)
