"""What an app calls: AWS as the emulator has it, with the app's resources, and functions with their own packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from lambda_latency.local.app.prepare.instrument import ENDPOINT, EXEC_WRAPPER, TracingMode
from lambda_latency.local.app.prepare.make import Builds
from lambda_latency.local.app.prepare.packages import Packages
from lambda_latency.local.app.prepare.preparation import Preparation
from lambda_latency.local.app.read.app import LocalApp
from lambda_latency.local.app.read.decided import NOT_CREATED
from lambda_latency.local.app.read.declared import Declared, Refused
from lambda_latency.local.app.stack.resources import CreatedStack
from lambda_latency.local.cloud.emulator import Cloud
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.function import Function
from lambda_latency.pythons import pythons


class Emulated:
    """The emulator and the app's packages. The constructor starts it and prepares every function; `create` makes the
    stack. `spans` is the address to which functions send spans; `context` what absent authorizers return, as JSON;
    `replaced` returns the local values of variables that functions declare, `log` receives the emulator's output,
    `tell` notes.
    """

    def __init__(
        self,
        app: LocalApp,
        how: TracingMode,
        cache: Path,
        processes: Processes,
        spans: str,
        *,
        context: str,
        replaced: Callable[[], Mapping[str, str]],
        log: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> None:
        self._app, self._tell, self._spans, self._replaced = app, tell, spans, replaced
        self.refused: dict[str, Refused] = {}
        self.packages = packages = Packages(cache, pythons(), tell, processes.run)
        self.cloud = Cloud(packages, processes, context, log, tell)
        self._builds = Builds(processes.folder(), packages.pythons, tell, processes.run)
        self._prepare = Preparation(packages, app.root, processes.folder(), self._builds, how, tell)
        try:
            self._prepare_all(processes)
            self.cloud.wait()
        except BaseException:
            self.cloud.stop()
            raise

    def create(self, relay: str) -> None:
        """Create the app's resources; their functions forward events to the address of the relay."""
        self.stack = CreatedStack(self.cloud, self._app.name, self._app.part, relay, self._tell)

    def function(self, key: str) -> Function | None:
        """A prepared function; None if it cannot run. A custom resource calls its own while the stack is created."""
        declared = self._app.functions.get(key)
        if not isinstance(declared, Declared) or key in self.refused:
            return None
        variables = CreatedStack.variables(self.cloud, key, declared.name)
        if variables is None:
            self._refuse(Refused(key, declared.name, NOT_CREATED))
            return None
        prepared = self._prepare(declared, variables)
        if isinstance(prepared, Refused):
            self._refuse(prepared)
            return None
        local = {name: value for name, value in self._replaced().items() if name in variables}
        if EXEC_WRAPPER in prepared.environment:
            local[ENDPOINT] = self._spans
        return replace(prepared, environment={**prepared.environment, **local})

    def forget(self) -> None:
        """Prepare all functions again, because sources have changed; those whose preparation failed, too."""
        self._builds.forget()
        self.packages.forget()
        declared = self._app.functions
        self.refused = {key: f for key, f in self.refused.items() if declared[key] == f}

    def _prepare_all(self, processes: Processes) -> None:
        """Install the packages of all functions and build them, while the emulator starts."""
        workers = ThreadPoolExecutor(4)
        try:
            prepared = workers.map(self._prepared_early, self._app.functions.values())
            self._refuse(*(f for f in prepared if isinstance(f, Refused)))
        except BaseException:
            workers.shutdown(wait=False, cancel_futures=True)
            self._builds.close()
            processes.close()  # ends the commands that the workers wait for
            raise
        finally:
            workers.shutdown()

    def _prepared_early(self, declared: Declared | Refused) -> Function | Refused:
        """Install a function's packages early; its variables are known only after its resources exist."""
        return declared if isinstance(declared, Refused) else self._prepare(declared, {})

    def _refuse(self, *refused: Refused) -> None:
        """Refuse functions, with one line for those that have the same reason."""
        keys: dict[str, list[str]] = {}
        for function in refused:
            self.refused[function.key] = function
            keys.setdefault(function.why, []).append(function.key)
        for why, named in keys.items():
            self._tell(f"{', '.join(named)} {'does' if len(named) == 1 else 'do'} not run here: {why}")
