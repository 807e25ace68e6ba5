"""The part that a span's self time is charged to: a table of rules, of which the first match counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from lambda_latency.latency.accounts.part import (
    API_GATEWAY,
    LAPTOP_GATEWAY,
    LAPTOP_QUEUE,
    LAPTOP_SANDBOX,
    OVERHEAD,
    SERVICE,
    TELEMETRY,
    UNKNOWN,
    UNKNOWN_CALLEE,
    Part,
)
from lambda_latency.trace import (
    ABSENT,
    CHAIN,
    CONNECTING,
    FUNCTION,
    GATEWAY,
    LAPTOP,
    RUNTIME_SCOPES,
    STATE_MACHINE,
    WAIT,
    Shape,
    SpanKind,
)
from lambda_latency.trace import SERVICE as LAMBDA_SERVICE

CALLS = (SpanKind.CLIENT, SpanKind.PRODUCER)
ADDRESSES = ("peer.service", "server.address", "net.peer.name", "url.full", "http.url")
DATABASES = ("db.namespace", "db.name", "db.instance")  # attributes that name a database

# The attributes that name the resource of an AWS call, in order of preference.
RESOURCES = (
    "aws.table_name",
    "aws.dynamodb.table_names",
    "aws.s3.bucket",
    "aws.sqs.queue.url",
    "aws.queue_url",
    "aws.sns.topic.arn",
    "aws.kinesis.stream.name",
    "aws.kinesis.stream_name",
    "aws.lambda.function.name",
    "aws.function_name",
    "faas.invoked_name",
    "aws.secretsmanager.secret.arn",
    "aws.stepfunctions.state_machine.arn",
    "messaging.destination.name",
    "messaging.url",
)


class Position(NamedTuple):
    """The context of a span: the origin of its recorded parent, its content, and the service whose code runs in it.

    `inside` is the value of `Tree.inside`, or `answered` for a call of API Gateway whose callee recorded spans.
    `service` is empty for the function that received the request first. `in_call`: the span is below a call.
    """

    parent_origin: str | None = None
    inside: str = ""
    service: str = ""
    in_call: bool = False


Test = Callable[[Shape, Position], bool]
Charged = Callable[[Shape, Position], "Part | None"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of span, and the part that its self time is charged to (None: the part of its parent)."""

    what: str
    fits: Test
    part: Charged


def part_of(shape: Shape, position: Position) -> Part | None:
    """The part that a span's self time is charged to; None: the part of its parent."""
    return next((rule.part(shape, position) for rule in RULES if rule.fits(shape, position)), UNKNOWN)


def _origin(name: str) -> Test:
    return lambda shape, _: shape.origin == name


def _below(name: str, *kinds: SpanKind) -> Test:
    return lambda shape, at: at.parent_origin == name and shape.origin is None and shape.kind in kinds


def _phase(*names: str) -> Test:
    return lambda shape, at: shape.phase in names and at.parent_origin == FUNCTION and shape.origin is None


def _runtime(*words: str) -> Test:
    """Match spans of the kit's runtime whose name begins with one of these words."""
    return lambda shape, _: shape.scope in RUNTIME_SCOPES and shape.name.lower().split(" ", 1)[0] in words


def _kind(*kinds: SpanKind) -> Test:
    return lambda shape, _: shape.kind in kinds


def _answered(shape: Shape, at: Position) -> bool:
    return at.parent_origin == GATEWAY and shape.origin is None and shape.is_call and at.inside == "answered"


def _unanswered(shape: Shape, at: Position) -> bool:
    return at.parent_origin == GATEWAY and shape.is_aws_call and shape.text("rpc.method") == "Invoke"


def _is_aws(shape: Shape, _: Position) -> bool:
    return shape.is_aws_call


def _is_database(shape: Shape, at: Position) -> bool:
    if shape.is_step:
        return bool(shape.database) and _is_leaf(at)
    return shape.kind is SpanKind.CLIENT and bool(shape.database or shape.text(*DATABASES, "db.operation"))


def _is_model(shape: Shape, at: Position) -> bool:
    return shape.is_step and _is_leaf(at)


def _is_tool(shape: Shape, _: Position) -> bool:
    return shape.kind is SpanKind.INTERNAL and shape.is_tool


def _is_agent(shape: Shape, _: Position) -> bool:
    """Whether the span is an agent of the same process. The call to a remote one names its address."""
    return shape.is_call and shape.text("gen_ai.operation.name") == "invoke_agent" and not shape.text(*ADDRESSES)


def _is_leaf(at: Position) -> bool:
    """Whether no other span is the call: none above, and none directly below."""
    return not at.in_call and at.inside != "calls"


def _is_receiving(shape: Shape, _: Position) -> bool:
    """Whether the span waits for messages.

    In older conventions a CONSUMER with the operation `receive` may be the handler of the message.
    """
    if shape.is_aws_call and shape.operation == "ReceiveMessage":
        return True
    operation = shape.text("messaging.operation.type") or (shape.is_call and shape.text("messaging.operation"))
    return operation == "receive"


def _is_messaging(shape: Shape, _: Position) -> bool:
    return shape.is_call and bool(shape.text("messaging.system"))


def _is_external(shape: Shape, _: Position) -> bool:
    return shape.is_call and bool(shape.host or shape.text("rpc.service"))


def _always(part: Part | None) -> Charged:
    return lambda _, __: part


def _laptop_or(part: Part, laptop: Part) -> Charged:
    """Charge to AWS's part, or to that of the machine that stands for AWS if its spans say so."""
    return lambda shape, _: laptop if LAPTOP in shape.resource else part


