"""A slow database, a slow cache, a pool without a connection left: does the report's verdict name each?

Each is planted with three seeds, which say in which requests it is. Status 1 where one is not named.

Usual time: 3 minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections import defaultdict
from contextlib import ExitStack, closing
from pathlib import Path

from lab.faults.box import SEGMENT, Box
from lab.faults.collector import Collector
from lab.libraries.environment import ROOT, prepared
from lab.libraries.servers import PACKAGES, Servers
from lab.timeouts import read
from lambda_latency.latency import Report, report_of
from lambda_latency.local.processes import Processes
from lambda_latency.text import Style
from lambda_latency.text.prose import flat, sentence
from lambda_latency.trace import Span, Trace
from tests.latency.system import account
from tests.runtime.stubs import Server

REQUESTS, SHARE, WARM_UP = 120, 0.15, 3
EVENT = {"resource": "/orders", "httpMethod": "POST", "requestContext": {"stage": "prod"}}
CAUSES = {
    "mysql": ("database", "mysql shop"),
    "redis": ("database", "redis localhost"),
    "pool": ("pool", "mysql shop"),
}
"""What is slow, and the bucket and the name that the verdict has to give."""


def main() -> int:
    """Plant, report, compare."""
    parser = argparse.ArgumentParser("python -m lab slow", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cause", choices=sorted(CAUSES), help="only this one")
    options = parser.parse_args()
    python, named = prepared(), 0
    causes = [options.cause] if options.cause else list(CAUSES)
    with ExitStack() as stack:
        servers, provider = stack.enter_context(closing(Servers())), stack.enter_context(Server())
        processes = stack.enter_context(Processes())
        ports = {name: servers.port(name, python) for name in ("MariaDB", "Redis")}
        missing = [f"{name} (Debian's package {PACKAGES[name]})" for name, port in ports.items() if port is None]
        if missing:
            print(f"skipped: not here: {', '.join(missing)}")
            return int(bool(os.environ.get("CI")))
        variables = {
            "PROVIDER": provider.url,
            "PYTHONPATH": str(ROOT / "otel"),
            **{name.upper(): str(port) for name, port in ports.items()},
        }
        for cause in causes:
            for seed in range(1, options.seeds + 1):
                report = reported(cause, seed, python, processes, variables)
                part = report.verdict.part
                right = part is not None and (part.bucket, part.name) == CAUSES[cause]
                named += right
                said = flat(sentence(report, Style(unicode=False)))
                print(f"{'ok ' if right else 'NOT'} slow {cause}, seed {seed}: {said}", flush=True)
    print(f"{named} of {len(causes) * options.seeds} named")
    return int(named != len(causes) * options.seeds)


def reported(cause: str, seed: int, python: Path, processes: Processes, variables: dict[str, str]) -> Report:
    """The report about the requests of one environment, those that warm it up aside."""
    chance, collector = random.Random(seed), Collector()  # noqa: S311 - a seed that can be repeated
    more = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url, **variables}
    box = Box(processes, "lab.slow.shop.handler", more, python=python)
    try:
        for number in range(WARM_UP + REQUESTS):
            slow = cause if number >= WARM_UP and chance.random() < SHARE else ""
            header = f"Root=1-674385f0-{number:024x};Parent={SEGMENT};Sampled=1"
            run = box.invoke(json.dumps({**EVENT, "slow": slow}).encode(), header)
            assert run.outcome is not None
            assert run.outcome.error is None, (run.outcome, box.lines[-5:])
            box.settle()
    finally:
        box.close()
        collector.close()
    spans: defaultdict[str, list[Span]] = defaultdict(list)
    for span in read(collector):
        if int(span.trace_id[8:], 16) >= WARM_UP:
            spans[span.trace_id].append(span)
    traces = {trace_id: Trace(found) for trace_id, found in spans.items()}
    return report_of(list(map(account, traces.values())), lambda ids: {one: traces[one] for one in ids})


if __name__ == "__main__":
    sys.exit(main())
