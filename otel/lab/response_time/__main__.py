"""The time that a client waits with the kit, compared with the bare handler and the X-Ray SDK.

It is measured for each state of the collector; so is the time that the environment stays busy after the response.

All variants run in the local sandbox with Lambda's own runtime client, one environment each, in turns; only differences
within a turn count. Two processes of the same code differ by more than the turns of one process show. All environments
are therefore started several times; each start is a set, and a range is that of the sets. Status 1 if the kit adds
more than the X-Ray SDK, beyond the noise: over the whole range, and in the mean by more than two environments of the
bare handler differ.

Usual time: 10 minutes.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from operator import sub
from statistics import mean, median, stdev
from typing import TYPE_CHECKING

from lab.faults.box import Box
from lab.faults.collector import Collector, Mode
from lambda_latency.http import Handler, Server
from lambda_latency.local.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.local.sandbox.function import Run

WARM_UP = 30
SET = 40  # turns per set of environments
EVENT = json.dumps({
    "resource": "/items/{id}", "path": "/items/42", "httpMethod": "GET", "pathParameters": {"id": "42"},
    "headers": {"Host": "h", "User-Agent": "curl/8.5.0", "X-Forwarded-Proto": "https"},
    "requestContext": {"stage": "prod", "identity": {"sourceIp": "203.0.113.9"}}, "body": None,
}).encode()  # fmt: skip
MODES: dict[str, Mode] = {
    "healthy (10 ms)": "healthy",
    "refused": "refused",
    "black hole": "hole",
    "slow (3 s)": "slow",
}
BUSY_MS = 2.0
STUDENT = 2.26  # standard errors on each side of the mean of ten sets


class Provider(Handler):
    """DynamoDB and the API."""

    def do_GET(self) -> None:
        self.body()
        self.answer(200, b"{}", {"Content-Type": "application/json"})

    do_POST = do_GET


@dataclass
class Variant:
    """A variant: its environments one after another, and their times in milliseconds; `waited` has a list per set."""

    name: str
    start: Callable[[ExitStack], Box]
    waited: list[list[float]] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    def anew(self, stack: ExitStack) -> None:
        """Start another environment and warm it up."""
        self.box = self.start(stack)
        for _ in range(WARM_UP):
            self.invoke()
        self.waited.append([])

    def turn(self) -> None:
        """Send one request."""
        run = self.invoke()
        self.waited[-1].append((run.responded_ns - run.started_ns) / 1e6)
        self.busy.append((run.ended_ns - run.responded_ns) / 1e6)

    def invoke(self) -> Run:
        run = self.box.invoke(EVENT)
        self.box.settle()
        assert run.outcome is not None
        if run.outcome.error is not None or b'"statusCode": 200' not in run.outcome.payload:
            raise SystemExit(f"{self.name} answered {run.outcome.payload!r}: nothing to measure")
        return run


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m lab response-time", description=__doc__)
    parser.add_argument("--rounds", type=int, default=400)
    options = parser.parse_args()
    sets = max(2, round(options.rounds / SET))
    # A random order in each turn: a delivery lets the processor idle, which slows the next variant.
    order = random.Random(1)  # noqa: S311 - an order, no secret
    with ExitStack() as stack:
        variants = made(stack)
        for number in range(sets):
            print(f"set {number + 1} of {sets}", file=sys.stderr, flush=True)
            with ExitStack() as environments:
                for variant in order.sample(variants, len(variants)):
                    variant.anew(environments)
                for _ in range(SET):
                    for variant in order.sample(variants, len(variants)):
                        variant.turn()
    return print_tables({variant.name: variant for variant in variants}, sets)


def made(stack: ExitStack) -> list[Variant]:
    """The variants; bare twice, for the difference between two equal ones."""
    processes = stack.enter_context(Processes())
    provider = Server(Provider)
    stack.callback(provider.close)
    daemon = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    daemon.bind(("127.0.0.1", 0))
    common = {
        "PROVIDER": f"http://{provider.address}",
        "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
    }

    def box(handler: str, wrapped: bool = False, **more: str) -> Callable[[ExitStack], Box]:
        def start(environments: ExitStack) -> Box:
            one = Box(processes, f"lab.response_time.{handler}.handler", {**common, **more}, wrapped=wrapped)
            environments.callback(one.close)
            return one

        return start

    variants = [
        Variant("bare", box("handler")),
        Variant("bare again", box("handler")),
        Variant("X-Ray SDK", box("xray")),
    ]
    for name, mode in MODES.items():
        collector = Collector(answer_s=0.01)
        collector.set(mode)
        stack.callback(collector.close)
        url = collector.url
        variants.append(Variant(f"kit, {name}", box("handler", True, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=url)))
    endpoint = Collector(answer_s=0.01)
    stack.callback(endpoint.close)
    signed = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": endpoint.url, "LAMBDA_LATENCY_EXPORT": "otlp"}
    variants.append(Variant("kit to X-Ray", box("handler", True, **signed)))
    return variants


def print_tables(variants: dict[str, Variant], sets: int) -> int:
    """Print two tables; 1 if the kit is slower than permitted."""
    bare, xray = variants["bare"].waited, variants["X-Ray SDK"].waited
    print(f"What the client waits for, {sets} sets of {SET} turns; differences within a turn, their 95 % range, in ms")
    print(f"{'':22}{'median':>8}{'p90':>8}{'over bare':>12}{'range':>18}{'over X-Ray':>12}{'range':>18}")
    same = between(variants["bare again"].waited, bare)
    noise = max(abs(same[0]), abs(same[2]))
    slower = []
    for name, one in variants.items():
        over = between(one.waited, bare)
        beside = between(one.waited, xray)
        all_of_it = sorted(chain.from_iterable(one.waited))
        p90 = all_of_it[int(len(all_of_it) * 0.9)]
        print(
            f"{name:22}{median(all_of_it):8.2f}{p90:8.2f}{over[1]:+12.2f}{spread(over)}{beside[1]:+12.2f}{spread(beside)}"
        )
        if name.startswith("kit") and beside[0] > 0 and beside[1] > noise:
            slower.append(name)
    print(f"Noise: two environments that are the same differ by up to {noise:.2f} ms")
    print(
        f"\nHow long the environment is busy after the response, ms; beyond {BUSY_MS:g} ms counts as a try to deliver"
    )
    print(f"{'':22}{'median':>8}{'of the others':>15}{'their p99':>11}{'tries':>7}{'longest':>9}")
    for name, one in variants.items():
        long = [ms for ms in one.busy if ms > BUSY_MS]
        others = sorted(ms for ms in one.busy if ms <= BUSY_MS) or [math.nan]
        p99 = others[int(len(others) * 0.99)]
        print(f"{name:22}{median(one.busy):8.2f}{median(others):15.2f}{p99:11.2f}{len(long):7}{max(one.busy):9.1f}")
    for name in slower:
        print(f"{name} adds more than the X-Ray SDK, beyond the noise")
    return int(bool(slower))


def between(one: list[list[float]], other: list[list[float]]) -> tuple[float, float, float]:
    """The mean of the sets' medians of the differences within a turn, between the bounds of its 95 % range."""
    middles = [median(map(sub, mine, its)) for mine, its in zip(one, other, strict=True)]
    middle, half = mean(middles), STUDENT * stdev(middles) / math.sqrt(len(middles))
    return middle - half, middle, middle + half


def spread(found: tuple[float, float, float]) -> str:
    return f"{f'{found[0]:+.2f} .. {found[2]:+.2f}':>18}"


if __name__ == "__main__":
    raise SystemExit(main())
