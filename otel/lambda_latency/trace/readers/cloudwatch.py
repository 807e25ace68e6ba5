"""Reads records of CloudWatch's log group `aws/spans` (Transaction Search), bare or in the answer of a query.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from lambda_latency.trace.readers.anyvalue import read_value, write_attributes
from lambda_latency.trace.readers.dialects import CAMEL, canonical_span
from lambda_latency.trace.readers.otlp import Problem, grouped

_decode = msgspec.json.Decoder().decode
# The members of an answer, by the name of the member that holds the records.
ANSWERS = {
    "results": {"results", "statistics", "status", "encryptionKey", "queryLanguage"},
    "events": {"events", "searchedLogStreams", "nextToken", "nextForwardToken", "nextBackwardToken"},
}
GROUPS = ("attributes.", "resource.attributes.")
TIMES = ("startTimeUnixNano", "endTimeUnixNano", "durationNano")
OF_SUBSEGMENTS = ("CLIENT", "INTERNAL", "PRODUCER")  # kinds


def is_record(members: Mapping[str, object]) -> bool:
    """Whether these are the members of a record, with nested attributes or with dotted names."""
    names = {CAMEL.get(name, name) for name in members}
    return {"traceId", "spanId"} <= names and not names.isdisjoint(TIMES)


def is_answer(members: Mapping[str, object]) -> bool:
    """Whether these are the members of an answer of Logs Insights or of `aws logs filter-log-events`."""
    return any(key in members and members.keys() <= allowed for key, allowed in ANSWERS.items())


def cloudwatch_resources(document: bytes, problem: Problem) -> list[dict[str, Any]]:
    """The spans of a record or of an answer, as the resources of OTLP/JSON.

    `problem` is called with the reason for each record that is left out.
    """
    found: list[tuple[dict[str, Any], str, dict[str, Any]]] = []
    for record in _records(_decode(document), problem):
        try:
            found.append(span_of_record(record))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            why = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
            problem(f"not a record of aws/spans: {why}")
    return grouped(found)


def _records(document: Any, problem: Problem) -> Iterator[dict[str, Any]]:
    if "results" not in document and "events" not in document:
        yield document
        return
    if "traceId" in document:
        yield document
        return
    for item in document.get("results") or document.get("events") or ():
        if isinstance(item, list):  # fields of Logs Insights
            fields = {str(field.get("field")): field.get("value") for field in item if isinstance(field, dict)}
        else:
            fields = {"@message": item.get("message")} if isinstance(item, dict) else {}
        message = fields.get("@message")
        if message is None and "traceId" in fields:
            yield fields
            continue
        try:
            record = _decode(message.encode()) if isinstance(message, str) else message
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            problem(f"not a record of aws/spans: its @message is no JSON ({error})")
            continue
        if isinstance(record, dict):
            yield record
        else:
            problem("no record in an answer of CloudWatch: ask for the field @message")


def span_of_record(written: Mapping[str, Any]) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """The resource, the name of the scope and the span of a record, in the form of OTLP/JSON.

    Raises `KeyError`, `TypeError`, `AttributeError` or `ValueError` if the record cannot be read.
    """
    record = {CAMEL.get(name, name): value for name, value in written.items()}
    attributes, resource = _nested(record.get("attributes")), {}
    inner = record.get("resource")
    if isinstance(inner, dict):
        resource = _nested(inner.get("attributes", inner))
    for key, value in record.items():
        if key.startswith(GROUPS[1]):
            resource[key[len(GROUPS[1]) :]] = value
        elif key.startswith(GROUPS[0]):
            attributes[key[len(GROUPS[0]) :]] = value
    if record.get("kind") in OF_SUBSEGMENTS:
        attributes.pop("aws.xray.origin", None)  # of the segment; the service that it names did not make the call
    start = int(record["startTimeUnixNano"])
    end = record.get("endTimeUnixNano")
    if end in (None, "", 0, "0") and record.get("durationNano") not in (None, ""):
        end = start + int(record["durationNano"])
    status, scope = record.get("status"), record.get("scope")
    code = status.get("code") if isinstance(status, dict) else record.get("status.code")
    name = scope.get("name") if isinstance(scope, dict) else record.get("scope.name")
    events = record.get("events")
    span = {
        "traceId": record["traceId"],
        "spanId": record["spanId"],
        "parentSpanId": record.get("parentSpanId"),
        "flags": record.get("flags") if isinstance(record.get("flags"), int) else 0,
        "name": record.get("name") or "",
        "kind": record.get("kind"),
        "startTimeUnixNano": start,
        "endTimeUnixNano": int(end or 0),
        "status": {"code": code, "message": status.get("message") if isinstance(status, dict) else None},
        "attributes": attributes,
        "events": events if isinstance(events, list) else [],
        "links": record.get("links") if isinstance(record.get("links"), list) else [],
    }
    return {"attributes": write_attributes(resource)}, str(name or ""), canonical_span(span)


def _nested(value: Any) -> dict[str, Any]:
    """Attributes by name, from an object or from OTLP's list of pairs."""
    if isinstance(value, list):
        return {str(pair["key"]): read_value(pair.get("value")) for pair in value}
    return dict(value) if isinstance(value, dict) else {}
