"""Reads rows of stores that keep one span a row: ClickHouse's table of the collector, SigNoz, Uptrace, Honeycomb.

A store is a row of `STORES`: the names of its columns, and the unit of its durations. Elasticsearch and OpenSearch keep
documents: these are found in answers, and in what the bulk API takes. Jaeger stores one span a document there, and may
store tags as fields: `tag` in place of `tags`, with `@` for dots.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from lambda_latency.trace.readers.cloudwatch import span_of_record
from lambda_latency.trace.readers.instants import time_ns
from lambda_latency.trace.readers.otlp import Problem, grouped

__all__ = ["inner_document", "is_stored", "is_table", "stored_resources"]

_decode = msgspec.json.Decoder().decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode
KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")  # by number
CODES = ("UNSET", "OK", "ERROR")
DATA = {"meta", "data", "rows"}  # members of ClickHouse's FORMAT JSON
JAEGER = {"traceID", "spanID", "operationName", "startTime", "duration"}
ACTIONS = ("index", "create")  # of the bulk API: the line before a document


class Store(NamedTuple):
    """The columns of a store. `attributes` and `resource` hold maps; `unit_ns` is the unit of durations."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start: str
    duration: str
    unit_ns: int
    kind: str
    service: str
    status: str
    attributes: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()


SIGNOZ_MAPS = ("attributes_string", "attributes_number", "attributes_bool", "attributes")
STORES = (
    Store("TraceId", "SpanId", "ParentSpanId", "SpanName", "Timestamp", "Duration", 1, "SpanKind", "ServiceName",
          "StatusCode", ("SpanAttributes",), ("ResourceAttributes",)),
    Store("trace_id", "span_id", "parent_span_id", "name", "timestamp", "duration_nano", 1, "kind",
          "resource_string_service$$name", "status_code", SIGNOZ_MAPS, ("resources_string", "resource")),
    Store("traceID", "spanID", "parentSpanID", "name", "timestamp", "durationNano", 1, "kind", "serviceName",
          "statusCode", ("stringTagMap", "numberTagMap", "boolTagMap"), ("resourceTagsMap",)),
    Store("trace_id", "id", "parent_id", "name", "time", "duration", 1, "kind", "service_name", "status_code",
          ("attrs", "all_attrs"), ()),
    Store("trace.trace_id", "trace.span_id", "trace.parent_id", "name", "Timestamp", "duration_ms", 1_000_000,
          "span.kind", "service.name", "status_code"),
    Store("trace.trace_id", "trace.span_id", "trace.parent_id", "name", "time", "duration_ms", 1_000_000,
          "span.kind", "service.name", "status_code"),
    Store("trace_id", "span_id", "parent_id", "name", "timestamp", "duration_ms", 1_000_000, "kind", "service",
          "status", ("attributes",), ("resource",)),
)  # fmt: skip


def is_stored(members: Mapping[str, object]) -> bool:
    """Whether these are the columns of a span of one of the stores."""
    return _store_of(members) is not None


def is_table(members: Mapping[str, Raw]) -> bool:
    """Whether this is an answer of ClickHouse in `FORMAT JSON`."""
    return members.keys() >= DATA


def stored_resources(document: bytes, problem: Problem) -> list[dict[str, Any]]:
    """The spans of a row, of a list, or of an answer, as the resources of OTLP/JSON.

    `problem` is called with the reason for each row that is left out.
    """
    decoded = _decode(document)
    rows = decoded if isinstance(decoded, list) else decoded["data"] if decoded.keys() >= DATA else [decoded]
    found: list[tuple[dict[str, Any], str, dict[str, Any]]] = []
    for row in rows:
        store = _store_of(row) if isinstance(row, dict) else None
        if store is None:
            problem("not a row with the columns of a span (ids, start and duration)")
            continue
        try:
            found.append(span_of_record(_record(row, store)))
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            problem(f"not a row of a span: {error}")
    return grouped(found)


def _store_of(members: Mapping[str, object]) -> Store | None:
    return next((one for one in STORES if members.keys() >= {one.trace_id, one.span_id, one.start, one.duration}), None)


def _record(row: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """A row with the names of OTLP."""
    start = time_ns(_with_zone(row[store.start]))
    attributes = {key: value for column in store.attributes for key, value in _map(row.get(column)).items()}
    if not store.attributes:  # each attribute is a column
        attributes = {key: value for key, value in row.items() if "." in key and value not in (None, "")}
    resource = {key: value for column in store.resource for key, value in _map(row.get(column)).items()}
    service = row.get(store.service)
    if service:
        resource["service.name"] = service
    return {
        "traceId": row[store.trace_id],
        "spanId": row[store.span_id],
        "parentSpanId": row.get(store.parent_id) or None,
        "name": row.get(store.name) or row.get("span_name"),
        "kind": _word(row.get(store.kind) or row.get("kind"), KINDS),
        "startTimeUnixNano": start,
        "endTimeUnixNano": start + round(float(row[store.duration]) * store.unit_ns),
        "status": {"code": _word(row.get(store.status), CODES) or ("ERROR" if row.get("error") is True else None)},
        "attributes": attributes,
        "resource": {"attributes": resource},
    }


def _map(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _with_zone(instant: object) -> object:
    """ClickHouse writes `2026-11-27 08:00:00.123456789`, in UTC."""
    return instant.replace(" ", "T", 1) if isinstance(instant, str) and instant[4:5] == "-" else instant


def _word(value: object, words: tuple[str, ...]) -> str | None:
    """A word of an enumeration: `SERVER` for 2, `Server` and `SPAN_KIND_SERVER`; None for another value."""
    if isinstance(value, int) and not isinstance(value, bool):
        return words[value] if 0 <= value < len(words) else None
    text = str(value or "").upper().rpartition("_")[2]
    return text if text in words and text != "UNSPECIFIED" else None


def inner_document(members: Mapping[str, Raw], document: bytes) -> bytes | None:
    """The text inside of a document: the source of a hit, a list of hits, a trace of one span of Jaeger.

    An action of the bulk API holds an empty list. None for any other document, and for an answer without hits.
    """
    if _holds(members, "_source"):
        return bytes(members["_source"])
    if _holds(members, "hits"):
        hits = _decode_list(_decode_members(members["hits"]).get("hits", Raw(b"[]")))
        return b"[%b]" % b",".join(map(bytes, hits)) if hits else None
    if len(members) == 1 and any(_holds(members, action) for action in ACTIONS):
        return b"[]"
    if members.keys() >= JAEGER and "spans" not in members:
        return b'{"spans":[%b]}' % (_with_tags(_decode(document)) if "tag" in members else document)
    return None


def _holds(members: Mapping[str, Raw], key: str) -> bool:
    return key in members and memoryview(members[key])[:1].tobytes() == b"{"


def _with_tags(span: dict[str, Any]) -> bytes:
    process = span.get("process")
    for each in (span, process if isinstance(process, dict) else {}):
        fields = each.get("tag")
        if isinstance(fields, dict):
            tags = [{"key": key.replace("@", "."), "value": value} for key, value in fields.items()]
            each["tags"] = [*(each.get("tags") or ()), *tags]
    return _encode(span)
