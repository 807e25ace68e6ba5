"""What rules may read of a span: spans that no rule can tell apart share one shape.

A few hundred shapes stand for any number of spans, so each rule runs once for a shape, not once for a span.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.trace.codes import CODES, EXCEPTION_KEYS, codes_in
from lambda_latency.trace.keys import FOLLOWS, INVOCATION_KEYS, READ, RESOURCE_KEYS, ROUTE, reduced
from lambda_latency.trace.platform import (
    FUNCTION,
    GATEWAY,
    OUTER,
    PHASES,
    READ_NAMES,
    RUNTIME_SCOPES,
    SERVICE,
    STATE_MACHINE,
)
from lambda_latency.trace.span import SpanKind, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lambda_latency.trace.span import Span

__all__ = [
    "ASIDE",
    "ATTEMPTS",
    "COLD",
    "CONTAINER",
    "EXECUTION",
    "FUNCTION_SEGMENT",
    "HANDLES",
    "INIT",
    "LAMBDA_SEGMENT",
    "OUTERMOST",
    "SERVES",
    "TIMED_OUT",
    "Shape",
    "error_codes",
]

# Roles: bits that a trace is searched by.
OUTERMOST = 1  # may be the span whose duration is the request's
SERVES = 2  # SERVER or CONSUMER, and not a span of the platform
LAMBDA_SEGMENT = 4  # of the Lambda service, or of a function
FUNCTION_SEGMENT = 8
INIT = 16  # an Initialization or Restore if it lies below a function segment; the kit's own wherever it lies
COLD = 32
TIMED_OUT = 64
HANDLES = 128  # a span of what ran inside a function: an invocation, or a server of its own
ATTEMPTS = 256  # has an event for each attempt of its call
CONTAINER = (
    512  # a function segment, or an Invocation if it lies below one: what it is charged to depends on its inside
)
# Where X-Ray's SDK says that a user's own server runs.
HOSTS = ("AWS::EC2", "AWS::ECS", "AWS::EKS", "AWS::ElasticBeanstalk", "AWS::AppRunner")
EXECUTION = 2048  # of a state machine
ASIDE = 1024  # follows from its parent, which does not wait for it


class Shape:
    """A span without ids, times and names that no rule reads.

    `name` is the name of a span that the shape was made of; `by_name` says whether rules read it, and then it is that
    of each span of the shape. `remote`: whether the parent is in another process; None where it is unknown. `codes`
    are the error codes of `CODES` that the span tells. `rank` is the position among the platform's outer spans, from
    the outside in. `phase` is the name of a Lambda phase, which the span is if it lies below a function segment.
    """

    __slots__ = (
        "by_name",
        "codes",
        "kind",
        "name",
        "origin",
        "phase",
        "rank",
        "remote",
        "resource",
        "roles",
        "scope",
        "status",
        "values",
    )

    def __init__(
        self,
        name: str,
        kind: SpanKind,
        status: Status,
        remote: bool | None,
        scope: str,
        resource: Mapping[str, object],
        values: Mapping[str, object],
        codes: Iterable[str] = (),
        *,
        attempts: bool = False,
    ) -> None:
        self.name, self.kind, self.status, self.remote = name, kind, status, remote
        self.scope, self.resource, self.values = scope, resource, values
        origin, told = values.get("aws.xray.origin"), values.get("error.type")
        self.origin = origin if isinstance(origin, str) else None
        self.codes = frozenset([*codes, *told] if isinstance(told, tuple) else codes)
        self.rank = OUTER.index(self.origin) if self.origin in OUTER else len(OUTER)
        self.phase = name if name in PHASES and kind is SpanKind.INTERNAL else ""
        own = scope in RUNTIME_SCOPES
        self.by_name = own or name in READ_NAMES or (self.is_aws_call and not self.operation)
        serves = kind in (SpanKind.SERVER, SpanKind.CONSUMER) and (self.origin or HOSTS[0]).startswith(HOSTS)
        handler = serves and (own or not values.keys().isdisjoint(INVOCATION_KEYS))
        init = (own and name in ("init", "restore")) or self.phase in ("Initialization", "Restore")
        self.roles = (
            OUTERMOST * (handler or self.rank < len(OUTER))
            | SERVES * serves
            | LAMBDA_SEGMENT * (self.origin in (SERVICE, FUNCTION))
            | FUNCTION_SEGMENT * (self.origin == FUNCTION)
            | INIT * init
            | COLD * (values.get("faas.coldstart") is True)
            | TIMED_OUT * (values.get("lambda.timeout") is True)
            | HANDLES * (handler or kind is SpanKind.SERVER)
            | ATTEMPTS * attempts
            | ASIDE * (values.get(FOLLOWS) == "FOLLOWS_FROM")
            | EXECUTION * (self.origin == STATE_MACHINE)
            | CONTAINER * (self.origin == FUNCTION or self.phase == "Invocation")
        )

    @classmethod
    def of(cls, span: Span, *, attempts: bool) -> Shape:
        """The shape of one span. `attempts`: whether its events tell how its call was tried again."""
        return cls(
            span.name,
            span.kind,
            span.status,
            span.parent_remote,
            span.scope.name,
            {key: span.resource[key] for key in RESOURCE_KEYS if key in span.resource},
            {key: reduced(key, value) for key, value in span.attributes.items() if key in READ and key != ROUTE},
            error_codes(span.status_message, (one.attributes for one in span.events if one.name == "exception")),
            attempts=attempts,
        )

    def __getitem__(self, key: str) -> object:
        """The value of an attribute in `READ`, reduced; None where it is absent."""
        value = self.values.get(key)
        if value is None and key not in READ:
            raise KeyError(f"{key} is not kept in rows: add it to trace/keys.py")
        return value

    def text(self, *keys: str) -> str:
        """The first of these attributes that says something; a list as its items, with commas."""
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

    @property
    def is_call(self) -> bool:
        """Whether it calls or sends to another party."""
        return self.kind in (SpanKind.CLIENT, SpanKind.PRODUCER)

    @property
    def is_aws_call(self) -> bool:
        """Whether an AWS SDK made the call."""
        return self.is_call and ("aws-api" in self.text("rpc.system") or self.text("db.system") == "dynamodb")

    @property
    def operation(self) -> str:
        """The operation of an AWS call without its service; empty where only the name may tell it."""
        return self.text("rpc.method", "db.operation").rpartition("/")[2]

    @property
    def is_gateway(self) -> bool:
        """Whether API Gateway recorded it."""
        return self.origin == GATEWAY

    @property
    def is_runtime_init(self) -> bool:
        """Whether it is the kit's own `init` or `restore`: a child of the handler's span that begins before it."""
        return bool(self.roles & INIT) and not self.phase

    @property
    def is_provisional(self) -> bool:
        """Whether a later span of the same id replaces it."""
        return self.values.get("lambda.provisional") is True

    def facts(self) -> tuple[object, ...]:
        """All that it holds, as values that compare: equal for shapes that were read from different spellings."""
        values = sorted(self.values.items())
        told = self.kind.value, self.status.value, self.remote, self.scope, sorted(self.resource.items(), key=repr)
        return self.name, *told, repr(values), sorted(self.codes), self.roles


def error_codes(message: str, exceptions: Iterable[Mapping[str, object]]) -> frozenset[str]:
    """The codes of `CODES` that a status message and the attributes of exception events tell."""
    texts = [message] if message else []
    for attributes in exceptions:
        texts += [str(attributes.get(key, "")) for key in EXCEPTION_KEYS]
    return CODES & codes_in(texts) if texts else frozenset()
