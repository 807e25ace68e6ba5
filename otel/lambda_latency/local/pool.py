"""The environments of one function: which are free, when another one starts, which ones end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from lambda_latency.local.environment import Environment
from lambda_latency.local.errors import LocalError
from lambda_latency.local.function import Function, Outcome
from lambda_latency.local.variables import Settings

__all__ = ["Pool", "stop_all"]


class Pool:
    """Hands out environments one request at a time, and starts as many as requests wait for.

    `new` makes an environment; `starts` is shared by all pools, so that no more than a few start at once.
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
        self._all: dict[Environment, int] = {}  # with the generation of the code that each has loaded
        self._idle: list[Environment] = []
        self._generation = 0
        self._waiting = 0
        self._starting = 0
        self._retired = False
        self._failures: list[Outcome] = []

    def take(self) -> Environment | Outcome:
        """An idle environment; where there is none, the first that becomes free or is started; or why none starts."""
        with self._changed:
            self._waiting += 1
            try:
                while not self._idle:
                    if self._failures:
                        return self._failures.pop()
                    size = len(self._all) + self._starting
                    if self._starting < self._waiting and size < self._settings.max_environments:
                        self._starting += 1
                        threading.Thread(target=self._start_for_request, daemon=True).start()
                    self._changed.wait()
                return self._idle.pop()  # the one used last: the others may grow old
            finally:
                self._waiting -= 1

    def give_back(self, environment: Environment) -> None:
        """Its invocation is over."""
        with self._changed:
            outdated = self._retired or self._all.get(environment, self._generation) != self._generation
            if environment.phase == "idle" and not outdated:
                self._idle.append(environment)
                self._changed.notify_all()
        if environment.phase == "idle" and outdated:
            threading.Thread(target=environment.stop, daemon=True).start()  # not on the thread that serves its API

    def forget(self, environment: Environment) -> None:
        """Its process is gone."""
        with self._changed:
            self._all.pop(environment, None)
            if environment in self._idle:
                self._idle.remove(environment)
            self._changed.notify_all()

    def start(self) -> Outcome | None:
        """Add an environment to the idle ones, when its turn has come; or say why it does not initialize."""
        with self._starts:
            return self._start()

    def environments(self) -> list[Environment]:
        """All that exist."""
        with self._changed:
            return list(self._all)

    def renew(self) -> None:
        """Serve later requests from new environments: idle ones end now, busy ones after their invocation."""
        with self._changed:
            self._generation += 1
            ending, self._idle = self._idle, []
        stop_all(ending)

    def retire(self) -> None:
        """Another pool serves the function from now on: each environment ends, busy ones after their invocation."""
        self._retired = True
        self.renew()

    @property
    def empty(self) -> bool:
        """Whether it has no environment and no waiting request."""
        with self._changed:
            return not (self._all or self._starting or self._waiting)

    def tidy(self) -> None:
        """End what Lambda would end: environments idle for long, and those whose extensions outlast the deadline."""
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
            # While this start waited for its turn, others may have served the requests.
            try:
                failure = self._start() if self._waiting else None
            except LocalError as error:
                failure = Outcome.failed("Sandbox.Closed", error.what)
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
            environment.stop()  # the code has changed while it was being loaded: once more

    def _initialized(self) -> tuple[Environment, Outcome | None]:
        """A new environment. As Lambda does it, an init over the limit is tried once more within the timeout."""
        environment = self._new()
        failure = environment.wait_for_init(self._settings.init_limit_s)
        if failure is not None and failure.error == "Sandbox.Timedout":
            self._log(f"init took over {self._settings.init_limit_s:g} s; once more")
            environment = self._new()
            failure = environment.wait_for_init(self.function.timeout_s)
        return environment, failure


def stop_all(environments: Iterable[Environment]) -> None:
    """Stop them side by side: one with an extension may take its half second."""
    threads = [threading.Thread(target=environment.stop) for environment in environments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
