"""Makes the segment document that ADOT's exporter, awsxray, makes of a span.

The exporter itself cannot run here. Its rules are implemented again and compared with documents that it made:
https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/v0.117.0/exporter/awsxrayexporter
Only rules for spans of Python functions on Lambda are implemented. Span links, origins of EC2 and containers, stacks of
other languages and the doubled root spans of Application Signals are omitted. So is one check: the exporter drops a
trace whose id does not contain a time of the last 28 days.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Collection, Mapping
from typing import Any

from lambda_latency.local.xray.aws import aws_part
from lambda_latency.local.xray.cause import cause_part, flags
from lambda_latency.local.xray.http import http_part
from lambda_latency.trace import Span, SpanKind

NOT_IN_A_NAME = re.compile(r"[^ 0-9\w.:/%&#=+\-@]")
NOT_IN_A_KEY = re.compile(r"[^0-9A-Za-z.]")
LONGEST_NAME = 200
OWN_ANNOTATIONS = "aws.xray.annotations"
OWN_METADATA = "aws.xray.metadata."  # followed by a namespace; the value is a JSON object
DATABASES = (
    "db2",
    "derby",
    "hive",
    "mariadb",
    "mssql",
    "mysql",
    "oracle",
    "postgresql",
    "sqlite",
    "teradata",
    "other_sql",
)
PREFIXES = ("AWS.SDK.", "AWS::")


def segment_document(span: Span, indexed: Collection[str]) -> dict[str, Any]:
    """The segment document of a span. `indexed` are the attributes that become annotations, as the exporter's setting.

    Times are epoch seconds.
    """
    is_segment = span.kind is SpanKind.SERVER or span.parent_id is None
    left = dict(span.attributes)  # each part removes its attributes; the rest becomes annotations and metadata
    parts: dict[str, Any] = {
        "name": _name(span),
        "id": span.span_id,
        "trace_id": xray_trace_id(span.trace_id),
        "parent_id": span.parent_id,
        "start_time": seconds(span.start_ns),
        "end_time": seconds(span.end_ns or 0),
        "http": http_part(span, left),
        **flags(span),
        "cause": cause_part(span, left),
        "aws": aws_part(span, left),
        "sql": _sql(span, left),
        "user": left.pop("enduser.id", None),
        "service": _service(span),
        "namespace": _namespace(span),
        "type": None if is_segment else "subsegment",
    }
    left |= {name: span.attributes[name] for name in indexed if name in span.attributes}
    parts |= _attributes(left, span.resource if is_segment else {}, indexed)
    return {name: part for name, part in parts.items() if part is not None}


def xray_trace_id(trace_id: str) -> str:
    """A trace id as X-Ray writes it: `1-5759e988-bd862e3fe1be46a994272793`."""
    return f"1-{trace_id[:8]}-{trace_id[8:]}"


def seconds(ns: int) -> float:
    """Epoch seconds as a 64-bit float, as the exporter writes them: exact to about 0.24 microseconds."""
    return float(ns) / 1e9


def is_aws_call(span: Span) -> bool:
    """Whether a span is a call by an AWS SDK."""
    return span.attributes.get("rpc.system") == "aws-api"


def _name(span: Span) -> str:
    """The node's name in X-Ray: a service, not an operation."""
    outgoing = span.kind in (SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER)
    remote = _text(span, "aws.remote.service") if outgoing else ""
    if is_aws_call(span):
        for prefix in PREFIXES:
            remote = remote.removeprefix(prefix)
    server = span.kind is SpanKind.SERVER
    return (
        remote
        or (_text(span, "aws.local.service") if server else "")
        or _text(span, "peer.service")
        or _text(span, "aws.service")
        or _text(span, "db.name")
        or (str(span.resource.get("service.name") or "") if server else "")
        or _text(span, "rpc.service")
        or _text(span, "http.host")
        or _text(span, "net.peer.name")
        or NOT_IN_A_NAME.sub("", span.name)[:LONGEST_NAME]
        or "span"
    )


def _namespace(span: Span) -> str | None:
    if is_aws_call(span) or _text(span, "aws.service"):
        return "aws"
    return "remote" if span.kind is SpanKind.CLIENT else None


def _service(span: Span) -> dict[str, str] | None:
    version = span.resource.get("service.version") or span.resource.get("container.image.tag")
    return {"version": str(version)} if version else None


def _attributes(left: dict[str, object], resource: Mapping[str, object], indexed: Collection[str]) -> dict[str, Any]:
    """Annotations and metadata. An indexed list is in neither: the exporter drops it."""
    named = left.pop(OWN_ANNOTATIONS, None)
    keys = {*indexed, *(named if isinstance(named, tuple) else ())}
    annotations: dict[str, object] = {}
    metadata: dict[str, object] = {}
    namespaces: dict[str, object] = {}
    for key, value in {**left, **{f"otel.resource.{key}": value for key, value in resource.items()}}.items():
        if key in keys:
            if isinstance(value, (str, bool, int, float)):
                annotations[NOT_IN_A_KEY.sub("_", key)] = value
        elif key.startswith(OWN_METADATA) and (own := _object(value)) is not None:
            namespace = key.removeprefix(OWN_METADATA)
            if namespace.lower() == "default":
                metadata |= own
            else:
                namespaces[namespace] = own
        elif value is not None:
            metadata[key] = _plain(value)
    if metadata:
        namespaces["default"] = metadata
    return {"annotations": annotations or None, "metadata": namespaces or None}


def _object(value: object) -> dict[str, object] | None:
    """The JSON object in a text; None for any other value."""
    try:
        found = json.loads(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _sql(span: Span, left: dict[str, Any]) -> dict[str, Any] | None:
    """The part of a call to a database; its attributes are removed from `left`. The URL is the span's name."""
    if left.get("db.system") not in DATABASES:
        return None
    taken = {
        key: str(left.pop(f"db.{key}", "")) for key in ("connection_string", "system", "name", "statement", "user")
    }
    return {
        "url": span.name,
        "connection_string": f"{taken['connection_string'] or 'localhost'}/{taken['name']}",
        "database_type": taken["system"],
        "user": taken["user"],
        "sanitized_query": taken["statement"],
    }


def _plain(value: object) -> object:
    """A value with JSON's types: bytes in base64."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return b64encode(value).decode() if isinstance(value, bytes) else value


def _text(span: Span, key: str) -> str:
    value = span.attributes.get(key)
    return value if isinstance(value, str) else ""
