"""Reads single spans: records of CloudWatch's log group `aws/spans` (Transaction Search), and bare spans of SDKs.

A record is bare or in the answer of a query; a bare span is one object or in a list `spans`, with the names that SDKs
give to ids and times.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from lambda_latency.trace.model.span import SpanKind
from lambda_latency.trace.readers.anyvalue import read_value, write_attributes
from lambda_latency.trace.readers.dialects import CAMEL, OnProblem, canonical_span
from lambda_latency.trace.readers.instants import time_ns
from lambda_latency.trace.readers.otlp import Converted, converted
from lambda_latency.trace.readers.otlp_message import decode_any, decode_list, decode_members

# The members of an answer, by the name of the member that holds the records.
ANSWERS = {
    "results": {"results", "statistics", "status", "encryptionKey", "queryLanguage"},
    "events": {"events", "searchedLogStreams", "nextToken", "nextForwardToken", "nextBackwardToken"},
}
GROUPS = ("attributes.", "resource.attributes.")
TIMES = ("startTimeUnixNano", "endTimeUnixNano", "durationNano")
OF_SUBSEGMENTS = ("CLIENT", "INTERNAL", "PRODUCER")  # kinds

STARTS, ENDS = ("start_time", "startTime"), ("end_time", "endTime")
PARENTS = ("parent_span_id", "parentSpanId", "parent_id", "parentId")
SERVICES = ("service_name", "serviceName", "service")
KINDS = {kind.name for kind in SpanKind}
STATUSES = ("UNSET", "OK", "ERROR")
# Members of spans of SkyWalking and of Data Prepper, whose ids and attributes have another form.
OTHER_FORMATS = ("spanType", "segmentId", "durationInNanos")


def is_record(members: Mapping[str, object]) -> bool:
    """Whether these are the members of a record, with nested attributes or with dotted names."""
    names = {CAMEL.get(name, name) for name in members}
    return {"traceId", "spanId"} <= names and not names.isdisjoint(TIMES)


def is_answer(members: Mapping[str, object]) -> bool:
    """Whether these are the members of an answer of Logs Insights or of `aws logs filter-log-events`."""
    return any(key in members and members.keys() <= allowed for key, allowed in ANSWERS.items())


def cloudwatch_resources(document: bytes, problem: OnProblem) -> list[dict[str, Any]]:
    """The spans of a record or of an answer, as the resources of OTLP/JSON."""
    return converted(_records(decode_any(document), problem), span_of_record, "a record of aws/spans", problem)


def _records(document: Any, problem: OnProblem) -> Iterator[dict[str, Any]]:
    if "traceId" in document or ("results" not in document and "events" not in document):
        yield document
        return
    for result in document.get("results") or document.get("events") or ():
        fields = _fields_of(result)
        message = fields.get("@message")
        if message is None and "traceId" in fields:
            yield fields
            continue
        try:
            record = decode_any(message.encode()) if isinstance(message, str) else message
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            problem(f"not a record of aws/spans: its @message is no JSON ({error})")
            continue
        if isinstance(record, dict):
            yield record
        else:
            problem("no record in an answer of CloudWatch: ask for the field @message")


def _fields_of(result: Any) -> dict[str, Any]:
    """The fields of a result of Logs Insights, or of an event."""
    if isinstance(result, list):
        return {str(field.get("field")): field.get("value") for field in result if isinstance(field, dict)}
    return {"@message": result.get("message")} if isinstance(result, dict) else {}


def span_of_record(written: Mapping[str, Any]) -> Converted:
    """The resource, the name of the scope and the span of a record, in the form of OTLP/JSON.

    Raises `KeyError`, `TypeError`, `AttributeError` or `ValueError` if the record cannot be read.
    """
    record = {CAMEL.get(name, name): member for name, member in written.items()}
    attributes, resource = _groups_of(record)
    start_ns, end_ns = _times_of(record)
    status, scope = record.get("status"), record.get("scope")
    if not isinstance(status, dict):
        status = {"code": record.get("status.code")}
    scope_name = scope.get("name") if isinstance(scope, dict) else record.get("scope.name")
    flags, events, links = record.get("flags"), record.get("events"), record.get("links")
    span = {
        "traceId": record["traceId"],
        "spanId": record["spanId"],
        "parentSpanId": record.get("parentSpanId"),
        "flags": flags if isinstance(flags, int) else 0,
        "name": record.get("name") or "",
        "kind": record.get("kind"),
        "startTimeUnixNano": start_ns,
        "endTimeUnixNano": end_ns,
        "status": {"code": status.get("code"), "message": status.get("message")},
        "attributes": attributes,
        "events": events if isinstance(events, list) else [],
        "links": links if isinstance(links, list) else [],
    }
    return {"attributes": write_attributes(resource)}, str(scope_name or ""), canonical_span(span)


def _groups_of(record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The attributes of a record and those of its resource, from nested objects and from members with dotted names."""
    attributes, resource = _nested(record.get("attributes")), {}
    inner = record.get("resource")
    if isinstance(inner, dict):
        resource = _nested(inner.get("attributes", inner))
    for key, member in record.items():
        if key.startswith(GROUPS[1]):
            resource[key[len(GROUPS[1]) :]] = member
        elif key.startswith(GROUPS[0]):
            attributes[key[len(GROUPS[0]) :]] = member
    if record.get("kind") in OF_SUBSEGMENTS:
        # Of the segment; the service that it names did not make the call
        attributes.pop("aws.xray.origin", None)
    return attributes, resource


