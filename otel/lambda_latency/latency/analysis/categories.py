"""The component that a span's self time is attributed to: a table of rules, of which the first match counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from lambda_latency.latency.breakdowns.component import (
    API_GATEWAY,
    LAPTOP_GATEWAY,
    LAPTOP_QUEUE,
    LAPTOP_SANDBOX,
    OVERHEAD,
    SERVICE,
    TELEMETRY,
    UNKNOWN,
    UNKNOWN_CALLEE,
    Component,
)
from lambda_latency.trace import (
    ABSENT,
    CHAIN,
    CONNECTING,
    DURABLE_EXECUTION,
    FUNCTION,
    GATEWAY,
    LAPTOP,
    REPLAY,
    RUNTIME_SCOPES,
    STATE_MACHINE,
    WAIT,
    Signature,
    SpanKind,
    without_ids,
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


# Categories of the operations of a durable execution, and what precedes their names. A context has none of its own.
OPERATIONS = {
    "STEP": ("step", ""),
    "WAIT": ("wait", "timer "),
    "CALLBACK": ("wait", "callback "),
    "CHAINED_INVOKE": ("aws", "Lambda Invoke "),
}


class Position(NamedTuple):
    """The context of a span: the origin of its recorded parent, its content, and the service whose code runs in it.

    `inside` is the value of `Tree.inside`, or `answered` for a call of API Gateway whose callee recorded spans.
    `service` is empty for the function that received the request first. `in_call`: the span is below a call.
    """

    parent_origin: str | None = None
    inside: str = ""
    service: str = ""
    in_call: bool = False


Test = Callable[[Signature, Position], bool]
PartOf = Callable[[Signature, Position], "Component | None"]


@dataclass(frozen=True, slots=True)
class SpanRule:
    """A kind of span, and the component that its self time is attributed to (None: the component of its parent)."""

    subject: str
    fits: Test
    component: PartOf


def component_of(signature: Signature, position: Position) -> Component | None:
    """Return the component that a span's self time is attributed to; None: the component of its parent."""
    return next((rule.component(signature, position) for rule in RULES if rule.fits(signature, position)), UNKNOWN)


def _origin(name: str) -> Test:
    return lambda signature, _: signature.origin == name


def _below(name: str, *kinds: SpanKind) -> Test:
    return lambda signature, position: (
        position.parent_origin == name and signature.origin is None and signature.kind in kinds
    )


def _phase(*names: str) -> Test:
    return lambda signature, position: (
        signature.phase in names and position.parent_origin == FUNCTION and signature.origin is None
    )


def _runtime(*words: str) -> Test:
    """Match spans of the kit's runtime whose name begins with one of these words."""
    return lambda signature, _: signature.scope in RUNTIME_SCOPES and signature.name.lower().split(" ", 1)[0] in words


def _kind(*kinds: SpanKind) -> Test:
    return lambda signature, _: signature.kind in kinds


def _answered(signature: Signature, position: Position) -> bool:
    return (
        position.parent_origin == GATEWAY
        and signature.origin is None
        and signature.is_call
        and position.inside == "answered"
    )


def _unanswered(signature: Signature, position: Position) -> bool:
    return position.parent_origin == GATEWAY and signature.is_aws_call and signature.text("rpc.method") == "Invoke"


def _is_database(signature: Signature, position: Position) -> bool:
    if signature.is_step:
        return bool(signature.database) and _is_leaf(position)
    return signature.kind is SpanKind.CLIENT and bool(signature.database or signature.text(*DATABASES, "db.operation"))


def _is_model(signature: Signature, position: Position) -> bool:
    return signature.is_step and _is_leaf(position)


def _is_tool(signature: Signature, _: Position) -> bool:
    return signature.kind is SpanKind.INTERNAL and signature.is_tool


def _is_agent(signature: Signature, _: Position) -> bool:
    """Return whether the span is an agent of the same process. The call to a remote one names its address."""
    return (
        signature.is_call
        and signature.text("gen_ai.operation.name") == "invoke_agent"
        and not signature.text(*ADDRESSES)
    )


def _is_leaf(position: Position) -> bool:
    """Return whether no other span is the call: none above, and none directly below."""
    return not position.in_call and position.inside != "calls"


def _is_receiving(signature: Signature, _: Position) -> bool:
    """Return whether the span waits for messages.

    In older conventions a CONSUMER with the operation `receive` may be the handler of the message.
    """
    if signature.is_aws_call and signature.operation == "ReceiveMessage":
        return True
    operation = signature.text("messaging.operation.type") or (
        signature.is_call and signature.text("messaging.operation")
    )
    return operation == "receive"


def _is_messaging(signature: Signature, _: Position) -> bool:
    return signature.is_call and bool(signature.text("messaging.system"))


def _is_external(signature: Signature, _: Position) -> bool:
    return signature.is_call and bool(signature.host or signature.text("rpc.service"))


def _always(component: Component | None) -> PartOf:
    return lambda _, __: component


def _of_service(category: str) -> PartOf:
    return lambda _, position: Component(category, position.service)


def _laptop_or(component: Component, laptop: Component) -> PartOf:
    """Attribute to AWS's component, or to that of the machine that stands for AWS if its spans say so."""
    return lambda signature, _: laptop if LAPTOP in signature.resource else component


def _aws(signature: Signature, _: Position) -> Component:
    service, _slash, operation = signature.text("rpc.method", "db.operation").rpartition("/")
    service = (
        signature.text("rpc.service") or service or ("DynamoDB" if signature.text("db.system") == "dynamodb" else "")
    )
    if not operation:
        service, _dot, operation = (service or signature.name).partition(".")
    resource = re.split(r"[/:]", signature.text(*RESOURCES))[-1]
    return Component("aws", " ".join(word for word in (service, operation, resource) if word))


