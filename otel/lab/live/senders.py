"""Senders as they are published: what each of them exports arrives whole, as requests with their spans and errors."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lab.commands import ROOT
from lab.cost.cell import EVENT
from lab.cost.places import Places
from lab.faults.box import Box
from lab.live.command import Command
from lambda_latency.http import Client
from lambda_latency.local.processes import Processes
from lambda_latency.trace import Trace, read_traces

COUNT = 20
ERRORS = 4
COLLECTOR = ROOT / "build" / "collector" / "otelcol"
PATIENCE_S = 20
COLLECTS = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}}}
exporters: {{otlphttp: {{endpoint: "{endpoint}"}}}}
service:
  telemetry: {{logs: {{level: error}}, metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [otlphttp]}}}}
"""


def senders() -> list[str]:
    """Print a line for each sender; returns what is wrong."""
    wrong = []
    for name, send in SENDERS.items():
        with Command() as command:
            missing = send(command.otlp)
            if missing is not None:
                print(f"{name}: not tried: {missing}", flush=True)
                continue
            traces = _kept(command, COUNT)
        faults = _faults_of_kit(traces) if name == "the kit" else _faults(traces)
        spans = sum(len(trace.spans) for trace in traces)
        print(f"{name}: {len(traces)} requests, {spans} spans; wrong: {'; '.join(faults) or 'nothing'}", flush=True)
        wrong += [f"{name}: {fault}" for fault in faults]
    return wrong


def _kept(command: Command, count: int) -> list[Trace]:
    """The traces that the page saves, as soon as there are so many."""
    path, end = command.page.partition(f":{command.page_port}")[2], time.monotonic() + PATIENCE_S
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        file = Path(folder, "saved.jsonl")
        while True:
            client = Client(command.page)
            file.write_bytes(client.request("GET", f"{path}save?minutes=0").body)
            client.close()
            saved = list(read_traces(file).traces)
            if len(saved) >= count or time.monotonic() > end:
                return saved
            time.sleep(0.2)


def _faults(traces: list[Trace]) -> list[str]:
    """What differs from the requests that the app made."""
    signatures = {tuple(sorted((span.name, span.kind.name) for span in trace.spans)) for trace in traces}
    expected = {(("GET", "CLIENT"), ("GET /cart", "SERVER"), ("SELECT", "CLIENT"))}
    raised = sum(any(event.name == "exception" for span in trace.spans for event in span.events) for trace in traces)
    checks = {
        f"{len(traces)} of {COUNT} requests": len(traces) == COUNT,
        f"spans {signatures}": signatures == expected,
        f"{raised} of {ERRORS} exceptions": raised == ERRORS,
        "parents": all(map(_is_flat, traces)),
        "times": all(0 < trace.request_root.start_ns <= (trace.request_root.end_ns or 0) for trace in traces),
    }
    return [fault for fault, holds in checks.items() if not holds]


def _is_flat(trace: Trace) -> bool:
    """Whether all spans are below the root."""
    parents = {span.parent_id for span in trace.spans[1:]} - {None}
    return parents <= {trace.local_roots[0].span_id}


def _faults_of_kit(traces: list[Trace]) -> list[str]:
    names = {span.name for trace in traces for span in trace.spans}
    calls = {"DynamoDB.GetItem", "DynamoDB.PutItem", "GET"}
    return [f"{len(traces)} of {COUNT} requests"] * (len(traces) != COUNT) + [f"spans {names}"] * (not calls <= names)


def _python(distro: str, **more: str) -> Callable[[str], str | None]:
    def send(endpoint: str) -> str | None:
        env = {
            **os.environ,
            "OTEL_PYTHON_DISTRO": distro,
            "OTEL_PYTHON_CONFIGURATOR": distro.replace("distro", "configurator"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_TRACES_SAMPLER": "always_on",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "false",
            **more,
        }
        instrument = Path(sys.executable).with_name("opentelemetry-instrument")
        subprocess.run([instrument, sys.executable, "-m", "lab.live.app", str(COUNT)], env=env, cwd=ROOT, check=True)
        return None

    return send


def _collector(endpoint: str) -> str | None:
    if not COLLECTOR.exists():
        return "make collector builds it"
    with _collecting(endpoint) as inlet:
        return _python("distro", OTEL_EXPORTER_OTLP_COMPRESSION="gzip")(inlet)


@contextmanager
def _collecting(endpoint: str) -> Iterator[str]:
    """A collector that hands on to an endpoint; its own address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        config = Path(folder, "config.yaml")
        config.write_text(COLLECTS.format(port=port, endpoint=endpoint), encoding="utf-8")
        process = subprocess.Popen([COLLECTOR, "--config", str(config)])
        try:
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
            time.sleep(1)  # it exports what it has at its end, too
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _kit(endpoint: str) -> str | None:
    with ExitStack() as stack:
        processes, places = stack.enter_context(Processes()), stack.enter_context(Places())
        variables = {
            "PROVIDER": places.addresses["PROVIDER"],
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{endpoint}/v1/traces",
        }
        box = Box(processes, "lab.response_time.handler.handler", variables)
        stack.callback(box.close)
        for number in range(COUNT):
            box.invoke(
                json.dumps(EVENT).encode(), f"Root=1-674385f0-{number + 1:024x};Parent=0123456789abcdef;Sampled=1"
            )
            box.settle()
        box.environment.stop()  # delivers what is left
    return None


SENDERS: dict[str, Callable[[str], str | None]] = {
    "the kit": _kit,
    "OpenTelemetry's SDK for Python, protobuf": _python("distro"),
    "OpenTelemetry's SDK for Python, protobuf in gzip": _python("distro", OTEL_EXPORTER_OTLP_COMPRESSION="gzip"),
    "ADOT's distro for Python": _python("aws_distro"),
    "the collector, in front of the SDK for Python": _collector,
}
