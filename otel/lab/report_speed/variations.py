"""Variations of the content of a trace. Each takes a trace, which it may change, and a random generator."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from lab.generate import MS, ORIGIN, Document, Trace, span_id, to_value

INTERNAL, SERVER, CLIENT = 1, 2, 3
GATEWAY, SERVICE = "AWS::ApiGateway::Stage", "AWS::Lambda"
KIT = "lambda_latency.runtime"
PLATFORM = "lambda"  # the scope of the segments that AWS records
LABELS = 6
INIT_NS = 280 * MS


def unchanged(trace: Trace, _: random.Random) -> Trace:
    """The trace unchanged."""
    return trace


def attributes_in_any_order(trace: Trace, draw: random.Random) -> Trace:
    """The attributes of each span in random order."""
    for span in spans_of(trace):
        draw.shuffle(span["attributes"])
    return trace


def gateway_without_origin(trace: Trace, _: random.Random) -> Trace:
    """The API gateway's span as that of another vendor, without AWS's origin."""
    for span in spans_of(trace):
        if _value(span, ORIGIN) == GATEWAY:
            span["attributes"] = [pair for pair in span["attributes"] if pair["key"] != ORIGIN]
    return trace


def one_open(trace: Trace, draw: random.Random) -> Trace:
    """One call or step of each trace was not ended."""
    parents = {span.get("parentSpanId") for span in spans_of(trace)}
    leaves = [
        span
        for scope, span in _scoped(trace)
        if scope != PLATFORM and span["kind"] != SERVER and span["spanId"] not in parents
    ]
    del draw.choice(leaves)["endTimeUnixNano"]
    return trace


def init_in_each(trace: Trace, _: random.Random) -> Trace:
    """The kit's `init` span before each handler, as after a cold start."""
    document, handler = _handler(trace)
    start = int(handler["startTimeUnixNano"])
    init = {
        "traceId": handler["traceId"],
        "spanId": span_id(handler["traceId"], 900),
        "parentSpanId": handler["spanId"],
        "flags": 257,
        "name": "init",
        "kind": INTERNAL,
        "startTimeUnixNano": str(start - INIT_NS),
        "endTimeUnixNano": str(start - MS // 10),
        "attributes": [{"key": "faas.init_type", "value": to_value("on-demand")}],
        "status": {},
    }
    document["resourceSpans"][0]["scopeSpans"].append({"scope": {"name": KIT}, "spans": [init]})
    return trace


def handler_lost(trace: Trace, _: random.Random) -> Trace:
    """The handler's span was not exported: the parent of its calls is missing."""
    document, handler = _handler(trace)
    for group in document["resourceSpans"]:
        for members in group["scopeSpans"]:
            members["spans"] = [span for span in members["spans"] if span is not handler]
    return trace


def ids_in_names(trace: Trace, draw: random.Random) -> Trace:
    """The name of each span has an id, except the names given by the platform."""
    for scope, span in _scoped(trace):
        if scope != PLATFORM:
            span["name"] += f" {draw.getrandbits(64):016x}"
    return trace


def many_labels(trace: Trace, draw: random.Random) -> Trace:
    """Attributes on each span that no rule reads, with unique values."""
    for span in spans_of(trace):
        for number in range(LABELS):
            value = {"stringValue": f"{draw.getrandbits(64):016x}"}
            span["attributes"].append({"key": f"app.label.{number}", "value": value})
    return trace


def ids_in_routes(trace: Trace, draw: random.Random) -> Trace:
    """`http.route`, which rules read, has an id on each SERVER span."""
    for span in spans_of(trace):
        if span["kind"] == SERVER:
            span["attributes"] = [pair for pair in span["attributes"] if pair["key"] != "http.route"]
            route = {"stringValue": f"/orders/{draw.getrandbits(64):016x}"}
            span["attributes"].append({"key": "http.route", "value": route})
    return trace


def two_functions(trace: Trace, _: random.Random) -> Trace:
    """The function calls a second one, whose segments and calls are within the first call of the first."""
    (called,) = [document for document in trace if _scope(document) == PLATFORM]
    document, handler = _handler(trace)
    calls = [span for span in spans_of([document]) if span["kind"] == CLIENT]
    first, number = calls[0], 500
    attributes = {"rpc.system": "aws-api", "rpc.service": "Lambda", "rpc.method": "Invoke", "http.status_code": 200}
    invoke = {
        **first,
        "spanId": span_id(handler["traceId"], number),
        "name": "Lambda.Invoke",
        "attributes": [{"key": key, "value": to_value(value)} for key, value in attributes.items()],
    }
    second: Trace = json.loads(json.dumps([called, document]).replace("CreateOrder", "ReserveStock"))
    ids: dict[str, str] = {}
    for span in spans_of(second):
        number += 1
        ids[span["spanId"]] = span["spanId"] = span_id(handler["traceId"], number)
    (service,) = [span for span in spans_of(second) if _value(span, ORIGIN) == SERVICE]
    begin, length = _times(service)
    at, whole = _times(first)
    for span in spans_of(second):
        span["parentSpanId"] = ids.get(span["parentSpanId"], invoke["spanId"])
        for key in ("startTimeUnixNano", "endTimeUnixNano"):
            span[key] = str(at + (int(span[key]) - begin) * whole // length)
    document["resourceSpans"][0]["scopeSpans"][0]["spans"].append(invoke)
    return [*trace, *second]


def spans_of(trace: Trace) -> Iterator[dict[str, Any]]:
    """All spans of a trace."""
    return (span for _, span in _scoped(trace))


def _scoped(trace: Trace) -> Iterator[tuple[str, dict[str, Any]]]:
    for document in trace:
        for group in document["resourceSpans"]:
            for members in group["scopeSpans"]:
                for span in members["spans"]:
                    yield members["scope"]["name"], span


def _scope(document: Document) -> str:
    name: str = document["resourceSpans"][0]["scopeSpans"][0]["scope"]["name"]
    return name


def _handler(trace: Trace) -> tuple[Document, dict[str, Any]]:
    """The span of an instrumentation of Lambda, else the root, with its document."""
    found = [(document, span) for document in trace for span in spans_of([document]) if span["kind"] == SERVER]
    handlers = [one for one in found if _value(one[1], "faas.trigger")]
    return (handlers or found)[0]


def _times(span: dict[str, Any]) -> tuple[int, int]:
    """Start and duration, in nanoseconds."""
    start = int(span["startTimeUnixNano"])
    return start, int(span["endTimeUnixNano"]) - start


def _value(span: dict[str, Any], key: str) -> str:
    found = (pair["value"].get("stringValue", "") for pair in span["attributes"] if pair["key"] == key)
    return next(found, "")
