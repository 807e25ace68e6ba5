"""Converts the OTLP of other writers to the OTLP/JSON of the specification.

The writers are Tempo (`batches`, ids in base64), Jaeger's API v3 (`result`), protobuf's own JSON (snake_case, names of
enumerations), older exporters (`instrumentationLibrarySpans`) and loggers of bare resources. Unknown members are
reported by name.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from lambda_latency.trace.model.ids import digest
from lambda_latency.trace.readers.anyvalue import READERS, write_attributes
from lambda_latency.trace.readers.mistakes import kind_of

# Called with the reason for each part of a document that is left out
OnProblem = Callable[[str], object]

TOPS = ("resourceSpans", "resource_spans", "batches")
# Members that wrap a document of Tempo, of Jaeger and of Grafana
AROUND = ("trace", "result", "data")
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
VALUES = {kind.replace("Value", "_value"): kind for kind in READERS}
IDS = {"traceId": 32, "spanId": 16, "parentSpanId": 16}


def speaks_otlp(members: Mapping[str, object]) -> bool:
    """Whether these are the members of an OTLP document or of a bare resource."""
    return any(key in members for key in (*TOPS, *SCOPES))


def resource_spans(document: Any, problem: OnProblem) -> Iterator[dict[str, Any]]:
    """The resources of a document with their spans, in the form of the specification."""
    if not isinstance(document, dict):
        problem(f"no resource: must be an object, got {document!r:.60}")
        return
    if any(key in document for key in SCOPES):
        yield _resource(document, problem)
        return
    names = [key for key, member in document.items() if isinstance(member, (dict, list))]  # a text has no spans
    _report_unknown(names, (*TOPS, *AROUND), "the document", problem)
    for key in TOPS:
        for resource in _objects(document, key, problem):
            yield _resource(resource, problem)
    for key in AROUND:
        if isinstance(document.get(key), dict):
            yield from resource_spans(document[key], problem)


def _report_unknown(names: Iterable[str], expected: Collection[str], place: str, problem: OnProblem) -> None:
    unknown = [name for name in names if name not in expected and name not in IGNORED]
    if unknown:
        problem(f"not understood in {place}: {', '.join(unknown):.60}")


def canonical_span(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A span with the names, ids, kind, status and attributes of OTLP/JSON."""
    span = {CAMEL.get(key, key): member for key, member in raw.items()}
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
        if isinstance(span.get(key), list):
            span[key] = list(map(_event_or_link, span[key]))
    return _with_attributes(span)


def hex_id(spelling: Any, length: int) -> Any:
    """An id as `length` lower-case hex digits. A value that is no id, or all zeros, is returned as it is.

    The value may be a number, in hex (without leading zeros, with `0x`, or a trace id with dashes or as X-Ray writes
    it), or 64 bits or the whole length in base64. Any other text is replaced by its digest.
    """
    if type(spelling) is int and 0 < spelling < 16**length:
        return f"{spelling:0{length}x}"
    if not isinstance(spelling, str) or not spelling.strip("0"):
        return spelling
    text = spelling.strip().lower().removeprefix("0x")
    text = text.removeprefix("1-").replace("-", "") if length == 32 else text
    if 0 < len(text) <= length and not text.strip("0123456789abcdef"):
        return text.zfill(length)
    try:
        raw = base64.b64decode(spelling, validate=True).hex()
    except (binascii.Error, ValueError):
        return digest(spelling, length)
    return raw.zfill(length) if len(raw) in (length, 16) else digest(spelling, length)


def _resource(raw: dict[str, Any], problem: OnProblem) -> dict[str, Any]:
    _report_unknown(raw, (*SCOPES, "resource"), "a resource", problem)
    resource = raw.get("resource")
    resource = _with_attributes(resource) if isinstance(resource, dict) else None
    scopes = [_scope(scope, problem) for key in SCOPES for scope in _objects(raw, key, problem)]
    return {"resource": resource, "scopeSpans": scopes}


def _scope(raw: dict[str, Any], problem: OnProblem) -> dict[str, Any]:
    _report_unknown(raw, (*SCOPE, "spans"), "a scope", problem)
    scope = next((raw[key] for key in SCOPE if isinstance(raw.get(key), dict)), None)
    scope = _with_attributes(scope) if scope is not None else None
    return {"scope": scope, "spans": list(map(canonical_span, _objects(raw, "spans", problem)))}


def _objects(parent: Mapping[str, Any], key: str, problem: OnProblem) -> list[dict[str, Any]]:
    members = parent.get(key)
    if members is None:
        return []
    if not isinstance(members, list):
        problem(f"{key} must be a list: it must be a list, got {kind_of(members)}")
        return []
    for member in members:
        if not isinstance(member, dict):
            problem(f"{key} must hold objects, got {member!r:.60}")
    return [member for member in members if isinstance(member, dict)]


def _named(spelling: Any, prefix: str) -> Any:
    """The name in OTLP: `SPAN_KIND_SERVER` for `server`, `SpanKind.SERVER` and itself. A number stays."""
    if not isinstance(spelling, str) or spelling.isdigit():
        return spelling
    return prefix + spelling.upper().removeprefix(prefix).rpartition(".")[2]


def _event_or_link(raw: Any) -> Any:
    """An event or a link with the names, ids and attributes of OTLP/JSON. What is no object stays as it is."""
    if not isinstance(raw, dict):
        return raw
    written: dict[str, Any] = raw
    members = {CAMEL.get(key, key): member for key, member in written.items()}
    for key, length in IDS.items():
        if key in members:
            members[key] = hex_id(members[key], length)
    return _with_attributes(members)


def _with_attributes(raw: dict[str, Any]) -> dict[str, Any]:
    attributes = raw.get("attributes")
    if isinstance(attributes, dict):
        return {**raw, "attributes": write_attributes(attributes)}
    if isinstance(attributes, list):
        return {**raw, "attributes": [_pair(pair) if _is_pair(pair) else pair for pair in attributes]}
    return raw


def _is_pair(raw: object) -> bool:
    return isinstance(raw, dict) and "key" in raw


def _pair(raw: dict[str, Any]) -> dict[str, Any]:
    return {"key": str(raw["key"]), "value": _value(raw.get("value"))}


def _value(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return write_attributes({"": raw})[0]["value"]
    return {VALUES.get(kind, kind): _inner(inner) for kind, inner in raw.items()}


def _inner(inner: Any) -> Any:
    if not isinstance(inner, dict) or not isinstance(inner.get("values"), list):
        return inner
    return {"values": [_pair(member) if _is_pair(member) else _value(member) for member in inner["values"]]}
