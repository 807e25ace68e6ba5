"""A running app: functions in the sandbox, what they call, and the events between them."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from lambda_latency.local.app.prepare.instrument import How
from lambda_latency.local.app.prepare.packages import cache_folder
from lambda_latency.local.app.read.apis import Api
from lambda_latency.local.app.read.app import App
from lambda_latency.local.app.read.declared import Refused
from lambda_latency.local.app.serve.addresses import Served, localized, served_apis, tell_emulator
from lambda_latency.local.app.stack.custom_resources import answer_for, with_response_url
from lambda_latency.local.app.stack.emulated import Emulated
from lambda_latency.local.app.stack.resources import Stack
from lambda_latency.local.app.stack.stand_ins import StandIns
from lambda_latency.local.app.triggers.event_fields import delivered
from lambda_latency.local.app.triggers.origin import origin
from lambda_latency.local.cloud.integrations import Onward
from lambda_latency.local.cloud.proxy import Front
from lambda_latency.local.cloud.relay import serve_relay
from lambda_latency.local.cloud.table_faults import TableFaults
from lambda_latency.local.errors import UsageError
from lambda_latency.local.faults import Plan
from lambda_latency.local.gateway.api_gateway import Answered, Gateway, Sampler, check_port
from lambda_latency.local.log import LogFile
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.function import Function, Outcome
from lambda_latency.local.sandbox.lambda_service import Sandbox
from lambda_latency.local.sandbox.variables import Settings
from lambda_latency.local.xray.collector import Choice
from lambda_latency.local.xray.daemon import Daemon
from lambda_latency.local.xray.receiver import serve_receiver
from lambda_latency.local.xray.segments import TraceHeader
from lambda_latency.local.xray.store import NOBODY, Observer, Store
from lambda_latency.trace import Span, to_otlp

LAYER = Path(__file__).parents[2] / "layer"


@dataclass(frozen=True, slots=True)
class Options:
    """The options. `traces` is a file below `out`; `cache` is the folder of packages, by default `cache_folder`;
    `sampler` decides whether the next request is traced, by default the packaged example's sampling rule, and each
    request of another app; `collector` is the one of the packaged example.
    """

    out: Path = Path("out")
    traces: str = "traces.jsonl"
    port: int = 0
    instrument: How = "kit"
    cache: Path | None = None
    observer: Observer = NOBODY
    plan: Plan = field(default_factory=Plan)
    sampler: Callable[[], bool] | None = None
    collector: Choice = field(default_factory=lambda: Choice("none", ""))


class System:
    """A running app. The constructor starts all parts; `close` stops them.

    `before` is called before each invocation; `answered` receives each request and event after its end; `log` the
    source and the text of each line that a function prints; `tell` notes for the user; `failed` one message if traces
    cannot be written (default: `tell`). Raises `LocalError` if a part does not start.
    """

    def __init__(
        self,
        app: App,
        options: Options,
        *,
        answered: Callable[[Answered], None] = lambda _: None,
        log: Callable[[str, str], None] = lambda *_: None,
        tell: Callable[[str], None] = lambda _: None,
        failed: Callable[[str], None] | None = None,
        before: Callable[[System], None] = lambda _: None,
    ) -> None:
        self.app = app
        self.gateways: list[Gateway] = []
        self.urls: dict[str, str] = {}
        self.faulty = True  # whether the planned faults of functions are injected
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
        self._routes = _routes(app)
        _check(options.plan, app, self._routes)
        self._faults = options.plan.at("function")
        self.store = Store(options.out / options.traces, failed or tell)
        self.store.watch_lines(options.observer.line)
        self._xray: Callable[[dict[str, Any]], object] | None = None  # receives all spans, too
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

    @property
    def refused(self) -> dict[str, Refused]:
        """The functions that cannot run here, by key."""
        return self._ground.refused

    @property
    def traced(self) -> bool:
        """Whether the platform records spans: the example's parameter Tracing."""
        return self._ground.traced

    @property
    def stack(self) -> Stack:
        """The created resources, which the packaged example does not have."""
        assert isinstance(self._ground, Emulated)
        return self._ground.stack

    @property
    def stand_ins(self) -> StandIns:
        """What the packaged example calls, and no other app."""
        assert isinstance(self._ground, StandIns)
        return self._ground

    def invoke(
        self, key: str, event: bytes, header: TraceHeader | None = None, route: str = "", *, requested: str = ""
    ) -> Outcome:
        """Run a function by its key, with a JSON event. `route` is the name of an event when it is printed, `requested`
        the route of a request.

        A function that cannot run locally has the outcome `Sandbox.Refused`.
        """
        self._before(self)
        function = self._function(key)
        if function is None:
            refused = self.refused.get(key)
            why = f"{key} does not run here: {refused.why}" if refused else f"{key} is not in the template"
            return Outcome.failed("Sandbox.Refused", why)
        begun, header = time.time_ns(), header or TraceHeader.new(sampled=True)
        fault = self._faults.next((requested,)) if self.faulty else None
        outcome = self.sandbox.invoke(function.name, event, header, fault)
        if route:
            took = time.time_ns() - begun
            self._answered(Answered(header.trace_id, header.sampled, route, outcome.error or "ok", took, True))
        return outcome

    def renew(self) -> None:
        """Prepare every function again before its next invocation, because code or packages have changed.

        A function whose packages or build failed is tried again.
        """
        with self._preparing:
            self._ground.forget()
            self._ready.clear()
        self._renewed()

    def forget(self, limit_s: float = 10) -> None:
        """Wait until no invocation runs, and remove the traces so far."""
        self.sandbox.wait_until_idle(limit_s)
        self.store.forget()

    def finish(self, limit_s: float = 10) -> bool:
        """Stop the gateways and wait until the last span is stored; False if invocations never ended."""
        for gateway in self.gateways:
            self._end(gateway.close)
        done = self.sandbox.wait_until_idle(limit_s)
        self._end(self._daemon.close)
        self._ground.finish()
        return done

    def close(self) -> None:
        """Stop every process and close every port. May be called more than once."""
        while self._closing:
            self._closing.pop()()

    def _end(self, close: Callable[[], object]) -> None:
        close()
        self._closing.remove(close)

    def _start(self, options: Options, log: Callable[[str, str], None]) -> None:
        app = self.app
        processes = Processes()
        self._closing.append(processes.close)
        receiver = serve_receiver(self._keep_otlp)
        self._closing.append(receiver.close)
        self._daemon = Daemon(self._keep_otlp, lambda _: None)  # the X-Ray SDK's datagrams are no OTLP and are ignored
        self._closing.append(self._daemon.close)
        spans = f"http://{receiver.address}/v1/traces"
        self._ground: Emulated | StandIns
        if app.is_example:
            self._ground = stand_ins = StandIns(
                app, options.plan, self._routes, processes, spans, log=log, closing=self._closing
            )
            stand_ins.collect(options.collector, processes, receiver, self.store.add_otlp, log)
            self._xray = stand_ins.feed.add_otlp
        else:
            noise = LogFile(options.out / "emulator.log")  # a separate file, because most of it is noise
            self._closing.append(noise.close)
            self._ground = Emulated(
                app,
                options.instrument,
                options.cache or cache_folder(),
                processes,
                spans,
                log=lambda line: noise.write("aws", line),
                tell=self._tell,
            )
            self._closing.append(self._ground.cloud.stop)
        has_urls = app.apis or any(True for _ in app.urls())
        faults = None if app.is_example else TableFaults(options.plan, self._routes)
        self._front = Front(self._ground.url, self._invoked, self._tell, 0 if has_urls else options.port, faults)
        self._closing.append(self._front.close)
        self.sandbox = Sandbox(
            (),
            Settings(
                task_root=app.root,
                layer=LAYER,
                extra={
                    "AWS_ENDPOINT_URL": self._front.url,
                    "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
                    "AWS_XRAY_DAEMON_ADDRESS": self._daemon.address,
                    "LAMBDA_LATENCY_LOCAL_AWS": self._front.url,
                    **self._ground.variables,
                },
                faults=bool(self._faults),
            ),
            processes,
            record=self._keep if self.traced else lambda _: None,
            log=log,
            printed=options.observer.printed,
        )
        self._closing.append(self.sandbox.close)
        relay = serve_relay(self._relayed)
        self._closing.append(relay.close)
        self._ground.create(f"http://{relay.address}")
        self._start_gateways(options)
        for key in app.functions:  # so that the first request of each does not wait
            self._function(key)
        # Exclude all present objects from collections: each would delay answers by a tenth of a second, and a report
        # would blame Lambda's overhead.
        gc.collect()
        gc.freeze()
        self._closing.append(gc.unfreeze)

    def _start_gateways(self, options: Options) -> None:
        listening, port = [], options.port
        for prefix, api in self.app.apis:
            onward = self._ground.onward(prefix, api)
            listening.append((prefix, api, self._listen(prefix, api, options.sampler, port, 500, onward).url))
            port = 0
        if not self.app.is_example:
            self._apis = served_apis(listening, self.stack.resources)
            tell_emulator(self._ground.url, self._apis)
        for key, api in self.app.urls():
            self.urls[key] = self._listen("", api, options.sampler, port, 502, None).url
            port = 0

    def _listen(
        self,
        prefix: str,
        api: Api,
        sampler: Callable[[], bool] | None,
        port: int,
        status: int,
        onward: Onward | None,
    ) -> Gateway:
        key_of = cache(partial(self.app.function_key, prefix))

        def invoke(function: str, event: bytes, header: TraceHeader, route: str) -> Outcome:
            return self.invoke(key_of(function), event, header, requested=route)

        template = self._ground.served(api)
        gateway = Gateway(
            template,
            invoke,
            sampler or Sampler(*template.sampling),
            record=self._keep,
            answered=self._answered,
            port=port,
            failed_status=status,
            is_http=api.is_http,
            fallback=onward,
            authorize=api.refusal if api.guards or api.contracts else None,
        )
        self.gateways.append(gateway)
        self._closing.append(gateway.close)
        return gateway

    def _function(self, key: str) -> Function | None:
        """A prepared function; None if it cannot run. Also works during the creation of the stack, because a custom
        resource waits for its function.
        """
        with self._preparing:
            if key not in self._ready:
                function = self._ground.function(key)
                if function is None:
                    return None
                own = {name: localized(value, self._apis) for name, value in function.environment.items()}
                self._ready[key] = function = replace(function, environment=own)
                self.sandbox.add(function)
            return self._ready[key]

    def _keep(self, spans: list[Span]) -> None:
        self.store.add(spans)
        if self._xray is not None:
            self._xray(to_otlp(spans))

    def _keep_otlp(self, document: dict[str, Any]) -> None:
        self.store.add_otlp(document)
        if self._xray is not None:
            self._xray(document)

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


def _routes(app: App) -> dict[str, list[str]]:
    """The routes of each function, by its name."""
    found: dict[str, list[str]] = {}
    for prefix, api in app.apis:
        for route, function in api.template.routes.items():
            key = app.function_key(prefix, function)
            found.setdefault(app.functions[key].name if key in app.functions else key, []).append(route)
    return found


def _check(plan: Plan, app: App, routes: dict[str, list[str]]) -> None:
    """Raises `LocalError` for a rule of a plan that would never apply."""
    plan.check_routes([route for own in routes.values() for route in own])
    for number, rule in enumerate(plan.rules, start=1):
        if rule.at in ("provider", "connect") and not app.is_example:
            what = f'the fault plan\'s rule {number} is "at" the {rule.at}, and {app.path} has no stand-in of one'
            raise UsageError(what, 'use "table" or "function": only the packaged example has a payments API here')
