"""The table of rules: the component that the self time of a span is attributed to."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import pytest

from lambda_latency.latency.analysis.categories import RULES, Position, SpanRule, component_of
from lambda_latency.latency.breakdowns.component import CATEGORIES, Component
from lambda_latency.trace import FUNCTION, GATEWAY, Signature, SpanKind
from lambda_latency.trace import SERVICE as LAMBDA_SERVICE
from tests.latency.analysis.facts import both_match, decided_by, kinds_with
from tests.trace.build import node, spans_of

CLIENT, PRODUCER, SERVER, INTERNAL = SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.SERVER, SpanKind.INTERNAL
CONSUMER = SpanKind.CONSUMER
NOTHING: Mapping[str, object] = {}


def _part(
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, object] = NOTHING,
    *,
    scope: str = "",
    below: str = "",
    inside: str = "",
) -> Component | None:
    child = node(name, 1, 2, kind=kind, attributes=attributes, scope=scope)
    parent, span = spans_of([node("parent", 0, 3, child, attributes={"aws.xray.origin": below} if below else {})])
    return component_of(Signature.of(span, attempts=False), Position(parent.origin, inside))


def _aws(service: str, method: str, more: Mapping[str, object] = NOTHING) -> dict[str, object]:
    """The attributes of a call of AWS."""
    return {"rpc.system": "aws-api", "rpc.service": service, "rpc.method": method, **more}


def _tables(names: object) -> dict[str, object]:
    return {"aws.dynamodb.table_names": names}


REFUNDS = {"aws.queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/refunds"}
KAFKA, RABBITMQ = {"messaging.system": "kafka"}, {"messaging.system": "rabbitmq"}
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "acme"}


@pytest.mark.parametrize(
    ("kind", "attributes", "expected"),
    [
        (CLIENT, _aws("DynamoDB", "PutItem"), Component("aws", "DynamoDB PutItem")),
        (CLIENT, _aws("DynamoDB", "PutItem", _tables(["orders"])), Component("aws", "DynamoDB PutItem orders")),
        # Jaeger and Zipkin store lists as texts.
        (CLIENT, _aws("DynamoDB", "PutItem", _tables('["orders"]')), Component("aws", "DynamoDB PutItem orders")),
        (CLIENT, _aws("DynamoDB", "Get", _tables(["orders", "stock"])), Component("aws", "DynamoDB Get orders,stock")),
        (CLIENT, _aws("Lambda", "Invoke", {"aws.function_name": "pay"}), Component("aws", "Lambda Invoke pay")),
        (CLIENT, _aws("DynamoDB", "DynamoDB/PutItem"), Component("aws", "DynamoDB PutItem")),
        (PRODUCER, _aws("SQS", "SendMessage", REFUNDS), Component("aws", "SQS SendMessage refunds")),
        (CLIENT, {"rpc.system": "aws-api", "rpc.method": "ReceiveMessage", **REFUNDS}, Component("queue", "refunds")),
        (
            CLIENT,
            {**KAFKA, "messaging.operation": "receive", "messaging.destination.name": "orders"},
            Component("queue", "orders"),
        ),
        (
            CONSUMER,
            {**KAFKA, "messaging.operation.type": "receive", "messaging.destination.name": "orders"},
            Component("queue", "orders"),
        ),
        # Python's instrumentation of pika: the callback runs in this span.
        (CONSUMER, {**RABBITMQ, "messaging.operation": "receive"}, Component("own code")),
        (CLIENT, {"http.url": "https://user:pw@pay.example.com:8443/x?y=1"}, Component("external", "pay.example.com")),
        (CLIENT, {"http.url": "http://127.0.0.1:80/", "peer.service": "payments"}, Component("external", "payments")),
        (CLIENT, {"server.address": "a.example", "net.peer.name": "b.example"}, Component("external", "a.example")),
        (CLIENT, {"net.peer.name": "127.0.0.1:4000"}, Component("external", "127.0.0.1")),
        (CLIENT, {"net.peer.name": "[::1]:4000"}, Component("external", "::1")),
        (CLIENT, {"server.address": "2001:db8::80"}, Component("external", "2001:db8::80")),
        (CLIENT, {"http.url": "http://[::1"}, Component("unknown", "callee")),
        (CLIENT, {"db.system": "postgresql", "db.name": "shop"}, Component("database", "postgresql shop")),
        (CLIENT, {"db.system.name": "mysql", "server.address": "db"}, Component("database", "mysql db")),
        (CLIENT, {"db.system": "mysql", "peer.service": "mysql"}, Component("database", "mysql")),
        (CLIENT, {"db.name": "shop", "db.operation": "INSERT"}, Component("database", "shop")),
        (CLIENT, {"db.type": "sql", "db.instance": "shop"}, Component("database", "sql shop")),
        (INTERNAL, {"db.system": "postgresql", "db.name": "shop"}, Component("database", "postgresql shop")),
        (CLIENT, {"upstream_cluster": "outbound|80||cart.shop.svc"}, Component("external", "cart.shop.svc")),
        (CLIENT, {"upstream_cluster.name": "cart"}, Component("external", "cart")),
        (CLIENT, {"peer.hostname": "redis-1"}, Component("external", "redis-1")),
        (CLIENT, {}, Component("unknown", "callee")),
        (CLIENT, {**AGENT, "gen_ai.operation.name": "chat"}, Component("external", "acme")),
        (CLIENT, AGENT, Component("own code")),  # of the same process, by an agent whose kind says otherwise
        (CLIENT, {**AGENT, "server.address": "agents.example"}, Component("external", "agents.example")),
        (PRODUCER, {"messaging.system": "nats", "server.address": "nats"}, Component("messaging", "nats")),
        (CLIENT, {"db.system.name": "elasticsearch", "server.address": "s"}, Component("database", "elasticsearch s")),
        (
            PRODUCER,
            {**RABBITMQ, "messaging.destination": ",orders", "net.peer.name": "mq"},
            Component("messaging", "rabbitmq orders"),
        ),
        (PRODUCER, {**KAFKA, "messaging.destination.name": "orders"}, Component("messaging", "kafka orders")),
        (CLIENT, {**KAFKA, "net.peer.name": "mq"}, Component("messaging", "kafka mq")),
        (CLIENT, {"rpc.system": "grpc", "rpc.service": "shop.Orders"}, Component("external", "shop.Orders")),
        (SERVER, {}, Component("own code")),
        (CONSUMER, {}, Component("own code")),
        (INTERNAL, {}, None),
        (SERVER, {"aws.xray.origin": "AWS::ApiGateway::Stage"}, Component("api gateway")),
        (SERVER, {"aws.xray.origin": "AWS::Lambda"}, Component("lambda", "service")),
    ],
)
def test_a_span_is_charged_by_the_first_rule_that_matches(
    kind: SpanKind, attributes: Mapping[str, object], expected: Component | None
) -> None:
    """Names of parts are those of the verdict; None is the part of the parent."""
    assert _part("call", kind, attributes) == expected


def test_the_name_of_a_span_tells_the_call_of_aws_that_has_no_operation() -> None:
    """As older instrumentations wrote it."""
    assert _part("S3.GetObject", CLIENT, {"rpc.system": "aws-api"}) == Component("aws", "S3 GetObject")


@pytest.mark.parametrize(
    ("name", "kind", "below", "expected"),
    [
        ("Initialization", INTERNAL, "AWS::Lambda::Function", Component("cold start")),
        ("Restore", INTERNAL, "AWS::Lambda::Function", Component("cold start")),
        ("Overhead", INTERNAL, "AWS::Lambda::Function", Component("lambda", "overhead")),
        ("Overhead", INTERNAL, "", None),
        ("Dwell Time", INTERNAL, "AWS::Lambda", Component("lambda", "service")),
    ],
)
def test_spans_below_a_platform_span_belong_to_the_platform(
    name: str, kind: SpanKind, below: str, expected: Component | None
) -> None:
    """A span with the same name elsewhere is the user's."""
    assert _part(name, kind, below=below) == expected


