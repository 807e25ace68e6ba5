"""Reads SkyWalking's spans: answers of its query `queryTrace`, and the segments that agents report.

Times are in milliseconds. https://github.com/apache/skywalking-query-protocol/blob/master/trace.graphqls and
https://skywalking.apache.org/docs/main/next/en/api/trace-data-protocol-v3/ describe the members.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from lambda_latency.trace.model.ids import digest
from lambda_latency.trace.readers.cloudwatch import span_of_record
from lambda_latency.trace.readers.otlp import Problem, grouped

__all__ = ["is_skywalking", "skywalking_resources"]

_decode = msgspec.json.Decoder().decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
NEEDED = {"segmentId", "spanId", "traceId"}
IN_SEGMENT = {"spanId", "spanType"}  # of a span in a segment, whose ids are beside the list
TYPES = ("Entry", "Exit", "Local")  # by number, as gRPC has them
NUMBERED = ("Unknown", "Database", "RPCFramework", "Http", "MQ", "Cache", "FAAS")  # layers
KINDS = {"Entry": "SERVER", "Exit": "CLIENT", "Local": "INTERNAL"}
LAYERS = {"Database": "db.system", "Cache": "db.system", "MQ": "messaging.system"}  # what the component is
MILLISECOND = 1_000_000


def is_skywalking(members: Mapping[str, Raw]) -> bool:
    """Whether this is an answer, the member `data` of one, or a segment. Only the first span is decoded."""
    for key in ("data", "trace"):
        members = _members(members.get(key)) or members
    spans = members.get("spans", Raw(b""))
    first = next(iter(_decode_list(spans)), None) if memoryview(spans)[:1].tobytes() == b"[" else None
    found = _members(first).keys()
    return found >= NEEDED or (found >= IN_SEGMENT and "traceId" in members)


def _members(raw: Raw | None) -> Mapping[str, Raw]:
    return _decode_members(raw) if raw is not None and memoryview(raw)[:1].tobytes() == b"{" else {}


def skywalking_resources(document: bytes, problem: Problem) -> list[dict[str, Any]]:
    """The spans of an answer as the resources of OTLP/JSON; `problem` is called for each span that is left out."""
    found = []
    for span in _spans(_decode(document)):
        try:
            found.append(span_of_record(_record(span)))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            why = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
            problem(f"not a span of SkyWalking: {why}")
    return grouped(found)


def _spans(document: Any) -> Iterator[dict[str, Any]]:
    """The spans of a document; none if it is of another format."""
    inner = document
    for _ in range(2):
        inner = next((inner[key] for key in ("data", "trace") if isinstance(inner.get(key), dict)), inner)
    spans = inner.get("spans")
    for span in spans if isinstance(spans, list) else ():
        if isinstance(span, dict) and span.keys() >= IN_SEGMENT:
            yield _of_segment(inner, span)
        elif isinstance(span, dict) and span.keys() >= NEEDED:
            yield span
        else:
            return


def _of_segment(segment: Mapping[str, Any], span: Mapping[str, Any]) -> dict[str, Any]:
    """A span of a segment with the members of the query's answer. A segment without an id is the only one."""
    refs = [{**ref, "parentSegmentId": ref.get("parentTraceSegmentId")} for ref in span.get("refs") or ()]
    return {
        **span,
        "traceId": segment["traceId"],
        "segmentId": segment.get("traceSegmentId") or segment["traceId"],
        "serviceCode": segment.get("service"),
        "endpointName": span.get("operationName"),
        "type": _word(span["spanType"], TYPES),
        "layer": _word(span.get("spanLayer", span.get("layer")), NUMBERED),
        "refs": refs,
    }


def _word(value: object, words: tuple[str, ...]) -> str:
    return words[value] if isinstance(value, int) and 0 <= value < len(words) else str(value or "")


def _record(span: Mapping[str, Any]) -> dict[str, Any]:
    segment, number = span["segmentId"], span["spanId"]
    parent = None
    refs = span.get("refs") or []
    if span.get("parentSpanId", -1) >= 0:
        parent = _id(segment, span["parentSpanId"])
    elif refs:
        parent = _id(refs[0]["parentSegmentId"], refs[0]["parentSpanId"])
    attributes = {tag["key"]: tag.get("value") for tag in span.get("tags") or ()}
    if span.get("peer"):
        attributes["server.address"] = span["peer"]
    layer = LAYERS.get(span.get("layer") or "")
    if layer and span.get("type") == "Exit":
        attributes.setdefault(layer, str(attributes.get("db.type") or span.get("component") or "database").lower())
    return {
        "traceId": digest(str(span["traceId"]), 32),
        "spanId": _id(segment, number),
        "parentSpanId": parent,
        "name": span.get("endpointName"),
        "kind": KINDS.get(span.get("type") or ""),
        "startTimeUnixNano": span["startTime"] * MILLISECOND,
        "endTimeUnixNano": span["endTime"] * MILLISECOND,
        "status": {"code": "ERROR" if span.get("isError") else None},
        "attributes": attributes,
        "resource": {"attributes": {"service.name": span.get("serviceCode")}},
    }


def _id(segment: str, number: int) -> str:
    return digest(f"{segment}.{number}", 16)
