"""Rules about a function's memory and time."""

from __future__ import annotations

from collections.abc import Iterator

from lambda_latency.doctor.app import App
from lambda_latency.doctor.definitions import integrations_of
from lambda_latency.doctor.facts import GATEWAY_SECONDS, ONE_PROCESSOR_MB
from lambda_latency.doctor.finding import WARNING, Found, rule
from lambda_latency.doctor.function import Fn

LEAST_MB = 256
SHORT_S = 3
DEFAULT_MB, DEFAULT_S = 128, 3


@rule("memory-small", WARNING, "Cold starts take seconds; importing the SDK is the larger part.")
def memory(app: App) -> Iterator[Found]:
    """Lambda allocates processor time in proportion to memory: one processor at 1,769 MB. Tracing also needs memory:
    OpenTelemetry's packages, and 20 MB or more for a collector. The check reports functions with less than 256 MB.
    """
    for fn in app.functions:
        size = fn.number("MemorySize", default=DEFAULT_MB)
        if fn.is_instrumented and not fn.is_image and size is not None and size < LEAST_MB:
            given = "" if fn.get("MemorySize") is not None else " (the default)"
            share = f"one {ONE_PROCESSOR_MB / size:.0f}th of a processor"
            what = f"{fn.owner_of('MemorySize')} has {size:g} MB{given}, {share}"
            yield Found(
                app.name, fn.line_of("MemorySize"), what, f"give it {LEAST_MB} MB or more; 512 MB often costs no more"
            )


@rule("timeout-small", WARNING, "The first request of an execution environment can time out.")
def timeout(app: App) -> Iterator[Found]:
    """ADOT's layer adds 1,310 million instructions to a cold start, the kit 86 million (docs/explanation/costs.md)."""
    for fn in app.functions:
        limit = fn.number("Timeout", default=DEFAULT_S)
        slow = fn.is_instrumented and not fn.has_kit and (fn.layer("adot") or fn.layer("legacy")) is not None
        if slow and limit is not None and limit <= SHORT_S:
            given = "" if fn.get("Timeout") is not None else " (the default)"
            what = f"{fn.owner_of('Timeout')} has {limit:g} s{given} and starts with ADOT's layer"
            yield Found(app.name, fn.line_of("Timeout"), what, "give it 10 s or more, or measure its cold starts first")


@rule("timeout-gateway", WARNING, "The client gets a 504 while the function keeps running and is billed.")
def gateway(app: App) -> Iterator[Found]:
    """API Gateway waits for 29 s at a REST API and 30 s at an HTTP API. Functions with other events are not checked."""
    for fn in app.functions:
        limit = fn.number("Timeout", default=DEFAULT_S)
        called = list(integrations_of(app, fn))
        kinds = [*(kind for kind, _ in fn.events()), *(one.kind for one in called)]
        longest = max((GATEWAY_SECONDS[kind] for kind in kinds if kind in GATEWAY_SECONDS), default=None)
        if longest is not None and limit is not None and limit > longest and set(kinds) <= set(GATEWAY_SECONDS):
            if _is_streamed(app, fn) or any(one.has_own_limit for one in called):
                continue
            what = f"{fn.owner_of('Timeout')} has {limit:g} s, but API Gateway waits for {longest} s"
            todo = (
                f"set Timeout to {longest - 1} or less, or raise the API's own limit (regional REST APIs, by a quota)"
            )
            yield Found(app.name, fn.line_of("Timeout"), what, todo)


def _is_streamed(app: App, fn: Fn) -> bool:
    """Whether the default limit does not apply: streamed responses, a function URL, or the event's own limit."""
    given = [event.get("Properties", "TimeoutInMillis") for _, event in fn.events()]
    urls = [node.get("TargetFunctionArn") for _, _, node in app.resources("AWS::Lambda::Url")]
    has_url = fn.get("FunctionUrlConfig") is not None or any(
        fn.name in str(one.value) for node in urls if node is not None for one in node.scalars()
    )
    return has_url or any(node is not None for node in given) or app.has_streams


RULES = (memory, timeout, gateway)
