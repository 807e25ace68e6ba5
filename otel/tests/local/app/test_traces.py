"""Which trace a function's spans are in: its caller's, its sender's, or one of its own."""

from collections.abc import Callable

import pytest

from lambda_latency.local.spans.segments import TracingHeader
from tests.local.app.conftest import Shop, needs_packages
from tests.local.calls import call
from tests.sandbox.state import until

pytestmark = needs_packages
ORIGINS = ["AWS::ApiGateway::Stage", "AWS::Lambda", "AWS::Lambda::Function"]


def test_calls_from_function_to_function_join_the_trace(shop: Shop) -> None:
    """A function that is invoked is in its caller's trace, and so is who hears of it by a topic, a bus, a bucket or a
    state machine; a message of a queue carries the trace to who receives it, one that a topic puts there, too.
    """
    header = TracingHeader.new(sampled=True)
    shop.system.invoke("Rest", b'{"do": "calls"}', header)
    joined = {"Rest", "Callee", "FromTopic", "FromBus", "FromBucket", "Step"}

    def whole() -> bool:
        trace = shop.trace(header.trace_id, 1)
        return len(trace.local_roots) == 1 and joined <= {span.name for span in trace.spans}

    assert until(whole), [(span.name, span.parent_id) for span in shop.trace(header.trace_id, 1).spans]
    for function in ("FromQueue", "FromNews"):
        (record,) = shop.event(function, f"1-{header.trace_id[:8]}-{header.trace_id[8:]}")["Records"]
        carried = TracingHeader.parse(record["attributes"]["AWSTraceHeader"])
        assert carried is not None
        assert (carried.trace_id, carried.sampled) == (header.trace_id, True)


def test_a_function_is_linked_to_who_has_sent_its_message(shop: Shop) -> None:
    """It has a trace of its own, for a batch may have several senders."""
    header = TracingHeader.new(sampled=True)
    shop.system.invoke("Rest", b'{"do": "calls"}', header)

    def links() -> set[str]:
        traces = [shop.trace(r.trace_id, 1) for r in list(shop.answered) if r.route == "SQS -> FromQueue"]
        return {link.trace_id for trace in traces for span in trace.spans for link in span.links}

    assert until(lambda: header.trace_id in links())


@pytest.mark.parametrize(("function", "path"), [("Rest", "/things/"), ("Http", "/http/"), ("Url", "/")])
def test_a_requests_trace_begins_at_the_gateway(shop: Shop, function: str, path: str) -> None:
    """It leads to the function's segments and to its own span."""
    call(
        shop.port(function),
        "GET",
        f"{path}begins",
    )
    headers = shop.event(function, f"{path}begins")["headers"]
    parsed = TracingHeader.parse(headers.get("X-Amzn-Trace-Id") or headers["x-amzn-trace-id"])
    assert parsed is not None

    def whole() -> bool:
        trace = shop.trace(parsed.trace_id, 1)
        origins = [span.origin for span in trace.spans if span.origin]
        return len(trace.local_roots) == 1 and len(trace.spans) >= 6 and sorted(origins) == ORIGINS

    assert until(whole), [(span.name, span.origin) for span in shop.trace(parsed.trace_id, 1).spans]


@pytest.mark.parametrize("source", ["SNS", "DynamoDB stream", "Kinesis", "schedule"])
def test_an_event_has_a_trace_of_its_own(shop: Shop, source: str) -> None:
    """From Lambda's segment to the handler's span; where nobody who is traced has caused it, and of a stream always."""
    function = {"SNS": "FromTopic", "DynamoDB stream": "FromTable", "Kinesis": "FromStream"}.get(source, "FromSchedule")
    send: dict[str, Callable[[], object]] = {
        "SNS": lambda: shop.client("sns").publish(TopicArn=shop.physical("Topic"), Message="traced"),
        "DynamoDB stream": lambda: shop.client("dynamodb").put_item(
            TableName=shop.physical("Table"), Item={"id": {"S": "traced"}}
        ),
        "Kinesis": lambda: shop.client("kinesis").put_record(
            StreamName=shop.physical("Stream"), Data=b"", PartitionKey="traced"
        ),
        "schedule": lambda: shop.fire(shop.physical("FromScheduleOften")),
    }
    send[source]()

    def whole(trace_id: str) -> bool:
        trace = shop.trace(trace_id, 1)  # that of a function which has published something is among them
        roots = [(root.name, root.origin) for root in trace.local_roots]
        return len(trace.spans) >= 5 and roots == [(function, "AWS::Lambda")]

    route = f"{source} -> {function}"
    assert until(lambda: any(whole(request.trace_id) for request in list(shop.answered) if request.route == route))
