"""One trace of two services in every format: from the writer's own library, or as its documentation shows it."""

import base64
import gzip
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from google.protobuf.json_format import MessageToJson, ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import ConsoleSpanExporter
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

TRACE_ID = "6b05a667affeb9dbb0aa7f2b5d5ab5f9"
T0 = 1_795_560_000_000_000_000
MS = 1_000_000
# Id, parent, name, kind, start and end in ms, service, failed.
SPANS = (
    ("00000000000000a1", "", "POST /checkout", "SERVER", 0, 100, "checkout", False),
    ("00000000000000a2", "00000000000000a1", "charge", "CLIENT", 10, 60, "checkout", True),
    ("00000000000000a3", "00000000000000a2", "POST /charges", "SERVER", 12, 58, "payment", True),
    ("00000000000000a4", "00000000000000a3", "think", "INTERNAL", 20, 50, "payment", False),
)
KINDS = {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3}


def _resources(scopes: str = "scopeSpans", scope: str = "scope") -> list[dict[str, Any]]:
    by_service: dict[str, list[dict[str, Any]]] = {}
    for span_id, parent_id, name, kind, start, end, service, failed in SPANS:
        by_service.setdefault(service, []).append(
            {
                "traceId": TRACE_ID,
                "spanId": span_id,
                **({"parentSpanId": parent_id} if parent_id else {}),
                "name": name,
                "kind": KINDS[kind],
                "startTimeUnixNano": str(T0 + start * MS),
                "endTimeUnixNano": str(T0 + end * MS),
                "attributes": [{"key": "n", "value": {"intValue": "7"}}],
                "status": {"code": 2 if failed else 0},
            }
        )
    return [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
            scopes: [{scope: {"name": "by.hand"}, "spans": spans}],
        }
        for service, spans in by_service.items()
    ]


def _otlp() -> bytes:
    return json.dumps({"resourceSpans": _resources()}).encode()


def _message() -> TracesData:
    """The trace as a protobuf message, whose JSON has ids in base64."""
    document = json.loads(_otlp())
    for resource in document["resourceSpans"]:
        for span in resource["scopeSpans"][0]["spans"]:
            for key in ("traceId", "spanId", "parentSpanId"):
                if key in span:
                    span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
    return ParseDict(document, TracesData())


def _protobuf() -> bytes:
    return _message().SerializeToString()


def _each() -> list[bytes]:
    return [TracesData(resource_spans=[group]).SerializeToString() for group in _message().resource_spans]


def _collector() -> bytes:
    return b"".join(len(message).to_bytes(4, "big") + message for message in _each())


def _delimited() -> bytes:
    return b"".join(_varint(len(message)) + message for message in _each())


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


def _snake() -> bytes:
    return MessageToJson(_message(), preserving_proto_field_name=True, use_integers_for_enums=False).encode()


def _tempo() -> bytes:
    document = json.loads(MessageToJson(_message()))
    return json.dumps({"batches": document["resourceSpans"]}).encode()


def _jaeger_v3() -> bytes:
    return json.dumps({"result": {"resourceSpans": _resources()}}).encode()


def _old() -> bytes:
    return json.dumps({"resourceSpans": _resources("instrumentationLibrarySpans", "instrumentationLibrary")}).encode()


def _mixed() -> bytes:
    new, old = _resources(), _resources("instrumentationLibrarySpans", "instrumentationLibrary")
    return json.dumps({"resourceSpans": [new[0], old[1]]}).encode()


def _java() -> bytes:
    return "".join(json.dumps(group) + "\n" for group in _resources()).encode()


def _python() -> bytes:
    out = io.StringIO()
    spans = []
    for span_id, parent_id, name, kind, start, end, service, failed in SPANS:
        ids = int(TRACE_ID, 16), True, TraceFlags(1)
        spans.append(
            ReadableSpan(
                name,
                SpanContext(ids[0], int(span_id, 16), False, ids[2]),
                SpanContext(ids[0], int(parent_id, 16), *ids[1:]) if parent_id else None,
                Resource({"service.name": service}),
                {"n": 7},
                kind=SpanKind[kind],
                status=Status(StatusCode.ERROR if failed else StatusCode.UNSET),
                start_time=T0 + start * MS,
                end_time=T0 + end * MS,
            )
        )
    ConsoleSpanExporter(out=out).export(spans)
    return out.getvalue().encode()


