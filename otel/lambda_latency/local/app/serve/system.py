"""A running app: functions in the sandbox, what they call, and the events between them."""

from __future__ import annotations

import gc
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lambda_latency.http import request
from lambda_latency.local.app.prepare.instrument import TracingMode, export_of
from lambda_latency.local.app.prepare.packages import cache_folder
from lambda_latency.local.app.read.apis import Api, Route
from lambda_latency.local.app.read.app import LocalApp
from lambda_latency.local.app.read.declared import Declared, Refused
from lambda_latency.local.app.stack.emulated import Emulated
from lambda_latency.local.app.stack.payments import HOST, Payments
from lambda_latency.local.app.stack.resources import CreatedStack
from lambda_latency.local.app.triggers.credentials import api_key, token
from lambda_latency.local.app.triggers.relayed import answer_for, delivered, origin, serve_relay, with_response_url
from lambda_latency.local.cloud.executions import Executions, Waits, arn_of
from lambda_latency.local.cloud.proxy import AwsProxy
from lambda_latency.local.errors import LocalError, UsageError
from lambda_latency.local.faults import FaultPlan, TableFaults
from lambda_latency.local.front import Answered, CallRecorder, Front, StageSampler, Target, check_port
from lambda_latency.local.log import LogFile
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.function import Function, Outcome
from lambda_latency.local.sandbox.lambda_service import Sandbox
from lambda_latency.local.sandbox.variables import Counts, SandboxSettings
from lambda_latency.local.spans.collector import CollectorChoice, RunningCollector
from lambda_latency.local.spans.receiver import Daemon, serve_receiver
from lambda_latency.local.spans.segments import TracingHeader
from lambda_latency.local.spans.store import NOBODY, Observer, Store

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")  # of a route `ANY`
LAYER = Path(__file__).parents[2] / "layer"
EXECUTE_API = re.compile(r"https?://(\w+)\.execute-api\.[\w.-]+(?::\d+)?(?:/([\w$-]+)(?=/|$))?")


@dataclass(frozen=True, slots=True)
class SystemOptions:
    """The options. `traces` is a file below `out`; `authorizer_context` is the JSON object that Lambda authorizers of
    other stacks return as their context; `cache` is the folder of packages, by default `cache_folder`;
    `sampler` decides whether the next request is traced, by default the app's sampling rule; without one, each request
    is. `collector` is that of functions which send to one; `counts` counts what functions execute, and `recorder`
    records requests and invocations by the user. `waits` of durable executions pass in real time, or are skipped.
    """

    out: Path = Path("out")
    traces: str = "traces.jsonl"
    port: int = 0
    instrument: TracingMode = "kit"
    cache: Path | None = None
    observer: Observer = NOBODY
    plan: FaultPlan = field(default_factory=FaultPlan)
    sampler: Callable[[], bool] | None = None
    authorizer_context: str = "{}"
    collector: CollectorChoice = field(default_factory=lambda: CollectorChoice("none", ""))
    counts: Counts | None = None
    recorder: CallRecorder | None = None
    waits: Waits = "real"