def _aws(shape: Shape, _: Position) -> Part:
    service, _slash, operation = shape.text("rpc.method", "db.operation").rpartition("/")
    service = shape.text("rpc.service") or service or ("DynamoDB" if shape.text("db.system") == "dynamodb" else "")
    if not operation:
        service, _dot, operation = (service or shape.name).partition(".")
    resource = re.split(r"[/:]", shape.text(*RESOURCES))[-1]
    return Part("aws", " ".join(word for word in (service, operation, resource) if word))


def _database(shape: Shape, _: Position) -> Part:
    return Part("database", _in_system(shape.database, shape.text(*DATABASES) or shape.host))


def _messaging(shape: Shape, _: Position) -> Part:
    # Spans of RabbitMQ join exchange and routing key to one name; either of them may be empty.
    destination = shape.text("messaging.destination.name", "messaging.destination").strip(",") or shape.host
    return Part("messaging", _in_system(shape.text("messaging.system"), destination))


def _in_system(system: str, name: str) -> str:
    """A host is often called as the system that it runs: `mysql`, not `mysql mysql`."""
    return name if name == system else f"{system} {name}".strip()


def _pool(shape: Shape, at: Position) -> Part:
    name = _database(shape, at).name if shape.database else shape.host
    return Part("pool", name)


def _external(shape: Shape, _: Position) -> Part:
    return Part("external", shape.host or shape.text("rpc.service"))  # spans of gRPC have no host


def _model(shape: Shape, at: Position) -> Part:
    return _external(shape, at) if shape.host else UNKNOWN_CALLEE


def _connect(shape: Shape, _: Position) -> Part:
    return Part("connect", shape.host)


def _connecting(shape: Shape, at: Position) -> bool:
    """Whether the span is a step of opening a connection, below the call that opens it."""
    return at.in_call and shape.name in CONNECTING and shape.kind is SpanKind.INTERNAL


def _own_code(_: Shape, position: Position) -> Part:
    return Part("own code", position.service)


def _cold_start(_: Shape, position: Position) -> Part:
    return Part("cold start", position.service)


def _state_machine(shape: Shape, _: Position) -> Part:
    return Part("step functions", str(shape.resource.get("service.name") or ""))


def _queue(shape: Shape, _: Position) -> Part:
    return Part("queue", re.split(r"[/:]", shape.text(*RESOURCES, "messaging.destination", "messaging.system"))[-1])


def _function(shape: Shape, position: Position) -> Part:
    # With an Invocation or a handler's span, the remaining time is the runtime's. With traced calls alone, it is own
    # code. With neither it is unknown, except in a function that another service called: there it is own code too.
    own = Part("own code", position.service)
    unseen = own if position.service else UNKNOWN
    overhead = LAPTOP_SANDBOX if LAPTOP in shape.resource else OVERHEAD
    return {"invocation": overhead, "handler": overhead, "calls": own}.get(position.inside, unseen)


RULES = (
    Rule("the kit's init", _runtime("init", "restore"), _cold_start),
    Rule("Lambda's Initialization", _phase("Initialization", "Restore"), _cold_start),
    Rule("the kit's own flush", _runtime("telemetry"), _always(TELEMETRY)),
    Rule("DNS, TCP, TLS and a driver's handshake", _runtime("dns", "tcp", "tls", "handshake", "connect"), _connect),
    Rule("the wait for a connection of a pool", _runtime("pool"), _pool),
    Rule("a step of a connection, of other SDKs", _connecting, _connect),
    Rule("API Gateway's stage", _origin(GATEWAY), _laptop_or(API_GATEWAY, LAPTOP_GATEWAY)),
    Rule("API Gateway's call to a function", _answered, _laptop_or(API_GATEWAY, LAPTOP_GATEWAY)),
    Rule("API Gateway's call to a function without spans", _unanswered, _always(UNKNOWN)),
    Rule("the Lambda service", _origin(LAMBDA_SERVICE), _laptop_or(SERVICE, LAPTOP_QUEUE)),
    Rule("queue and attempts of the Lambda service", _below(LAMBDA_SERVICE, SpanKind.INTERNAL), _always(SERVICE)),
    Rule("the function segment", _origin(FUNCTION), _function),
    Rule("Lambda's Invocation", _phase("Invocation"), _function),
    Rule("Lambda's Overhead", _phase("Overhead"), _laptop_or(OVERHEAD, LAPTOP_SANDBOX)),
    Rule("a state machine", _origin(STATE_MACHINE), _state_machine),
    Rule("the time from a sender to its consumer", _origin(WAIT), _queue),
    Rule("the time between linked traces", _origin(CHAIN), _always(UNKNOWN)),
    Rule("a parent that was not recorded", lambda shape, _: shape is ABSENT, _always(UNKNOWN)),
    Rule("a poll for messages", _is_receiving, _queue),
    Rule("an AWS call", _is_aws, _aws),
    Rule("a database call", _is_database, _database),
    Rule("a call to a model", _is_model, _model),
    Rule("a tool of an agent", _is_tool, _own_code),
    Rule("an agent", _is_agent, _own_code),
    Rule("a message to a broker", _is_messaging, _messaging),
    Rule("another call with a known callee", _is_external, _external),
    Rule("a call with an unknown callee", _kind(*CALLS), _always(UNKNOWN_CALLEE)),
    Rule("a handler", _kind(SpanKind.SERVER, SpanKind.CONSUMER), _own_code),
    Rule("an internal span", _kind(SpanKind.INTERNAL), _always(None)),
)
