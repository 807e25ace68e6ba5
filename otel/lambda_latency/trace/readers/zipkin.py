"""Reads Zipkin's JSON, version 2. Times are microseconds, ids have 64 or 128 bits.

https://zipkin.io/zipkin-api/ describes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from lambda_latency.trace.model.ids import server_id
from lambda_latency.trace.model.problem import BY_COLLECTOR
from lambda_latency.trace.readers.anyvalue import write_attributes
from lambda_latency.trace.readers.dialects import canonical_span, hex_id
from lambda_latency.trace.readers.otlp import Problem, grouped

_decode = msgspec.json.Decoder().decode


def is_zipkin(members: Mapping[str, Raw]) -> bool:
    """Whether these are the members of a span, of version 1 too."""
    others = ("timestamp", "localEndpoint", "kind", "tags", "duration", "annotations", "binaryAnnotations")
    return "traceId" in members and "id" in members and any(key in members for key in others)


def zipkin_resources(document: bytes, problem: Problem) -> list[dict[str, Any]]:
    """The spans of a document, which is one span or a list, as the resources of OTLP/JSON.

    `problem` is called with the reason for each span that is left out.
    """
    decoded = _decode(document)
    spans = _joined(decoded if isinstance(decoded, list) else [decoded])
    objects = [item for item in spans if isinstance(item, dict)]
    if any(map(_is_first_version, objects)):
        problem(f"not read: Zipkin's version 1; {BY_COLLECTOR}")
        return []
    calls = {hex_id(item.get("id"), 16) for item in objects if item.get("kind") == "CLIENT"}
    for item in objects:  # not every writer sets the flag
        if item.get("kind") == "SERVER" and hex_id(item.get("id"), 16) in calls:
            item["shared"] = True
    clients = {hex_id(item.get("id"), 16): _service(item) for item in objects if not item.get("shared")}
    servers = {hex_id(item.get("id"), 16) for item in objects if item.get("shared")}
    shared = {span_id: service for span_id, service in clients.items() if span_id in servers}
    found: list[tuple[dict[str, Any], str, dict[str, Any]]] = []
    for item in spans:
        try:
            resource = {"attributes": write_attributes({"service.name": _service(item)})} if _service(item) else {}
            found.append((resource, "", canonical_span(_span(item, shared))))
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            why = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
            problem(f"not a Zipkin span: {why}")
    return grouped(found)


def _joined(spans: list[Any]) -> list[Any]:
    """The spans; a piece without a timestamp is merged into the span of the same id that has one."""
    timed = {
        (piece.get("traceId"), piece.get("id")): piece
        for piece in spans
        if isinstance(piece, dict) and piece.get("timestamp")
    }
    found: list[Any] = []
    for piece in spans:
        whole = timed.get((piece.get("traceId"), piece.get("id"))) if isinstance(piece, dict) else None
        if whole is None or piece.get("timestamp"):
            found.append(piece)
            continue
        for name in ("kind", "localEndpoint", "name", "parentId", "remoteEndpoint"):
            whole[name] = whole.get(name) or piece.get(name)
        whole["tags"] = {**(piece.get("tags") or {}), **(whole.get("tags") or {})}
    return found


def _span(raw: dict[str, Any], shared: dict[str, str]) -> dict[str, Any]:
    """A span for `canonical_span`. `shared` has the client's service for each id that a server shares with a client."""
    tags = raw.get("tags") or {}
    span_id, parent_id, service = hex_id(raw["id"], 16), hex_id(raw.get("parentId"), 16), _service(raw)
    if raw.get("shared") and span_id in shared:
        span_id, parent_id = server_id(span_id), span_id
    elif parent_id in shared and service != shared[parent_id]:
        parent_id = server_id(parent_id)
    start_ns = round(1000 * raw["timestamp"])
    duration = raw.get("duration")
    remote = raw.get("remoteEndpoint") or {}
    peer = remote.get("serviceName") or remote.get("ipv4") or remote.get("ipv6")
    is_call = raw.get("kind") in ("CLIENT", "PRODUCER")
    attributes = {**({"peer.service": peer} if peer and is_call else {}), **_database(tags), **tags}
    failed = tags.get("error")
    return {
        "traceId": raw["traceId"],
        "spanId": span_id,
        "parentSpanId": parent_id,
        "name": raw.get("name") or "",
        "kind": raw.get("kind") or 0,
        "startTimeUnixNano": start_ns,
        "endTimeUnixNano": start_ns + round(1000 * duration) if duration is not None else 0,
        "status": {"code": "ERROR", "message": str(failed)} if failed not in (None, False, "false") else {},
        "attributes": attributes,
        "events": [
            {"name": str(one.get("value")), "timeUnixNano": round(1000 * one["timestamp"])}
            for one in raw.get("annotations") or ()
        ],
    }


def _is_first_version(raw: Mapping[str, Any]) -> bool:
    """Whether a span has what version 2 removed: binary annotations, and annotations with an endpoint."""
    notes = raw.get("annotations") or ()
    return "binaryAnnotations" in raw or any(isinstance(note, dict) and "endpoint" in note for note in notes)


def _database(tags: Mapping[str, Any]) -> dict[str, Any]:
    """OpenTelemetry's attributes of a database, from the tags of Zipkin's libraries."""
    if "cassandra.keyspace" in tags:
        return {"db.system": "cassandra", "db.name": tags["cassandra.keyspace"]}
    return {"db.system": "sql"} if "sql.query" in tags else {}


def _service(raw: dict[str, Any]) -> str:
    endpoint = raw.get("localEndpoint")
    return str(endpoint.get("serviceName") or "") if isinstance(endpoint, dict) else ""
