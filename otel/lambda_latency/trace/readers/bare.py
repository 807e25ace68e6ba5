"""Reads bare spans, one object each or in a list `spans`, with the names that SDKs give to ids and times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from lambda_latency.trace.model.span import SpanKind
from lambda_latency.trace.readers.cloudwatch import is_record, span_of_record
from lambda_latency.trace.readers.instants import time_ns
from lambda_latency.trace.readers.otlp import Problem, grouped

_decode = msgspec.json.Decoder().decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
STARTS, ENDS = ("start_time", "startTime"), ("end_time", "endTime")
PARENTS = ("parent_span_id", "parentSpanId", "parent_id", "parentId")
SERVICES = ("service_name", "serviceName", "service")
KINDS = {kind.name for kind in SpanKind}
STATUSES = ("UNSET", "OK", "ERROR")
# Members of spans of SkyWalking and of Data Prepper, whose ids and attributes have another form.
OTHER_FORMATS = ("spanType", "segmentId", "durationInNanos")


def is_bare(members: Mapping[str, object]) -> bool:
    """Whether these are the members of a bare span with times that are no record of CloudWatch."""
    ids = ("trace_id" in members and "span_id" in members) or ("traceId" in members and "spanId" in members)
    has_times = _first(members, STARTS) is not None and _first(members, ENDS) is not None
    return ids and has_times and members.keys().isdisjoint(OTHER_FORMATS)


def is_list_of_bare(members: Mapping[str, Raw]) -> bool:
    """Whether the member `spans` is a list of such spans, or of bare spans of OTLP. Their trace id may be beside it."""
    try:
        first = [_decode_members(one) for one in _decode_list(members.get("spans", Raw(b"[]")))[:1]]
    except (msgspec.MsgspecError, UnicodeError):
        return False
    trace_id = _trace_id(members)
    return any(is_bare({**trace_id, **one}) or is_record(one) for one in first)


def bare_resources(document: bytes, problem: Problem) -> list[dict[str, Any]]:
    """The spans of a document as the resources of OTLP/JSON.

    `problem` is called with the reason for each span that is left out.
    """
    decoded = _decode(document)
    found: list[tuple[dict[str, Any], str, dict[str, Any]]] = []
    trace_id = _trace_id(decoded)
    for item in decoded["spans"] if isinstance(decoded.get("spans"), list) else [decoded]:
        try:
            found.append(span_of_record(item if is_record(item) else _record({**trace_id, **item})))
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            why = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
            problem(f"not a span: {why}")
    return grouped(found)


def _trace_id(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: members[name] for name in ("trace_id", "traceId") if name in members}


def _record(bare: Mapping[str, Any]) -> dict[str, Any]:
    """The span with the names of OTLP. A kind or a status that OTLP does not have is left out."""
    resource, service = bare.get("resource"), _first(bare, SERVICES)
    if isinstance(resource, dict) and not isinstance(resource.get("attributes"), (dict, list)):
        resource = {"attributes": resource}
    elif resource is None and isinstance(service, str):
        resource = {"attributes": {"service.name": service}}
    status = bare.get("status", bare.get("status.code"))
    code = status.get("code", status.get("status_code")) if isinstance(status, dict) else status
    message = status.get("message", status.get("description")) if isinstance(status, dict) else None
    kind, end = bare.get("kind"), _first(bare, ENDS)
    return {
        **bare,
        "parentSpanId": _first(bare, PARENTS),
        "startTimeUnixNano": time_ns(_first(bare, STARTS)),
        "endTimeUnixNano": time_ns(end) if end else 0,
        "resource": resource,
        "kind": kind if not isinstance(kind, str) else _word(kind) if _word(kind) in KINDS else None,
        "status": {"code": code if not isinstance(code, str) or _word(code) in STATUSES else None, "message": message},
        "attributes": bare.get("attributes") or bare.get("labels") or {},
        "links": [],
        "events": [],
    }


def _word(text: str) -> str:
    """The name in an enumeration: `SERVER` for `SpanKind.SERVER`, `SPAN_KIND_SERVER`, `RPC_SERVER` and `server`."""
    return re.sub("^(SPAN_KIND_|STATUS_CODE_|RPC_|.*[.])", "", text.upper())


def _first(members: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((members[name] for name in names if name in members), None)
