"""Timeouts of every kind, in the laptop's sandbox: does what was exported name the running call and the line?

Each kind happens 100 times, or as often as `--each` says, several at once; the machine may be busy.

Usual time: 15 minutes.
"""

import json
import socket
import time
from argparse import ArgumentParser
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from lab.faults.box import Box
from lab.faults.collector import Collector
from lambda_latency.latency import timeout_of
from lambda_latency.local.processes import Processes
from lambda_latency.local.spans.receiver import from_protobuf
from lambda_latency.trace import Span, Trace, spans_of
from tests.runtime.conftest import STEPS
from tests.runtime.stubs import Server

FUNCTION = "lab.faults.hanging.handler"
EVENT = {"resource": "/items", "httpMethod": "GET", "requestContext": {"stage": "prod"}}


@dataclass(frozen=True, slots=True)
class HangingCall:
    """A way to time out: the span that is running then as a report names it, and the line of code (or one of some)."""

    do: str
    span: str
    lines: tuple[str, ...]


HANDLER = "orders-create handler"
LOOP = ("while True:", "number += 1")
RESOLVER = "return select.select([], [], [], 600) if host == SLOW_NAME else ask(host, *args)"
HANGS = (
    HangingCall("own loop", HANDLER, LOOP),
    HangingCall("sleep", HANDLER, ("time.sleep(600)",)),
    HangingCall("recv", "GET 127.0.0.1", ('requests.get(f"http://{HOLE}/slow", timeout=600)',)),
    HangingCall("botocore", "DynamoDB GetItem orders", ('TABLE.get_item(Key={"id": "1"})',)),
    HangingCall("worker", HANDLER, LOOP),
    HangingCall("hashlib", HANDLER, ('hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 2_000_000_000)',)),
    HangingCall("dns", "DNS slow.example.com", (RESOLVER,)),
    HangingCall("tls", "TLS 127.0.0.1", ('requests.get(f"https://{HOLE}/", timeout=600)',)),
)


class Site:
    """What the functions call: an API, a collector, and an address that takes connections and says nothing."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.processes = self._stack.enter_context(Processes())
        self.provider = self._stack.enter_context(Server())
        self.hole = self._stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))

    def close(self) -> None:
        self._stack.close()

    def box(self, collector: Collector, timeout_s: float, **more: str) -> Box:
        """An environment of the function that hangs."""
        variables = {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url,
            "PROVIDER": self.provider.url,
            "HOLE": f"127.0.0.1:{self.hole.getsockname()[1]}",
            **more,
        }
        return Box(self.processes, FUNCTION, variables, timeout_s=timeout_s)


def hang(site: Site, do: str, timeout_s: float = 2, **more: str) -> tuple[Trace | None, float]:
    """Let it time out once: its trace, and how many milliseconds before the deadline the last of it had arrived."""
    arrived: list[float] = []
    collector = Collector()
    collector.arrived = lambda: arrived.append(time.time())
    box = site.box(collector, timeout_s, **more)
    try:
        run = box.invoke(json.dumps({**EVENT, "do": do}).encode())
        box.settle()
    finally:
        box.close()
        collector.close()
    assert run.outcome is not None
    assert run.outcome.error == "Sandbox.Timedout", run.outcome
    if not collector.bodies:
        late_ms = run.responded_ns / 1e6 - run.invocation.deadline_ms
        print(
            f"nothing arrived of {do!r}: {collector.requests} requests; "
            f"killed {late_ms:.0f} ms after the deadline; the function printed: {' | '.join(box.lines)}",
            flush=True,
        )
    spans = read(collector)
    return Trace(spans) if spans else None, run.invocation.deadline_ms - arrived[-1] * 1000 if arrived else 0.0


def read(collector: Collector) -> list[Span]:
    """All that a collector took, in the order in which it came."""
    return [
        span for body in collector.bodies for span in spans_of(json.dumps(from_protobuf(body)).encode(), lambda _: None)
    ]


def wrong(trace: Trace | None, case: HangingCall) -> str:
    """What does not say what was running; empty if all does."""
    timeout = timeout_of(trace) if trace is not None else None
    if trace is None or timeout is None:
        return "no timeout is told"
    observed = _observed(trace, timeout.running)
    expected = {"orphans": [], "root": ("GET /items", True, 2000), "finished": ["GET"], "running": case.span}
    if observed != expected:
        return f"{observed}, not {expected}"
    line = timeout.line.text if timeout.line is not None else ""
    return "" if line in case.lines else f"the line {line!r}, not {case.lines[0]!r}"


def _observed(trace: Trace, running: str) -> dict[str, object]:
    handler = trace.handler
    assert handler is not None
    return {
        "orphans": [span.name for span in trace.orphans],
        "root": (handler.name, handler.provisional, handler.attributes.get("lambda.timeout.limit_ms")),
        "finished": [span.name for span in trace.spans if not span.provisional and span.name not in STEPS],
        "running": running,
    }


def main(parser: ArgumentParser) -> int:
    """Status 1 if one of them does not name its call."""
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--only", action="append", help="only this kind; may be repeated")
    options = parser.parse_args()
    kinds = [case for case in HANGS if options.only is None or case.do in options.only]
    site = Site()
    named, early = Counter[str](), dict[str, list[float]]()

    def run(kind: HangingCall) -> None:
        trace, before_ms = hang(site, kind.do)
        why = wrong(trace, kind)
        named[kind.do] += not why
        early.setdefault(kind.do, []).append(before_ms)
        if why:
            print(f"NOT {kind.do}: {why}", flush=True)

    try:
        with ThreadPoolExecutor(options.at_once) as workers:
            list(workers.map(run, [kind for _ in range(options.each) for kind in kinds]))
    finally:
        site.close()
    for kind in kinds:
        least = min(early[kind.do])
        print(
            f"{kind.do:<10} {named[kind.do]} of {options.each} named; told at the latest {least:.0f} ms before the kill"
        )
    return int(named.total() != options.each * len(kinds))
