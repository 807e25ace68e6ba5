"""The running system: from a request to the gateway to its spans in the store."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambda_latency.http import Server
from lambda_latency.local.built import built_functions
from lambda_latency.local.faults import Plan
from lambda_latency.local.gateway.api_gateway import Answered, Gateway, Sampler, check_port
from lambda_latency.local.gateway.sam import COLLECTOR, Template, read_template
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.function import Outcome
from lambda_latency.local.sandbox.lambda_service import Sandbox
from lambda_latency.local.sandbox.variables import Settings
from lambda_latency.local.services import Service
from lambda_latency.local.xray.collector import Choice, RunningCollector
from lambda_latency.local.xray.daemon import Daemon
from lambda_latency.local.xray.feed import Feed
from lambda_latency.local.xray.receiver import serve_receiver
from lambda_latency.local.xray.segments import TraceHeader
from lambda_latency.local.xray.store import NOBODY, Observer, Store
from lambda_latency.template import Collector, read_collector
from lambda_latency.trace import Span

__all__ = ["PROVIDER_HOST", "Options", "System"]

LAYER = Path(__file__).with_name("layer")
PROVIDER_HOST = "payments.example.com"  # resolves to the laptop's own provider, without DNS


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the local system."""

    template: Path = Path("template.yaml")
    parameters: Mapping[str, str] = field(default_factory=dict)
    out: Path = Path("out")
    port: int = 0
    plan: Plan = field(default_factory=Plan)
    sampler: Callable[[], bool] | None = None  # default: the template's sampling rule
    collector: Choice = field(default_factory=lambda: Choice("none", ""))
    built: bool = False  # run the artifacts of `sam build`
    traces: str = "traces.jsonl"  # the file below `out`
    observer: Observer = NOBODY


