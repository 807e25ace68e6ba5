"""Records of CloudWatch's log group `aws/spans` (Transaction Search), alone or as Logs Insights and the CLI answer.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from lambda_latency.trace.anyvalue import write_attributes
from lambda_latency.trace.dialects import canonical_span
from lambda_latency.trace.transcoded import Problem, grouped

__all__ = ["cloudwatch_resources", "is_answer", "is_record"]

_decode = msgspec.json.Decoder().decode
# What stands around the records of an answer.
ANSWERS = {
    "results": {"results", "statistics", "status", "encryptionKey", "queryLanguage"},
    "events": {"events", "searchedLogStreams", "nextToken", "nextForwardToken", "nextBackwardToken"},
}
GROUPS = ("attributes.", "resource.attributes.")
TIMES = ("startTimeUnixNano", "endTimeUnixNano", "durationNano")


def is_record(members: Mapping[str, object]) -> bool:
    """Whether an object's members are those of a record, nested or with dots."""
    return "traceId" in members and "spanId" in members and not members.keys().isdisjoint(TIMES)


def is_answer(members: Mapping[str, object]) -> bool:
    """Whether they are those of an answer with records: of Logs Insights, or of `aws logs filter-log-events`."""
    return any(key in members and members.keys() <= around for key, around in ANSWERS.items())


def cloudwatch_resources(document: bytes, problem: Problem) -> list[dict[str, Any]]:
    """The spans of a record, or of an answer."""
    found: list[tuple[dict[str, Any], str, dict[str, Any]]] = []
    for record in _records(_decode(document), problem):
        try:
            found.append(_read(record))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            why = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
            problem(f"not a record of aws/spans: {why}")
    return grouped(found)


def _records(told: Any, problem: Problem) -> Iterator[dict[str, Any]]:
    if "results" not in told and "events" not in told:
        yield told
        return
    if "traceId" in told:
        yield told
        return
    for one in told.get("results") or told.get("events") or ():
        if isinstance(one, list):  # fields of Logs Insights
            fields = {str(each.get("field")): each.get("value") for each in one if isinstance(each, dict)}
        else:
            fields = {"@message": one.get("message")} if isinstance(one, dict) else {}
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


def _read(told: dict[str, Any]) -> tuple[dict[str, Any], str, dict[str, Any]]:
    attributes, resource = _nested(told.get("attributes")), {}
    inner = told.get("resource")
    if isinstance(inner, dict):
        resource = _nested(inner.get("attributes"))
    for key, value in told.items():
        if key.startswith(GROUPS[1]):
            resource[key[len(GROUPS[1]) :]] = value
        elif key.startswith(GROUPS[0]):
            attributes[key[len(GROUPS[0]) :]] = value
    start = int(told["startTimeUnixNano"])
    end = told.get("endTimeUnixNano")
    if end in (None, "", 0, "0") and told.get("durationNano") not in (None, ""):
        end = start + int(told["durationNano"])
    status, scope = told.get("status"), told.get("scope")
    code = status.get("code") if isinstance(status, dict) else told.get("status.code")
    name = scope.get("name") if isinstance(scope, dict) else told.get("scope.name")
    events = told.get("events")
    span = {
        "traceId": told["traceId"],
        "spanId": told["spanId"],
        "parentSpanId": told.get("parentSpanId"),
        "flags": told.get("flags") if isinstance(told.get("flags"), int) else 0,
        "name": told.get("name") or "",
        "kind": told.get("kind"),
        "startTimeUnixNano": start,
        "endTimeUnixNano": int(end or 0),
        "status": {"code": code, "message": status.get("message") if isinstance(status, dict) else None},
        "attributes": attributes,
        "events": events if isinstance(events, list) else [],
        "links": told.get("links") if isinstance(told.get("links"), list) else [],
    }
    return {"attributes": write_attributes(resource)}, str(name or ""), canonical_span(span)


def _nested(told: Any) -> dict[str, Any]:
    return dict(told) if isinstance(told, dict) else {}
