"""Traces as lines of OTLP/JSON, as Jaeger's JSON, and as X-Ray's answers."""

import itertools
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from lab.generate import Trace, late, spans_of
from lambda_latency import trace as traces
from lambda_latency.template import Collector, read_collector
from lambda_latency.trace import SpanKind
from tests.xray.document import xray_trace_id
from tests.xray.platform import xray_documents

ROOT = Path(__file__).parents[3]
AT_ONCE = 5  # traces in an answer of BatchGetTraces: X-Ray's limit
KINDS = {kind.value: kind.name.lower() for kind in SpanKind}
TYPES = {"boolValue": "bool", "intValue": "int64"}


def otlp_lines(traces: Iterable[Trace]) -> Iterator[str]:
    """The documents in the order in which a collector writes them, one per line."""
    return (_compact(document) + "\n" for document in late(traces))


def jaeger_lines(traces: Iterable[Trace]) -> Iterator[str]:
    """For each trace an answer of Jaeger's query API, one per line."""
    return (_compact({"data": [_jaeger(trace)]}) + "\n" for trace in traces)


def jaeger_file(traces: Iterable[Trace]) -> Iterator[str]:
    """All traces in one answer on one line."""
    parts = (_compact(_jaeger(trace)) for trace in traces)
    yield '{"data":[' + ",".join(parts) + "]}\n"


def jaeger_indented(traces: Iterable[Trace]) -> Iterator[str]:
    """All traces in one answer over many lines, as Jaeger's UI saves it."""
    parts = (json.dumps(_jaeger(trace), indent=2) for trace in traces)
    yield '{"data": [\n' + ",\n".join(parts) + "\n]}\n"


def xray_answers(traces: Iterable[Trace]) -> Iterator[str]:
    """Answers of BatchGetTraces, five traces per line."""
    remaining = iter(traces)
    while batch := list(itertools.islice(remaining, AT_ONCE)):
        yield _compact({"Traces": [_xray(trace) for trace in batch], "UnprocessedTraceIds": []}) + "\n"


def _jaeger(trace: Trace) -> dict[str, Any]:
    processes: list[dict[str, Any]] = []
    jaeger_spans = []
    for group in (group for document in trace for group in document["resourceSpans"]):
        process = _process(group["resource"]["attributes"])
        if process not in processes:
            processes.append(process)
        key = f"p{processes.index(process) + 1}"
        for members in group["scopeSpans"]:
            jaeger_spans += [_jaeger_span(span, members["scope"]["name"], key) for span in members["spans"]]
    by_key = {f"p{number}": process for number, process in enumerate(processes, 1)}
    return {"traceID": jaeger_spans[0]["traceID"], "spans": jaeger_spans, "processes": by_key, "warnings": None}


def _process(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    name = next((pair["value"]["stringValue"] for pair in attributes if pair["key"] == "service.name"), "")
    return {"serviceName": name, "tags": [_tag(pair) for pair in attributes if pair["key"] != "service.name"]}


def _jaeger_span(span: dict[str, Any], scope: str, process: str) -> dict[str, Any]:
    start, end = int(span["startTimeUnixNano"]) // 1000, int(span["endTimeUnixNano"]) // 1000
    parent = span.get("parentSpanId")
    reference = {"refType": "CHILD_OF", "traceID": span["traceId"], "spanID": parent}
    tags = {"otel.scope.name": scope, "span.kind": KINDS[span["kind"]]}
    return {
        "traceID": span["traceId"],
        "spanID": span["spanId"],
        "operationName": span["name"],
        "references": [reference] if parent else [],
        "startTime": start,
        "duration": end - start,
        "tags": [
            *({"key": key, "type": "string", "value": value} for key, value in tags.items()),
            *map(_tag, span["attributes"]),
        ],
        "logs": [],
        "processID": process,
        "warnings": None,
    }


def _tag(pair: dict[str, Any]) -> dict[str, Any]:
    ((kind, value),) = pair["value"].items()
    if kind == "arrayValue":  # OpenTelemetry exports a list to Jaeger as JSON text
        value = json.dumps([next(iter(member.values())) for member in value["values"]])
    elif kind == "intValue":
        value = int(value)
    return {"key": pair["key"], "type": TYPES.get(kind, "string"), "value": value}


def _xray(trace: Trace) -> dict[str, Any]:
    spans = [span for document in trace for span in traces.spans_of(json.dumps(document).encode(), _refuse)]
    documents = xray_documents(spans, _indexed())
    trace_id = xray_trace_id(next(spans_of(trace))["traceId"])
    return {
        "Id": trace_id,
        "Duration": round(max(d["end_time"] for d in documents) - min(d["start_time"] for d in documents), 3),
        "LimitExceeded": False,
        "Segments": [{"Id": document["id"], "Document": _compact(document)} for document in documents],
    }


@cache
def _indexed() -> tuple[str, ...]:
    """The attributes that the collector exports as annotations."""
    collector = read_collector(ROOT / "collector.yaml")
    assert isinstance(collector, Collector)
    return tuple(collector.indexed_attributes())


def _compact(document: object) -> str:
    return json.dumps(document, separators=(",", ":"))


def _refuse(reason: str) -> None:
    raise ValueError(reason)
