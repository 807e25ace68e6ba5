"""The sandbox: functions and their execution environments, as Lambda runs them. The core of the laptop's system."""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from otel.local.environment import Environment, Function, Outcome, Run
from otel.local.errors import LocalError
from otel.local.faults import Rule
from otel.local.processes import Processes
from otel.local.runtime_api import Invocation
from otel.local.segments import Times, TraceHeader, function_segments, new_span_id
from otel.local.variables import Settings, lambda_variables
from otel.trace.span import Span

__all__ = ["Sandbox"]

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")


@dataclass(slots=True)
class _Pool:
    """The environments of one function; `all` with the generation of the code that each has loaded."""

    function: Function
    all: dict[Environment, int] = field(default_factory=dict)
    idle: list[Environment] = field(default_factory=list)
    starting: int = 0
    waiting: int = 0
    failures: list[Outcome] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Request:
    """What the spans of an invocation need when it is over."""

    header: TraceHeader
    span_id: str
    called_ns: int
    cold: bool
    init: tuple[int, int] | None


class Sandbox:
    """Runs invocations, each in an environment that is free or in a new one.

    `record` receives the platform spans of each sampled invocation when it is over, `log` each line of a function.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        settings: Settings,
        processes: Processes,
        *,
        record: Callable[[list[Span]], None],
        log: Callable[[str, str], None],
    ) -> None:
        self._settings, self._processes = settings, processes
        self._record, self._log = record, log
        self._changed = threading.Condition()
        self._pools = {function.name: _Pool(function) for function in functions}
        self._requests: dict[str, _Request] = {}
        self._generation = 0
        self._starts = threading.BoundedSemaphore(settings.starts_at_once)
        self._closed = threading.Event()
        for pool in self._pools.values():
            settings.wrapper(pool.function)  # one that is missing is better known now than at the first request
        self._keeper = threading.Thread(target=self._keep, name="sandbox", daemon=True)
        self._keeper.start()

    def invoke(self, name: str, event: bytes, header: TraceHeader, fault: Rule | None = None) -> Outcome:
        """Run a function once and wait for its response, as long as it may take."""
        pool = self._pools[name]
        called_ns = time.time_ns()
        request_id = str(uuid.uuid4())
        while True:
            environment = self._free(pool)
            if isinstance(environment, Outcome):
                self._record_failed_init(pool.function, header, called_ns, environment)
                return environment
            request = _request(environment, header, called_ns)
            invocation = Invocation(
                request_id=request_id,
                event=event,
                function_arn=pool.function.arn,
                deadline_ms=int((time.time() + pool.function.timeout_s) * 1000),
                trace_header=str(TraceHeader(header.trace_id, request.span_id, header.sampled)),
                client_context=_planned(fault),
            )
            with self._changed:
                self._requests[request_id] = request
            run = environment.invoke(invocation)
            if run is not None:
                assert run.outcome is not None
                return run.outcome
            # It had ended while it was idle: on to the next one.

    def prepare(self, count: int, started: Callable[[], None] = lambda: None) -> None:
        """Start `count` environments of each function before any request, as provisioned concurrency would.

        Raises `LocalError` with the error of a function that does not initialize.
        """

        def start(pool: _Pool) -> tuple[str, Outcome | None]:
            with self._starts:
                failure = self._start(pool)
            started()
            return pool.function.name, failure

        with ThreadPoolExecutor(self._settings.starts_at_once) as workers:
            for name, failure in workers.map(start, [pool for pool in self._pools.values() for _ in range(count)]):
                if failure is not None:
                    workers.shutdown(cancel_futures=True)
                    error = json.loads(failure.payload)
                    raise LocalError(
                        f"{name} does not initialize: {error['errorType']}: {error['errorMessage']}",
                        f"correct {self._pools[name].function.handler}, or what it imports",
                    )

    def environments(self, name: str | None = None) -> list[Environment]:
        """The environments that exist, of one function or of all."""
        with self._changed:
            return [one for pool in self._pools.values() if name in (None, pool.function.name) for one in pool.all]

    def wait_until_idle(self, limit_s: float) -> bool:
        """Wait until no invocation is under way, the work after the responses included."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._requests, limit_s)

    def renew(self) -> None:
        """Serve later requests from new environments: idle ones end now, busy ones after their invocation."""
        with self._changed:
            self._generation += 1
            ending = [one for pool in self._pools.values() for one in pool.idle]
            for pool in self._pools.values():
                pool.idle.clear()
        _stop(ending)

    def close(self) -> None:
        """End every environment."""
        self._closed.set()
        self._keeper.join()
        _stop(self.environments())

    def _free(self, pool: _Pool) -> Environment | Outcome:
        """An idle environment; where there is none, the first that becomes free or is started; or why none starts."""
        with self._changed:
            pool.waiting += 1
            try:
                while not pool.idle:
                    if pool.failures:
                        return pool.failures.pop()
                    size = len(pool.all) + pool.starting
                    if pool.starting < pool.waiting and size < self._settings.max_environments:
                        pool.starting += 1
                        threading.Thread(target=self._start_for_request, args=(pool,), daemon=True).start()
                    self._changed.wait()
                return pool.idle.pop()  # the one used last: the others may grow old
            finally:
                pool.waiting -= 1

    def _start_for_request(self, pool: _Pool) -> None:
        with self._starts:
            # While this start waited for its turn, others may have served the requests.
            try:
                failure = self._start(pool) if pool.waiting else None
            except LocalError as error:
                failure = Outcome.failed("Sandbox.Closed", error.what)
        with self._changed:
            pool.starting -= 1
            if failure is not None:
                pool.failures.append(failure)
            self._changed.notify_all()

    def _start(self, pool: _Pool) -> Outcome | None:
        """Add an environment to the idle ones, or say why it does not initialize."""
        generation = self._generation
        environment, failure = self._initialized(pool.function)
        with self._changed:
            if failure is None and environment.phase == "idle":
                pool.all[environment] = generation
                pool.idle.append(environment)
                self._changed.notify_all()
        return failure

    def _initialized(self, function: Function) -> tuple[Environment, Outcome | None]:
        """A new environment. As Lambda does it, an init over the limit is tried once more within the timeout."""
        environment = self._new(function)
        failure = environment.wait_for_init(self._settings.init_limit_s)
        if failure is not None and failure.error == "Sandbox.Timedout":
            self._log(function.name, f"init took over {self._settings.init_limit_s:g} s; once more")
            environment = self._new(function)
            failure = environment.wait_for_init(function.timeout_s)
        return environment, failure

    def _new(self, function: Function) -> Environment:
        wrapper = self._settings.wrapper(function)
        command: list[str | Path] = [sys.executable, BOOTSTRAP]
        return Environment(
            function,
            command if wrapper is None else [wrapper, *command],
            lambda_variables(function, self._settings),
            self._settings.task_root,
            self._processes,
            settled=self._settled,
            ended=self._ended,
            log=lambda line: self._log(function.name, line),
        )

    def _settled(self, environment: Environment, run: Run) -> None:
        pool = self._pools[environment.function.name]
        request_id = run.invocation.request_id
        request = self._requests[request_id]
        if request.header.sampled:
            times = Times(request.called_ns, run.started_ns, run.responded_ns, run.ended_ns, request.init)
            self._record(_segments(pool.function, request, request_id, times, run.outcome))
        with self._changed:
            del self._requests[request_id]
            outdated = pool.all.get(environment, self._generation) != self._generation
            if environment.phase == "idle" and not outdated:
                pool.idle.append(environment)
            self._changed.notify_all()
        if environment.phase == "idle" and outdated:
            threading.Thread(target=environment.stop, daemon=True).start()  # not on the thread that answers it

    def _ended(self, environment: Environment) -> None:
        pool = self._pools[environment.function.name]
        with self._changed:
            pool.all.pop(environment, None)
            if environment in pool.idle:
                pool.idle.remove(environment)
            self._changed.notify_all()

    def _keep(self) -> None:
        """End what Lambda would end: environments idle for long, and those whose extensions outlast the deadline."""
        while not self._closed.wait(0.1):
            oldest = time.monotonic() - self._settings.idle_limit_s
            with self._changed:
                old = [one for pool in self._pools.values() for one in pool.idle if one.idle_since < oldest]
                for environment in old:
                    self._pools[environment.function.name].idle.remove(environment)
            _stop(old)
            for environment in self.environments():
                if environment.overdue:
                    environment.kill()

    def _record_failed_init(self, function: Function, header: TraceHeader, called_ns: int, failure: Outcome) -> None:
        if header.sampled:
            now = time.time_ns()
            request = _Request(header, new_span_id(), called_ns, True, (called_ns, now))
            self._record(_segments(function, request, "", Times(called_ns, now, now, now, request.init), failure))


def _request(environment: Environment, header: TraceHeader, called_ns: int) -> _Request:
    """A request waits for an init from its own call on: the environment may have been started for an earlier one."""
    cold = environment.invocations == 0
    begin = max(called_ns, environment.started_ns)
    waited = (begin, environment.ready_ns) if cold and begin < environment.ready_ns else None
    return _Request(header, new_span_id(), called_ns, cold, waited)


def _planned(fault: Rule | None) -> str | None:
    """A fault of the function itself travels in the client context, where the laptop's bootstrap looks for it."""
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


def _stop(environments: list[Environment]) -> None:
    """Stop them side by side: one with an extension may take its half second."""
    threads = [threading.Thread(target=environment.stop) for environment in environments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
