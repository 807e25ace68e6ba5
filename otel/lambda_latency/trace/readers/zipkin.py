"""Reads Zipkin's JSON, version 2. Times are microseconds, ids have 64 or 128 bits.

https://zipkin.io/zipkin-api/ describes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Raw

from lambda_latency.trace.model.ids import server_id
from lambda_latency.trace.model.problem import BY_COLLECTOR
from lambda_latency.trace.readers.anyvalue import write_attributes
from lambda_latency.trace.readers.dialects import OnProblem, canonical_span, hex_id
from lambda_latency.trace.readers.otlp import Converted, converted
from lambda_latency.trace.readers.otlp_message import decode_any


def is_zipkin(members: Mapping[str, Raw]) -> bool:
    """Whether these are the members of a span, of version 1 too."""
    names = ("timestamp", "localEndpoint", "kind", "tags", "duration", "annotations", "binaryAnnotations")
    return "traceId" in members and "id" in members and any(key in members for key in names)


def zipkin_resources(document: bytes, problem: OnProblem) -> list[dict[str, Any]]:
    """The spans of a document, which is one span or a list, as the resources of OTLP/JSON."""
    decoded = decode_any(document)
    spans = _joined(decoded if isinstance(decoded, list) else [decoded])
    objects = [span for span in spans if isinstance(span, dict)]
    if any(map(_is_first_version, objects)):
        problem(f"not read: Zipkin's version 1; {BY_COLLECTOR}")
        return []
    shared = _shared_ids(objects)

    def convert(span: dict[str, Any]) -> Converted:
        resource = {"attributes": write_attributes({"service.name": _service(span)})} if _service(span) else {}
        return resource, "", canonical_span(_span(span, shared))

    return converted(spans, convert, "a Zipkin span", problem)


def _shared_ids(spans: list[dict[str, Any]]) -> dict[str, str]:
    """The client's service for each id that a server shares with a client. Flags each server that shares an id."""
    calls = {hex_id(span.get("id"), 16) for span in spans if span.get("kind") == "CLIENT"}
    for span in spans:  # not every writer sets the flag
        if span.get("kind") == "SERVER" and hex_id(span.get("id"), 16) in calls:
            span["shared"] = True
    servers = {hex_id(span.get("id"), 16) for span in spans if span.get("shared")}
    clients = {hex_id(span.get("id"), 16): _service(span) for span in spans if not span.get("shared")}
    return {span_id: clients[span_id] for span_id in clients.keys() & servers}


def _joined(pieces: list[Any]) -> list[Any]:
    """The spans; a piece without a timestamp is merged into the span of the same id that has one."""
    objects = [piece for piece in pieces if isinstance(piece, dict)]
    timed = {(piece.get("traceId"), piece.get("id")): piece for piece in objects if piece.get("timestamp")}
    spans: list[Any] = []
    for piece in pieces:
        span = timed.get((piece.get("traceId"), piece.get("id"))) if isinstance(piece, dict) else None
        if span is None or piece.get("timestamp"):
            spans.append(piece)
        else:
            _merge(piece, span)
    return spans


def _merge(piece: dict[str, Any], span: dict[str, Any]) -> None:
    for name in ("kind", "localEndpoint", "name", "parentId", "remoteEndpoint"):
        span[name] = span.get(name) or piece.get(name)
    span["tags"] = {**(piece.get("tags") or {}), **(span.get("tags") or {})}


def _span(raw: dict[str, Any], shared: dict[str, str]) -> dict[str, Any]:
    """A span for `canonical_span`. `shared` has the client's service for each id that a server shares with a client."""
    tags = raw.get("tags") or {}
    span_id, parent_id = _ids(raw, shared)
    start_ns = round(1000 * raw["timestamp"])
    attributes = {**_peer(raw), **_database(tags), **tags}
    duration, error = raw.get("duration"), tags.get("error")
    return {
        "traceId": raw["traceId"],
        "spanId": span_id,
        "parentSpanId": parent_id,
        "name": raw.get("name") or "",
        "kind": raw.get("kind") or 0,
        "startTimeUnixNano": start_ns,
        "endTimeUnixNano": start_ns + round(1000 * duration) if duration is not None else 0,
        "status": {} if error in (None, False, "false") else {"code": "ERROR", "message": str(error)},
        "attributes": attributes,
        "events": [
            {"name": str(note.get("value")), "timeUnixNano": round(1000 * note["timestamp"])}
            for note in raw.get("annotations") or ()
        ],
    }


def _ids(raw: dict[str, Any], shared: dict[str, str]) -> tuple[Any, Any]:
    span_id, parent_id = hex_id(raw["id"], 16), hex_id(raw.get("parentId"), 16)
    if raw.get("shared") and span_id in shared:
        return server_id(span_id), span_id
    is_of_server = parent_id in shared and _service(raw) != shared[parent_id]
    return span_id, server_id(parent_id) if is_of_server else parent_id


def _peer(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The callee of a call."""
    remote = raw.get("remoteEndpoint") or {}
    peer = remote.get("serviceName") or remote.get("ipv4") or remote.get("ipv6")
    return {"peer.service": peer} if peer and raw.get("kind") in ("CLIENT", "PRODUCER") else {}


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
