"""Timeouts of every kind, in the laptop's sandbox: does what was exported name the running call and the line?

Each kind happens 100 times, or as often as `--each` says, several at once; the machine may be busy.

Usual time: 15 minutes.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lab.faults.box import Box
from lab.faults.collector import Collector
from lambda_latency.latency import timeout_of
from lambda_latency.local.processes import Processes
from lambda_latency.local.xray.receiver import from_protobuf
from lambda_latency.trace import Span, Trace, spans_of
from tests.runtime.conftest import STEPS
from tests.runtime.stubs import Server

FUNCTION = "lab.faults.hanging.handler"
SOURCE = Path(__file__).parent / "faults" / "hanging.py"
EVENT = {"resource": "/items", "httpMethod": "GET", "requestContext": {"stage": "prod"}}


@dataclass(frozen=True, slots=True)
class Hang:
    """A way to time out: the span that is running then as a report names it, and the line of code (or one of some)."""

    do: str
    span: str
    lines: tuple[str, ...]


HANDLER = "orders-create handler"
LOOP = ("while True:", "number += 1")
RESOLVER = "return select.select([], [], [], 600) if host == SLOW_NAME else ask(host, *args)"
HANGS = (
    Hang("own loop", HANDLER, LOOP),
    Hang("sleep", HANDLER, ("time.sleep(600)",)),
    Hang("recv", "GET 127.0.0.1", ('requests.get(f"http://{HOLE}/slow", timeout=600)',)),
    Hang("botocore", "DynamoDB GetItem orders", ('TABLE.get_item(Key={"id": "1"})',)),
    Hang("worker", HANDLER, LOOP),
    Hang("hashlib", HANDLER, ('hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 2_000_000_000)',)),
    Hang("dns", "DNS slow.example.com", (RESOLVER,)),
    Hang("tls", "TLS 127.0.0.1", ('requests.get(f"https://{HOLE}/", timeout=600)',)),
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


def wrong(trace: Trace | None, one: Hang) -> str:
    """What does not say what was running; empty if all does."""
    timeout = timeout_of(trace) if trace is not None else None
    if trace is None or timeout is None:
        return "no timeout is told"
    handler = trace.handler
    assert handler is not None
    told = {
        "orphans": [span.name for span in trace.orphans],
        "root": (handler.name, handler.provisional, handler.attributes.get("lambda.timeout.limit_ms")),
        "finished": [span.name for span in trace.spans if not span.provisional and span.name not in STEPS],
        "running": timeout.running,
    }
    expected = {"orphans": [], "root": ("GET /items", True, 2000), "finished": ["GET"], "running": one.span}
    line = timeout.line.text if timeout.line is not None else ""
    if told != expected:
        return f"{told}, not {expected}"
    return "" if line in one.lines else f"the line {line!r}, not {one.lines[0]!r}"


def main() -> int:
    """Status 1 if one of them does not name its call."""
    parser = argparse.ArgumentParser("python -m lab timeouts", description=__doc__)
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--only", action="append", help="only this kind; may be repeated")
    options = parser.parse_args()
    kinds = [one for one in HANGS if options.only is None or one.do in options.only]
    site = Site()
    named, early = Counter[str](), dict[str, list[float]]()

    def run(one: Hang) -> None:
        trace, before_ms = hang(site, one.do)
        why = wrong(trace, one)
        named[one.do] += not why
        early.setdefault(one.do, []).append(before_ms)
        if why:
            print(f"NOT {one.do}: {why}", flush=True)

    try:
        with ThreadPoolExecutor(options.at_once) as lanes:
            list(lanes.map(run, [one for _ in range(options.each) for one in kinds]))
    finally:
        site.close()
    for one in kinds:
        least = min(early[one.do])
        print(
            f"{one.do:<10} {named[one.do]} of {options.each} named; told at the latest {least:.0f} ms before the kill"
        )
    return int(named.total() != options.each * len(kinds))


if __name__ == "__main__":
    sys.exit(main())