def _times_of(record: Mapping[str, Any]) -> tuple[int, int]:
    start_ns = int(record["startTimeUnixNano"])
    end, duration = record.get("endTimeUnixNano"), record.get("durationNano")
    if end in (None, "", 0, "0") and duration not in (None, ""):
        end = start_ns + int(duration)
    return start_ns, int(end or 0)


def _nested(attributes: Any) -> dict[str, Any]:
    """Attributes by name, from an object or from OTLP's list of pairs."""
    if isinstance(attributes, list):
        return {str(pair["key"]): read_value(pair.get("value")) for pair in attributes}
    return dict(attributes) if isinstance(attributes, dict) else {}


def is_bare(members: Mapping[str, object]) -> bool:
    """Whether these are the members of a bare span with times that are no record of CloudWatch."""
    ids = ("trace_id" in members and "span_id" in members) or ("traceId" in members and "spanId" in members)
    has_times = _first(members, STARTS) is not None and _first(members, ENDS) is not None
    return ids and has_times and members.keys().isdisjoint(OTHER_FORMATS)


def is_list_of_bare(members: Mapping[str, Raw]) -> bool:
    """Whether the member `spans` is a list of such spans, or of bare spans of OTLP.

    Their trace id may be a member of the document.
    """
    try:
        spans = [decode_members(span) for span in decode_list(members.get("spans", Raw(b"[]")))[:1]]
    except (msgspec.MsgspecError, UnicodeError):
        return False
    trace_id = _trace_id(members)
    return any(is_bare({**trace_id, **span}) or is_record(span) for span in spans)


def bare_resources(document: bytes, problem: OnProblem) -> list[dict[str, Any]]:
    """The spans of a document as the resources of OTLP/JSON."""
    decoded = decode_any(document)
    trace_id = _trace_id(decoded)

    def convert(span: Mapping[str, Any]) -> Converted:
        return span_of_record(span if is_record(span) else _record({**trace_id, **span}))

    spans = decoded["spans"] if isinstance(decoded.get("spans"), list) else [decoded]
    return converted(spans, convert, "a span", problem)


def _trace_id(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: members[name] for name in ("trace_id", "traceId") if name in members}


def _record(bare: Mapping[str, Any]) -> dict[str, Any]:
    """The span with the names of OTLP. A kind or a status that OTLP does not have is left out."""
    kind = bare.get("kind")
    if isinstance(kind, str):
        kind = _word(kind) if _word(kind) in KINDS else None
    end = _first(bare, ENDS)
    return {
        **bare,
        "parentSpanId": _first(bare, PARENTS),
        "startTimeUnixNano": time_ns(_first(bare, STARTS)),
        "endTimeUnixNano": time_ns(end) if end else 0,
        "resource": _resource_of(bare),
        "kind": kind,
        "status": _status_of(bare.get("status", bare.get("status.code"))),
        "attributes": bare.get("attributes") or bare.get("labels") or {},
        "links": [],
        "events": [],
    }


def _resource_of(bare: Mapping[str, Any]) -> Any:
    resource, service = bare.get("resource"), _first(bare, SERVICES)
    if isinstance(resource, dict) and not isinstance(resource.get("attributes"), (dict, list)):
        return {"attributes": resource}
    if resource is None and isinstance(service, str):
        return {"attributes": {"service.name": service}}
    return resource


def _status_of(status: Any) -> dict[str, Any]:
    code, message = status, None
    if isinstance(status, dict):
        code = status.get("code", status.get("status_code"))
        message = status.get("message", status.get("description"))
    if isinstance(code, str) and _word(code) not in STATUSES:
        code = None
    return {"code": code, "message": message}


def _word(text: str) -> str:
    """The name in an enumeration: `SERVER` for `SpanKind.SERVER`, `SPAN_KIND_SERVER`, `RPC_SERVER` and `server`."""
    return re.sub("^(SPAN_KIND_|STATUS_CODE_|RPC_|.*[.])", "", text.upper())


def _first(members: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((members[name] for name in names if name in members), None)