class System:
    """A running app. The constructor starts all parts; `close` stops them.

    `prepare` is called before each invocation; `answered` receives each request and event after its end; `log` the
    source and the text of each line that a function prints; `tell` notes for the user.
    Raises `LocalError` if a part does not start.
    """

    def __init__(
        self,
        app: LocalApp,
        options: SystemOptions,
        *,
        answered: Callable[[Answered], None] = lambda _: None,
        log: Callable[[str, str], None] = lambda *_: None,
        tell: Callable[[str], None] = lambda _: None,
        prepare: Callable[[System], None] = lambda _: None,
    ) -> None:
        self.app = app
        self.gateways: list[Front] = []
        self.payments: Payments | None = None
        self.urls: dict[str, str] = {}  # the addresses of the APIs, by key
        self.faulty = True  # whether the planned faults of functions are injected
        self._answered, self._prepare, self._recorder = answered, prepare, options.recorder
        sent: set[str] = set()

        def once(line: str) -> None:
            if line not in sent:
                sent.add(line)
                tell(line)

        self._tell = once
        self._apis: dict[str, Served] = {}
        self._ready: dict[str, Function] = {}
        self._headers: dict[str, TracingHeader] = {}  # by the ARN of a durable execution
        self._preparing = threading.Lock()
        check_port(options.port)
        self._routes = _routes(app)
        _check(options.plan, app, self._routes)
        self._faults = options.plan.faults_at("function")
        self.store = Store(options.out / options.traces, tell, options.observer.line)
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
        return self.gateways[0].url if self.gateways else self._proxy.url

    @property
    def aws_url(self) -> str:
        """The address of the emulated AWS."""
        return self._proxy.url

    @property
    def refused(self) -> dict[str, Refused]:
        """The functions that cannot run here, by key."""
        return self._backend.refused

    @property
    def stack(self) -> CreatedStack:
        """The created resources."""
        return self._backend.stack

    @property
    def absent(self) -> set[str]:
        """The keys of the functions that do not run here, and of the resources that were not created."""
        return {*self.refused, *(self.app.part.all_keys() - self.stack.resources.keys())}

    @property
    def client(self) -> Callable[[str], Any]:
        """A function that returns boto3's client of a service of the emulator, by the service's name."""
        return self._backend.cloud.client

    def invoke(
        self, key: str, event: bytes, header: TracingHeader | None = None, route: str = "", *, requested: str = ""
    ) -> Outcome:
        """Run a function by its key, with a JSON event. `route` is the name of an event when it is printed, `requested`
        the route of a request.

        A function that cannot run locally has the outcome `Sandbox.Refused`.
        """
        self._prepare(self)
        function = self._function(key)
        if function is None:
            refused = self.refused.get(key)
            why = f"{key} does not run here: {refused.why}" if refused else f"{key} is not in the template"
            return Outcome.failed("Sandbox.Refused", why)
        if self._executions.is_durable(function.name) and not arn_of(event):
            outcome = self._execution(function.name, event)
        else:
            outcome = self._run(function, event, header, route, requested)
        if self._recorder is not None and route.startswith("invoke -> "):
            self._recorder.add_invocation(key, event, outcome.error or "ok", outcome.payload)
        return outcome

    def _run(
        self, function: Function, event: bytes, header: TracingHeader | None, route: str, requested: str
    ) -> Outcome:
        start_ns, header = time.time_ns(), header or self._header_of(function.name, event)
        fault = self._faults.next((requested,)) if self.faulty else None
        outcome = self.sandbox.invoke(function.name, event, header, fault)
        if route:
            duration_ns = time.time_ns() - start_ns
            self._answered(Answered(header.trace_id, header.sampled, route, outcome.error or "ok", duration_ns, True))
        return outcome

    def _execution(self, name: str, event: bytes) -> Outcome:
        """Run an execution of a durable function, whose invocations come back to `invoke`."""
        try:
            return self._executions.run(name, event)
        except LocalError as error:
            return Outcome.failed("Sandbox.Failed", f"{error.message}: {error.todo}")

    def _header_of(self, name: str, event: bytes) -> TracingHeader:
        """A new header, or one of the trace of the execution that invokes the function; an execution has only one."""
        arn = arn_of(event)
        if arn in self._headers:
            return self._headers[arn]
        header, caller = TracingHeader.new(sampled=True), self._executions.caller(name, event)
        if caller is not None:
            header = TracingHeader(self._headers[caller[0]].trace_id, caller[1], sampled=True)
        return self._headers.setdefault(arn, header) if arn else header

    def api_key(self, api: Api) -> str:
        """Return an API key that an API accepts."""
        return api_key(self.client, self.stack.resources[api.key][0])

    def token(self, api: Api, route: Route) -> str:
        """Return a token that the authorizer of a route accepts."""
        prefix = api.key.rpartition("/")[0]
        authorizer = f"{prefix}/{route.authorizer}" if prefix else route.authorizer
        resources = self.stack.resources
        return token(self.client, (api.kind, resources[api.key][0]), resources.get(authorizer, ("", ""))[0])

    def renew(self) -> None:
        """Prepare all functions again before their next invocations, failed ones too: code or packages have changed."""
        with self._preparing:
            self._backend.forget()
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
        if self.payments is not None:
            self._end(self.payments.stop)
        return done

    def close(self) -> None:
        """Stop every process and close every port. May be called more than once."""
        while self._closing:
            self._closing.pop()()

    def _end(self, close: Callable[[], object]) -> None:
        close()
        self._closing.remove(close)

    def _start(self, options: SystemOptions, log: Callable[[str, str], None]) -> None:
        app = self.app
        processes = Processes()
        self._closing.append(processes.close)
        receiver = serve_receiver(self.store.add_otlp)
        self._closing.append(receiver.close)
        # The X-Ray SDK's datagrams are no OTLP and are ignored.
        self._daemon = Daemon(self.store.add_otlp, lambda _: None)
        self._closing.append(self._daemon.close)
        spans = f"http://{receiver.address}/v1/traces"
        if app.calls_payments:
            self.payments = Payments(options.plan, processes, spans, lambda line: log("payments", line))
            self._closing.append(self.payments.stop)
        if export_of(app) == "collector" and options.collector.kind != "none":
            collector = RunningCollector(
                options.collector,
                app.root,
                processes,
                spans_url=f"http://{receiver.address}",
                log=lambda line: log("collector", line),
            )
            self._closing.append(collector.stop)
            spans = collector.traces_url
        noise = LogFile(options.out / "emulator.log")  # a separate file, because most of it is noise
        self._closing.append(noise.close)
        self._backend = Emulated(
            app,
            options.instrument if app.is_traced else "none",
            options.cache or cache_folder(),
            processes,
            spans,
            context=options.authorizer_context,
            replaced=lambda: self.payments.variables if self.payments is not None else {},
            log=lambda line: noise.write("aws", line),
            tell=self._tell,
        )
        self._closing.append(self._backend.cloud.stop)
        self._start_proxy(options, processes, noise)
        self._start_sandbox(options, processes, log)
        relay = serve_relay(self._relayed)
        self._closing.append(relay.close)
        self._backend.create(f"http://{relay.address}")
        self._start_gateways(options)
        for key in app.functions:  # so that the first request of each does not wait
            self._function(key)
        # Exclude all present objects from collections: each would delay answers by a tenth of a second, and a report
        # would blame Lambda's overhead.
        gc.collect()
        gc.freeze()
        self._closing.append(gc.unfreeze)

    def _start_proxy(self, options: SystemOptions, processes: Processes, noise: LogFile) -> None:
        """Start what receives all calls to AWS, with the server of durable executions, which starts when needed."""
        app, faults = self.app, TableFaults(options.plan, self._routes)
        self._executions = Executions(
            {f.name: f.durable for f in app.functions.values() if isinstance(f, Declared)},
            options.waits,
            self._backend.packages,
            processes,
            lambda: self._proxy.url,
            log=lambda line: noise.write("durable", line),
            tell=self._tell,
        )
        self._closing.append(self._executions.close)
        port = 0 if app.apis else options.port
        self._proxy = AwsProxy(self._backend.cloud.url, self._invoked, self._tell, port, faults, self._executions)
        self._closing.append(self._proxy.close)

    def _start_sandbox(self, options: SystemOptions, processes: Processes, log: Callable[[str, str], None]) -> None:
        app = self.app
        self.sandbox = Sandbox(
            (),
            SandboxSettings(
                task_root=app.root,
                layer=LAYER,
                extra={
                    "AWS_ENDPOINT_URL": self._proxy.url,
                    "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
                    "AWS_XRAY_DAEMON_ADDRESS": self._daemon.address,
                    "LAMBDA_LATENCY_LOCAL_AWS": self._proxy.url,
                    "LAMBDA_LATENCY_LOCAL_HOSTS": f"{HOST}=127.0.0.1",
                    "PYTHONDONTWRITEBYTECODE": "1",  # nothing is written next to the app's sources
                },
                faults=bool(self._faults),
                counts=options.counts,
            ),
            processes,
            record=self.store.add if app.is_traced else lambda _: None,
            log=log,
            printed=options.observer.printed,
        )
        self._closing.append(self.sandbox.close)

    def _start_gateways(self, options: SystemOptions) -> None:
        port, resources, client = options.port, self.stack.resources, self.client
        rule = self.app.sampling
        sampler = options.sampler or (StageSampler(*rule) if rule is not None else lambda: True)
        for api in self.app.apis:
            target = target_of(api, self.app, resources, client)
            if target is None:
                continue
            front = Front(
                self._backend.cloud.url,
                target,
                sampler,
                record=self.store.add,
                answered=self._answered,
                tell=self._tell,
                recorder=options.recorder,
                port=port,
            )
            self.urls[api.key] = front.url
            self.gateways.append(front)
            self._closing.append(front.close)
            if api.kind in ("rest", "http"):
                self._apis[target.api] = Served(front.url, api.stage)
            port = 0
        # The emulator calls them for `apigateway:invoke`.
        addresses = {api_id: urlsplit(api.url).netloc for api_id, api in self._apis.items()}
        request("POST", f"{self._backend.cloud.url}/_lambda-latency/apis", json.dumps(addresses))

    def _function(self, key: str) -> Function | None:
        """Return a prepared function; None if it cannot run."""
        with self._preparing:
            if key not in self._ready:
                function = self._backend.function(key)
                if function is None:
                    return None
                variables = {name: localized(value, self._apis) for name, value in function.environment.items()}
                self._ready[key] = function = replace(function, environment=variables)
                self.sandbox.add(function)
            return self._ready[key]

    def _relayed(self, key: str, event: bytes, header: str, route: str) -> Outcome:
        """Handle an event that the emulator forwards, of a request if it has a route."""
        if route:
            return self.invoke(key, event, TracingHeader.parse(header), requested=route)
        event = with_response_url(event, self.aws_url)
        outcome = self.invoke(key, delivered(event), TracingHeader.parse(header), f"{origin(event)} -> {key}")
        if outcome.error is not None:
            answer_for(event, outcome)
        return outcome

    def _invoked(self, name: str, event: bytes, header: str) -> Outcome | None:
        """Invoke a function by its name, for another function or the user; None for an unknown function."""
        for key, declared in self.app.functions.items():
            if name in (declared.name, key):
                caller = TracingHeader.parse(header)
                return self.invoke(key, event, caller, "" if caller else f"invoke -> {key}")
        return None


