"""The table of rules: the part that the self time of a span is charged to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambda_latency.latency.accounts.part import BUCKETS, Part
from lambda_latency.latency.judge.buckets import RULES, Position, part_of
from lambda_latency.trace import Shape, SpanKind
from tests.trace.build import node, spans_of

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT, PRODUCER, SERVER, INTERNAL = SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.SERVER, SpanKind.INTERNAL
CONSUMER = SpanKind.CONSUMER
DYNAMODB = {"rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "PutItem"}
NOTHING: Mapping[str, object] = {}


def _part(
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, object] = NOTHING,
    *,
    scope: str = "",
    below: str = "",
    inside: str = "",
) -> Part | None:
    child = node(name, 1, 2, kind=kind, attributes=attributes, scope=scope)
    parent, span = spans_of([node("parent", 0, 3, child, attributes={"aws.xray.origin": below} if below else {})])
    return part_of(Shape.of(span, attempts=False), Position(parent.origin, inside))


@pytest.mark.parametrize(
    ("name", "kind", "attributes", "expected"),
    [
        ("DynamoDB.PutItem", CLIENT, DYNAMODB, Part("aws", "DynamoDB PutItem")),
        (
            "DynamoDB.PutItem",
            CLIENT,
            {**DYNAMODB, "aws.dynamodb.table_names": ["orders"]},
            Part("aws", "DynamoDB PutItem orders"),
        ),
        (
            "DynamoDB.PutItem",
            CLIENT,
            {**DYNAMODB, "aws.dynamodb.table_names": '["orders"]'},  # as Jaeger and Zipkin store lists
            Part("aws", "DynamoDB PutItem orders"),
        ),
        (
            "Lambda.Invoke",
            CLIENT,
            {"rpc.system": "aws-api", "rpc.service": "Lambda", "rpc.method": "Invoke", "aws.function_name": "pay"},
            Part("aws", "Lambda Invoke pay"),
        ),
        (
            "DynamoDB.TransactWriteItems",
            CLIENT,
            {**DYNAMODB, "rpc.method": "TransactWriteItems", "aws.dynamodb.table_names": ["orders", "stock"]},
            Part("aws", "DynamoDB TransactWriteItems orders,stock"),
        ),
        (
            "w3c",
            CLIENT,
            {"rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "DynamoDB/PutItem"},
            Part("aws", "DynamoDB PutItem"),
        ),
        (
            "SQS.SendMessage",
            PRODUCER,
            {
                "rpc.system": "aws-api",
                "rpc.service": "SQS",
                "rpc.method": "SendMessage",
                "aws.queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/refunds",
            },
            Part("aws", "SQS SendMessage refunds"),
        ),
        (
            "SQS.ReceiveMessage",
            CLIENT,
            {
                "rpc.system": "aws-api",
                "rpc.method": "ReceiveMessage",
                "aws.queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/refunds",
            },
            Part("queue", "refunds"),
        ),
        (
            "orders receive",
            CLIENT,
            {"messaging.system": "kafka", "messaging.operation": "receive", "messaging.destination.name": "orders"},
            Part("queue", "orders"),
        ),
        (
            "poll orders",
            CONSUMER,
            {
                "messaging.system": "kafka",
                "messaging.operation.type": "receive",
                "messaging.destination.name": "orders",
            },
            Part("queue", "orders"),
        ),
        (  # Python's instrumentation of pika: the callback runs in this span
            "orders receive",
            CONSUMER,
            {"messaging.system": "rabbitmq", "messaging.operation": "receive"},
            Part("own code"),
        ),
        ("S3.GetObject", CLIENT, {"rpc.system": "aws-api"}, Part("aws", "S3 GetObject")),
        (
            "POST",
            CLIENT,
            {"http.url": "https://user:pw@pay.example.com:8443/x?y=1"},
            Part("external", "pay.example.com"),
        ),
        (
            "POST",
            CLIENT,
            {"http.url": "http://127.0.0.1:80/", "peer.service": "payments"},
            Part("external", "payments"),
        ),
        ("POST", CLIENT, {"server.address": "a.example", "net.peer.name": "b.example"}, Part("external", "a.example")),
        ("POST", CLIENT, {"net.peer.name": "127.0.0.1:4000"}, Part("external", "127.0.0.1")),
        ("POST", CLIENT, {"net.peer.name": "[::1]:4000"}, Part("external", "::1")),
        ("POST", CLIENT, {"server.address": "2001:db8::80"}, Part("external", "2001:db8::80")),
        ("POST", CLIENT, {"http.url": "http://[::1"}, Part("unknown", "callee")),
        ("SELECT", CLIENT, {"db.system": "postgresql", "db.name": "shop"}, Part("database", "postgresql shop")),
        ("SELECT", CLIENT, {"db.system.name": "mysql", "server.address": "db"}, Part("database", "mysql db")),
        ("SELECT", CLIENT, {"db.system": "mysql", "peer.service": "mysql"}, Part("database", "mysql")),
        ("INSERT", CLIENT, {"db.name": "shop", "db.operation": "INSERT"}, Part("database", "shop")),
        ("SELECT", CLIENT, {"db.type": "sql", "db.instance": "shop"}, Part("database", "sql shop")),
        ("query", INTERNAL, {"db.system": "postgresql", "db.name": "shop"}, Part("database", "postgresql shop")),
        ("egress", CLIENT, {"upstream_cluster": "outbound|80||cart.shop.svc"}, Part("external", "cart.shop.svc")),
        ("egress", CLIENT, {"upstream_cluster.name": "cart"}, Part("external", "cart")),
        ("HGET", CLIENT, {"peer.hostname": "redis-1"}, Part("external", "redis-1")),
        ("check inventory", CLIENT, {}, Part("unknown", "callee")),
        ("chat", CLIENT, {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "acme"}, Part("external", "acme")),
        (  # of the same process, by an agent whose kind says otherwise
            "invoke_agent",
            CLIENT,
            {"gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "acme"},
            Part("own code"),
        ),
        (
            "invoke_agent",
            CLIENT,
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.provider.name": "acme",
                "server.address": "agents.example",
            },
            Part("external", "agents.example"),
        ),
        ("send", PRODUCER, {"messaging.system": "nats", "server.address": "nats"}, Part("messaging", "nats")),
        (
            "search",
            CLIENT,
            {"db.system.name": "elasticsearch", "server.address": "s"},
            Part("database", "elasticsearch s"),
        ),
        (
            ",orders send",
            PRODUCER,
            {"messaging.system": "rabbitmq", "messaging.destination": ",orders", "net.peer.name": "mq"},
            Part("messaging", "rabbitmq orders"),
        ),
        (
            "orders send",
            PRODUCER,
            {"messaging.system": "kafka", "messaging.destination.name": "orders"},
            Part("messaging", "kafka orders"),
        ),
        ("flush", CLIENT, {"messaging.system": "kafka", "net.peer.name": "mq"}, Part("messaging", "kafka mq")),
        (
            "/shop.Orders/Get",
            CLIENT,
            {"rpc.system": "grpc", "rpc.service": "shop.Orders"},
            Part("external", "shop.Orders"),
        ),
        ("call", CLIENT, {}, Part("unknown", "callee")),
        ("POST /orders", SERVER, {}, Part("own code")),
        ("process", SpanKind.CONSUMER, {}, Part("own code")),
        ("validate", INTERNAL, {}, None),
        ("orders-api/dev", SERVER, {"aws.xray.origin": "AWS::ApiGateway::Stage"}, Part("api gateway")),
        ("CreateOrder", SERVER, {"aws.xray.origin": "AWS::Lambda"}, Part("lambda", "service")),
    ],
)
def test_a_span_is_charged_by_the_first_rule_that_matches(
    name: str, kind: SpanKind, attributes: Mapping[str, object], expected: Part | None
) -> None:
    """Names are those of the verdict; None is the part of the parent."""
    assert _part(name, kind, attributes) == expected


@pytest.mark.parametrize(
    ("name", "kind", "below", "expected"),
    [
        ("Initialization", INTERNAL, "AWS::Lambda::Function", Part("cold start")),
        ("Restore", INTERNAL, "AWS::Lambda::Function", Part("cold start")),
        ("Overhead", INTERNAL, "AWS::Lambda::Function", Part("lambda", "overhead")),
        ("Overhead", INTERNAL, "", None),
        ("Dwell Time", INTERNAL, "AWS::Lambda", Part("lambda", "service")),
    ],
)
def test_spans_below_a_platform_span_belong_to_the_platform(
    name: str, kind: SpanKind, below: str, expected: Part | None
) -> None:
    """A span with the same name elsewhere is the user's."""
    assert _part(name, kind, below=below) == expected


