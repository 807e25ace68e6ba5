"""Planted kinds from end to end: Lambda's runtime client in the sandbox, a collector, and the line in the report."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from lab.faults.box import SEGMENT, Box
from lab.faults.collector import Collector
from lab.profile.task import planted
from lab.timeouts import read
from lambda_latency.latency import account, report_of
from lambda_latency.local.processes import Processes
from lambda_latency.text import Style
from lambda_latency.text.prose import flat, sentence
from lambda_latency.trace import Span, Trace

__all__ = ["LEFT_OUT", "reported"]

LEFT_OUT = ("straight", "json_loads", "compress")  # twenty are enough: each of these resembles another one
EVENT = {"resource": "/orders", "httpMethod": "POST", "requestContext": {"stage": "prod"}}
SLOW, TYPICAL, TURNS, TURN_S = 10, 30, 8, 0.1


def reported(kinds: list[str], at_once: int = 2) -> int:
    """Run the kinds and print the sentence of each; returns the number of those whose line is right."""
    with Processes() as processes, ThreadPoolExecutor(at_once) as lanes:
        found = list(lanes.map(lambda kind: _reported(kind, processes), kinds))
    for kind, (right, text) in zip(kinds, found, strict=True):
        print(f"{'ok ' if right else 'NOT'} {kind}: {text}", flush=True)
    return sum(right for right, _ in found)


def _reported(kind: str, processes: Processes) -> tuple[bool, str]:
    with closing(Collector()) as collector:
        variables = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url}
        with closing(Box(processes, "lab.profile.task.planted.handler", variables, timeout_s=60)) as box:
            draw = random.Random(kind)  # noqa: S311 - a draw, not a secret
            work = planted.calibrated(planted.KINDS[kind], TURN_S)
            plan = [True] * SLOW + [False] * TYPICAL
            draw.shuffle(plan)
            for slow in (False, False, *plan):
                event = {**EVENT, "kind": kind, "n": work if slow else 1, "other": 1000, "turns": TURNS if slow else 1}
                trace = f"674385f0-{draw.getrandbits(96):024x}"
                box.invoke(json.dumps(event).encode(), f"Root=1-{trace};Parent={SEGMENT};Sampled=1")
                box.settle()
        spans = read(collector)
    by_trace: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    traces = {trace_id: Trace(found) for trace_id, found in by_trace.items()}
    report = report_of([account(one) for one in traces.values()], lambda ids: {one: traces[one] for one in ids})
    places = [one for code in report.own_code.values() for one in code.places]
    name = places[0].place.function if places else ""
    return name == planted.SPENT_IN.get(kind, kind), flat(sentence(report, Style()))
