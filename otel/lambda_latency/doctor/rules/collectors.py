"""Rules about the collector's file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from urllib.parse import urlsplit

from lambda_latency.adot import COLLECTOR
from lambda_latency.doctor.app import CONFIG, App
from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Found, rule
from lambda_latency.doctor.source import Source
from lambda_latency.template import Collector, check_collector

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


@rule("collector-parts", ERROR, "The collector stops at init and every invocation fails, or it receives no spans.")
def parts(app: App) -> Iterator[Found]:
    """ADOT's collector for Lambda has the receiver otlp, the exporters awsxray, awsemf, prometheusremotewrite, debug,
    otlp and otlphttp, the extension sigv4auth, and no processors or connectors: a `batch` processor stops it. The
    check compares the file with these components, its pipelines with its sections, and its endpoint with the one
    that the function sends to.
    """
    # Checks only the collector version whose components are known.
    for fn in app.functions:
        layer = fn.layer("collector")
        collector = app.collector(fn) if layer is not None and layer.collector_version == COLLECTOR.parts else None
        if isinstance(collector, Collector):
            sent = [fn.variable(name) for name in ENDPOINTS if fn.variable(name).startswith("http")]
            for finding in check_collector(collector, [one for one in sent if _is_here(one)][:1]):
                yield Found(finding.source, finding.line, finding.what, finding.todo)
        elif collector is not None:
            yield Found(collector.source, collector.line, collector.what, collector.todo)


def _is_here(address: str) -> bool:
    """Whether a URL is of localhost, with a valid port."""
    try:
        parts = urlsplit(address)
        return parts.hostname in ("localhost", "127.0.0.1") and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


@rule("collector-missing", ERROR, "The collector does not start, and neither does the function.")
def missing(app: App) -> Iterator[Found]:
    """`OPENTELEMETRY_COLLECTOR_CONFIG_URI` names a file in the artifact. A file beside the template is in it only if
    it is in `CodeUri`.
    """
    for fn in app.functions:
        uri = fn.variable(CONFIG)
        if not uri.startswith("/var/task/") or fn.is_image:
            continue
        is_made = fn.metadata is not None and fn.metadata.get("BuildMethod") is not None
        folder = app.built(fn) or (None if is_made else app.code(fn))
        if folder is not None and app.in_lambda(fn, uri) is None:
            what = f"{uri} is not in {folder}"
            yield Found(app.name, fn.variables[CONFIG].line, what, "put the file there, or correct the path")


@rule("collector-unread", WARNING, "The file has no effect: spans are sent to the layer's default endpoint.")
def unread(app: App) -> Iterator[Found]:
    """The collector is an extension in a layer of its own."""
    for fn in app.functions:
        collectors = [layer for layer in fn.layers if layer.has_collector or not layer.kind]
        if CONFIG in fn.variables and not collectors and not fn.has_unknown_layers and not fn.is_image:
            what = f"{CONFIG} is set, but no layer of {fn.name} has a collector"
            yield Found(app.name, fn.variables[CONFIG].line, what, "add the collector layer, or remove the variable")


@rule("annotation-unsearchable", NOTE, "X-Ray shows the attribute as metadata and cannot search for it.")
def unsearchable(app: App) -> Iterator[Found]:
    """X-Ray searches annotations. The collector creates them from the attributes in `indexed_attributes`, or from
    those that the span names in `aws.xray.annotations`.
    """
    for fn in app.functions:
        collector = app.collector(fn) if fn.is_instrumented else None
        if not isinstance(collector, Collector):
            continue
        xray = [name for name, _, _ in collector.root.named("exporters") if name.partition("/")[0] == "awsxray"]
        if not xray or any(_indexes_all(collector, name) for name in xray):
            continue
        indexed = {key for name in xray for key in collector.indexed_attributes(name)}
        for source in app.sources(fn):
            yield from _attributes(source, indexed, collector.source)


def _indexes_all(collector: Collector, exporter: str) -> bool:
    found = collector.root.get("exporters", exporter, "index_all_attributes")
    return found is not None and found.value is True


def _attributes(source: Source, indexed: set[str], where: str) -> Iterator[Found]:
    calls = [
        node for node in ast.walk(source.tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    keys: list[tuple[str, int]] = []
    for call in calls:
        assert isinstance(call.func, ast.Attribute)
        first = call.args[0] if call.args else None
        if call.func.attr == "set_attribute" and first is not None:
            keys += _literal(first, source)
        elif call.func.attr == "set_attributes" and isinstance(first, ast.Dict):
            keys += [one for key in first.keys if key is not None for one in _literal(key, source)]
    if any(key == "aws.xray.annotations" for key, _ in keys):
        return  # the spans name their annotations themselves
    for key, line in keys:
        if key not in indexed and not key.startswith("aws.xray."):
            what = f"attribute {key!r} is not among the indexed_attributes of {where}"
            yield Found(
                source.path,
                line,
                what,
                f"to search for it (50 a trace), name {key} in the span's attribute aws.xray.annotations, or there",
            )


def _literal(node: ast.expr, source: Source) -> list[tuple[str, int]]:
    return [(node.value, source.line(node))] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


RULES = (parts, missing, unread, unsearchable)