def test_a_call_of_api_gateway_belongs_to_the_platform_if_its_callee_has_spans() -> None:
    """Without spans it is unknown time of a function, or a call to an external server."""
    invoke = {"rpc.system": "aws-api", "rpc.service": "Lambda", "rpc.method": "Invoke"}
    http = {"http.url": "https://pay.example.com/x"}

    def parts(inside: str) -> list[Part | None]:
        stage = "AWS::ApiGateway::Stage"
        return [_part("call", CLIENT, attributes, below=stage, inside=inside) for attributes in (invoke, http)]

    assert parts("answered") == [Part("api gateway"), Part("api gateway")]
    assert parts("") == [Part("unknown"), Part("external", "pay.example.com")]


@pytest.mark.parametrize(
    ("name", "attributes", "expected"),
    [
        ("init", {}, Part("cold start")),
        ("telemetry flush", {}, Part("telemetry")),
        ("DNS pay.example.com", {"server.address": "pay.example.com"}, Part("connect", "pay.example.com")),
        ("TLS 1.3", {}, Part("connect")),
        ("handshake", {"server.address": "db"}, Part("connect", "db")),
        (
            "pool",
            {"server.address": "db", "db.system": "postgresql", "db.name": "shop"},
            Part("pool", "postgresql shop"),
        ),
        ("pool", {"server.address": "db"}, Part("pool", "db")),
    ],
)
def test_the_kits_own_spans_are_recognized_by_their_scope(
    name: str, attributes: Mapping[str, object], expected: Part
) -> None:
    """A user's span with such a name is own code, or a database call by its attributes."""
    assert _part(name, INTERNAL, attributes, scope="lambda_latency.runtime") == expected
    users = Part("database", "postgresql shop") if "db.system" in attributes else None
    assert _part(name, INTERNAL, attributes) == users


