"""What any app stands on: AWS as the emulator has it, with the app's resources, and functions with their own packages.

The packaged example stands on `stand_ins` instead, which needs no download.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from lambda_latency.local.app.prepare.instrument import How
from lambda_latency.local.app.prepare.make import Builds
from lambda_latency.local.app.prepare.packages import Packages
from lambda_latency.local.app.prepare.preparation import Preparation
from lambda_latency.local.app.read.apis import Api
from lambda_latency.local.app.read.app import App
from lambda_latency.local.app.read.decided import NOT_CREATED
from lambda_latency.local.app.read.declared import Declared, Refused
from lambda_latency.local.app.stack.resources import Stack
from lambda_latency.local.cloud.emulator import Cloud
from lambda_latency.local.cloud.integrations import Onward
from lambda_latency.local.cloud.service_routes import REST
from lambda_latency.local.gateway.sam import COLLECTOR, Template
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.function import Function
from lambda_latency.pythons import pythons


class Emulated:
    """The emulator and the app's packages. The constructor starts it and prepares every function; `create` makes the
    stack. `spans` is the address to which functions send spans; `log` receives the emulator's output, `tell` notes.
    """

    def __init__(
        self,
        app: App,
        how: How,
        cache: Path,
        processes: Processes,
        spans: str,
        *,
        log: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> None:
        self._app, self._tell, self._spans = app, tell, spans
        self.traced = True
        # Nothing is written beside the app's sources.
        self.variables: dict[str, str] = {"PYTHONDONTWRITEBYTECODE": "1"}
        self.refused: dict[str, Refused] = {}
        self._packages = packages = Packages(cache, pythons(), tell, processes.run)
        self.cloud = Cloud(packages, processes, log, tell)
        self._builds = Builds(processes.folder(), packages.pythons, tell, processes.run)
        self._prepare = Preparation(packages, app.root, processes.folder(), self._builds, how, tell)
        try:
            self._prepare_all(processes)
            self.cloud.wait()
        except BaseException:
            self.cloud.stop()
            raise
        self.url = self.cloud.url

    def create(self, relay: str) -> None:
        """Create the app's resources; their functions forward events to the address of the relay."""
        self.stack = Stack(self.cloud, self._app.name, self._app.part, relay, self._tell)

    def served(self, api: Api) -> Template:
        """An API, every request of which is traced."""
        return api.template

    def onward(self, prefix: str, api: Api) -> Onward:
        """The integrations of an API that call no function."""
        own = {
            key.removeprefix(prefix): one
            for key, one in self.stack.resources.items()
            if key.rpartition("/")[0] == prefix.rstrip("/") and (one[1] != REST or api.owns(key[len(prefix) :]))
        }
        return Onward(self.cloud, own, api.direct, api.refusal, self._tell)

    def function(self, key: str) -> Function | None:
        """A prepared function; None if it cannot run. Also works during the creation of the stack, because a custom
        resource waits for its function.
        """
        declared = self._app.functions.get(key)
        if not isinstance(declared, Declared) or key in self.refused:
            return None
        variables = Stack.variables(self.cloud, key, declared.name)
        if variables is None:
            self._refuse(Refused(key, declared.name, NOT_CREATED))
            return None
        prepared = self._prepare(declared, variables)
        if isinstance(prepared, Refused):
            self._refuse(prepared)
            return None
        if "AWS_LAMBDA_EXEC_WRAPPER" in prepared.environment:
            return replace(prepared, environment={**prepared.environment, COLLECTOR: self._spans})
        return prepared

    def forget(self) -> None:
        """Prepare all functions again, because sources have changed; those whose preparation failed, too."""
        self._builds.forget()
        self._packages.forget()
        self.refused = {key: one for key, one in self.refused.items() if self._app.functions[key] == one}

    def finish(self) -> None:
        """Nothing here has spans of its own."""

    def _prepare_all(self, processes: Processes) -> None:
        """Install the packages of all functions and build them, while the emulator starts."""
        workers = ThreadPoolExecutor(4)
        try:
            self._refuse(*filter(None, workers.map(self._prepared_early, self._app.functions.values())))
        except BaseException:
            workers.shutdown(wait=False, cancel_futures=True)
            self._builds.close()
            processes.close()  # ends the commands that the workers wait for
            raise
        finally:
            workers.shutdown()

    def _prepared_early(self, declared: Declared | Refused) -> Refused | None:
        """Install a function's packages early; its variables are known only after its resources exist."""
        prepared = declared if isinstance(declared, Refused) else self._prepare(declared, {})
        return prepared if isinstance(prepared, Refused) else None

    def _refuse(self, *refused: Refused) -> None:
        """Refuse functions, with one line for those that have the same reason."""
        keys: dict[str, list[str]] = {}
        for one in refused:
            self.refused[one.key] = one
            keys.setdefault(one.why, []).append(one.key)
        for why, named in keys.items():
            self._tell(f"{', '.join(named)} {'does' if len(named) == 1 else 'do'} not run here: {why}")
