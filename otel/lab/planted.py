"""Causes that are planted, one at a time, in the laptop's system: does the verdict name each, and claim nothing else?

Every cause is planted with five seeds; CI plants some of them once. A cause whose spans the runtime does not make yet
is planted by hand in the traces of a run without faults, and listed as such.

Usual time: 15 minutes.
"""

import tempfile
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lambda_latency.latency import Report, report_of
from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.serve.system import System, SystemOptions
from lambda_latency.local.faults import FaultPlan, FaultRule
from lambda_latency.local.load import plan_calls, send, warm_up_calls
from lambda_latency.text import Style
from lambda_latency.text.prose import flat, sentence, timeout_groups, timeout_sentence
from lambda_latency.trace import Scope, Span, SpanKind, Trace, find_sources, read_traces
from tests.latency.system import THEIRS, breakdown_of

AT_ONCE = 4
ENVIRONMENTS = AT_ONCE + 2  # of each function, warm: one works on after its response, and a new one slows the others
REQUESTS = 180  # of which each cause makes more than the 8 slow ones of a class
USUAL = FaultRule("provider", "delay", 1, ms=60)
PAYMENTS = "payments.example.com"


@dataclass(frozen=True, slots=True)
class Injection:
    """What is planted, what a report must say for it, and what an alarm's message must; "" where it names no cause."""

    name: str
    rules: tuple[FaultRule, ...]
    named: Callable[[Report], bool]
    title: str = ""
    deployments: int = 0  # each with new environments; without one the environments are warm
    at_once: int = AT_ONCE
    by_hand: Callable[[list[Trace]], list[Trace]] | None = None


def main(parser: ArgumentParser) -> int:
    """Plant, report, compare; the number of causes that were missed is printed, and status 1 if there is any."""
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cause", action="append", help="only this one; may be repeated")
    parser.add_argument("--tries", type=int, default=1, metavar="N",
                        help="runs of a seed until it is as it should be, on a busy machine (1)")  # fmt: skip
    options = parser.parse_args()
    causes = [cause for cause in CAUSES if options.cause is None or cause.name in options.cause]
    named = 0
    for cause in causes:
        for seed in range(1, options.seeds + 1):
            right, hand = False, " (spans planted by hand)" if cause.by_hand is not None else ""
            for _ in range(options.tries):
                report = _report(cause, seed)
                right = cause.named(report)
                print(f"{'ok ' if right else 'NOT'} {cause.name}{hand}, seed {seed}: {_said(report)}", flush=True)
                if right:
                    break
            named += right
    total = len(causes) * options.seeds
    print(f"{named} of {total} as they should be")
    return int(named != total)


def _said(report: Report) -> str:
    style = Style(unicode=False)
    timeouts = [flat(timeout_sentence(group, report, style)) for group in timeout_groups(report)]
    return " ".join([*timeouts, flat(sentence(report, style))])