def test_a_call_of_api_gateway_belongs_to_the_platform_if_its_callee_has_spans() -> None:
    """Without spans it is unknown time of a function, or a call to an external server."""
    invoke = {"rpc.system": "aws-api", "rpc.service": "Lambda", "rpc.method": "Invoke"}
    http = {"http.url": "https://pay.example.com/x"}

    def parts(inside: str) -> list[Component | None]:
        stage = "AWS::ApiGateway::Stage"
        return [_part("call", CLIENT, attributes, below=stage, inside=inside) for attributes in (invoke, http)]

    assert parts("answered") == [Component("api gateway"), Component("api gateway")]
    assert parts("") == [Component("unknown"), Component("external", "pay.example.com")]


@pytest.mark.parametrize(
    ("name", "attributes", "expected"),
    [
        ("init", {}, Component("cold start")),
        ("telemetry flush", {}, Component("telemetry")),
        ("DNS pay.example.com", {"server.address": "pay.example.com"}, Component("connect", "pay.example.com")),
        ("TLS 1.3", {}, Component("connect")),
        ("handshake", {"server.address": "db"}, Component("connect", "db")),
        (
            "pool",
            {"server.address": "db", "db.system": "postgresql", "db.name": "shop"},
            Component("pool", "postgresql shop"),
        ),
        ("pool", {"server.address": "db"}, Component("pool", "db")),
    ],
)
def test_the_kits_own_spans_are_recognized_by_their_scope(
    name: str, attributes: Mapping[str, object], expected: Component
) -> None:
    """A user's span with such a name is own code, or a database call by its attributes."""
    assert _part(name, INTERNAL, attributes, scope="lambda_latency.runtime") == expected
    users = Component("database", "postgresql shop") if "db.system" in attributes else None
    assert _part(name, INTERNAL, attributes) == users


