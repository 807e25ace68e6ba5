"""The client of DynamoDB: where it calls, how long it waits, how often it tries."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from orders_api import Api, an_order, error, imported


class Throttle(AWSResponse):
    """DynamoDB's answer to a call that comes too soon."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1", 400, HTTPHeaders(), None)

    @property
    def content(self) -> bytes:
        """The error, in DynamoDB's own form."""
        return b'{"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}'


def test_a_throttled_call_is_tried_three_times_before_the_answer_is_503(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The delays between the attempts are botocore's, and cut to nothing here."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    attempts: list[str] = []

    def throttle(request: object, **_: object) -> Throttle:
        attempts.append("attempt")
        return Throttle()

    events = api.table.CLIENT.meta.events
    events.register_first("before-send.dynamodb.PutItem", throttle)
    try:
        reply = api.post(an_order())
    finally:
        events.unregister("before-send.dynamodb.PutItem", throttle)

    assert reply == error(503, "busy", "there are too many requests; send the request again")
    assert len(attempts) == 3


@contextmanager
def asked(api: Api, operation: str) -> Iterator[list[dict[str, Any]]]:
    """What `operation` is called with: for what moto answers in one way and DynamoDB in another."""
    calls: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: object) -> None:
        calls.append(dict(params))

    events = api.table.CLIENT.meta.events
    events.register(f"before-parameter-build.dynamodb.{operation}", note)
    try:
        yield calls
    finally:
        events.unregister(f"before-parameter-build.dynamodb.{operation}", note)


def test_a_get_sees_the_last_write(api: Api) -> None:
    """An eventually consistent read could miss the order that its caller has just made."""
    with asked(api, "GetItem") as calls:
        api.get("o-1")

    assert [call["ConsistentRead"] for call in calls] == [True]


def test_a_page_asks_for_one_order_more(api: Api) -> None:
    """DynamoDB gives a place to go on with every full page, also with the last: an empty page would follow."""
    with asked(api, "Query") as calls:
        api.list(customer="ada", limit="2")

    assert [call["Limit"] for call in calls] == [3]


def test_the_endpoint_of_the_environment_is_called() -> None:
    """AWS's own variable moves the table, as the laptop needs it; no setting of ours does."""
    with imported(PAYMENTS_URL="https://pay.example", AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:1234") as api:
        assert api.table.CLIENT.meta.endpoint_url == "http://127.0.0.1:1234"
