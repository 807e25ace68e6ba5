"""One execution environment: a process with Lambda's life cycle (init, invoke, freeze, thaw, shutdown)."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from lambda_latency.local.processes import Processes, asleep
from lambda_latency.local.sandbox.extensions import Extensions
from lambda_latency.local.sandbox.function import Function, Outcome, Run
from lambda_latency.local.sandbox.runtime_api import MAX_PAYLOAD, ExtensionEvent, Invocation, Refusal, serve_runtime_api

SHUTDOWN_S = 0.5  # from SIGTERM to SIGKILL with internal extensions; without any, Lambda sends SIGKILL at once
MOST_EARLY = 100  # lines of an init that are kept for the first invocation
AWAKE_S = 0.1  # the limit for its threads to block again after a thaw; a busy thread does not

Phase = Literal["init", "idle", "busy", "ended"]


class Environment:
    """A child process with its own Runtime API: one invocation at a time, frozen while idle.

    `command` is the runtime's command line and `env` its variables without the API's address. `settled` is called at
    the end of an invocation, when the runtime and every extension have asked for the next event or the process is gone;
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
        settled: Callable[[Environment, Run], None],
        ended: Callable[[Environment], None],
        log: Callable[[str], None],
        printed: Callable[[str, str], object] = lambda *_: None,
    ) -> None:
        self.function = function
        self.invocations = 0
        self.idle_since = 0.0
        self._settled, self._ended, self._log, self._printed = settled, ended, log, printed
        self._processes = processes
        self._lock = threading.RLock()
        self._phase: Phase = "init"
        self._frozen = False
        self._initialized = threading.Event()
        self._init_error: Outcome | None = None
        self._inbox: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
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
    def api_address(self) -> str:
        """The address of its Runtime API, the value of AWS_LAMBDA_RUNTIME_API."""
        return self._api.address

    @property
    def phase(self) -> Phase:
        return self._phase

    @property
    def frozen(self) -> bool:
        return self._frozen

    @property
    def overdue(self) -> bool:
        """Whether an extension is still busy past the deadline, after the response."""
        run = self._running
        return run is not None and run.responded.is_set() and time.time() * 1000 > run.invocation.deadline_ms

    def wait_for_init(self, limit_s: float) -> Outcome | None:
        """Waits for the init. Returns None on success, else the error; kills the process at the limit
        (`Sandbox.Timedout`).
        """
        if not self._initialized.wait(limit_s):
            self.kill()
            return Outcome.failed("Sandbox.Timedout", f"Error: Task timed out after {limit_s:.2f} seconds")
        return self._init_error

    def invoke(self, invocation: Invocation) -> Run | None:
        """Sends an event and waits for the response; kills the process at the deadline. None if it had ended."""
        run = Run(invocation, time.time_ns())
        with self._lock:
            if self._phase == "ended":
                return None
            self._thaw()
            self._phase = "busy"
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
            if self._extensions and self._phase != "ended":
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

    def next_invocation(self) -> Invocation | None:
        self._runtime_waits = True
        self._settle()
        return self._inbox.get()

    def handed(self, invocation: Invocation) -> None:
        # After the runtime's event is written: the threads share the interpreter, and the caller waits for the runtime.
        with self._lock:
            self._extensions.hand(invocation)

    def respond(self, request_id: str, payload: bytes) -> None:
        if len(payload) > MAX_PAYLOAD:
            self._answered(
                request_id,
                Outcome.failed(
                    "Function.ResponseSizeTooLarge",
                    f"Response payload size ({len(payload)} bytes) exceeded maximum allowed payload size "
                    f"({MAX_PAYLOAD} bytes).",
                ),
            )
            raise Refusal(413, "RequestEntityTooLarge", f"Exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes).")
        self._answered(request_id, Outcome(payload))

    def fail(self, request_id: str, payload: bytes) -> None:
        self._answered(request_id, Outcome(payload, "Unhandled"))

    def init_failed(self, payload: bytes) -> None:
        with self._lock:
            if self._phase != "init":
                raise Refusal(403, "InvalidStateTransition", "the environment has initialized already")
            self._init_error = Outcome(payload, "Runtime.InitError")

    def register(self, name: str, events: list[str]) -> tuple[str, dict[str, str]]:
        with self._lock:
            if self._phase != "init" or self._runtime_waits:
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
            if self._phase == "init":
                self.ready_ns = time.time_ns()
            elif self._phase != "busy":
                return
            run, self._running = self._running, None
            self._phase = "idle"
            self.idle_since = time.monotonic()
            self._freeze()
        self._initialized.set()
        if run is not None:
            self._over(run)

    def _over(self, run: Run) -> None:
        run.ended_ns = time.time_ns()
        self._settled(self, run)

    def _freeze(self) -> None:
        self._signal(signal.SIGSTOP)
        self._frozen = True

    def _thaw(self) -> None:
        if self._frozen:
            self._signal(signal.SIGCONT)
            self._frozen = False

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
            if self._phase != "ended":  # later, the id may belong to another process
                with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: of a group of zombies
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
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # not reaped yet: its group id is still valid
        else:  # macOS before Python 3.13: the id stays valid as long as a process of the group lives
            child.wait()
        with self._lock:
            self._signal(signal.SIGKILL)  # also kills its children
            status = child.wait()
            self._phase = "ended"
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
            self._over(run)
        self._inbox.put(None)  # releases threads of the API that still wait for an event
        self._extensions.release()
        self._api.close()
        self._ended(self)
