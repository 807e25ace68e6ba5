"""Each trigger's whole event, key by key, against AWS's own example of it."""

import json
from typing import Any

import pytest

from lambda_latency.local.app.triggers.relayed import delivered
from tests.local.app.conftest import Shop, needs_packages
from tests.local.app.examples import EVENT, SCHEDULED, example, shape
from tests.local.calls import call

AGENT = {"User-Agent": "agent"}
# API Gateway's documentation has these, and the SAM CLI's older example does not.
SINCE = {"domainName": "str", "domainPrefix": "str", "extendedRequestId": "str"}
IDENTITY_SINCE = {"principalOrgId": None}


@needs_packages
def test_the_event_of_a_queue_is_as_documented(shop: Shop) -> None:
    """With an attribute of the message, whose lists are empty."""
    attribute = {"StringValue": "value", "DataType": "String"}
    queue = shop.physical("Queue")
    shop.client("sqs").send_message(QueueUrl=queue, MessageBody="documented", MessageAttributes={"one": attribute})
    event = shop.event("FromQueue", '"documented"')
    expected = shape(example("sqs", "receive-message"))
    expected["Records"][0]["messageAttributes"] = {
        "one": {"stringValue": "str", "dataType": "str", "stringListValues": [], "binaryListValues": []}
    }
    assert shape(event) == expected


@needs_packages
def test_the_event_of_a_topic_is_as_documented(shop: Shop) -> None:
    """With attributes of both kinds."""
    shop.client("sns").publish(
        TopicArn=shop.physical("Topic"),
        Message="documented",
        Subject="example",
        MessageAttributes={
            "Test": {"DataType": "String", "StringValue": "TestString"},
            "TestBinary": {"DataType": "Binary", "BinaryValue": b"TestBinary"},
        },
    )
    event = shop.event("FromTopic", '"documented"')
    assert shape(event) == shape(example("sns", "notification"))
    assert (event["Records"][0]["Sns"]["Message"], event["Records"][0]["Sns"]["Subject"]) == ("documented", "example")


@needs_packages
def test_the_event_of_a_bus_is_as_documented(shop: Shop) -> None:
    """Its detail is the sender's."""
    entry = {"EventBusName": "shop", "Source": "shop", "DetailType": "Ordered", "Detail": '{"documented": true}'}
    shop.client("events").put_events(Entries=[entry])
    assert shape(shop.event("FromBus", "documented")) == shape(EVENT)


@needs_packages
def test_the_event_of_a_bucket_is_as_documented(shop: Shop) -> None:
    """Of an object that was put."""
    shop.client("s3").put_object(Bucket=shop.physical("Bucket"), Key="documented text", Body=b"four")
    event = shop.event("FromBucket", "documented+text")
    assert shape(event) == shape(example("s3", "put"))
    record = event["Records"][0]
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "documented+text")
    assert record["s3"]["object"]["size"] == 4


@needs_packages
def test_the_event_of_a_tables_stream_is_as_documented(shop: Shop) -> None:
    """Of an item that was put, changed and deleted."""
    table, client = shop.physical("Table"), shop.client("dynamodb")
    client.put_item(TableName=table, Item={"id": {"S": "documented"}})
    client.put_item(TableName=table, Item={"id": {"S": "documented"}, "more": {"N": "1"}})
    client.delete_item(TableName=table, Key={"id": {"S": "documented"}})
    shop.event("FromTable", '"REMOVE"')
    records = [
        record
        for event in shop.events("FromTable")
        for record in event["Records"]
        if record["dynamodb"]["Keys"]["id"]["S"] == "documented"
    ]
    assert [shape(record) for record in records] == [shape(r) for r in example("dynamodb", "update")["Records"]]
    assert [record["dynamodb"]["SizeBytes"] for record in records] == [24, 42, 30]
    assert (records[0]["eventName"], records[0]["dynamodb"]["NewImage"]) == ("INSERT", {"id": {"S": "documented"}})


@needs_packages
def test_the_event_of_a_stream_is_as_documented(shop: Shop) -> None:
    """Of one record."""
    shop.client("kinesis").put_record(StreamName=shop.physical("Stream"), Data=b"data", PartitionKey="documented")
    event = shop.event("FromStream", '"documented"')
    assert shape(event) == shape(example("kinesis", "get-records"))
    assert event["Records"][0]["kinesis"]["data"] == "ZGF0YQ=="


