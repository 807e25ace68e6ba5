"""Zipkin's JSON, version 2: https://zipkin.io/zipkin-api/. Times are microseconds, ids of 64 or 128 bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lambda_latency.trace.anyvalue import write_attributes
from lambda_latency.trace.dialects import canonical_span
from lambda_latency.trace.transcoded import Problem, grouped

__all__ = ["is_old_zipkin", "is_zipkin", "zipkin_resources"]

_decode = msgspec.json.Decoder().decode
OWN = 1 << 63  # turns the id that a server shares with its client into one of its own


def is_zipkin(members: Mapping[str, object]) -> bool:
    """Whether an object's members are those of a span of version 2."""
    ids = "traceId" in members and "id" in members
    told = ("timestamp", "localEndpoint", "kind", "tags", "duration")
    return ids and "binaryAnnotations" not in members and any(key in members for key in told)


def is_old_zipkin(members: Mapping[str, object]) -> bool:
    """Whether they are those of a span of version 1."""
    return "traceId" in members and "id" in members and ("binaryAnnotations" in members or "annotations" in members)


def zipkin_resources(document: bytes, problem: Problem) -> list[dict[str, Any]]:
    """The spans of a document: of one span, or of a list of them."""
    told = _decode(document)
    spans = _joined(told) if isinstance(told, list) else [told]
    objects = [one for one in spans if isinstance(one, dict)]
    clients = {str(one.get("id")): _service(one) for one in objects if not one.get("shared")}
    servers = {str(one.get("id")) for one in objects if one.get("shared")}
    shared = {span_id: service for span_id, service in clients.items() if span_id in servers}
    found: list[tuple[dict[str, Any], str, dict[str, Any]]] = []
    for one in spans:
        try:
            resource = {"attributes": write_attributes({"service.name": _service(one)})} if _service(one) else {}
            found.append((resource, "", canonical_span(_span(one, shared))))
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            why = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
            problem(f"not a Zipkin span: {why}")
    return grouped(found)


def _joined(spans: list[Any]) -> list[Any]:
    """The same without the pieces that have no time: what they say goes to the span of the same id that has one."""
    timed = {
        (one.get("traceId"), one.get("id")): one for one in spans if isinstance(one, dict) and one.get("timestamp")
    }
    found: list[Any] = []
    for one in spans:
        whole = timed.get((one.get("traceId"), one.get("id"))) if isinstance(one, dict) else None
        if whole is None or one.get("timestamp"):
            found.append(one)
            continue
        for name in ("kind", "localEndpoint", "name", "parentId", "remoteEndpoint"):
            whole[name] = whole.get(name) or one.get(name)
        whole["tags"] = {**(one.get("tags") or {}), **(whole.get("tags") or {})}
    return found


def _span(told: dict[str, Any], shared: dict[str, str]) -> dict[str, Any]:
    """One span; `shared` are the ids that a server and its client both have, with the service of the client."""
    tags = told.get("tags") or {}
    span_id, parent_id, service = told["id"], told.get("parentId"), _service(told)
    if told.get("shared") and span_id in shared:
        span_id, parent_id = _own(span_id), span_id
    elif parent_id in shared and service != shared[parent_id]:
        parent_id = _own(parent_id)
    start_ns = round(1000 * told["timestamp"])
    duration = told.get("duration")
    remote = told.get("remoteEndpoint") or {}
    peer = remote.get("serviceName") or remote.get("ipv4") or remote.get("ipv6")
    is_call = told.get("kind") in ("CLIENT", "PRODUCER")
    attributes = {**({"peer.service": peer} if peer and is_call else {}), **_database(tags), **tags}
    failed = tags.get("error")
    return {
        "traceId": told["traceId"],
        "spanId": span_id,
        "parentSpanId": parent_id,
        "name": told.get("name") or "",
        "kind": told.get("kind") or 0,
        "startTimeUnixNano": start_ns,
        "endTimeUnixNano": start_ns + round(1000 * duration) if duration is not None else 0,
        "status": {"code": "ERROR", "message": str(failed)} if failed not in (None, False, "false") else {},
        "attributes": attributes,
        "events": [
            {"name": str(one.get("value")), "timeUnixNano": round(1000 * one["timestamp"])}
            for one in told.get("annotations") or ()
        ],
    }


def _database(tags: Mapping[str, Any]) -> dict[str, Any]:
    """What tags of Zipkin's libraries say of a database, by the names that OpenTelemetry has."""
    if "cassandra.keyspace" in tags:
        return {"db.system": "cassandra", "db.name": tags["cassandra.keyspace"]}
    return {"db.system": "sql"} if "sql.query" in tags else {}


def _service(told: dict[str, Any]) -> str:
    endpoint = told.get("localEndpoint")
    return str(endpoint.get("serviceName") or "") if isinstance(endpoint, dict) else ""


def _own(span_id: str) -> str:
    return f"{int(span_id, 16) ^ OWN:016x}"
