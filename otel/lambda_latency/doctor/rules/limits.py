"""Rules about a function's memory and time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lambda_latency.doctor.apis import integrations_of, triggers_of
from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import WARNING, Issue, function_rule
from lambda_latency.doctor.function import DEFAULT_MB, DEFAULT_S, Fn

LEAST_MB = 256
SHORT_S = 3
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
ONE_PROCESSOR_MB = 1769
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html (July 2026)
GATEWAY_SECONDS: Mapping[str, int] = {"Api": 29, "HttpApi": 30}


@function_rule("memory-small", WARNING, "Cold starts take seconds; importing the SDK is the larger part.")
def memory(_: App, fn: Fn) -> Iterator[Issue]:
    """Lambda allocates processor time in proportion to memory: one processor at 1,769 MB. Tracing also needs memory:
    OpenTelemetry's packages, and 20 MB or more for a collector. The check reports functions with less than 256 MB.
    """
    size = fn.number("MemorySize", default=DEFAULT_MB)
    if fn.is_instrumented and not fn.is_image and size is not None and size < LEAST_MB:
        share = f"one {ONE_PROCESSOR_MB / size:.0f}th of a processor"
        problem = f"{fn.owner_of('MemorySize')} has {size:g} MB{_default(fn, 'MemorySize')}, {share}"
        todo = f"give it {LEAST_MB} MB or more; 512 MB often costs no more"
        yield Issue(problem, todo, fn.line_of("MemorySize"))


def _default(fn: Fn, name: str) -> str:
    return "" if fn.get(name) is not None else " (the default)"


@function_rule("timeout-small", WARNING, "The first request of an execution environment can time out.")
def timeout(_: App, fn: Fn) -> Iterator[Issue]:
    """ADOT's layer adds 1,310 million instructions to a cold start, the kit 86 million."""
    limit = fn.number("Timeout", default=DEFAULT_S)
    has_layer = fn.layer("adot") is not None or fn.layer("legacy") is not None
    is_slow = fn.is_instrumented and not fn.has_kit and has_layer
    if is_slow and limit is not None and limit <= SHORT_S:
        problem = f"{fn.owner_of('Timeout')} has {limit:g} s{_default(fn, 'Timeout')} and starts with ADOT's layer"
        yield Issue(problem, "give it 10 s or more, or measure its cold starts first", fn.line_of("Timeout"))


@function_rule("timeout-gateway", WARNING, "The client gets a 504 while the function keeps running and is billed.")
def gateway(app: App, fn: Fn) -> Iterator[Issue]:
    """API Gateway waits for 29 s at a REST API and 30 s at an HTTP API. Functions with other events are not checked."""
    limit = fn.number("Timeout", default=DEFAULT_S)
    kinds = {kind for kind, _ in triggers_of(app, fn)}
    if limit is None or not kinds or not kinds <= GATEWAY_SECONDS.keys():
        return
    longest = max(GATEWAY_SECONDS[kind] for kind in kinds)
    if limit > longest and not _has_other_limit(app, fn):
        problem = f"{fn.owner_of('Timeout')} has {limit:g} s, but API Gateway waits for {longest} s"
        todo = f"set Timeout to {longest - 1} or less, or raise the API's own limit (regional REST APIs, by a quota)"
        yield Issue(problem, todo, fn.line_of("Timeout"))


def _has_other_limit(app: App, fn: Fn) -> bool:
    """Whether the default limit does not apply: streamed responses, a function URL, or a limit of the API's own."""
    return (
        _has_url(app, fn)
        or any(event.get("Properties", "TimeoutInMillis") is not None for _, event in fn.events())
        or app.has_streams
        or any(integration.has_own_limit for integration in integrations_of(app, fn))
    )


def _has_url(app: App, fn: Fn) -> bool:
    """Whether a function URL calls a function."""
    urls = [node.get("TargetFunctionArn") for _, _, node in app.resources("AWS::Lambda::Url")]
    targets = [text for node in urls if node is not None for text in node.texts()]
    return fn.get("FunctionUrlConfig") is not None or any(fn.name in text for text in targets)
