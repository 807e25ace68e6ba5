"""The pool of execution environments of one function: starts, assigns and stops them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from lambda_latency.local.errors import LocalError
from lambda_latency.local.sandbox.environment import Environment
from lambda_latency.local.sandbox.function import Function, Outcome
from lambda_latency.local.sandbox.variables import Settings


class Pool:
    """Assigns an environment to each request, and starts one for each waiting request, up to the limit.

    `new` creates an environment; `starts`, which all pools share, limits how many start at once.
    """

    def __init__(
        self,
        function: Function,
        new: Callable[[], Environment],
        settings: Settings,
        starts: threading.BoundedSemaphore,
        log: Callable[[str], None],
    ) -> None:
        self.function = function
        self._new, self._settings, self._starts, self._log = new, settings, starts, log
        self._changed = threading.Condition()
        self._all: dict[Environment, int] = {}  # and the generation of the code that each has loaded
        self._idle: list[Environment] = []
        self._generation = 0
        self._waiting = 0
        self._starting = 0
        self._retired = False
        self._failures: list[Outcome] = []

    def take(self) -> tuple[Environment | Outcome, bool]:
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
                return (
                    self._idle.pop(),
                    waited,
                )  # the most recently used one, so that the others can reach the idle limit
            finally:
                self._waiting -= 1

    def give_back(self, environment: Environment) -> None:
        """Makes an environment idle after its invocation, or stops it if its code is outdated."""
        with self._changed:
            outdated = self._retired or self._all.get(environment, self._generation) != self._generation
            if environment.phase == "idle" and not outdated:
                self._idle.append(environment)
                self._changed.notify_all()
        if environment.phase == "idle" and outdated:
            threading.Thread(
                target=environment.stop, daemon=True
            ).start()  # another thread, because this one serves its API

    def forget(self, environment: Environment) -> None:
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

    def environments(self) -> list[Environment]:
        """All environments of the pool."""
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
            old = [one for one in self._idle if one.idle_since < oldest]
            self._idle = [one for one in self._idle if one not in old]
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
                failure = Outcome.failed("Sandbox.Closed", error.what)
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

    def _initialized(self) -> tuple[Environment, Outcome | None]:
        """A new environment. As on Lambda, an init over the limit is retried once, with the function's timeout."""
        environment = self._new()
        failure = environment.wait_for_init(self._settings.init_limit_s)
        if failure is not None and failure.error == "Sandbox.Timedout":
            self._log(f"init took over {self._settings.init_limit_s:g} s; starting again")
            environment = self._new()
            failure = environment.wait_for_init(self.function.timeout_s)
        return environment, failure


def stop_all(environments: Iterable[Environment]) -> None:
    """Stop environments in parallel, because one with an extension may take half a second."""
    threads = [threading.Thread(target=environment.stop) for environment in environments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
