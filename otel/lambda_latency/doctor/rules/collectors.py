"""Rules about the collector's file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain

from lambda_latency.adot import COLLECTOR
from lambda_latency.doctor.app import CONFIG, App
from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Issue, function_rule
from lambda_latency.doctor.function import ENDPOINTS, Fn, host_and_port
from lambda_latency.doctor.source import PythonSource
from lambda_latency.template import Collector, check_collector

# The attribute in which a span names its annotations itself
ANNOTATIONS = "aws.xray.annotations"


@function_rule(
    "collector-parts", ERROR, "The collector stops at init and every invocation fails, or it receives no spans."
)
def parts(app: App, fn: Fn) -> Iterator[Issue]:
    """ADOT's collector for Lambda has the receiver otlp, the exporters awsxray, awsemf, prometheusremotewrite, debug,
    otlp and otlphttp, the extension sigv4auth, and no processors or connectors: a `batch` processor stops it. The
    check compares the file with these components, its pipelines with its sections, and its endpoint with the one
    that the function sends to.
    """
    layer = fn.layer("collector")
    if layer is None or layer.collector_version != COLLECTOR.parts:
        return  # the components of another version are not known
    collector = app.collector(fn)
    if isinstance(collector, Collector):
        local = [fn.variable(name) for name in ENDPOINTS if _is_local(fn.variable(name))]
        findings = check_collector(collector, local[:1])
    else:
        findings = (collector,) if collector is not None else ()
    for finding in findings:
        yield Issue(finding.problem, finding.todo, finding.line, finding.source)


def _is_local(address: str) -> bool:
    """Whether a URL is of localhost, with a valid port."""
    host, port = host_and_port(address)
    return address.startswith("http") and host in ("localhost", "127.0.0.1") and port != 0


@function_rule("collector-missing", ERROR, "The collector does not start, and neither does the function.")
def missing(app: App, fn: Fn) -> Iterator[Issue]:
    """`OPENTELEMETRY_COLLECTOR_CONFIG_URI` names a file in the artifact. A file beside the template is in it only if
    it is in `CodeUri`.
    """
    uri = fn.variable(CONFIG)
    if not uri.startswith("/var/task/") or fn.is_image:
        return
    folder = app.built(fn) if fn.has_build_method else app.artifact(fn)
    if folder is not None and app.in_lambda(fn, uri) is None:
        yield Issue(f"{uri} is not in {folder}", "put the file there, or correct the path", fn.variables[CONFIG].line)


@function_rule("collector-unread", WARNING, "The file has no effect: spans are sent to the layer's default endpoint.")
def unread(_: App, fn: Fn) -> Iterator[Issue]:
    """The collector is an extension in a layer of its own."""
    if CONFIG not in fn.variables or fn.has_unknown_layers or fn.is_image:
        return
    if not any(layer.has_collector or not layer.kind for layer in fn.layers):
        problem = f"{CONFIG} is set, but no layer of {fn.name} has a collector"
        yield Issue(problem, "add the collector layer, or remove the variable", fn.variables[CONFIG].line)


@function_rule("annotation-unsearchable", NOTE, "X-Ray shows the attribute as metadata and cannot search for it.")
def unsearchable(app: App, fn: Fn) -> Iterator[Issue]:
    """X-Ray searches annotations. The collector creates them from the attributes in `indexed_attributes`, or from
    those that the span names in `aws.xray.annotations`.
    """
    collector = app.collector(fn) if fn.is_instrumented else None
    if not isinstance(collector, Collector):
        return
    exporters = [name for name, _, _ in collector.root.named("exporters") if name.partition("/")[0] == "awsxray"]
    settings = [collector.root.get("exporters", name, "index_all_attributes") for name in exporters]
    if not exporters or any(setting is not None and setting.value is True for setting in settings):
        return
    indexed = {*chain.from_iterable(map(collector.indexed_attributes, exporters))}
    for source in app.sources(fn):
        yield from _unindexed(source, indexed, collector.source)


def _attributes(call: ast.AST) -> list[ast.Constant]:
    """The attributes' keys that a call sets, where they are written as texts."""
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.args):
        return []
    argument = call.args[0]
    keys: list[ast.expr | None] = []
    if call.func.attr == "set_attribute":
        keys = [argument]
    elif call.func.attr == "set_attributes" and isinstance(argument, ast.Dict):
        keys = argument.keys
    return [key for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]


def _unindexed(source: PythonSource, indexed: set[str], file: str) -> Iterator[Issue]:
    keys = [key for call in ast.walk(source.tree) for key in _attributes(call)]
    if any(key.value == ANNOTATIONS for key in keys):
        return
    for key in keys:
        name = str(key.value)
        if name not in indexed and not name.startswith("aws.xray."):
            problem = f"attribute {name!r} is not among the indexed_attributes of {file}"
            todo = f"to search for it (50 a trace), name {name} in the span's attribute {ANNOTATIONS}, or there"
            yield Issue(problem, todo, source.line(key), source.path)
