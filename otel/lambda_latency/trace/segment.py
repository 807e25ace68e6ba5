"""One segment or subsegment as a span: X-Ray's own words for kind, status, calls and errors as OpenTelemetry's."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lambda_latency.trace.platform import FUNCTION, RUNTIME_SCOPE, SERVICE
from lambda_latency.trace.span import Event, Scope, Span, SpanKind, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["span_of"]

SPAN_ID = re.compile(r"[0-9a-f]{16}\Z")
LAST_SECOND = 2**63 // 10**9
RESOURCE = "otel.resource."
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})
# What X-Ray keeps of an AWS call in its `aws` block, and what OpenTelemetry calls it.
AWS = {
    "table_name": "aws.table_name",
    "queue_url": "aws.queue_url",
    "bucket_name": "aws.s3.bucket",
    "topic_arn": "aws.sns.topic.arn",
    "stream_name": "aws.kinesis.stream_name",
    "function_name": "aws.lambda.function.name",
    "request_id": "aws.request_id",
    "retries": "retry_attempts",
}
# X-Ray keeps no instrumentation scope: the kit's own spans are known by an attribute that others have not.
HOST = "lambda.connect.host"
KIT = (HOST, "lambda.init.type")
LONGEST_MS = 900_000  # a function runs no longer; what is not a number is not less
RETRY = ("lambda.retry.first_ended_ms", "lambda.retry.last_began_ms")  # since the begin of a call that was tried again
# Annotations have no dots unless the exporter was told to keep them.
DOTTED = {
    key.replace(".", "_"): key
    for key in (
        "aws.table_name",
        "faas.coldstart",
        "http.method",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "http.status_code",
        "lambda.provisional",
        "lambda.timeout",
        "lambda.timeout.limit_ms",
        "peer.service",
        "rpc.method",
        "rpc.service",
        "rpc.system",
    )
}


def span_of(raw: dict[str, Any], trace_id: str, parent_id: object, *, subsegment: bool) -> Span:
    """The span that a document stands for. Raises ValueError that says what is wrong with it."""
    namespace = raw.get("namespace")
    kind = SpanKind.CLIENT if namespace in ("aws", "remote") else SpanKind.INTERNAL if subsegment else SpanKind.SERVER
    attributes, resource = _values(raw)
    name = str(raw.get("name", ""))
    attributes.update(_http(raw))
    if namespace == "aws":
        attributes.update(_aws(raw, name, attributes))
    elif namespace == "remote" and not attributes.get("http.url") and name not in METHODS:
        attributes.setdefault("peer.service", name)
    attributes.update(_sql(raw))
    if HOST in attributes:
        attributes["server.address"] = attributes[HOST]
    origin = raw.get("origin")
    if not subsegment and isinstance(origin, str):
        attributes["aws.xray.origin"] = origin
        if origin in (SERVICE, FUNCTION):
            resource.setdefault("faas.name", name)
    if not subsegment:
        resource.setdefault("service.name", name)
    if raw.get("throttle") is True:
        attributes["http.status_code"] = 429  # of DynamoDB's 400 and of a flag alone: this is what readers look at
    start = _time(raw.get("start_time"), "start_time")
    end = raw.get("end_time")
    return Span(
        trace_id=trace_id,
        span_id=_id(raw.get("id"), "id"),
        parent_id=None if parent_id in (None, "") else _id(parent_id, "parent_id"),
        name=_name(name, kind, namespace, attributes),
        kind=kind,
        start_ns=start,
        end_ns=None if end is None or raw.get("in_progress") is True else _time(end, "end_time"),
        status=_status(raw, kind),
        attributes=attributes,
        events=(*_exceptions(raw, start), *_attempts(attributes, start)),
        resource=resource,
        scope=Scope(RUNTIME_SCOPE) if any(key in attributes for key in KIT) else Scope(),
    )


def _values(raw: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Annotations and metadata as attributes, and those of them that the exporter took from the resource."""
    metadata = raw.get("metadata")
    default = metadata.get("default") if isinstance(metadata, dict) else None
    values: dict[str, Any] = {}
    for group in (default, raw.get("annotations")):
        for key, value in group.items() if isinstance(group, dict) else ():
            values[DOTTED.get(str(key), str(key))] = _plain(value)
    resource = {key[len(RESOURCE) :]: value for key, value in values.items() if key.startswith(RESOURCE)}
    return {key: value for key, value in values.items() if not key.startswith(RESOURCE)}, resource


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value