def _database(signature: Signature, _: Position) -> Component:
    return Component("database", _in_system(signature.database, signature.text(*DATABASES) or signature.host))


def _messaging(signature: Signature, _: Position) -> Component:
    # Spans of RabbitMQ join exchange and routing key to one name; either of them may be empty.
    destination = signature.text("messaging.destination.name", "messaging.destination").strip(",") or signature.host
    return Component("messaging", _in_system(signature.text("messaging.system"), destination))


def _in_system(system: str, name: str) -> str:
    """A host is often called as the system that it runs: `mysql`, not `mysql mysql`."""
    return name if name == system else f"{system} {name}".strip()


def _pool(signature: Signature, position: Position) -> Component:
    name = _database(signature, position).name if signature.database else signature.host
    return Component("pool", name)


def _external(signature: Signature, _: Position) -> Component:
    return Component("external", signature.host or signature.text("rpc.service"))  # spans of gRPC have no host


def _model(signature: Signature, position: Position) -> Component:
    return _external(signature, position) if signature.host else UNKNOWN_CALLEE


def _connect(signature: Signature, _: Position) -> Component:
    return Component("connect", signature.host)


def _is_operation(signature: Signature, _: Position) -> bool:
    return signature.origin is None and signature.operation_type in OPERATIONS


def _operation(signature: Signature, _: Position) -> Component:
    category, prefix = OPERATIONS[signature.operation_type]
    return Component(category, f"{prefix}{without_ids(signature.operation_name)}")


def _connecting(signature: Signature, position: Position) -> bool:
    """Return whether the span is a step of opening a connection, below the call that opens it."""
    return position.in_call and signature.name in CONNECTING and signature.kind is SpanKind.INTERNAL


def _state_machine(signature: Signature, _: Position) -> Component:
    return Component("step functions", str(signature.resource.get("service.name") or ""))


def _queue(signature: Signature, _: Position) -> Component:
    return Component(
        "queue", re.split(r"[/:]", signature.text(*RESOURCES, "messaging.destination", "messaging.system"))[-1]
    )


def _function(signature: Signature, position: Position) -> Component:
    # With an Invocation or a handler's span, the remaining time is the runtime's. With traced calls alone, it is own
    # code. With neither it is unknown, except in a function that another service called: there it is own code too.
    own_code = Component("own code", position.service)
    unseen = own_code if position.service else UNKNOWN
    overhead = LAPTOP_SANDBOX if LAPTOP in signature.resource else OVERHEAD
    return {"invocation": overhead, "handler": overhead, "calls": own_code}.get(position.inside, unseen)


RULES = (
    SpanRule("the kit's init", _runtime("init", "restore"), _of_service("cold start")),
    SpanRule("Lambda's Initialization", _phase("Initialization", "Restore"), _of_service("cold start")),
    SpanRule("the kit's own flush", _runtime("telemetry"), _always(TELEMETRY)),
    SpanRule("DNS, TCP, TLS and a driver's handshake", _runtime("dns", "tcp", "tls", "handshake", "connect"), _connect),
    SpanRule("the wait for a connection of a pool", _runtime("pool"), _pool),
    SpanRule("a step of a connection, of other SDKs", _connecting, _connect),
    SpanRule("API Gateway's stage", _origin(GATEWAY), _laptop_or(API_GATEWAY, LAPTOP_GATEWAY)),
    SpanRule("API Gateway's call to a function", _answered, _laptop_or(API_GATEWAY, LAPTOP_GATEWAY)),
    SpanRule("API Gateway's call to a function without spans", _unanswered, _always(UNKNOWN)),
    SpanRule("the Lambda service", _origin(LAMBDA_SERVICE), _laptop_or(SERVICE, LAPTOP_QUEUE)),
    SpanRule("queue and attempts of the Lambda service", _below(LAMBDA_SERVICE, SpanKind.INTERNAL), _always(SERVICE)),
    SpanRule("the function segment", _origin(FUNCTION), _function),
    SpanRule("Lambda's Invocation", _phase("Invocation"), _function),
    SpanRule("Lambda's Overhead", _phase("Overhead"), _laptop_or(OVERHEAD, LAPTOP_SANDBOX)),
    SpanRule("a state machine", _origin(STATE_MACHINE), _state_machine),
    SpanRule("the time from a sender to its consumer", _origin(WAIT), _queue),
    SpanRule("the time between linked traces", _origin(CHAIN), _always(UNKNOWN)),
    SpanRule("a durable execution", _origin(DURABLE_EXECUTION), _always(SERVICE)),
    SpanRule("what an invocation of an execution runs again", _origin(REPLAY), _of_service("replay")),
    SpanRule("an operation of a durable execution", _is_operation, _operation),
    SpanRule("a parent that was not recorded", lambda shape, _: shape is ABSENT, _always(UNKNOWN)),
    SpanRule("a poll for messages", _is_receiving, _queue),
    SpanRule("an AWS call", lambda shape, _: shape.is_aws_call, _aws),
    SpanRule("a database call", _is_database, _database),
    SpanRule("a call to a model", _is_model, _model),
    SpanRule("a tool of an agent", _is_tool, _of_service("own code")),
    SpanRule("an agent", _is_agent, _of_service("own code")),
    SpanRule("a message to a broker", _is_messaging, _messaging),
    SpanRule("another call with a known callee", _is_external, _external),
    SpanRule("a call with an unknown callee", _kind(*CALLS), _always(UNKNOWN_CALLEE)),
    SpanRule("a handler", _kind(SpanKind.SERVER, SpanKind.CONSUMER), _of_service("own code")),
    SpanRule("an internal span", _kind(SpanKind.INTERNAL), _always(None)),
)
