"""Converts one segment or subsegment of X-Ray: kind, status, calls and errors in the terms of OpenTelemetry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from msgspec import Raw, Struct, field

from lambda_latency.trace.model.attributes import freeze
from lambda_latency.trace.model.compact_span import ATTEMPT, DELAY, LONGEST_MS
from lambda_latency.trace.model.keys import DURABLE_KEYS, EXECUTION_ARN, SYNTHETIC_ROOT
from lambda_latency.trace.model.platform import FUNCTION, RUNTIME_SCOPE, SERVICE
from lambda_latency.trace.model.span import Event, SpanKind, Status

LAST_SECOND = 2**62 // 10**9
RESOURCE = "otel.resource."
NESTED = (list, dict)  # the types of JSON values that hold other values
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})
# The members of X-Ray's `aws` block of an AWS call, and their attributes in OpenTelemetry.
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
# X-Ray keeps no instrumentation scope: the kit's own spans are recognized by attributes that no other span has.
HOST = "lambda.connect.host"
KIT = (HOST, "lambda.init.type")
RETRY = ("lambda.retry.first_ended_ms", "lambda.retry.last_began_ms")  # after the start of a call that was retried
# Annotations have no dots unless the exporter is configured to keep them.
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
        EXECUTION_ARN,
        SYNTHETIC_ROOT,
        *DURABLE_KEYS,
    )
}


class SegmentDocument(Struct, gc=False, kw_only=True):
    """A segment document. In some documents the `Any` members have another type, and are then ignored."""

    id: str
    start: Raw = field(name="start_time")
    end: Raw = field(name="end_time", default=Raw(b"null"))
    name: str | None = ""
    trace_id: str | None = None
    parent_id: str | None = None
    type: str | None = None
    origin: str | None = None
    namespace: str | None = None
    inferred: bool | None = None
    in_progress: bool | None = None
    fault: bool | None = None
    error: bool | None = None
    throttle: bool | None = None
    http: Any = None
    aws: Any = None
    sql: Any = None
    cause: Any = None
    annotations: Any = None
    metadata: Any = None
    links: Any = None
    subsegments: list[SegmentDocument] | None = None


class Described(NamedTuple):
    """The span of a segment, without ids and times."""

    name: str
    kind: SpanKind
    status: Status
    attributes: dict[str, Any]
    resource: dict[str, Any]
    scope: str


def described(segment: SegmentDocument, *, subsegment: bool) -> Described:
    """The span of a segment. `subsegment`: whether the document is a subsegment."""
    namespace, name = segment.namespace, segment.name or ""
    attributes, resource = _values(segment)
    local_kind = SpanKind.INTERNAL if subsegment else SpanKind.SERVER
    kind = SpanKind.CLIENT if namespace in ("aws", "remote") else local_kind
    if namespace is not None or segment.http is not None or segment.sql is not None:
        _add_call(segment, name, attributes)
    if HOST in attributes:
        attributes["server.address"] = attributes[HOST]
    if not subsegment:
        _add_service(segment, name, attributes, resource)
    if segment.throttle:
        # In place of DynamoDB's 400 or of none: rules look for 429
        attributes["http.status_code"] = 429
    scope = "" if attributes.keys().isdisjoint(KIT) else RUNTIME_SCOPE
    name = _name(name, kind, namespace, attributes)
    return Described(name, kind, _status(segment, kind), attributes, resource, scope)


def _add_call(segment: SegmentDocument, name: str, attributes: dict[str, Any]) -> None:
    """Add the attributes of a call over HTTP, to an AWS service, or to a database."""
    if segment.http is not None:
        _add_http(segment.http, attributes)
    if segment.namespace == "aws":
        _add_aws(segment, name, attributes)
    elif segment.namespace == "remote" and not attributes.get("http.url") and name not in METHODS:
        attributes.setdefault("peer.service", name)
    if segment.sql is not None:
        _add_sql(segment.sql, attributes)


def _add_service(segment: SegmentDocument, name: str, attributes: dict[str, Any], resource: dict[str, Any]) -> None:
    """Add what names the service of a segment, and where it logs."""
    if segment.origin is not None:
        attributes["aws.xray.origin"] = segment.origin
        if segment.origin in (SERVICE, FUNCTION):
            resource.setdefault("faas.name", name)
    resource.setdefault("service.name", name)
    _add_log(segment.aws, attributes)


def _add_log(block: object, attributes: dict[str, Any]) -> None:
    """Where the segment's service logs: its request id, its ARN, and its log groups."""
    if not isinstance(block, dict):
        return
    for member, key in (("request_id", "aws.request_id"), ("function_arn", "aws.lambda.invoked_arn")):
        if isinstance(block.get(member), str):
            attributes.setdefault(key, block[member])
    logs = block.get("cloudwatch_logs")
    groups = [log.get("log_group") for log in logs if isinstance(log, dict)] if isinstance(logs, list) else []
    if any(groups):
        attributes.setdefault("aws.log.group.names", [group for group in groups if isinstance(group, str)])


def count_retries(segments: Sequence[SegmentDocument]) -> None:
    """Make `retries` of AWS calls the number of retries. `segments` are a segment and its subsegments.

    For the AWS SDK v3, the X-Ray SDK for Node.js writes the number of attempts, which is never 0:
    https://github.com/aws/aws-xray-sdk-node/blob/master/packages/core/lib/patchers/aws3_p.ts
    """
    blocks = [segment.aws for segment in segments if segment.namespace == "aws" and isinstance(segment.aws, dict)]
    counted = [block for block in blocks if isinstance(block.get("retries"), int)]
    if all(block["retries"] > 0 for block in counted):
        for block in counted:
            block["retries"] -= 1


