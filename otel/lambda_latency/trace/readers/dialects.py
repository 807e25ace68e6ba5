"""Converts the OTLP of other writers to the OTLP/JSON of the specification.

The writers are Tempo (`batches`, ids in base64), Jaeger's API v3 (`result`), protobuf's own JSON (snake_case, names of
enumerations), older exporters (`instrumentationLibrarySpans`) and loggers of bare resources. Unknown members are
reported by name.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lambda_latency.trace.model.ids import digest
from lambda_latency.trace.readers.anyvalue import write_attributes

Problem = Callable[[str], object]

TOPS = ("resourceSpans", "resource_spans", "batches")
AROUND = ("trace", "result", "data")  # members that wrap a document of Tempo, of Jaeger and of Grafana
SCOPES = (
    "scopeSpans",
    "scope_spans",
    "instrumentationLibrarySpans",
    "instrumentation_library_spans",
    "deprecatedScopeSpans",
    "deprecated_scope_spans",
)
SCOPE = ("scope", "instrumentationLibrary", "instrumentation_library")
IGNORED = {"schemaUrl", "schema_url", "partialSuccess", "status", "metrics", "message"}
CAMEL = {
    "trace_id": "traceId",
    "span_id": "spanId",
    "parent_span_id": "parentSpanId",
    "start_time_unix_nano": "startTimeUnixNano",
    "end_time_unix_nano": "endTimeUnixNano",
    "time_unix_nano": "timeUnixNano",
}
VALUES = {
    "string_value": "stringValue",
    "bool_value": "boolValue",
    "int_value": "intValue",
    "double_value": "doubleValue",
    "array_value": "arrayValue",
    "kvlist_value": "kvlistValue",
    "bytes_value": "bytesValue",
}
IDS = {"traceId": 32, "spanId": 16, "parentSpanId": 16}


def speaks_otlp(members: Mapping[str, object]) -> bool:
    """Whether these are the members of an OTLP document or of a bare resource."""
    return any(key in members for key in (*TOPS, *SCOPES))


def resource_spans(document: Any, problem: Problem) -> Iterator[dict[str, Any]]:
    """The resources of a document with their spans, in the form of the specification.

    `problem` is called with the reason for each part that is left out.
    """
    if not isinstance(document, dict):
        problem(f"no resource: must be an object, got {document!r:.60}")
        return
    if any(key in document for key in SCOPES):
        yield _resource(document, problem)
        return
    inner = [document[key] for key in AROUND if isinstance(document.get(key), dict)]
    others = {key: value for key, value in document.items() if key not in (*TOPS, *AROUND) and key not in IGNORED}
    unknown = [key for key, value in others.items() if isinstance(value, (dict, list))]  # a text has no spans
    if unknown:
        problem(f"not understood in the document: {', '.join(unknown):.60}")
    for key in TOPS:
        for item in _objects(document, key, problem):
            yield _resource(item, problem)
    for item in inner:
        yield from resource_spans(item, problem)


def canonical_span(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A span with the names, ids, kind, status and attributes of OTLP/JSON."""
    span = {CAMEL.get(key, key): value for key, value in raw.items()}
    for key, length in IDS.items():
        if span.get(key):
            span[key] = hex_id(span[key], length)
        elif key in span:
            del span[key]
    for key in ("startTimeUnixNano", "endTimeUnixNano"):
        if isinstance(span.get(key), float):
            span[key] = round(span[key])
    span["kind"] = _named(span.get("kind"), "SPAN_KIND_")
    status = span.get("status")
    if isinstance(status, dict):
        span["status"] = {**status, "code": _named(status.get("code"), "STATUS_CODE_")}
    elif isinstance(status, str):
        span["status"] = {"code": _named(status, "STATUS_CODE_")}
    for key in ("events", "links"):
        found = span.get(key)
        if isinstance(found, list):
            span[key] = [_event_or_link(item) if isinstance(item, dict) else item for item in found]
    return _with_attributes(span)


