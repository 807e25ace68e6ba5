"""The table of rules: the part that the self time of a span is charged to."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import pytest

from lambda_latency.latency.accounts.part import BUCKETS, Part
from lambda_latency.latency.judge.buckets import RULES, Position, part_of
from lambda_latency.trace import FUNCTION, GATEWAY, Shape, SpanKind
from lambda_latency.trace import SERVICE as LAMBDA_SERVICE
from tests.latency.judge.facts import both_match, decided_by, kinds_with
from tests.trace.build import node, spans_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_latency.latency.judge.buckets import Rule

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
        "laptop": ("ours", "this machine's x"),
        "unknown": ("unknown", "unknown x"),
    }
    assert Part("own code").label == "own code"


def test_each_rule_has_a_description_of_its_own() -> None:
    """People read the table."""
    assert len({rule.what for rule in RULES}) == len(RULES)


class Recorded(NamedTuple):
    """A span as it was recorded, its position, and the rule that decides; `source` is what recorded it."""

    source: str
    rule: str
    part: Part | None
    name: str
    kind: SpanKind
    attributes: Mapping[str, object] = NOTHING
    position: Position = Position()
    scope: str = ""

    @property
    def shape(self) -> Shape:
        """What rules read of the span."""
        [span] = spans_of([node(self.name, 0, 1, kind=self.kind, attributes=self.attributes, scope=self.scope)])
        return Shape.of(span, attempts=False)


LOCAL, OWN, IN_FUNCTION = "lambda_latency.local", "lambda_latency.runtime", Position(FUNCTION)
BOTOCORE, REQUESTS = "opentelemetry.instrumentation.botocore.dynamodb", "opentelemetry.instrumentation.requests"
INVOCATION_ID = "bd2fea3a-402c-4578-b64f-75335ce1f8ee"
SEGMENT = {"faas.invocation_id": INVOCATION_ID, "faas.coldstart": False}
QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/123456789012/refunds"
RECORDED = (
    Recorded("the demo", "the kit's init", Part("cold start"), "init", INTERNAL,
             {"lambda.init.type": "cold"}, scope=OWN),
    Recorded("the demo", "DNS, TCP, TLS and a driver's handshake", Part("connect", "payments.example.com"), "dns",
             INTERNAL, {"server.address": "payments.example.com", "server.port": 40665}, Position(in_call=True), OWN),
    Recorded("the demo", "API Gateway's stage", Part("api gateway"), "orders/dev", SERVER,
             {"aws.xray.origin": GATEWAY, "http.request.method": "POST", "http.route": "/orders"}, scope=LOCAL),
    Recorded("AWS's documentation of API Gateway's segments", "API Gateway's call to a function", Part("api gateway"),
             "Lambda.Invoke", CLIENT,
             {"rpc.system": "aws-api", "rpc.service": "Lambda", "rpc.method": "Invoke", "faas.invoked_name": "xray123",
              "http.method": "GET", "http.status_code": 200}, Position(GATEWAY, "answered")),
    Recorded("the same, without the function's segments", "API Gateway's call to a function without spans",
             Part("unknown"), "Lambda.Invoke", CLIENT,
             {"rpc.system": "aws-api", "rpc.service": "Lambda", "rpc.method": "Invoke", "faas.invoked_name": "xray123",
              "http.method": "GET", "http.status_code": 200}, Position(GATEWAY)),
    Recorded("the demo", "the Lambda service", Part("lambda", "service"), "CreateOrder", SERVER,
             {"aws.xray.origin": LAMBDA_SERVICE, **SEGMENT}, Position(GATEWAY, "answered"), LOCAL),
    Recorded("the demo", "the function segment", Part("lambda", "overhead"), "CreateOrder", SERVER,
             {"aws.xray.origin": FUNCTION, **SEGMENT}, Position(LAMBDA_SERVICE, "invocation"), LOCAL),
    Recorded("the demo", "Lambda's Invocation", Part("lambda", "overhead"), "Invocation", INTERNAL, {},
             Position(FUNCTION, "handler"), LOCAL),
    Recorded("the demo", "Lambda's Overhead", Part("lambda", "overhead"), "Overhead", INTERNAL, {}, IN_FUNCTION, LOCAL),
    Recorded("botocore's instrumentation", "a poll for messages", Part("queue", "refunds"), "SQS.ReceiveMessage",
             CLIENT,
             {"rpc.system": "aws-api", "rpc.service": "SQS", "rpc.method": "ReceiveMessage", "aws.queue_url": QUEUE_URL,
              "server.address": "sqs.us-east-1.amazonaws.com", "messaging.system": "aws.sqs",
              "messaging.url": QUEUE_URL, "messaging.destination": "refunds", "retry_attempts": 0}),
    Recorded("botocore's instrumentation", "an AWS call", Part("aws", "SQS SendMessage refunds"), "SQS.SendMessage",
             CLIENT,
             {"rpc.system": "aws-api", "rpc.service": "SQS", "rpc.method": "SendMessage", "aws.queue_url": QUEUE_URL,
              "server.address": "sqs.us-east-1.amazonaws.com", "messaging.system": "aws.sqs",
              "messaging.url": QUEUE_URL, "messaging.destination": "refunds", "retry_attempts": 0}),
    Recorded("the demo", "an AWS call", Part("aws", "DynamoDB PutItem OrdersTable"), "DynamoDB.PutItem", CLIENT,
             {"rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "PutItem", "db.system": "dynamodb",
              "db.operation": "PutItem", "server.address": "127.0.0.1", "net.peer.name": "127.0.0.1:42791",
              "aws.dynamodb.table_names": ("OrdersTable",), "aws.table_name": "OrdersTable", "retry_attempts": 0},
             scope=BOTOCORE),
    Recorded("golden documents", "an AWS call", Part("aws", "DynamoDB BatchGetItem orders"), "DynamoDB.BatchGetItem",
             CLIENT,
             {"rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "BatchGetItem", "db.system": "dynamodb",
              "db.operation": "BatchGetItem", "http.url": "http://127.0.0.1:14500/", "aws.table_name": "orders"}),
    Recorded("OpenLLMetry's instrumentation of Chroma", "a database call", Part("database", "chroma"), "chroma.query",
             INTERNAL, {"db.system": "chroma", "db.operation": "query", "db.chroma.query.n_results": 10}),
    Recorded("made: no recorded span has attributes of both", "an agent", Part("own code"), "invoke_agent", CLIENT,
             {"gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "acme", "messaging.system": "kafka"}),
    Recorded("OpenTelemetry's demo, checkout", "a message to a broker", Part("messaging", "kafka orders"),
             "orders publish", PRODUCER,
             {"peer.service": "kafka", "network.transport": "tcp", "messaging.system": "kafka",
              "messaging.destination.name": "orders", "messaging.operation": "publish"}),
    Recorded("the demo", "another call with a known callee", Part("external", "payments.example.com"), "POST", CLIENT,
             {"http.method": "POST", "http.url": "http://payments.example.com:40665/charges", "http.status_code": 503,
              "peer.service": "payments.example.com", "net.peer.name": "payments.example.com"}, scope=REQUESTS),
    Recorded("golden documents", "another call with a known callee", Part("external", "localhost"), "GET", CLIENT,
             {"http.method": "GET", "http.url": "http://localhost:14600/quote?apikey=SECRETKEY&x=1"}, scope=REQUESTS),
    Recorded("the demo", "a handler", Part("own code"), "POST /orders", SERVER,
             {"faas.trigger": "http", "http.request.method": "POST", "server.address": "127.0.0.1:36041", **SEGMENT},
             IN_FUNCTION, OWN),
    Recorded("golden documents", "an internal span", None, "price order", INTERNAL, scope="app"),
)  # fmt: skip
PAIRS = [*pairwise(RULES)]


@pytest.mark.parametrize("span", RECORDED, ids=[f"{one.rule}: {one.name}" for one in RECORDED])
def test_a_recorded_span_is_charged_by_its_rule(span: Recorded) -> None:
    """Two rules in the wrong order change the rule, although both may charge the same part."""
    first = next(rule.what for rule in RULES if rule.fits(span.shape, span.position))
    assert (first, part_of(span.shape, span.position)) == (span.rule, span.part)


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=[f"{a.what}, {b.what}" for a, b in PAIRS])
def test_neighbouring_rules_exclude_each_other_or_a_recorded_span_shows_their_order(first: Rule, second: Rule) -> None:
    """Shown by all combinations of the facts that both rules read."""
    shown = [one for one in RECORDED if one.rule == first.what and second.fits(one.shape, one.position)]
    facts = both_match(first, second)
    assert (facts is None) is (shown == []), f"{first.what!r} comes before {second.what!r}: {facts or shown}"


def test_platform_spans_have_the_kinds_that_are_combined() -> None:
    """Rules for calls and steps exclude segments, because no recorder gives a segment such a kind."""
    assert [one for one in RECORDED if one.kind not in kinds_with(one.shape.origin)] == []


@pytest.mark.parametrize("rule", RULES, ids=[rule.what for rule in RULES])
def test_each_rule_matches_a_span_that_no_rule_above_matches(rule: Rule) -> None:
    """A rule that never decides is dead; a rule that reads a new value needs it in `facts`."""
    assert decided_by(rule), f"{rule.what!r} never decides"
