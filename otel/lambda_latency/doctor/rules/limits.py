"""Rules about memory and time."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lambda_latency.doctor.app import App
from lambda_latency.doctor.facts import GATEWAY_SECONDS, ONE_PROCESSOR_MB
from lambda_latency.doctor.finding import WARNING, Found, rule
from lambda_latency.doctor.function import Fn
from lambda_latency.doctor.source import Source

__all__ = ["RULES"]

LEAST_MB = 256
SHORT_S = 3
DEFAULT_MB, DEFAULT_S = 128, 3
METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "request")


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
        kinds = [kind for kind, _ in fn.events()]
        longest = max((GATEWAY_SECONDS[kind] for kind in kinds if kind in GATEWAY_SECONDS), default=None)
        if longest is not None and limit is not None and limit > longest and set(kinds) <= set(GATEWAY_SECONDS):
            if _is_streamed(app, fn):
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


@rule(
    "client-timeout",
    WARNING,
    "Lambda stops the function while it waits, without an error to handle; an API's client gets a 502 or 504.",
)
def client(app: App) -> Iterator[Found]:
    """A call that may wait longer than the function's timeout never fails in the code. requests has no timeout by
    default, httpx has 5 s. For boto3, the check reads timeouts in a literal `Config(...)`.
    """
    for fn in app.functions:
        limit = fn.number("Timeout", default=DEFAULT_S)
        for source in app.sources(fn) if limit is not None else ():
            assert limit is not None
            names = _imported(source.tree)
            for node in ast.walk(source.tree):
                if isinstance(node, ast.Call):
                    yield from _call(source, node, names, limit, fn.name)


def _imported(tree: ast.Module) -> dict[str, str]:
    """The imported objects by local name: `{"r": "requests", "Config": "botocore.config.Config"}`."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update({one.asname or one.name.split(".")[0]: one.name if one.asname else one.name.split(".")[0]
                          for one in node.names})  # fmt: skip
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.update({one.asname or one.name: f"{node.module}.{one.name}" for one in node.names})
    return found


def _call(source: Source, node: ast.Call, names: dict[str, str], limit: float, function: str) -> Iterator[Found]:
    called = ast.unparse(node.func)
    head, _, rest = called.partition(".")
    full = f"{names.get(head, '')}.{rest}" if rest else names.get(head, "")
    given = {one.arg: one.value for one in node.keywords if one.arg is not None}
    if any(one.arg is None for one in node.keywords):
        return  # **options may contain a timeout
    library, _, method = full.rpartition(".")
    if library in ("requests", "httpx") and method in METHODS:
        seconds = _longest(given["timeout"]) if "timeout" in given else None
        never = isinstance(given.get("timeout"), ast.Constant) and seconds is None
        if "timeout" not in given and library == "requests":
            what = f"{called}() has no timeout, the function has {limit:g} s"
        elif never:
            what = f"{called}() waits without a limit, the function has {limit:g} s"
        elif seconds is not None and seconds >= limit:
            what = f"{called}() waits up to {seconds:g} s, {function} has {limit:g} s"
        else:
            return
        yield Found(
            source.path, source.line(node), what, "give the call a timeout below the function's, and handle the error"
        )
    elif full in ("botocore.config.Config", "botocore.client.Config", "boto3.session.Config"):
        for key in ("read_timeout", "connect_timeout"):
            seconds = _longest(given[key]) if key in given else None
            if seconds is not None and seconds >= limit:
                what = f"{key} is {seconds:g} s, {function} has {limit:g} s"
                yield Found(
                    source.path, source.line(node), what, "set it below the function's timeout, retries included"
                )


def _longest(node: ast.expr) -> float | None:
    """The seconds of a literal timeout, the longest of a tuple; None if it is computed."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    numbers = [
        float(part.value)
        for part in parts
        if isinstance(part, ast.Constant) and isinstance(part.value, (int, float)) and not isinstance(part.value, bool)
    ]
    return max(numbers) if numbers and len(numbers) == len(parts) else None


RULES = (memory, timeout, gateway, client)
