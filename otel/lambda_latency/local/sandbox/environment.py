"""One execution environment: a process with Lambda's life cycle (init, invoke, freeze, thaw, shutdown)."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lambda_latency.local.processes import Processes, asleep
from lambda_latency.local.sandbox.function import Function, Outcome, Run
from lambda_latency.local.sandbox.runtime_api import (
    MAX_PAYLOAD,
    ExtensionEvent,
    Refusal,
    RuntimeInvocation,
    serve_runtime_api,
)

# From SIGTERM to SIGKILL with internal extensions; without any, Lambda sends SIGKILL at once.
SHUTDOWN_S = 0.5
# Lines of an init that are retained for the first invocation
MOST_EARLY = 100
# The limit for its threads to block again after a thaw; a busy thread does not
AWAKE_S = 0.1

MAX_EXTENSIONS = 10


class ExecutionEnvironment:
    """A child process with its own Runtime API: one invocation at a time, frozen while idle.

    `command` is the runtime's command line and `env` its variables without the API's address. `settled` is called at
    the end of an invocation, when the runtime and every extension have requested the next event or the process is gone;
    `ended` when the process is gone; `log` with each line it prints, `printed` with such a line after the
    trace header of its invocation.
    """

    def __init__(
        self,
        function: Function,
        command: Sequence[str | Path],
        env: Mapping[str, str],
        cwd: Path,
        processes: Processes,
        *,
        settled: Callable[[ExecutionEnvironment, Run], None],
        ended: Callable[[ExecutionEnvironment], None],
        log: Callable[[str], None],
        printed: Callable[[str, str], object] = lambda *_: None,
    ) -> None:
        self.function = function
        self.invocations = 0
        self.idle_since = 0.0
        self._settled, self._ended, self._log, self._printed = settled, ended, log, printed
        self._processes = processes
        self._lock = threading.RLock()
        self.phase: Literal["init", "idle", "busy", "ended"] = "init"
        self.frozen = False
        self._initialized = threading.Event()
        self._init_error: Outcome | None = None
        self._inbox: queue.SimpleQueue[RuntimeInvocation | None] = queue.SimpleQueue()
        self._runtime_waits = False
        self._extensions = Extensions()
        self._running: Run | None = None
        self._header = ""  # of the present or the last invocation
        self._early: list[str] = []  # lines of the init: they belong to the first invocation
        self._api = serve_runtime_api(self)
        self.started_ns = time.time_ns()
        self.ready_ns = 0
        self._child = processes.start(command, env={**env, "AWS_LAMBDA_RUNTIME_API": self._api.address}, cwd=cwd)
        self._reader = threading.Thread(target=self._read_output, name=f"output of {self.pid}", daemon=True)
        self._waiter = threading.Thread(target=self._wait_for_end, name=f"end of {self.pid}", daemon=True)
        self._reader.start()
        self._waiter.start()

    # Called by the sandbox.

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def overdue(self) -> bool:
        """Whether an extension is still busy past the deadline, after the response."""
        run = self._running
        return run is not None and run.responded.is_set() and time.time() * 1000 > run.invocation.deadline_ms

    def wait_for_init(self, limit_s: float) -> Outcome | None:
        """Waits for the init. Returns its error, None without one; kills it at the limit (`Sandbox.Timedout`)."""
        if not self._initialized.wait(limit_s):
            self.kill()
            return Outcome.failed("Sandbox.Timedout", f"Error: Task timed out after {limit_s:.2f} seconds")
        return self._init_error

    def invoke(self, invocation: RuntimeInvocation) -> Run | None:
        """Sends an event and waits for the response; kills the process at the deadline. None if it had ended."""
        run = Run(invocation, time.time_ns())
        with self._lock:
            if self.phase == "ended":
                return None
            self._thaw()
            self.phase = "busy"
            self.invocations += 1
            self._running = run
            early, self._early = self._early, []
            self._header = invocation.trace_header
            self._runtime_waits = False
            self._extensions.expect()
            self._inbox.put(invocation)
        for line in early:
            self._printed(invocation.trace_header, line)
        if not run.responded.wait(max(0.0, invocation.deadline_ms / 1000 - time.time())):
            with self._lock:
                if run.outcome is None:
                    limit = f"{self.function.timeout_s:.2f} seconds"
                    message = f"RequestId: {invocation.request_id} Error: Task timed out after {limit}"
                    run.answer(Outcome.failed("Sandbox.Timedout", message))
            self.kill()
        return run

    def stop(self) -> None:
        """Shuts down as Lambda does: at once without extensions, after SIGTERM and half a second with internal ones."""
        with self._lock:
            if self._extensions and self.phase != "ended":
                self._thaw()
                self._wait_until_awake()
                self._signal(signal.SIGTERM)
        if self._extensions:
            self._waiter.join(SHUTDOWN_S)
        self.kill()

    def kill(self) -> None:
        """Kills the process and its children; returns when it is gone."""
        self._signal(signal.SIGKILL)
        self._waiter.join()
        self._reader.join(1)  # a process that left the group may still hold the pipe

    # Called by its runtime and extensions, through the Runtime API.

    def next_invocation(self) -> RuntimeInvocation | None:
        self._runtime_waits = True
        self._settle()
        return self._inbox.get()

    def handed(self, invocation: RuntimeInvocation) -> None:
        # After the runtime's event is written: the threads share the interpreter, and the caller waits for the runtime.
        with self._lock:
            self._extensions.hand(invocation)

    def respond(self, request_id: str, payload: bytes) -> None:
        if len(payload) > MAX_PAYLOAD:
            limit = f"maximum allowed payload size ({MAX_PAYLOAD} bytes)."
            message = f"Response payload size ({len(payload)} bytes) exceeded {limit}"
            self._answered(request_id, Outcome.failed("Function.ResponseSizeTooLarge", message))
            raise Refusal(413, "RequestEntityTooLarge", f"Exceeded {limit}")
        self._answered(request_id, Outcome(payload))

    def fail(self, request_id: str, payload: bytes) -> None:
        self._answered(request_id, Outcome(payload, "Unhandled"))

    def init_failed(self, payload: bytes) -> None:
        with self._lock:
            if self.phase != "init":
                raise Refusal(403, "InvalidStateTransition", "the environment has initialized already")
            self._init_error = Outcome(payload, "Runtime.InitError")

    def register(self, name: str, events: list[str]) -> tuple[str, dict[str, str]]:
        with self._lock:
            if self.phase != "init" or self._runtime_waits:
                raise Refusal(403, "Extension.RegistrationClosed", "Extension registration closed already")
            identifier = self._extensions.register(name, events)
        function = self.function
        return identifier, {"functionName": function.name, "functionVersion": "$LATEST", "handler": function.handler}

    def next_event(self, extension_id: str) -> ExtensionEvent | None:
        extension = self._extensions.get(extension_id)
        extension.waits = True
        self._settle()
        return extension.inbox.get()

    def extension_failed(self, extension_id: str, phase: str, error_type: str) -> None:
        name = self._extensions.get(extension_id).name
        self._log(f"extension {name} reported {error_type} at {phase}")
        if phase == "init":
            self._init_error = Outcome.failed("Extension.InitError", f"Error: extension {name} failed: {error_type}")

    def end(self) -> None:
        self._signal(signal.SIGKILL)

    # State changes.

    def _answered(self, request_id: str, outcome: Outcome) -> None:
        with self._lock:
            run = self._running
            if run is None or run.invocation.request_id != request_id or run.outcome is not None:
                raise Refusal(400, "InvalidRequestID", "Invalid request ID")
            run.answer(outcome)

    def _settle(self) -> None:
        """Ends the current phase and freezes, if the runtime and every extension wait for an event."""
        with self._lock:
            if not self._runtime_waits or not self._extensions.all_wait:
                return
            if self.phase == "init":
                self.ready_ns = time.time_ns()
            elif self.phase != "busy":
                return
            run, self._running = self._running, None
            self.phase = "idle"
            self.idle_since = time.monotonic()
            self._signal(signal.SIGSTOP)
            self.frozen = True
        self._initialized.set()
        if run is not None:
            self._end_run(run)

    def _end_run(self, run: Run) -> None:
        run.ended_ns = time.time_ns()
        self._settled(self, run)

    def _thaw(self) -> None:
        if self.frozen:
            self._signal(signal.SIGCONT)
            self.frozen = False

    def _wait_until_awake(self) -> None:
        """Waits until its threads wait as before the freeze, so that SIGTERM reaches the main thread.

        Lambda freezes without signals; here SIGCONT ends the freeze. While Linux wakes the threads, it delivers the
        next signal to any of them, and Python's handler would wait for a main thread that may be blocked for ever.
        """
        limit = time.monotonic() + AWAKE_S
        while time.monotonic() < limit and not asleep(self.pid):
            time.sleep(0.0005)

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            if self.phase != "ended":  # later, the id may belong to another process
                # macOS: of a group of zombies.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._child.pid, number)

    # Background threads.

    def _read_output(self) -> None:
        assert self._child.stdout is not None
        with self._child.stdout as output:
            for line in output:
                # The runtime client ends a log event with a line feed, and the lines inside it with a carriage return.
                for part in line.decode(errors="replace").rstrip("\r\n").split("\r"):
                    self._log(part)
                    if self._header:
                        self._printed(self._header, part)
                    elif len(self._early) < MOST_EARLY:
                        self._early.append(part)

    def _wait_for_end(self) -> None:
        child = self._child
        if hasattr(os, "waitid"):
            # Not reaped yet: its group id is still valid.
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        else:
            # macOS before Python 3.13: the id stays valid as long as a process of the group lives
            child.wait()
        with self._lock:
            self._signal(signal.SIGKILL)  # also kills its children
            status = child.wait()
            self.phase = "ended"
            run, self._running = self._running, None
        self._processes.ended(child)
        how = f"signal: {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        if not self._initialized.is_set():
            self.ready_ns = time.time_ns()
            self._init_error = self._init_error or Outcome.failed(
                "Runtime.ExitError", f"Error: Runtime exited during init ({how})"
            )
            self._initialized.set()
        if run is not None:
            if run.outcome is None:
                message = f"RequestId: {run.invocation.request_id} Error: Runtime exited with error: {how}"
                run.answer(Outcome.failed("Runtime.ExitError", message))
            self._end_run(run)
        # Releases threads of the API that still wait for an event
        self._inbox.put(None)
        self._extensions.release()
        self._api.close()
        self._ended(self)


@dataclass(slots=True)
class InternalExtension:
    """One internal extension, which runs inside the runtime's process."""

    name: str
    events: list[str]
    waits: bool = False  # whether it waits for an event
    inbox: queue.SimpleQueue[ExtensionEvent | None] = field(default_factory=queue.SimpleQueue)