def hex_id(value: Any, length: int) -> Any:
    """An id as `length` lower-case hex digits. A value that is no id, or all zeros, is returned as it is.

    The value may be a number, in hex (without leading zeros, with `0x`, or a trace id with dashes or as X-Ray writes
    it), or 64 bits or the whole length in base64. Any other text is replaced by its digest.
    """
    if type(value) is int and 0 < value < 16**length:
        return f"{value:0{length}x}"
    if not isinstance(value, str) or not value.strip("0"):
        return value
    text = value.strip().lower().removeprefix("0x")
    text = text.removeprefix("1-").replace("-", "") if length == 32 else text
    if 0 < len(text) <= length and not text.strip("0123456789abcdef"):
        return text.zfill(length)
    try:
        raw = base64.b64decode(value, validate=True).hex()
    except (binascii.Error, ValueError):
        return digest(value, length)
    return raw.zfill(length) if len(raw) in (length, 16) else digest(value, length)


def _resource(raw: dict[str, Any], problem: Problem) -> dict[str, Any]:
    unknown = [key for key in raw if key not in (*SCOPES, "resource") and key not in IGNORED]
    if unknown:
        problem(f"not understood in a resource: {', '.join(unknown):.60}")
    resource = raw.get("resource")
    resource = _with_attributes(resource) if isinstance(resource, dict) else None
    scopes = [_scope(item, problem) for key in SCOPES for item in _objects(raw, key, problem)]
    return {"resource": resource, "scopeSpans": scopes}


def _scope(raw: dict[str, Any], problem: Problem) -> dict[str, Any]:
    unknown = [key for key in raw if key not in (*SCOPE, "spans") and key not in IGNORED]
    if unknown:
        problem(f"not understood in a scope: {', '.join(unknown):.60}")
    scope = next((raw[key] for key in SCOPE if isinstance(raw.get(key), dict)), None)
    scope = _with_attributes(scope) if scope is not None else None
    return {"scope": scope, "spans": [canonical_span(item) for item in _objects(raw, "spans", problem)]}


def _objects(parent: Mapping[str, Any], key: str, problem: Problem) -> list[dict[str, Any]]:
    found = parent.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        problem(f"{key} must be a list: it must be a list, got {_kind(found)}")
        return []
    for item in found:
        if not isinstance(item, dict):
            problem(f"{key} must hold objects, got {item!r:.60}")
    return [item for item in found if isinstance(item, dict)]


def _kind(value: object) -> str:
    return {dict: "an object", str: "a text", bool: "true or false", int: "a whole number"}.get(type(value), "a number")


def _named(value: Any, prefix: str) -> Any:
    """The name in OTLP: `SPAN_KIND_SERVER` for `server`, `SpanKind.SERVER` and itself. A number stays."""
    if not isinstance(value, str) or value.isdigit():
        return value
    return prefix + value.upper().removeprefix(prefix).rpartition(".")[2]


def _event_or_link(raw: dict[str, Any]) -> dict[str, Any]:
    """An event or a link with the names, ids and attributes of OTLP/JSON."""
    found = {CAMEL.get(key, key): value for key, value in raw.items()}
    for key, length in IDS.items():
        if key in found:
            found[key] = hex_id(found[key], length)
    return _with_attributes(found)


def _with_attributes(raw: dict[str, Any]) -> dict[str, Any]:
    found = raw.get("attributes")
    if isinstance(found, dict):
        return {**raw, "attributes": write_attributes(found)}
    if isinstance(found, list):
        return {
            **raw,
            "attributes": [_pair(item) if isinstance(item, dict) and "key" in item else item for item in found],
        }
    return raw


def _pair(raw: dict[str, Any]) -> dict[str, Any]:
    return {"key": str(raw["key"]), "value": _value(raw.get("value"))}


def _value(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return write_attributes({"": raw})[0]["value"]
    return {VALUES.get(kind, kind): _inner(inner) for kind, inner in raw.items()}


def _inner(inner: Any) -> Any:
    if not isinstance(inner, dict) or not isinstance(inner.get("values"), list):
        return inner
    values = inner["values"]
    return {"values": [_pair(item) if isinstance(item, dict) and "key" in item else _value(item) for item in values]}