@pytest.mark.parametrize(
    ("holds", "expected"),
    [
        ("handler", Component("lambda", "overhead")),
        ("invocation", Component("lambda", "overhead")),
        ("calls", Component("own code")),
        ("", Component("unknown")),
    ],
)
def test_the_function_segment_is_charged_by_its_content(holds: str, expected: Component) -> None:
    """A segment without content may have waited for anything."""
    assert _part("f", SERVER, {"aws.xray.origin": "AWS::Lambda::Function"}, inside=holds) == expected
    if holds != "invocation":
        assert _part("Invocation", INTERNAL, below="AWS::Lambda::Function", inside=holds) == expected


def test_every_bucket_has_an_owner_and_a_label() -> None:
    """The owner is ours, theirs, platform or unknown."""
    assert {bucket: (Component(bucket, "x").owner, Component(bucket, "x").label) for bucket in CATEGORIES} == {
        "cold start": ("ours", "x: cold start"),
        "own code": ("ours", "x: own code"),
        "connect": ("ours", "connect to x"),
        "retries": ("ours", "retries x"),
        "telemetry": ("ours", "x"),
        "step": ("ours", "step x"),
        "replay": ("ours", "x: replay"),
        "wait": ("ours", "x"),
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
    assert Component("own code").label == "own code"


def test_each_rule_has_a_description_of_its_own() -> None:
    """People read the table."""
    assert len({rule.subject for rule in RULES}) == len(RULES)


class Recorded(NamedTuple):
    """A span as it was recorded, its position, and the rule that decides; `source` is what recorded it."""

    source: str
    rule: str
    part: Component | None
    name: str
    kind: SpanKind
    attributes: Mapping[str, object] = NOTHING
    position: Position = Position()
    scope: str = ""

    @property
    def shape(self) -> Signature:
        """What rules read of the span."""
        [span] = spans_of([node(self.name, 0, 1, kind=self.kind, attributes=self.attributes, scope=self.scope)])
        return Signature.of(span, attempts=False)


LOCAL, OWN, IN_FUNCTION = "lambda_latency.local", "lambda_latency.runtime", Position(FUNCTION)
BOTOCORE, REQUESTS = "opentelemetry.instrumentation.botocore.dynamodb", "opentelemetry.instrumentation.requests"
INVOCATION_ID = "bd2fea3a-402c-4578-b64f-75335ce1f8ee"
SEGMENT = {"faas.invocation_id": INVOCATION_ID, "faas.coldstart": False}
QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/123456789012/refunds"
RECORDED = (
    Recorded("the demo", "the kit's init", Component("cold start"), "init", INTERNAL,
             {"lambda.init.type": "cold"}, scope=OWN),
    Recorded("the demo", "DNS, TCP, TLS and a driver's handshake", Component("connect", "payments.example.com"), "dns",
             INTERNAL, {"server.address": "payments.example.com", "server.port": 40665}, Position(in_call=True), OWN),
    Recorded("the demo", "API Gateway's stage", Component("api gateway"), "orders/dev", SERVER,
             {"aws.xray.origin": GATEWAY, "http.request.method": "POST", "http.route": "/orders"}, scope=LOCAL),
    Recorded("AWS's documentation of API Gateway's segments", "API Gateway's call to a function",
             Component("api gateway"),
             "Lambda.Invoke", CLIENT,
             {"rpc.system": "aws-api", "rpc.service": "Lambda", "rpc.method": "Invoke", "faas.invoked_name": "xray123",
              "http.method": "GET", "http.status_code": 200}, Position(GATEWAY, "answered")),
    Recorded("the same, without the function's segments", "API Gateway's call to a function without spans",
             Component("unknown"), "Lambda.Invoke", CLIENT,
             {"rpc.system": "aws-api", "rpc.service": "Lambda", "rpc.method": "Invoke", "faas.invoked_name": "xray123",
              "http.method": "GET", "http.status_code": 200}, Position(GATEWAY)),
    Recorded("the demo", "the Lambda service", Component("lambda", "service"), "CreateOrder", SERVER,
             {"aws.xray.origin": LAMBDA_SERVICE, **SEGMENT}, Position(GATEWAY, "answered"), LOCAL),
    Recorded("the demo", "the function segment", Component("lambda", "overhead"), "CreateOrder", SERVER,
             {"aws.xray.origin": FUNCTION, **SEGMENT}, Position(LAMBDA_SERVICE, "invocation"), LOCAL),
    Recorded("the demo", "Lambda's Invocation", Component("lambda", "overhead"), "Invocation", INTERNAL, {},
             Position(FUNCTION, "handler"), LOCAL),
    Recorded("the demo", "Lambda's Overhead",
             Component("lambda", "overhead"), "Overhead", INTERNAL, {}, IN_FUNCTION, LOCAL),
    Recorded("AWS's plugin for durable functions", "an operation of a durable execution", Component("step", "charge"),
             "charge attempt 2", INTERNAL, {"durable.operation.type": "STEP", "durable.attempt.number": 2}),
    Recorded("AWS's plugin for durable functions", "an operation of a durable execution",
             Component("wait", "callback approval"), "approval", INTERNAL,
             {"durable.operation.type": "CALLBACK", "durable.operation.status": "STARTED"}),
    Recorded("botocore's instrumentation", "a poll for messages", Component("queue", "refunds"), "SQS.ReceiveMessage",
             CLIENT,
             {"rpc.system": "aws-api", "rpc.service": "SQS", "rpc.method": "ReceiveMessage", "aws.queue_url": QUEUE_URL,
              "server.address": "sqs.us-east-1.amazonaws.com", "messaging.system": "aws.sqs",
              "messaging.url": QUEUE_URL, "messaging.destination": "refunds", "retry_attempts": 0}),
    Recorded("botocore's instrumentation", "an AWS call",
             Component("aws", "SQS SendMessage refunds"), "SQS.SendMessage",
             CLIENT,
             {"rpc.system": "aws-api", "rpc.service": "SQS", "rpc.method": "SendMessage", "aws.queue_url": QUEUE_URL,
              "server.address": "sqs.us-east-1.amazonaws.com", "messaging.system": "aws.sqs",
              "messaging.url": QUEUE_URL, "messaging.destination": "refunds", "retry_attempts": 0}),
    Recorded("the demo", "an AWS call", Component("aws", "DynamoDB PutItem OrdersTable"), "DynamoDB.PutItem", CLIENT,
             {"rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "PutItem", "db.system": "dynamodb",
              "db.operation": "PutItem", "server.address": "127.0.0.1", "net.peer.name": "127.0.0.1:42791",
              "aws.dynamodb.table_names": ("OrdersTable",), "aws.table_name": "OrdersTable", "retry_attempts": 0},
             scope=BOTOCORE),
    Recorded("golden documents", "an AWS call",
             Component("aws", "DynamoDB BatchGetItem orders"), "DynamoDB.BatchGetItem",
             CLIENT,
             {"rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "BatchGetItem", "db.system": "dynamodb",
              "db.operation": "BatchGetItem", "http.url": "http://127.0.0.1:14500/", "aws.table_name": "orders"}),
    Recorded("OpenLLMetry's instrumentation of Chroma", "a database call",
             Component("database", "chroma"), "chroma.query",
             INTERNAL, {"db.system": "chroma", "db.operation": "query", "db.chroma.query.n_results": 10}),
    Recorded("made: no recorded span has attributes of both", "an agent", Component("own code"), "invoke_agent", CLIENT,
             {"gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "acme", "messaging.system": "kafka"}),
    Recorded("OpenTelemetry's demo, checkout", "a message to a broker", Component("messaging", "kafka orders"),
             "orders publish", PRODUCER,
             {"peer.service": "kafka", "network.transport": "tcp", "messaging.system": "kafka",
              "messaging.destination.name": "orders", "messaging.operation": "publish"}),
    Recorded("the demo", "another call with a known callee",
             Component("external", "payments.example.com"), "POST", CLIENT,
             {"http.method": "POST", "http.url": "http://payments.example.com:40665/charges", "http.status_code": 503,
              "peer.service": "payments.example.com", "net.peer.name": "payments.example.com"}, scope=REQUESTS),
    Recorded("golden documents", "another call with a known callee", Component("external", "localhost"), "GET", CLIENT,
             {"http.method": "GET", "http.url": "http://localhost:14600/quote?apikey=SECRETKEY&x=1"}, scope=REQUESTS),
    Recorded("the demo", "a handler", Component("own code"), "POST /orders", SERVER,
             {"faas.trigger": "http", "http.request.method": "POST", "server.address": "127.0.0.1:36041", **SEGMENT},
             IN_FUNCTION, OWN),
    Recorded("golden documents", "an internal span", None, "price order", INTERNAL, scope="app"),
)  # fmt: skip
PAIRS = [*pairwise(RULES)]


@pytest.mark.parametrize("span", RECORDED, ids=[f"{span.rule}: {span.name}" for span in RECORDED])
def test_a_recorded_span_is_charged_by_its_rule(span: Recorded) -> None:
    """Two rules in the wrong order change the rule, although both may attribute to the same component."""
    rule_name = next(rule.subject for rule in RULES if rule.fits(span.shape, span.position))
    assert (rule_name, component_of(span.shape, span.position)) == (span.rule, span.part)


@pytest.mark.parametrize(("earlier", "later"), PAIRS, ids=[f"{a.subject}, {b.subject}" for a, b in PAIRS])
def test_neighbouring_rules_exclude_each_other_or_a_recorded_span_shows_their_order(
    earlier: SpanRule, later: SpanRule
) -> None:
    """Shown by all combinations of the facts that both rules read."""
    shown = [span for span in RECORDED if span.rule == earlier.subject and later.fits(span.shape, span.position)]
    facts = both_match(earlier, later)
    assert (facts is None) is (shown == []), f"{earlier.subject!r} comes before {later.subject!r}: {facts or shown}"


def test_platform_spans_have_the_kinds_that_are_combined() -> None:
    """Rules for calls and steps exclude segments, because no recorder gives a segment such a kind."""
    assert [span for span in RECORDED if span.kind not in kinds_with(span.shape.origin)] == []


@pytest.mark.parametrize("rule", RULES, ids=[rule.subject for rule in RULES])
def test_each_rule_matches_a_span_that_no_rule_above_matches(rule: SpanRule) -> None:
    """A rule that never decides is dead; a rule that reads a new value needs it in `facts`."""
    assert decided_by(rule), f"{rule.subject!r} never decides"
