"""Calls of every kind with lean spans and with the SDK's: equal attribute by attribute, stacks of exceptions too."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from opentelemetry.sdk.trace import SpanProcessor

from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.lean import LeanSpan
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime
from tests.runtime.lambdas import Context, Sink
from tests.runtime.stubs import Answer, Server, aws_error

EVENT = {"resource": "/x", "path": "/x", "httpMethod": "GET", "requestContext": {"domainName": "d"}}
KEY = {"id": {"S": "1"}}
FOUND = Answer(200, b'{"Count": 0, "ScannedCount": 2, "Items": []}', {"x-amzn-RequestId": "REQ1"})
WAITS = ("retry.delay_ms", "lambda.retry.first_ended_ms", "lambda.retry.last_began_ms")


def calls(server: Server) -> Iterator[tuple[list[Answer], Callable[[], object]]]:
    """Each call, with the answers that the server gives to it first."""
    url = server.url
    retries = Config(retries={"max_attempts": 2, "mode": "standard"})
    once = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
    db: Any = boto3.client("dynamodb", endpoint_url=url, config=retries)
    made: dict[str, Any] = {
        name: boto3.client(name, endpoint_url=url, config=once)
        for name in ("lambda", "s3", "secretsmanager", "sns", "sqs", "stepfunctions")
    }
    throttled = aws_error("ThrottlingException")

    def put(table: object = "t") -> object:
        return db.put_item(TableName=table, Item=KEY)

    yield [], lambda: db.get_item(TableName="t", Key=KEY, ConsistentRead=True, ReturnConsumedCapacity="TOTAL")
    yield [], lambda: db.query(TableName="t", KeyConditionExpression="a", Limit=3, ScanIndexForward=False)
    yield [], lambda: db.scan(TableName="t")
    yield [], lambda: db.batch_get_item(RequestItems={"a": {"Keys": [KEY]}, "b": {"Keys": [KEY]}})
    yield [], lambda: db.transact_write_items(TransactItems=[{"Put": {"TableName": "q", "Item": KEY}}])
    yield [], lambda: db.list_tables(Limit=4)
    yield [], put
    yield [], lambda: put(3)
    yield [aws_error("ConditionalCheckFailedException")], put
    yield [throttled], put
    yield [throttled, throttled, throttled], put
    yield [aws_error("ResourceNotFoundException")], lambda: db.describe_table(TableName="t")
    yield [], lambda: made["sqs"].send_message(QueueUrl=f"{url}/123/queue", MessageBody="x")
    yield [], lambda: made["sqs"].send_message(QueueUrl="q", MessageBody="x")
    yield [], lambda: made["sns"].publish(TopicArn="arn:aws:sns:us-east-1:1:top", Message="x")
    yield [], lambda: made["sns"].publish(PhoneNumber="+49", Message="x")
    yield [], lambda: made["sns"].create_topic(Name="n")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:other:live"
    yield [], lambda: made["lambda"].invoke(FunctionName=arn, Payload=b"{}")
    yield [], lambda: made["lambda"].invoke(FunctionName="plain")
    secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"
    yield [], lambda: made["secretsmanager"].get_secret_value(SecretId=secret)
    yield [], lambda: made["secretsmanager"].get_secret_value(SecretId="x")
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
    yield [], lambda: made["stepfunctions"].start_execution(stateMachineArn=machine)
    yield [], lambda: made["s3"].put_object(Bucket="bucket", Key="k", Body=b"abc")
    yield [], lambda: requests.get(f"{url}/a?token=1&b=2", timeout=5)
    crawler = {"User-Agent": "Googlebot/2"}
    yield [], lambda: requests.post(url.replace("//", "//user:pass@") + "/b", json={}, headers=crawler, timeout=5)
    yield [Answer(404)], lambda: requests.request("put", f"{url}/c", timeout=5)
    yield [Answer(302, b"", {"Location": "/d"})], lambda: requests.get(f"{url}/c", timeout=5)
    yield [], lambda: requests.get("http://127.0.0.1:9/x", timeout=5)
    yield [], lambda: requests.get("nope://x", timeout=5)


def spans_of(*, lean: bool) -> list[Any]:
    """All that the spans of one invocation say, in the order of their starts."""
    sink = Sink()
    with Server(otherwise=FOUND) as server:
        runtime = Runtime(Settings.read({}), sink).start()
        if not lean:
            runtime.provider.add_span_processor(SpanProcessor())

        def handler(_event: object, _context: object) -> dict[str, int]:
            for answers, call in calls(server):
                server.plan = list(answers)
                with contextlib.suppress(Exception):
                    call()
                server.plan = []
            return {"statusCode": 200}

        try:
            traced(handler, runtime)(EVENT, Context())
        finally:
            runtime.stop()
        port, headers = str(server.port), [request.headers.get("x-amzn-trace-id", "") for request in server.requests]
    assert {isinstance(span, LeanSpan) for span in sink.spans} == {lean}
    spans = sorted(sink.spans, key=lambda span: (span.start_time or 0, -(span.end_time or 0)))
    names = {f"{span.context.span_id:016x}": f"{number} {span.name}" for number, span in enumerate(spans)}
    facts: list[Any] = [[names.get(header[48:64], header) for header in headers]]
    for span in spans:
        assert span.instrumentation_scope is not None
        scope, parent = span.instrumentation_scope, span.parent
        facts.append({
            "name": span.name, "kind": span.kind, "status": (span.status.status_code, span.status.description),
            "parent": parent and names.get(f"{parent.span_id:016x}", parent), "attributes": items(span, port),
            "events": [(event.name, items(event, port)) for event in span.events], "links": list(span.links),
            "scope": (scope.name, scope.version, scope.schema_url, dict(scope.attributes or {})),
            "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
            "resource": dict(span.resource.attributes), "flags": span.context.trace_flags,
        })  # fmt: skip
    return [without(fact, port) for fact in facts]


def without(value: Any, port: str) -> Any:
    """Texts without the server's port."""
    if isinstance(value, dict):
        return {key: without(member, port) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [without(member, port) for member in value]
    return value.replace(port, "PORT") if isinstance(value, str) else value


def items(holder: Any, port: str) -> dict[str, Any]:
    """The attributes in their order, without the port and the time that a wait took."""
    return {key: type(value) if key in WAITS or value == int(port) else value
            for key, value in holder.attributes.items()}  # fmt: skip


def test_the_spans_of_29_calls_are_the_sdks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of botocore and requests, answered, refused, throttled, tried again, never sent."""
    monkeypatch.setattr(time, "sleep", lambda _: None)  # between attempts
    lean, sdk = spans_of(lean=True), spans_of(lean=False)
    assert lean == sdk
    assert len([span for span in lean[1:] if span["kind"].name == "CLIENT"]) == 27  # two are refused before