def _go() -> bytes:
    """As `stdouttrace` prints them with `WithPrettyPrint`, in local time."""

    def pairs(kind: str, **values: object) -> list[dict[str, object]]:
        return [
            {"Key": key.replace("_", "."), "Value": {"Type": kind, "Value": value}} for key, value in values.items()
        ]

    def time(ms: int) -> str:
        local = datetime.fromtimestamp((T0 + ms * MS) // 10**9, timezone(timedelta(hours=-5)))
        return f"{local:%Y-%m-%dT%H:%M:%S}.{ms:03}-05:00"

    printed = ""
    for span_id, parent_id, name, kind, start, end, service, failed in SPANS:
        context = {"TraceID": TRACE_ID, "TraceFlags": "01", "TraceState": "", "Remote": False}
        span = {
            "Name": name,
            "SpanContext": {**context, "SpanID": span_id},
            "Parent": {**context, "SpanID": parent_id or "0" * 16},
            "SpanKind": KINDS[kind],
            "StartTime": time(start),
            "EndTime": time(end),
            "Attributes": pairs("INT64", n=7),
            "Events": None,
            "Links": None,
            "Status": {"Code": "Error" if failed else "Unset", "Description": ""},
            "Resource": pairs("STRING", service_name=service),
            "InstrumentationScope": {"Name": "by.hand", "Version": "", "SchemaURL": ""},
        }
        printed += json.dumps(span, indent="\t") + "\n"
    return printed.encode()


def _printed() -> bytes:
    """A line in the log of a Lambda function."""
    line = {"__otel_otlp_stdout": "0.17.1", "source": "shop", "endpoint": "http://localhost:4318/v1/traces"}
    payload = base64.b64encode(gzip.compress(_protobuf())).decode()
    how = {"content-type": "application/x-protobuf", "content-encoding": "gzip", "base64": True}
    return json.dumps({**line, **how, "payload": payload}).encode() + b"\n"


def _zipkin_spans() -> list[dict[str, Any]]:
    return [
        {
            "traceId": TRACE_ID[16:],
            "id": span_id.lstrip("0").zfill(16),
            **({"parentId": parent_id} if parent_id else {}),
            **({"kind": kind} if kind != "INTERNAL" else {}),
            "name": name,
            "timestamp": (T0 + start * MS) // 1000,
            "duration": (end - start) * 1000,
            "localEndpoint": {"serviceName": service},
            "tags": {"n": "7", **({"error": "true"} if failed else {})},
        }
        for span_id, parent_id, name, kind, start, end, service, failed in SPANS
    ]


def _zipkin() -> bytes:
    return json.dumps(_zipkin_spans()).encode()


def _zipkin_traces() -> bytes:
    return json.dumps([_zipkin_spans()]).encode()


def _records() -> list[dict[str, Any]]:
    return [
        {
            "resource": {"attributes": {"service.name": service}},
            "scope": {"name": "by.hand"},
            "traceId": TRACE_ID,
            "spanId": span_id,
            **({"parentSpanId": parent_id} if parent_id else {}),
            "flags": 257,
            "name": name,
            "kind": kind,
            "startTimeUnixNano": T0 + start * MS,
            "endTimeUnixNano": T0 + end * MS,
            "durationNano": (end - start) * MS,
            "attributes": {"n": 7},
            "status": {"code": "ERROR" if failed else "UNSET"},
        }
        for span_id, parent_id, name, kind, start, end, service, failed in SPANS
    ]


def _cloudwatch() -> bytes:
    return "".join(json.dumps(record) + "\n" for record in _records()).encode()


def _insights() -> bytes:
    rows = [[{"field": "@message", "value": json.dumps(record)}] for record in _records()]
    return json.dumps({"results": rows, "status": "Complete"}).encode()


def _flat() -> bytes:
    rows = [
        {
            "traceId": record["traceId"],
            "spanId": record["spanId"],
            "parentSpanId": record.get("parentSpanId", ""),
            "name": record["name"],
            "kind": record["kind"],
            "startTimeUnixNano": str(record["startTimeUnixNano"]),
            "durationNano": str(record["durationNano"]),
            "status.code": record["status"]["code"],
            "attributes.n": 7,
            "resource.attributes.service.name": record["resource"]["attributes"]["service.name"],
            "scope.name": "by.hand",
        }
        for record in _records()
    ]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _log_events() -> bytes:
    return json.dumps(
        {"events": [{"logStreamName": "default", "message": json.dumps(record)} for record in _records()]}
    ).encode()


def _jaeger() -> bytes:
    spans = [
        {
            "traceID": TRACE_ID,
            "spanID": span_id,
            "operationName": name,
            "references": [{"refType": "CHILD_OF", "traceID": TRACE_ID, "spanID": parent_id}] if parent_id else [],
            "startTime": (T0 + start * MS) // 1000,
            "duration": (end - start) * 1000,
            "tags": [
                {"key": "span.kind", "type": "string", "value": kind.lower()},
                {"key": "n", "type": "int64", "value": 7},
                *([{"key": "error", "type": "bool", "value": True}] if failed else []),
            ],
            "processID": service,
        }
        for span_id, parent_id, name, kind, start, end, service, failed in SPANS
    ]
    services = {row[6]: {"serviceName": row[6], "tags": []} for row in SPANS}
    return json.dumps({"data": [{"traceID": TRACE_ID, "spans": spans, "processes": services}]}).encode()


def _xray() -> bytes:
    segments_by_id: dict[str, dict[str, Any]] = {}
    for span_id, parent_id, name, kind, start, end, service, failed in SPANS:
        segment: dict[str, Any] = {
            "id": span_id,
            "name": service if kind == "SERVER" else name,
            "start_time": float(f"{(T0 + start * MS) / 10**9:.3f}"),
            "end_time": float(f"{(T0 + end * MS) / 10**9:.3f}"),
            "trace_id": f"1-{TRACE_ID[:8]}-{TRACE_ID[8:]}",
            "fault": failed,
            "annotations": {"n": 7},
        }
        if parent_id:
            segment |= {"parent_id": parent_id}
        if kind != "SERVER":
            segment |= {"type": "subsegment"}
        if kind == "CLIENT":
            segment |= {"namespace": "remote"}
        segments_by_id[span_id] = segment
    segments = [{"Id": s["id"], "Document": json.dumps(s)} for s in segments_by_id.values()]
    trace = {"Id": f"1-{TRACE_ID[:8]}-{TRACE_ID[8:]}", "Duration": 0.1, "Segments": segments}
    return json.dumps({"Traces": [trace], "UnprocessedTraceIds": []}).encode()


WRITERS: dict[str, Callable[[], bytes]] = {
    "OTLP/JSON": _otlp,
    "OTLP protobuf": _protobuf,
    "OTLP protobuf of the collector's file exporter": _collector,
    "OTLP protobuf with varints": _delimited,
    "OTLP in snake_case": _snake,
    "OTLP of old exporters": _old,
    "OTLP of old and new exporters": _mixed,
    "Tempo": _tempo,
    "Jaeger v3": _jaeger_v3,
    "Jaeger": _jaeger,
    "Java's logging-otlp": _java,
    "Python's console": _python,
    "Go's console": _go,
    "a function's log": _printed,
    "Zipkin": _zipkin,
    "Zipkin's traces": _zipkin_traces,
    "CloudWatch records": _cloudwatch,
    "CloudWatch records with dots": _flat,
    "Logs Insights": _insights,
    "filter-log-events": _log_events,
    "X-Ray": _xray,
}