@pytest.mark.parametrize(
    ("holds", "expected"),
    [
        ("handler", Part("lambda", "overhead")),
        ("invocation", Part("lambda", "overhead")),
        ("calls", Part("own code")),
        ("", Part("unknown")),
    ],
)
def test_the_function_segment_is_charged_by_its_content(holds: str, expected: Part) -> None:
    """A segment without content may have waited for anything."""
    assert _part("f", SERVER, {"aws.xray.origin": "AWS::Lambda::Function"}, inside=holds) == expected
    if holds != "invocation":
        assert _part("Invocation", INTERNAL, below="AWS::Lambda::Function", inside=holds) == expected


def test_every_bucket_has_an_owner_and_a_label() -> None:
    """The owner is ours, theirs, platform or unknown."""
    assert {bucket: (Part(bucket, "x").owner, Part(bucket, "x").label) for bucket in BUCKETS} == {
        "cold start": ("ours", "x: cold start"),
        "own code": ("ours", "x: own code"),
        "connect": ("ours", "connect to x"),
        "retries": ("ours", "retries x"),
        "telemetry": ("ours", "x"),
        "aws": ("theirs", "x"),
        "external": ("theirs", "x"),
        "database": ("theirs", "x"),
        "messaging": ("theirs", "x"),
        "pool": ("ours", "pool of x"),
        "network": ("ours", "network to x"),
        "step functions": ("ours", "Step Functions x"),
        "queue": ("ours", "queue x"),
        "api gateway": ("platform", "API Gateway"),
        "lambda": ("platform", "Lambda x"),
        "unknown": ("unknown", "unknown x"),
    }
    assert Part("own code").label == "own code"


def test_each_rule_has_a_description_of_its_own() -> None:
    """People read the table."""
    assert len({rule.what for rule in RULES}) == len(RULES)