class Extensions:
    """The internal extensions of an environment; external ones are not supported. The environment holds the lock."""

    def __init__(self) -> None:
        self._by_id: dict[str, InternalExtension] = {}

    def __bool__(self) -> bool:
        return bool(self._by_id)

    def register(self, name: str, events: list[str]) -> str:
        """Registers an extension; returns its identifier. Raises `Refusal` for an invalid registration."""
        for event in events:
            # An extension inside the runtime's process gets no SHUTDOWN
            if event != "INVOKE":
                raise Refusal(403, "Extension.InvalidEventType", f"{event}: not an event for an internal extension")
        if any(extension.name == name for extension in self._by_id.values()):
            raise Refusal(403, "Extension.InvalidExtensionState", "Extension with this name already registered")
        if len(self._by_id) >= MAX_EXTENSIONS:
            raise Refusal(403, "Extension.TooManyExtensions", f"Extension limit ({MAX_EXTENSIONS}) reached")
        identifier = str(uuid.uuid4())
        self._by_id[identifier] = InternalExtension(name, events)
        return identifier

    def get(self, identifier: str) -> InternalExtension:
        """Return the extension of an identifier. Raises `Refusal` for an unknown one."""
        if (extension := self._by_id.get(identifier)) is None:
            raise Refusal(403, "Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")
        return extension

    @property
    def all_wait(self) -> bool:
        """Whether every extension has requested its next event."""
        return all(extension.waits for extension in self._by_id.values())

    def expect(self) -> None:
        """Begins an invocation: each extension with INVOKE events must ask for another event after it."""
        for extension in self._by_id.values():
            if "INVOKE" in extension.events:
                extension.waits = False

    def hand(self, invocation: RuntimeInvocation) -> None:
        """Sends the invocation to each extension with INVOKE events."""
        body = {
            "eventType": "INVOKE",
            "deadlineMs": invocation.deadline_ms,
            "requestId": invocation.request_id,
            "invokedFunctionArn": invocation.function_arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": invocation.trace_header},
        }
        for extension in self._by_id.values():
            if "INVOKE" in extension.events:
                extension.inbox.put(ExtensionEvent(str(uuid.uuid4()), body))

    def release(self) -> None:
        """Releases waiting extensions: there is no further event."""
        for extension in self._by_id.values():
            extension.inbox.put(None)