def _report(cause: Injection, seed: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        traces = run_cause(cause, seed, Path(folder))
    if cause.by_hand is not None:
        traces = cause.by_hand(traces)
    by_id = {trace.trace_id: trace for trace in traces}
    return report_of(
        [breakdown_of(trace) for trace in traces], lambda ids: {key: by_id[key] for key in ids}, owners=THEIRS.owners
    )


def run_cause(cause: Injection, seed: int, folder: Path) -> list[Trace]:
    """The traces of a run of the system under a cause, made in this folder."""
    plan = FaultPlan(seed, cause.rules)
    system = System(read_app(Path("template.yaml"), {}), SystemOptions(folder, plan=plan, sampler=lambda: True))
    try:
        if not cause.deployments:
            system.faulty = False
            system.sandbox.prepare(ENVIRONMENTS)
            for batch in warm_up_calls(ENVIRONMENTS, seed):
                send(system.url, batch, ENVIRONMENTS, lambda _: None)
            system.forget()
            system.faulty = True
        calls, parts = plan_calls(REQUESTS, seed), max(cause.deployments, 1)
        for part in range(parts):
            if part:
                system.sandbox.renew()
            inside = calls[part * REQUESTS // parts : (part + 1) * REQUESTS // parts]
            send(system.url, inside, cause.at_once, lambda _: None)
        system.finish()
        return list(read_traces(*(source.path for source in find_sources([system.store.path], []))).traces)
    finally:
        system.close()


def _clear(bucket: str, name: str = "") -> Callable[[Report], bool]:
    """Clear, and about this part; of a part with many names (`retries DynamoDB ...`) the first words count."""

    def named(report: Report) -> bool:
        part = report.verdict.component
        return part is not None and part.category == bucket and part.name.startswith(name)

    return named


def _line(name: str, state: str) -> Callable[[Report], bool]:
    """Clear, about own code, and the first line is that of a function, which computes or waits."""

    def named(report: Report) -> bool:
        places = [place for code in report.own_code.values() for place in code.places]
        first_line = places and (
            places[0].place.file + " " + places[0].place.function,
            places[0].waits_for or places[0].state,
        )
        return _clear("own code")(report) and first_line == (name, state)

    return named


def _timed_out(report: Report) -> bool:
    """The timeouts are told with their limit, and nothing else is blamed."""
    return report.totals.timeouts > 0 and len(report.timeouts) == report.totals.timeouts and _nothing(report)


def _nothing(report: Report) -> bool:
    """No part is blamed: nothing stands out, or the evidence is called thin. A busy machine is slow here and there."""
    return report.verdict.kind in ("even", "thin") and report.verdict.component is None


def _handshakes(traces: list[Trace]) -> list[Trace]:
    """One order in twelve opens a new connection: its call begins with a slow TLS handshake."""
    orders = [trace for trace in traces if any(_calls_payments(span) for span in trace.spans)]
    slow = {trace.trace_id for trace in orders[::9]}
    return [_with_handshake(trace) if trace.trace_id in slow else trace for trace in traces]


def _with_handshake(trace: Trace, ns: int = 700_000_000) -> Trace:
    call = next(span for span in trace.spans if _calls_payments(span))
    spans: list[Span] = []
    for span in trace.spans:
        # All that begins after the call does so later, all that ends after its beginning ends later.
        start = span.start_ns + (ns if span.start_ns > call.start_ns else 0)
        end = span.end_ns if span.end_ns is None or span.end_ns <= call.start_ns else span.end_ns + ns
        spans.append(replace(span, start_ns=start, end_ns=end))
    handshake = Span(
        trace_id=trace.trace_id,
        span_id="feed" * 4,
        parent_id=call.span_id,
        parent_remote=False,
        name="tls",
        start_ns=call.start_ns,
        end_ns=call.start_ns + ns,
        attributes={"lambda.connect.host": PAYMENTS},
        scope=Scope("lambda_latency.runtime"),
    )
    return Trace([*spans, handshake])


def _calls_payments(span: Span) -> bool:
    return span.kind is SpanKind.CLIENT and span.attributes.get("peer.service") == PAYMENTS


CAUSES = (
    Injection("none", (USUAL,), _nothing),
    Injection(
        "slow provider",
        (FaultRule("provider", "delay", 0.15, ms=900), USUAL),
        _clear("external", PAYMENTS),
        PAYMENTS,
    ),
    Injection(
        "throttled table",
        (FaultRule("table", "throttle", 0.25), USUAL),
        _clear("retries", "DynamoDB"),
        "retries DynamoDB",
    ),
    Injection(
        "slow TLS handshake", (USUAL,), _clear("connect", PAYMENTS), f"connect to {PAYMENTS}", by_hand=_handshakes
    ),
    Injection("cold starts", (USUAL,), _clear("cold start"), "cold start", deployments=3, at_once=1),
    Injection("own CPU", (FaultRule("function", "cpu", 0.08, ms=700), USUAL), _clear("own code"), "own code"),
    Injection(
        "regular expression that backtracks",
        (FaultRule("function", "regex", 0.3, ms=700, route="GET /orders/{id}"), USUAL),
        _line("functions/request.py order_id", "computing"),
        "own code",
    ),
    Injection(
        "lock that another thread holds",
        (FaultRule("function", "lock", 0.3, ms=700, route="GET /orders/{id}"), USUAL),
        _line("functions/table.py _order", "lock"),
        "own code",
    ),
    Injection("provider timeout", (FaultRule("provider", "hang", 0.15), USUAL), _clear("external", PAYMENTS), PAYMENTS),
    Injection(
        "function timeout",
        (FaultRule("function", "timeout", 0.05, route="GET /orders/{id}"), USUAL),
        _timed_out,
        "timed out",
    ),
)
