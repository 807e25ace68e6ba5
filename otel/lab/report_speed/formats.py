"""Traces in the formats of other systems: Jaeger's JSON, and X-Ray's answers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from lab.generate import Trace
from lab.report_speed.variations import spans_of
from lambda_latency import trace as traces
from lambda_latency.local.xray.document import segment_document, xray_trace_id
from lambda_latency.local.xray.platform import PlatformSegments
from lambda_latency.template import Collector, read_collector
from lambda_latency.trace import SpanKind

ROOT = Path(__file__).parents[3]
AT_ONCE = 5  # traces in an answer of BatchGetTraces: X-Ray's limit
KINDS = {kind.value: kind.name.lower() for kind in SpanKind}
TYPES = {"boolValue": "bool", "intValue": "int64"}


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
    """Answers of BatchGetTraces, five traces per line; the local X-Ray makes the documents."""
    rest = iter(traces)
    while some := list(itertools.islice(rest, AT_ONCE)):
        yield _compact({"Traces": [_xray(trace) for trace in some], "UnprocessedTraceIds": []}) + "\n"


def _jaeger(trace: Trace) -> dict[str, Any]:
    processes: dict[str, dict[str, Any]] = {}
    found = []
    for document in trace:
        for group in document["resourceSpans"]:
            resource = group["resource"]["attributes"]
            name = next((pair["value"]["stringValue"] for pair in resource if pair["key"] == "service.name"), "")
            process = {"serviceName": name, "tags": [_tag(pair) for pair in resource if pair["key"] != "service.name"]}
            same = [key for key, one in processes.items() if one == process]
            key = same[0] if same else f"p{len(processes) + 1}"
            processes[key] = process
            for members in group["scopeSpans"]:
                found += [_jaeger_span(span, members["scope"]["name"], key) for span in members["spans"]]
    return {"traceID": found[0]["traceID"], "spans": found, "processes": processes, "warnings": None}


def _jaeger_span(span: dict[str, Any], scope: str, process: str) -> dict[str, Any]:
    start, end = int(span["startTimeUnixNano"]) // 1000, int(span["endTimeUnixNano"]) // 1000
    parent = span.get("parentSpanId")
    reference = {"refType": "CHILD_OF", "traceID": span["traceId"], "spanID": parent}
    own = {"otel.scope.name": scope, "span.kind": KINDS[span["kind"]]}
    return {
        "traceID": span["traceId"],
        "spanID": span["spanId"],
        "operationName": span["name"],
        "references": [reference] if parent else [],
        "startTime": start,
        "duration": end - start,
        "tags": [
            *({"key": key, "type": "string", "value": value} for key, value in own.items()),
            *map(_tag, span["attributes"]),
        ],
        "logs": [],
        "processID": process,
        "warnings": None,
    }


def _tag(pair: dict[str, Any]) -> dict[str, Any]:
    ((kind, value),) = pair["value"].items()
    if kind == "arrayValue":  # OpenTelemetry exports a list to Jaeger as JSON text
        value = json.dumps([next(iter(one.values())) for one in value["values"]])
    elif kind == "intValue":
        value = int(value)
    return {"key": pair["key"], "type": TYPES.get(kind, "string"), "value": value}


def _xray(trace: Trace) -> dict[str, Any]:
    spans = [span for document in trace for span in traces.spans_of(json.dumps(document).encode(), _refuse)]
    documents, others = PlatformSegments().documents(spans)
    documents += [segment_document(span, _indexed()) for span in others]
    # A stage is sent twice, the second time with its call to Lambda.
    latest = {document["id"]: document for document in documents}
    trace_id = xray_trace_id(next(spans_of(trace))["traceId"])
    return {
        "Id": trace_id,
        "Duration": round(max(one["end_time"] for one in documents) - min(one["start_time"] for one in documents), 3),
        "LimitExceeded": False,
        "Segments": [{"Id": key, "Document": _compact(document)} for key, document in latest.items()],
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
