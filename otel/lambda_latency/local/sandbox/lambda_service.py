"""The sandbox: functions and their execution environments, as Lambda runs them. The core of the laptop's system."""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from lambda_latency.local.errors import LocalError
from lambda_latency.local.faults import FaultRule
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.environment import ExecutionEnvironment
from lambda_latency.local.sandbox.function import Function, Outcome, Run
from lambda_latency.local.sandbox.runtime_api import RuntimeInvocation
from lambda_latency.local.sandbox.variables import SandboxSettings, lambda_variables
from lambda_latency.local.spans.segments import InvocationTimes, TracingHeader, function_segments, new_span_id
from lambda_latency.trace import Span

READ_ONLY = "LAMBDA_LATENCY_LOCAL_READ_ONLY"
BOOTSTRAP = Path(__file__).with_name("bootstrap.py")


@dataclass(frozen=True, slots=True)
class _SpanData:
    """The data of an invocation that its spans need; times are epoch nanoseconds."""

    header: TracingHeader
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
        settings: SandboxSettings,
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
        self._requests: dict[str, _SpanData] = {}
        self._ended = threading.Condition()
        self._closed = threading.Event()
        self._tidying = threading.Thread(target=self._tidy_pools, name="sandbox", daemon=True)
        self._tidying.start()

    def invoke(self, name: str, event: bytes, header: TracingHeader, fault: FaultRule | None = None) -> Outcome:
        """Run a function once and wait for its response. `event` is JSON; an error is part of the outcome."""
        pool = self._pools[name]
        called_ns = time.time_ns()
        request_id = str(uuid.uuid4())
        # The client context passes a fault to the laptop's bootstrap
        context = None
        if fault is not None:
            context = json.dumps({"custom": {"lambda-latency-fault": {"kind": fault.kind, "ms": fault.ms}}})
        while True:
            environment, waited = pool.take()
            if isinstance(environment, Outcome):
                self._record_failed_init(pool.function, header, called_ns, environment)
                return environment
            request = _request(environment, header, called_ns, waited=waited)
            invocation = RuntimeInvocation(
                request_id=request_id,
                event=event,
                function_arn=pool.function.arn,
                deadline_ms=int((time.time() + pool.function.timeout_s) * 1000),
                trace_header=str(TracingHeader(header.trace_id, request.span_id, header.sampled)),
                client_context=context,
            )
            with self._ended:
                self._requests[request_id] = request
            run = environment.invoke(invocation)
            if run is not None:
                assert run.outcome is not None
                return run.outcome
            # The environment had ended while it was idle: take the next one.

    def prepare(
        self, count: int, started: Callable[[], None] = lambda: None, names: Collection[str] | None = None
    ) -> None:
        """Start environments of each function before any request, or of those with these names. Raises `LocalError` if
        one does not initialize.
        """
        pools = [pool for name, pool in self._pools.items() if names is None or name in names]

        def start(pool: Pool) -> tuple[Function, Outcome | None]:
            failure = pool.start()
            started()
            return pool.function, failure

        with ThreadPoolExecutor(self._settings.starts_at_once) as workers:
            for function, failure in workers.map(start, pools * count):
                if failure is not None:
                    workers.shutdown(cancel_futures=True)
                    error = json.loads(failure.payload)
                    raise LocalError(
                        f"{function.name} does not initialize: {error['errorType']}: {error['errorMessage']}",
                        f"correct {function.handler}, or what it imports",
                    )

    def add(self, function: Function) -> None:
        """Add a function. It replaces a function of the same name, whose environments end after their invocations."""
        previous = self._pools.get(function.name)
        self._pools[function.name] = self._pool(function)
        if previous is not None:
            self._replaced.append(previous)
            previous.retire()

    def environments(self, name: str | None = None) -> list[ExecutionEnvironment]:
        """Return the existing environments of one function, or of all."""
        pools = [*self._pools.values(), *self._replaced]
        return [
            environment for pool in pools if name in (None, pool.function.name) for environment in pool.environments()
        ]

    def wait_until_idle(self, limit_s: float) -> bool:
        """Wait until all invocations have ended, with the work after their responses; False at the limit."""
        with self._ended:
            return self._ended.wait_for(lambda: not self._requests, limit_s)

    def renew(self) -> None:
        """Serve later requests from new environments: idle ones end now, busy ones after their invocation."""
        for pool in self._pools.values():
            pool.renew()

    def close(self) -> None:
        """Stop every environment."""
        self._closed.set()
        self._tidying.join()
        stop_all(self.environments())

    def _pool(self, function: Function) -> Pool:
        settings = self._settings
        if function.code is not None:
            extra = {**settings.extra, READ_ONLY: "1"} if function.read_only else settings.extra
            settings = replace(settings, task_root=function.code, extra=extra)
        if settings.counts is not None:
            function = replace(function, timeout_s=settings.counts.limit_s)
            limit_s = settings.counts.limit_s
            settings = replace(settings, init_limit_s=limit_s, idle_limit_s=limit_s)
        # Raises for a missing wrapper now, not at the first request
        wrapper = settings.wrapper(function)
        command: list[str | Path] = [function.python or sys.executable, BOOTSTRAP]

        def log(line: str) -> None:
            self._log(function.name, line)

        def printed(header: str, line: str) -> None:
            caller = TracingHeader.parse(header)
            if caller is not None:
                self._printed(caller.trace_id, function.name, line)

        def new() -> ExecutionEnvironment:
            return ExecutionEnvironment(
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

        def settled(environment: ExecutionEnvironment, run: Run) -> None:
            self._settled(pool, environment, run)

        # An environment returns to its own pool: the function may have a new pool by then.
        pool = Pool(function, new, settings, self._starts, log)
        return pool

    def _settled(self, pool: Pool, environment: ExecutionEnvironment, run: Run) -> None:
        request_id = run.invocation.request_id
        request = self._requests[request_id]
        # Before the spans are recorded: whoever reads them finds it idle
        pool.give_back(environment)
        if request.header.sampled:
            times = InvocationTimes(request.called_ns, run.started_ns, run.responded_ns, run.ended_ns, request.init)
            self._record(_segments(environment.function, request, request_id, times, run.outcome))
        with self._ended:
            del self._requests[request_id]
            self._ended.notify_all()

    def _tidy_pools(self) -> None:
        while not self._closed.wait(0.1):
            for pool in (*self._pools.values(), *self._replaced):
                pool.tidy()
            for pool in [replaced for replaced in self._replaced if replaced.empty]:
                self._replaced.remove(pool)

    def _record_failed_init(self, function: Function, header: TracingHeader, called_ns: int, failure: Outcome) -> None:
        if header.sampled:
            end_ns = time.time_ns()
            request = _SpanData(header, new_span_id(), called_ns, True, (called_ns, end_ns))
            times = InvocationTimes(called_ns, end_ns, end_ns, end_ns, request.init)
            self._record(_segments(function, request, "", times, failure))


def _request(environment: ExecutionEnvironment, header: TracingHeader, called_ns: int, *, waited: bool) -> _SpanData:
    """The request's data. Its init begins at its own call: a start that waits for others is none of Lambda's queues.

    A request that waited for a start, but got an environment of another request, would have a start of its own there.
    """
    cold = environment.invocations == 0
    ready_ns = environment.ready_ns if cold else time.time_ns()
    init = (called_ns, ready_ns) if (cold or waited) and called_ns < ready_ns else None
    return _SpanData(header, new_span_id(), called_ns, cold, init)


def _segments(
    function: Function, request: _SpanData, request_id: str, times: InvocationTimes, outcome: Outcome | None
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


class Pool:
    """Assigns an environment to each request, and starts one for each waiting request, up to the limit.

    `new` creates an environment; `starts`, which all pools share, limits how many start at once.
    """

    def __init__(
        self,
        function: Function,
        new: Callable[[], ExecutionEnvironment],
        settings: SandboxSettings,
        starts: threading.BoundedSemaphore,
        log: Callable[[str], None],
    ) -> None:
        self.function = function
        self._new, self._settings, self._starts, self._log = new, settings, starts, log
        self._changed = threading.Condition()
        self._all: dict[ExecutionEnvironment, int] = {}  # and the generation of the code that each has loaded
        self._idle: list[ExecutionEnvironment] = []
        self._generation = 0
        self._waiting = 0
        self._starting = 0
        self._retired = False
        self._failures: list[Outcome] = []

    def take(self) -> tuple[ExecutionEnvironment | Outcome, bool]:
        """Returns an idle environment, waiting for one if needed, or the outcome of a failed init; and whether the
        first environment was still starting then. With others there, a request waits for a free one.
        """
        waited = False
        with self._changed:
            self._waiting += 1
            try:
                while not self._idle:
                    if self._failures:
                        return self._failures.pop(), True
                    size = len(self._all) + self._starting
                    if self._starting < self._waiting and size < self._settings.max_environments:
                        self._starting += 1
                        threading.Thread(target=self._start_for_request, daemon=True).start()
                    waited = waited or (self._starting > 0 and not self._all)
                    self._changed.wait()
                # The most recently used one, so that the others can reach the idle limit.
                return self._idle.pop(), waited
            finally:
                self._waiting -= 1

    def give_back(self, environment: ExecutionEnvironment) -> None:
        """Makes an environment idle after its invocation, or stops it if its code is outdated."""
        with self._changed:
            outdated = self._retired or self._all.get(environment, self._generation) != self._generation
            if environment.phase == "idle" and not outdated:
                self._idle.append(environment)
                self._changed.notify_all()
        if environment.phase == "idle" and outdated:
            # Another thread, because this one serves its API.
            threading.Thread(target=environment.stop, daemon=True).start()

    def forget(self, environment: ExecutionEnvironment) -> None:
        """Removes an environment whose process has ended."""
        with self._changed:
            self._all.pop(environment, None)
            if environment in self._idle:
                self._idle.remove(environment)
            self._changed.notify_all()

    def start(self) -> Outcome | None:
        """Add an idle environment when the limit of concurrent starts allows it; returns the error of a failed init."""
        with self._starts:
            return self._start()

    def environments(self) -> list[ExecutionEnvironment]:
        """Return all environments of the pool."""
        with self._changed:
            return list(self._all)

    def renew(self) -> None:
        """Serve later requests from new environments: idle ones end now, busy ones after their invocation."""
        with self._changed:
            self._generation += 1
            ending, self._idle = self._idle, []
        stop_all(ending)

    def retire(self) -> None:
        """Stop all environments, busy ones after their invocation, because another pool serves the function now."""
        self._retired = True
        self.renew()

    @property
    def empty(self) -> bool:
        """Whether it has no environment and no waiting request."""
        with self._changed:
            return not (self._all or self._starting or self._waiting)

    def tidy(self) -> None:
        """Stop environments as Lambda does: those over the idle limit, and those whose extensions are overdue."""
        oldest = time.monotonic() - self._settings.idle_limit_s
        with self._changed:
            old = [e for e in self._idle if e.idle_since < oldest]
            self._idle = [e for e in self._idle if e not in old]
        stop_all(old)
        for environment in self.environments():
            if environment.overdue:
                environment.kill()

    def _start_for_request(self) -> None:
        with self._starts:
            # Other environments may have served the requests while this start waited for the semaphore.
            try:
                failure = self._start() if self._waiting else None
            except LocalError as error:
                failure = Outcome.failed("Sandbox.Closed", error.message)
            except OSError as error:  # such as a task root that is no folder
                failure = Outcome.failed("Sandbox.Failed", f"its process cannot start: {error}")
        with self._changed:
            self._starting -= 1
            if failure is not None:
                self._failures.append(failure)
            self._changed.notify_all()

    def _start(self) -> Outcome | None:
        while True:
            generation = self._generation
            environment, failure = self._initialized()
            with self._changed:
                outdated = generation != self._generation
                if not outdated and failure is None and environment.phase == "idle":
                    self._all[environment] = generation
                    self._idle.append(environment)
                    self._changed.notify_all()
            if not outdated:
                return failure
            environment.stop()  # the code changed during the init: start again

    def _initialized(self) -> tuple[ExecutionEnvironment, Outcome | None]:
        """A new environment. As on Lambda, an init over the limit is retried once, with the function's timeout."""
        environment = self._new()
        failure = environment.wait_for_init(self._settings.init_limit_s)
        if failure is not None and failure.error == "Sandbox.Timedout":
            self._log(f"init took over {self._settings.init_limit_s:g} s; starting again")
            environment = self._new()
            failure = environment.wait_for_init(self.function.timeout_s)
        return environment, failure


def stop_all(environments: Iterable[ExecutionEnvironment]) -> None:
    """Stop environments in parallel, because one with an extension may take half a second."""
    threads = [threading.Thread(target=environment.stop) for environment in environments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
