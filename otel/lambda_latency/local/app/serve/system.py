"""A running app: functions in the sandbox, resources in the emulator, and the events between them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from lambda_latency.local.app.prepare.instrument import How
from lambda_latency.local.app.prepare.make import Builds
from lambda_latency.local.app.prepare.packages import Packages, cache_folder
from lambda_latency.local.app.prepare.preparation import Preparation
from lambda_latency.local.app.read.apis import Api
from lambda_latency.local.app.read.app import App
from lambda_latency.local.app.read.decided import NOT_CREATED
from lambda_latency.local.app.read.declared import Declared, Refused
from lambda_latency.local.app.serve.addresses import Served, localized, served_apis, tell_emulator
from lambda_latency.local.app.stack.custom_resources import answer_for, with_response_url
from lambda_latency.local.app.stack.resources import Stack
from lambda_latency.local.app.triggers.event_fields import delivered
from lambda_latency.local.app.triggers.origin import origin
from lambda_latency.local.cloud.emulator import Cloud
from lambda_latency.local.cloud.integrations import Onward
from lambda_latency.local.cloud.proxy import Front
from lambda_latency.local.cloud.relay import serve_relay
from lambda_latency.local.cloud.service_routes import REST
from lambda_latency.local.example_system import LAYER
from lambda_latency.local.gateway.api_gateway import Answered, Gateway, check_port
from lambda_latency.local.gateway.sam import COLLECTOR
from lambda_latency.local.log import LogFile
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.function import Function, Outcome
from lambda_latency.local.sandbox.lambda_service import Sandbox
from lambda_latency.local.sandbox.variables import Settings
from lambda_latency.local.xray.daemon import Daemon
from lambda_latency.local.xray.receiver import serve_receiver
from lambda_latency.local.xray.segments import TraceHeader
from lambda_latency.local.xray.store import NOBODY, Observer, Store
from lambda_latency.pythons import pythons

__all__ = ["AppOptions", "AppSystem"]


@dataclass(frozen=True, slots=True)
class AppOptions:
    """The options. `traces` is a file below `out`; `cache` is the folder of packages, by default `cache_folder`."""

    out: Path = Path("out")
    traces: str = "traces.jsonl"
    port: int = 0
    instrument: How = "kit"
    cache: Path | None = None
    observer: Observer = NOBODY


class AppSystem:
    """A running app. The constructor starts all parts; `close` stops them.

    `before` is called before each invocation; `answered` receives each request and event after its end; `log` the
    source and the text of each line that a function prints; `tell` notes for the user. Raises `LocalError` if a part
    does not start.
    """

    def __init__(
        self,
        app: App,
        options: AppOptions,
        *,
        answered: Callable[[Answered], None] = lambda _: None,
        log: Callable[[str, str], None] = lambda *_: None,
        tell: Callable[[str], None] = lambda _: None,
        before: Callable[[AppSystem], None] = lambda _: None,
    ) -> None:
        self.app = app
        self.gateways: list[Gateway] = []
        self.urls: dict[str, str] = {}
        self.refused: dict[str, Refused] = {}
        self._answered, self._before = answered, before
        told: set[str] = set()

        def once(line: str) -> None:
            if line not in told:
                told.add(line)
                tell(line)

        self._tell = once
        self._apis: dict[str, Served] = {}
        self._ready: dict[str, Function] = {}
        self._preparing = threading.Lock()
        check_port(options.port)
        self.store = Store(options.out / options.traces, tell)
        self.store.watch_lines(options.observer.line)
        self._renewed = options.observer.renewed
        self._closing: list[Callable[[], object]] = [self.store.close]
        try:
            self._start(options, log)
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The address of its first API; without an API, that of the emulated AWS."""
        return self.gateways[0].url if self.gateways else self._front.url

    @property
    def aws_url(self) -> str:
        """The address of the emulated AWS."""
        return self._front.url

    def invoke(self, key: str, event: bytes, header: TraceHeader | None = None, route: str = "") -> Outcome:
        """Run a function by its key, with a JSON event. `route` is the name of an event when it is printed.

        A function that cannot run locally has the outcome `Sandbox.Refused`.
        """
        self._before(self)
        function = self._function(key)
        if function is None:
            refused = self.refused.get(key)
            why = f"{key} does not run here: {refused.why}" if refused else f"{key} is not in the template"
            return Outcome.failed("Sandbox.Refused", why)
        begun, header = time.time_ns(), header or TraceHeader.new(sampled=True)
        outcome = self.sandbox.invoke(function.name, event, header)
        if route:
            took = time.time_ns() - begun
            self._answered(Answered(header.trace_id, header.sampled, route, outcome.error or "ok", took, True))
        return outcome

    def renew(self) -> None:
        """Prepare every function again before its next invocation, because code or packages have changed.

        A function whose packages or build failed is tried again.
        """
        with self._preparing:
            self._builds.forget()
            self._packages.forget()
            self._ready.clear()
            self.refused = {key: one for key, one in self.refused.items() if self.app.functions[key] == one}
        self._renewed()

    def close(self) -> None:
        """Stop every process and close every port. May be called more than once."""
        while self._closing:
            self._closing.pop()()

    def _start(self, options: AppOptions, log: Callable[[str, str], None]) -> None:
        processes = Processes()
        self._closing.append(processes.close)
        receiver = serve_receiver(self.store.add_otlp)
        self._closing.append(receiver.close)
        daemon = Daemon(self.store.add_otlp, lambda _: None)  # the X-Ray SDK's datagrams are no OTLP and are ignored
        self._closing.append(daemon.close)
        self._packages = packages = Packages(options.cache or cache_folder(), pythons(), self._tell, processes.run)
        emulator = LogFile(options.out / "emulator.log")  # a separate file, because most of it is noise
        self._closing.append(emulator.close)
        cloud = Cloud(packages, processes, lambda line: emulator.write("aws", line), self._tell)
        self._closing.append(cloud.stop)
        self._builds = Builds(processes.folder(), packages.pythons, self._tell, processes.run)
        self._prepare = Preparation(
            packages, self.app.root, processes.folder(), self._builds, options.instrument, self._tell
        )
        self._prepare_all(processes)
        cloud.wait()
        has_urls = self.app.apis or any(True for _ in self.app.urls())
        self._front = Front(cloud.url, self._invoked, self._tell, 0 if has_urls else options.port)
        self._closing.append(self._front.close)
        self.sandbox = Sandbox(
            (),
            Settings(
                task_root=self.app.root,
                layer=LAYER,
                extra={
                    "AWS_ENDPOINT_URL": self._front.url,
                    "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
                    "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
                    "LAMBDA_LATENCY_LOCAL_AWS": self._front.url,
                    "PYTHONDONTWRITEBYTECODE": "1",  # nothing is written beside the app's sources
                },
            ),
            processes,
            record=self.store.add,
            log=log,
            printed=options.observer.printed,
        )
        self._closing.append(self.sandbox.close)
        self._collector = f"http://{receiver.address}/v1/traces"
        relay = serve_relay(self._relayed)
        self._closing.append(relay.close)
        self._cloud = cloud
        self.stack = Stack(cloud, self.app.name, self.app.part, f"http://{relay.address}", self._tell)
        self._start_gateways(cloud, options.port)
        for key in self.app.functions:  # so that the first request of each does not wait
            self._function(key)

    def _start_gateways(self, cloud: Cloud, port: int) -> None:
        listening = []
        for prefix, api in self.app.apis:
            own = {
                key.removeprefix(prefix): one
                for key, one in self.stack.resources.items()
                if key.rpartition("/")[0] == prefix.rstrip("/") and (one[1] != REST or api.owns(key[len(prefix) :]))
            }
            onward = Onward(cloud, own, api.direct, api.refusal, self._tell)
            listening.append((prefix, api, self._listen(prefix, api, port, 500, onward).url))
            port = 0
        self._apis = served_apis(listening, self.stack.resources)
        tell_emulator(cloud.url, self._apis)
        for key, api in self.app.urls():
            self.urls[key] = self._listen("", api, port, 502, None).url
            port = 0

    def _listen(self, prefix: str, api: Api, port: int, status: int, onward: Onward | None) -> Gateway:
        def invoke(function: str, event: bytes, header: TraceHeader, _: str) -> Outcome:
            return self.invoke(self.app.function_key(prefix, function), event, header)

        gateway = Gateway(
            api.template,
            invoke,
            lambda: True,
            record=self.store.add,
            answered=self._answered,
            port=port,
            failed_status=status,
            is_http=api.is_http,
            fallback=onward,
            authorize=api.refusal,
        )
        self.gateways.append(gateway)
        self._closing.append(gateway.close)
        return gateway

    def _prepare_all(self, processes: Processes) -> None:
        """Install the packages of all functions and build them, while the emulator starts."""
        workers = ThreadPoolExecutor(4)
        try:
            self._refuse(*filter(None, workers.map(self._prepared_early, self.app.functions.values())))
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

    def _function(self, key: str) -> Function | None:
        """A prepared function; None if it cannot run. Also works during the creation of the stack, because a custom
        resource waits for its function.
        """
        with self._preparing:
            if key in self._ready:
                return self._ready[key]
            declared = self.app.functions.get(key)
            if not isinstance(declared, Declared) or key in self.refused:
                return None
            variables = Stack.variables(self._cloud, key, declared.name)
            if variables is None:
                self._refuse(Refused(key, declared.name, NOT_CREATED))
                return None
            prepared = self._prepare(declared, variables)
            if isinstance(prepared, Refused):
                self._refuse(prepared)
                return None
            own = {name: localized(value, self._apis) for name, value in prepared.environment.items()}
            if "AWS_LAMBDA_EXEC_WRAPPER" in own:
                own = {**own, COLLECTOR: self._collector}
            self._ready[key] = function = replace(prepared, environment=own)
            self.sandbox.add(function)
            return function

    def _relayed(self, key: str, event: bytes, header: str) -> Outcome:
        """Handle an event that the emulator forwards."""
        event = with_response_url(event, self.aws_url)
        outcome = self.invoke(key, delivered(event), TraceHeader.parse(header), f"{origin(event)} -> {key}")
        if outcome.error is not None:
            answer_for(event, outcome)
        return outcome

    def _invoked(self, name: str, event: bytes, header: str) -> Outcome | None:
        """Invoke a function by its name, for another function or the user; None for an unknown function."""
        for key, declared in self.app.functions.items():
            if name in (declared.name, key):
                given = TraceHeader.parse(header)
                return self.invoke(key, event, given, "" if given else f"invoke -> {key}")
        return None