class System:
    """The system. The constructor starts all parts, the slow ones in parallel; `close` stops them.

    `before` is called before each invocation; `answered` receives each request after its response; `log` the source and
    the text of each printed line; `failed` one message if traces cannot be written. Raises `LocalError` if a part does
    not start.
    """

    def __init__(
        self,
        options: Options,
        *,
        answered: Callable[[Answered], None] = lambda _: None,
        log: Callable[[str, str], None] = lambda *_: None,
        before: Callable[[System], None] = lambda _: None,
        failed: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._before, self._answered = before, answered
        check_port(options.port)
        self.template: Template = read_template(options.template, options.parameters)
        options.plan.check_routes(self.template.routes)
        self.store = Store(options.out / options.traces, failed)
        self.store.watch_lines(options.observer.line)
        self._closing: list[Callable[[], object]] = [self.store.close]
        try:
            self._start(options, log)
        except BaseException:
            self.close()
            raise

    def _start(self, options: Options, log: Callable[[str, str], None]) -> None:
        template, plan = self.template, options.plan
        processes = Processes()
        self._closing.append(processes.close)
        root = options.template.resolve().parent
        receiver = serve_receiver(self._keep_otlp)
        self._closing.append(receiver.close)
        spans = f"http://{receiver.address}/v1/traces"
        routes: dict[str, list[str]] = {}
        for route, function in template.routes.items():
            routes.setdefault(function, []).append(route)
        faults = ["--faults", plan.to_json()]
        self._provider = Service(
            "lambda_latency.local.provider", ["--spans", spans, *faults], processes, lambda line: log("payments", line)
        )
        self._closing.append(self._provider.stop)
        aws = Service(
            "lambda_latency.local.cloud.moto_emulator",
            ["--tables", json.dumps(template.tables), "--routes", json.dumps(routes), *faults],
            processes,
            lambda line: log("aws", line),
        )
        self._closing.append(aws.stop)
        # X-Ray has its own process: making documents in the table's process would delay the table, and a report would
        # rightly blame DynamoDB.
        xray = Service(
            "lambda_latency.local.cloud.moto_emulator",
            ["--indexed", _indexed(root)],
            processes,
            lambda line: log("x-ray", line),
        )
        self._closing.append(xray.stop)
        self.aws_url = f"http://127.0.0.1:{aws.wait_until_ready()}"
        self.xray_url = f"http://127.0.0.1:{xray.wait_until_ready()}"
        self._feed = Feed(self.xray_url, lambda line: log("x-ray", line))
        self._closing.append(self._feed.close)
        self._daemon = Daemon(self._keep_otlp, lambda line: log("daemon", line))
        self._closing.append(self._daemon.close)
        if template.collected and options.collector.kind != "none":
            spans = self._start_collector(options.collector, root, processes, receiver, log)
        provider_port = self._provider.wait_until_ready()
        self.provider_url = f"http://127.0.0.1:{provider_port}"
        functions = template.functions
        if options.built:
            functions = built_functions(root, functions, processes.folder())
        self.sandbox = Sandbox(
            functions,
            Settings(
                task_root=root,
                layer=LAYER,
                overrides={
                    "PAYMENTS_URL": f"http://{PROVIDER_HOST}:{provider_port}",
                    COLLECTOR: spans,
                },
                extra={
                    "AWS_ENDPOINT_URL": self.aws_url,
                    "AWS_XRAY_DAEMON_ADDRESS": self._daemon.address,
                    "LAMBDA_LATENCY_LOCAL_HOSTS": f"{PROVIDER_HOST}=127.0.0.1",
                    **({COLLECTOR: spans} if template.direct else {}),
                },
                faults=bool(plan.at("function")),
            ),
            processes,
            record=self._keep if template.traced else lambda _: None,
            log=log,
            printed=options.observer.printed,
        )
        self._closing.append(self.sandbox.close)
        self._faults = plan.at("function")
        self.faulty = True  # whether the planned faults of functions are injected
        sampler = options.sampler or Sampler(*template.sampling)
        self.gateway = Gateway(
            template, self._invoke, sampler, record=self._keep, answered=self._answered, port=options.port
        )
        self._closing.append(self.gateway.close)
        # Exclude all present objects from collections: each would delay answers by a tenth of a second, and a report
        # would blame Lambda's overhead.
        gc.collect()
        gc.freeze()
        self._closing.append(gc.unfreeze)

    @property
    def url(self) -> str:
        return self.gateway.url

    def invoke(self, function: str, event: bytes, header: TraceHeader | None = None) -> Outcome:
        """Run a function by its logical id, with a JSON event."""
        begun, header = time.time_ns(), header or TraceHeader.new(sampled=True)
        outcome = self._invoke(function, event, header, "")
        took = time.time_ns() - begun
        route, status = f"invoke -> {function}", outcome.error or "ok"
        self._answered(Answered(header.trace_id, header.sampled, route, status, took, reached_lambda=True))
        return outcome

    def finish(self, limit_s: float = 10) -> bool:
        """Stop the gateway and wait until the last span is in the store and X-Ray; False if invocations never ended."""
        self.gateway.close()
        self._closing.remove(self.gateway.close)
        done = self.sandbox.wait_until_idle(limit_s)
        self._provider.stop()
        self._closing.remove(self._provider.stop)
        self._daemon.close()
        self._closing.remove(self._daemon.close)
        self._feed.close()
        self._closing.remove(self._feed.close)
        return done

    def close(self) -> None:
        """Stop every process and close every port. May be called more than once."""
        while self._closing:
            self._closing.pop()()

    def _start_collector(
        self, choice: Choice, root: Path, processes: Processes, receiver: Server, log: Callable[[str, str], None]
    ) -> str:
        """Start the collector; returns the address to which functions send spans."""
        if choice.kind == "docker":  # its awsxray writes to X-Ray itself
            receiver = serve_receiver(self.store.add_otlp)
            self._closing.append(receiver.close)
        collector = RunningCollector(
            choice,
            root,
            processes,
            spans_url=f"http://{receiver.address}",
            xray_url=self.xray_url,
            log=lambda line: log("collector", line),
        )
        self._closing.append(collector.stop)
        return collector.traces_url

    def _keep(self, spans: list[Span]) -> None:
        self.store.add(spans)
        self._feed.add(spans)

    def _keep_otlp(self, document: dict[str, Any]) -> None:
        self.store.add_otlp(document)
        self._feed.add_otlp(document)

    def _invoke(self, function: str, event: bytes, header: TraceHeader, route: str) -> Outcome:
        self._before(self)
        fault = self._faults.next((route,)) if self.faulty else None
        return self.sandbox.invoke(function, event, header, fault)


def _indexed(root: Path) -> str:
    """The attributes that the collector indexes, as a JSON list; empty without a collector.yaml beside the template."""
    collector = read_collector(root / "collector.yaml")
    return json.dumps(collector.indexed_attributes() if isinstance(collector, Collector) else [])