def _routes(app: LocalApp) -> dict[str, list[str]]:
    """Return the routes of each function, by its name."""
    by_function: dict[str, list[str]] = {}
    for api in app.apis:
        for name, route in api.routes.items():
            function = app.functions.get(route.function)
            method, _, path = name.partition(" ")
            routes = [f"{method} {path}" for method in (METHODS if method == "ANY" else (method,))]
            by_function.setdefault(function.name if function else route.function, []).extend(routes)
    return by_function


def _check(plan: FaultPlan, app: LocalApp, routes: dict[str, list[str]]) -> None:
    """Raises `LocalError` for a rule of a plan that would never apply."""
    plan.check_routes([*chain.from_iterable(routes.values())])
    for number, rule in enumerate(plan.rules, start=1):
        if rule.at in ("provider", "connect") and not app.calls_payments:
            mistake = f'the fault plan\'s rule {number} is "at" the {rule.at}, and {app.path} has no fake of one'
            raise UsageError(mistake, 'use "table" or "function": only the packaged example has a payments API here')


@dataclass(frozen=True, slots=True)
class Served:
    """The local address of an API; on AWS, its paths begin with `stage`."""

    url: str
    stage: str


def target_of(
    api: Api, app: LocalApp, resources: Mapping[str, tuple[str, str]], client: Callable[[str], Any]
) -> Target | None:
    """Return the API in the emulator; None if it was not created. `resources` are physical ids and types by key."""
    if api.kind == "url":
        function, functions = app.functions[api.key].name, client("lambda")
        try:
            url = functions.get_function_url_config(FunctionName=function)["FunctionUrl"]
        except functions.exceptions.ResourceNotFoundException:
            return None
        return Target("url", urlsplit(url).netloc.partition(".")[0], function, "$default")
    physical, _ = resources.get(api.key, ("", ""))
    if not physical:
        return None
    if api.kind == "alb":
        (balancer,) = client("elbv2").describe_load_balancers(LoadBalancerArns=[physical])["LoadBalancers"]
        return Target("alb", balancer["LoadBalancerName"], balancer["LoadBalancerName"], "alb")
    if api.kind == "rest":
        name = client("apigateway").get_rest_api(restApiId=physical)["name"]
        return Target("rest", physical, name, api.stage, api.is_traced)
    return Target("http", physical, client("apigatewayv2").get_api(ApiId=physical)["Name"], api.stage)


def localized(value: str, served: Mapping[str, Served]) -> str:
    """Return a text with the addresses of the local gateways in place of those of execute-api."""

    def address(match: re.Match[str]) -> str:
        api = served.get(match[1])
        if api is None:
            return match[0]
        return api.url + (f"/{match[2]}" if match[2] not in (None, api.stage) else "")

    return EXECUTE_API.sub(address, value)
