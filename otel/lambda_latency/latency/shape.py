"""All that the rules may know of a span: a few hundred shapes stand for any number of spans.

A rule can read nothing that is not here, so what is remembered for a shape is right for every span of that shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from lambda_latency.trace import Span, SpanKind

__all__ = ["KEYS", "Shape", "shape_of"]

# The attributes that the rules read. Of an address only the host: its ids and queries would make each call a shape.
KEYS = (
    "rpc.system",
    "rpc.service",
    "rpc.method",
    "db.system",
    "db.system.name",
    "db.operation",
    "db.name",
    "db.namespace",
    "http.method",
    "http.request.method",
    "peer.service",
    "server.address",
    "net.peer.name",
    "http.url",
    "url.full",
    "aws.table_name",
    "aws.dynamodb.table_names",
    "aws.s3.bucket",
    "aws.queue_url",
    "aws.sqs.queue.url",
    "aws.sns.topic.arn",
    "aws.kinesis.stream_name",
    "aws.kinesis.stream.name",
    "aws.lambda.function.name",
    "aws.secretsmanager.secret.arn",
    "aws.stepfunctions.state_machine.arn",
    "faas.invoked_name",
    "messaging.destination.name",
    "messaging.url",
)
INDEX = {key: index for index, key in enumerate(KEYS)}
ADDRESSES = ("http.url", "url.full")


@dataclass(frozen=True, slots=True)
class Shape:
    """Scope, name, kind, origin and key attributes of a span, the origin of its parent, and what it `holds`.

    `holds` is told of Lambda's function segment and its Invocation only: `invocation`, `handler` (a span of an
    instrumentation), `calls` (other spans of the user's) or nothing.
    """

    scope: str
    name: str
    kind: SpanKind
    origin: str | None
    parent_origin: str | None
    holds: str
    values: tuple[object, ...]

    def __getitem__(self, key: str) -> object:
        return self.values[INDEX[key]]

    def text(self, *keys: str) -> str:
        """The first of these attributes that says something; of a list all of it."""
        for key in keys:
            value = self[key]
            if isinstance(value, tuple):
                value = ",".join(map(str, value))
            if value:
                return str(value)
        return ""

    @property
    def host(self) -> str:
        """Whom a client span calls, without the port."""
        host = self.text("peer.service", "server.address", "net.peer.name", "http.url", "url.full")
        name, colon, port = host.rpartition(":")
        return name.strip("[]") if colon and port.isdigit() and (":" not in name or name.endswith("]")) else host


def shape_of(span: Span, parent: Span | None, holds: str = "") -> Shape:
    """The shape of a span below its recorded parent."""
    get = span.attributes.get
    values = tuple(_host_of(get(key)) if key in ADDRESSES else get(key) for key in KEYS)
    parent_origin = parent.origin if parent is not None else None
    return Shape(span.scope.name, span.name, span.kind, span.origin, parent_origin, holds, values)


def _host_of(url: object) -> str:
    try:
        return urlsplit(url).hostname or "" if isinstance(url, str) else ""
    except ValueError:
        return ""  # "http://[::1" is not worth a report
