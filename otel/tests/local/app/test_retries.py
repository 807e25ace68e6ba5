"""What comes again after a failure, and what an API answers instead."""

import json
from typing import Any

import pytest

from tests.local.app.conftest import PATIENCE_S, Shop, needs_packages
from tests.local.calls import call
from tests.sandbox.state import until

pytestmark = needs_packages
FAIL = "fail-on-purpose"


def attempts(shop: Shop, function: str) -> list[Any]:
    """The events of a function that are made to fail, once there are three of them."""

    def seen() -> list[Any]:
        return [event for event in shop.events(function) if FAIL in json.dumps(event)]

    assert until(lambda: len(seen()) >= 3, PATIENCE_S), seen()
    return seen()


def test_a_message_of_a_topic_that_fails_comes_again_twice(shop: Shop) -> None:
    """As what nobody waits for."""
    shop.client("sns").publish(TopicArn=shop.physical("Topic"), Message=FAIL)
    event, *retries = attempts(shop, "FromTopic")
    assert retries == [event, event]


def test_an_object_whose_event_fails_comes_again_twice(shop: Shop) -> None:
    """As what nobody waits for."""
    shop.client("s3").put_object(Bucket=shop.physical("Bucket"), Key=f"{FAIL}.txt", Body=b"")
    event, *retries = attempts(shop, "FromBucket")
    assert retries == [event, event]


def test_a_schedule_whose_event_fails_comes_again_twice(shop: Shop) -> None:
    """With the input that the template has for it."""
    shop.fire(shop.physical("FromScheduleFailing"))
    assert attempts(shop, "FromSchedule")[:3] == [{"order": FAIL}] * 3


def test_records_of_a_tables_stream_come_again_as_often_as_the_mapping_says(shop: Shop) -> None:
    """Twice; what is written afterwards is handled, and not before."""
    client, table = shop.client("dynamodb"), shop.physical("Table")
    client.put_item(TableName=table, Item={"id": {"S": FAIL}})
    records = [event["Records"] for event in attempts(shop, "FromTable")]
    assert records[1:] == [records[0], records[0]]
    client.put_item(TableName=table, Item={"id": {"S": "after a failure"}})
    (record,) = shop.event("FromTable", "after a failure")["Records"]
    assert (record["dynamodb"]["Keys"], len(attempts(shop, "FromTable"))) == ({"id": {"S": "after a failure"}}, 3)


def test_records_of_a_stream_come_again_as_often_as_the_mapping_says(shop: Shop) -> None:
    """Twice; what is written afterwards is handled, and not before."""
    client, stream = shop.client("kinesis"), shop.physical("Stream")
    client.put_record(StreamName=stream, Data=b"", PartitionKey=FAIL)
    records = [event["Records"] for event in attempts(shop, "FromStream")]
    assert records[1:] == [records[0], records[0]]
    client.put_record(StreamName=stream, Data=b"", PartitionKey="after a failure")
    (record,) = shop.event("FromStream", "after a failure")["Records"]
    assert (record["kinesis"]["partitionKey"], len(attempts(shop, "FromStream"))) == ("after a failure", 3)


def received(shop: Shop, queue: str) -> Any:
    """The first message of a queue, as JSON."""
    messages: list[Any] = []

    def there() -> bool:
        url = shop.physical(queue)
        got = shop.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1, VisibilityTimeout=0)
        messages[:] = [json.loads(message["Body"]) for message in got.get("Messages", [])]
        return bool(messages)

    assert until(there, PATIENCE_S)
    return messages[0]


def test_a_batch_of_a_stream_is_split_until_what_fails_is_alone(shop: Shop) -> None:
    """The others are handled once; the record that fails is tried once more, and its place is told to the topic."""
    keys = ["a", "b", FAIL, "c", "d"]
    client, stream = shop.client("kinesis"), shop.physical("Halves")
    client.put_records(StreamName=stream, Records=[{"Data": b"", "PartitionKey": key} for key in keys])
    message = received(shop, "AllLosses")

    def batches_of_keys() -> list[list[str]]:
        return [[r["kinesis"]["partitionKey"] for r in event["Records"]] for event in shop.events("FromHalves")]

    with shop.changed:  # the other half is handled after the loss is told
        assert shop.changed.wait_for(
            lambda: any(batch[-1] == "d" and FAIL not in batch for batch in batches_of_keys()), PATIENCE_S
        )
    batches = batches_of_keys()
    assert [batch for batch in batches if batch == [FAIL]] == [[FAIL]] * 2
    assert [key for batch in batches if FAIL not in batch for key in batch] == ["a", "b", "c", "d"]
    alone = next(event for event in shop.events("FromHalves") if len(event["Records"]) == 1)["Records"][0]
    number = next(
        event["Records"][0]["kinesis"]["sequenceNumber"]
        for event in shop.events("FromHalves")
        if [record["kinesis"]["partitionKey"] for record in event["Records"]] == [FAIL]
    )
    assert alone["eventSourceARN"] == message["KinesisBatchInfo"]["streamArn"]
    info = message.pop("KinesisBatchInfo")
    assert {key: info[key] for key in ("shardId", "startSequenceNumber", "endSequenceNumber", "batchSize")} == {
        "shardId": "shardId-000000000000", "startSequenceNumber": number, "endSequenceNumber": number, "batchSize": 1,
    }  # fmt: skip
    assert set(info) == {
        *("shardId", "startSequenceNumber", "endSequenceNumber", "batchSize", "streamArn"),
        *("approximateArrivalOfFirstRecord", "approximateArrivalOfLastRecord"),
    }
    context = message["requestContext"]
    assert (
        message["version"],
        message["responseContext"],
        context["condition"],
        context["approximateInvokeCount"],
    ) == (
        "1.0",
        {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "RetryAttemptsExhausted",
        2,
    )
    assert context["functionArn"].endswith(":function:shop-FromHalves") or "FromHalves" in context["functionArn"]


def test_what_a_tables_stream_gives_up_is_told_to_the_queue(shop: Shop) -> None:
    """As the mapping's destination for failures says."""
    client, table = shop.client("dynamodb"), shop.physical("Table")
    client.put_item(TableName=table, Item={"id": {"S": FAIL}})
    message = received(shop, "GivenUp")
    assert (message["requestContext"]["condition"], message["DDBStreamBatchInfo"]["batchSize"]) == (
        "RetryAttemptsExhausted",
        1,
    )
    assert message["DDBStreamBatchInfo"]["streamArn"].startswith("arn:aws:dynamodb:us-east-1:123456789012:table/")


@pytest.mark.parametrize(
    ("function", "status", "message"),
    [
        ("Rest", 502, {"message": "Internal server error"}),
        ("Http", 500, {"message": "Internal Server Error"}),
        ("Url", 502, {"message": "Internal Server Error"}),
    ],
)
def test_a_caller_gets_an_error_once(shop: Shop, function: str, status: int, message: dict[str, str]) -> None:
    """The function is not asked again."""
    path = {"Rest": "/things/", "Http": "/http/", "Url": "/"}[function]
    reply = call(
        shop.port(function),
        "GET",
        path + FAIL,
    )
    assert (reply.status, reply.json) == (status, message)
    shop.event(function, FAIL)  # its line may come after the answer
    assert sum(FAIL in json.dumps(event) for event in shop.events(function)) == 1