def exceptions_of(segment: SegmentDocument, start_ns: int) -> Iterator[Event]:
    """The exceptions of a segment, as events at its start, because X-Ray keeps no instants of them."""
    exceptions = segment.cause.get("exceptions") if isinstance(segment.cause, dict) else None
    for exception in exceptions if isinstance(exceptions, list) else ():
        if isinstance(exception, dict):
            attributes = {f"exception.{key}": str(exception.get(key) or "") for key in ("type", "message")}
            yield Event("exception", start_ns, attributes)


def attempts_in(attributes: dict[str, Any], start_ns: int) -> Iterator[Event]:
    """An event at the end of a call's first attempt, whose delay lasts until the start of the last attempt.

    X-Ray keeps no events, so the kit keeps the two times as attributes.
    """
    if RETRY[0] not in attributes:
        return
    first_ms, last_ms = (attributes.get(key) for key in RETRY)
    if isinstance(first_ms, int | float) and isinstance(last_ms, int | float) and 0 <= first_ms <= last_ms < LONGEST_MS:
        yield Event(ATTEMPT, start_ns + round(first_ms * 10**6), {"attempt": 1, DELAY: last_ms - first_ms})


def nanoseconds(raw: Raw, name: str) -> int | None:
    """Seconds since 1970, with decimals, as nanoseconds; None for null. Raises `ValueError` for anything else.

    The digits are read as text, because a binary float resolves an epoch time only to about 0.24 microseconds.
    """
    text = bytes(raw)
    whole, _, fraction = text.partition(b".")
    if whole.isdigit() and len(fraction) <= 9 and (not fraction or fraction.isdigit()):
        ns = int(whole) * 10**9 + int(fraction.ljust(9, b"0"))
    elif text == b"null":
        return None
    else:
        try:
            ns = round(Decimal(text.decode()) * 10**9)
        except (InvalidOperation, OverflowError):
            ns = 0
    if not 0 < ns < LAST_SECOND * 10**9:
        raise ValueError(f"{name} must be seconds since 1970, got {text.decode():.60}")
    return ns


def _values(segment: SegmentDocument) -> tuple[dict[str, Any], dict[str, Any]]:
    """Annotations and metadata: the attributes of the span, and those that the exporter took from the resource."""
    metadata = segment.metadata
    default = metadata.get("default") if isinstance(metadata, dict) else None
    attributes: dict[str, Any] = {}
    resource: dict[str, Any] = {}
    for group in (default, segment.annotations):
        for key, value in group.items() if isinstance(group, dict) else ():
            frozen = freeze(value) if value.__class__ in NESTED else value
            if key.startswith(RESOURCE):
                resource[key[len(RESOURCE) :]] = frozen
            else:
                attributes[DOTTED.get(key) or key] = frozen
    return attributes, resource


def _add_http(http: object, attributes: dict[str, Any]) -> None:
    request, response = (http.get("request"), http.get("response")) if isinstance(http, dict) else (None, None)
    if isinstance(request, dict):
        for key in ("method", "url"):
            if request.get(key):
                attributes[f"http.{key}"] = freeze(request[key])
    if isinstance(response, dict) and isinstance(response.get("status"), int):
        attributes["http.status_code"] = response["status"]


def _add_aws(segment: SegmentDocument, name: str, attributes: dict[str, Any]) -> None:
    block = segment.aws if isinstance(segment.aws, dict) else {}
    attributes["rpc.system"] = "aws-api"
    attributes["rpc.service"] = attributes.get("rpc.service") or name
    operation = block.get("operation") or attributes.get("rpc.method")
    if operation:
        attributes["rpc.method"] = str(operation).rpartition("/")[2]
    for key, to in AWS.items():
        if block.get(key):
            attributes[to] = freeze(block[key])


def _add_sql(sql: object, attributes: dict[str, Any]) -> None:
    if isinstance(sql, dict) and sql:
        attributes["db.system"] = str(sql.get("database_type") or "sql").lower()
        name = str(sql.get("url") or "").partition("?")[0].rpartition("/")[2]
        if name:
            attributes["db.name"] = name


def _name(name: str, kind: SpanKind, namespace: object, attributes: dict[str, Any]) -> str:
    """The span's name, made from its attributes: the exporter replaced it by the name of a node of the service map."""
    if kind is SpanKind.CLIENT and HOST in attributes:
        return "connect"  # the only span of the kit with that attribute
    if namespace == "aws" and attributes.get("rpc.method"):
        return f"{attributes['rpc.service']}.{attributes['rpc.method']}"
    method = str(attributes.get("http.request.method") or attributes.get("http.method") or "")
    if not method:
        return name
    if namespace == "remote":
        return method
    route = attributes.get("http.route") if "aws.xray.origin" not in attributes else None
    return f"{method} {route}" if route and kind is SpanKind.SERVER else name


def _status(segment: SegmentDocument, kind: SpanKind) -> Status:
    if segment.fault:
        return Status.ERROR
    # A 4xx answer is an error of the caller, not of the server.
    return Status.ERROR if (segment.error or segment.throttle) and kind is not SpanKind.SERVER else Status.UNSET