def _http(raw: dict[str, Any]) -> dict[str, Any]:
    http = raw.get("http")
    http = http if isinstance(http, dict) else {}
    request, response = http.get("request"), http.get("response")
    found: dict[str, Any] = {}
    if isinstance(request, dict):
        found = {f"http.{key}": request[key] for key in ("method", "url") if request.get(key)}
    if isinstance(response, dict) and isinstance(response.get("status"), int):
        found["http.status_code"] = response["status"]
    return found


def _aws(raw: dict[str, Any], name: str, known: dict[str, Any]) -> dict[str, Any]:
    block = raw.get("aws")
    block = block if isinstance(block, dict) else {}
    found: dict[str, Any] = {"rpc.system": "aws-api", "rpc.service": known.get("rpc.service") or name}
    operation = block.get("operation") or known.get("rpc.method")
    if operation:
        found["rpc.method"] = str(operation).rpartition("/")[2]
    found.update({to: block[key] for key, to in AWS.items() if block.get(key)})
    return found


def _sql(raw: dict[str, Any]) -> dict[str, Any]:
    sql = raw.get("sql")
    if not isinstance(sql, dict) or not sql:
        return {}
    system = str(sql.get("database_type") or "sql").lower()
    name = str(sql.get("url") or "").partition("?")[0].rpartition("/")[2]
    return {"db.system": system, **({"db.name": name} if name else {})}


def _name(name: str, kind: SpanKind, namespace: object, attributes: dict[str, Any]) -> str:
    """The span's own name, which the exporter gave up for the name of a node."""
    method = str(attributes.get("http.request.method") or attributes.get("http.method") or "")
    if namespace == "aws" and attributes.get("rpc.method"):
        return f"{attributes['rpc.service']}.{attributes['rpc.method']}"
    if namespace == "remote" and method:
        return method
    if kind is SpanKind.SERVER and "aws.xray.origin" not in attributes and method and attributes.get("http.route"):
        return f"{method} {attributes['http.route']}"
    return name


def _status(raw: dict[str, Any], kind: SpanKind) -> Status:
    if raw.get("fault") is True:
        return Status.ERROR
    # A caller's mistake is no error of the server that says so.
    failed = raw.get("error") is True or raw.get("throttle") is True
    return Status.ERROR if failed and kind is not SpanKind.SERVER else Status.UNSET


def _exceptions(raw: dict[str, Any], start_ns: int) -> tuple[Event, ...]:
    cause = raw.get("cause")
    found = cause.get("exceptions") if isinstance(cause, dict) else None
    return tuple(
        Event(
            "exception",
            start_ns,
            {"exception.type": str(one.get("type") or ""), "exception.message": str(one.get("message") or "")},
        )
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, dict)
    )


def _attempts(attributes: dict[str, Any], start_ns: int) -> Iterator[Event]:
    """The kit's event of a call's first attempt, as long as all but the last took: X-Ray keeps no events."""
    first, last = (attributes.get(key) for key in RETRY)
    if isinstance(first, int | float) and isinstance(last, int | float) and 0 <= first <= last < LONGEST_MS:
        yield Event("attempt", start_ns + round(first * 10**6), {"attempt": 1, "retry.delay_ms": last - first})


def _time(value: object, name: str) -> int:
    """Seconds since 1970, with decimals, in nanoseconds."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 < value < LAST_SECOND:
        raise ValueError(f"{name} must be seconds since 1970, got {value!s:.60}")
    return round(Decimal(value) * 10**9)


def _id(value: object, name: str) -> str:
    text = value.lower() if isinstance(value, str) else ""
    if SPAN_ID.match(text):
        return text
    raise ValueError(f"{name} must be 16 hex digits, got {value!r:.60}")