@needs_packages
def test_the_event_of_a_schedule_is_as_documented(shop: Shop) -> None:
    """Of one that is due now, as the printed command has it; another name's is 404."""
    assert [shop.fire(shop.physical("FromScheduleOften")), shop.fire("elsewhere")] == [200, 404]
    assert shape(shop.event("FromSchedule", "Scheduled Event")) == shape(SCHEDULED)


@needs_packages
def test_a_schedule_that_is_off_comes_when_it_is_asked_for(shop: Shop) -> None:
    """Whoever sends the printed command wants it; it stays off."""
    assert shop.fire(shop.physical("FromScheduleNever")) == 200
    assert shop.event("FromSchedule", "never") == {"never": 1}
    rule = shop.client("events").describe_rule(Name=shop.physical("FromScheduleNever"))
    assert rule["State"] == "DISABLED"


@needs_packages
def test_the_event_of_a_rest_api_is_as_documented(shop: Shop) -> None:
    """With what is known by now of callers and domains."""
    call(shop.port("Rest"), "GET", "/things/documented?a=b", headers=AGENT)
    event = shop.event("Rest", "/things/documented")
    expected = shape(example("apigateway", "aws-proxy"))
    expected["body"] = None
    expected["requestContext"] |= SINCE
    expected["requestContext"]["identity"] |= IDENTITY_SINCE
    assert shape(event) == expected
    context = event["requestContext"]
    assert (context["stage"], context["identity"]["userAgent"]) == ("Prod", "agent")


@needs_packages
@pytest.mark.parametrize("body", [None, b"text"])
def test_the_event_of_an_http_api_is_as_documented(shop: Shop, body: bytes | None) -> None:
    """It has a body, cookies and a query only where the request has them."""
    path = f"/http/documented-{bool(body)}"
    if body is None:
        call(shop.port("Http"), "GET", path, headers=AGENT)
    else:
        call(shop.port("Http"), "POST", f"{path}?a=b", body, {"Cookie": "c=d", **AGENT})
    event = shop.event("Http", path)
    expected = shape(example("apigateway", "http-api-proxy"))
    for name in ("authentication", "authorizer"):  # there is no certificate, and no authorizer
        del expected["requestContext"][name]
    for name in ("stageVariables", *(("body", "cookies", "queryStringParameters") if body is None else ())):
        del expected[name]
    assert shape(event) == {**expected, "version": "2.0"}


@needs_packages
def test_the_event_of_a_function_url_is_as_documented(shop: Shop) -> None:
    """That of an HTTP API, without parameters in its path."""
    assert call(shop.port("Url"), "GET", "/documented/path", headers=AGENT).status == 200
    event = shop.event("Url", "/documented/path")
    expected = shape(example("apigateway", "http-api-proxy"))
    for name in ("authentication", "authorizer"):
        del expected["requestContext"][name]
    for name in ("stageVariables", "body", "cookies", "queryStringParameters", "pathParameters"):
        del expected[name]
    assert shape(event) == expected
    assert (event["routeKey"], event["requestContext"]["http"]["method"]) == ("$default", "GET")


@pytest.mark.parametrize("event", [b"{", b"1", b"[]", b"{}", b'{"Records": 1}', b'{"Records": [1]}'])
def test_another_event_is_delivered_as_it_is(event: bytes) -> None:
    """Whatever it looks like."""
    assert delivered(event) == event


@pytest.mark.parametrize(
    ("image", "size"),
    [
        ({"Id": {"N": "101"}, "Message": {"S": "New item!"}}, 21),
        ({"a": {"L": [{"S": "b"}, {"BOOL": True}]}}, 1 + 3 + 2 + 2),
        ({"a": {"M": {"bc": {"NULL": True}}}}, 1 + 3 + 1 + 2 + 1),
        ({"a": {"SS": ["b", "cd"]}, "e": {"B": "AAEC"}}, 1 + 3 + 1 + 3),
    ],
)
def test_an_item_has_the_size_that_dynamodb_counts(image: dict[str, Any], size: int) -> None:
    """Names and values, of every type."""
    event = {"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {"NewImage": image, "SizeBytes": 0}}]}
    assert json.loads(delivered(json.dumps(event).encode()))["Records"][0]["dynamodb"]["SizeBytes"] == size
