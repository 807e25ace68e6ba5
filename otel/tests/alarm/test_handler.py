"""The function as Lambda calls it: its variables, its clients, its answer. boto3 is pointed at stand-ins."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from lambda_latency.alarm import handler
from lambda_latency.fetch import FetchError
from tests.alarm.cloud import Bucket, Topic
from tests.alarm.conftest import ARN
from tests.alarm.test_answer import rung, slow_provider
from tests.fetch.standin import XRay

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 90_000)


class Parameters:
    """Some of boto3's client for Systems Manager, with a webhook's address."""

    def __init__(self, address: str = "http://chat.example/hook") -> None:
        self._address = address

    def get_parameter(self, *, Name: str, WithDecryption: bool) -> dict[str, Any]:  # noqa: N803
        return {"Parameter": {"Name": Name, "Value": self._address, "Decrypted": WithDecryption}}


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Those that the function makes, and its variables."""
    made: dict[str, Any] = {"s3": Bucket(), "sns": Topic(), "ssm": Parameters()}
    original = boto3.client

    def client(service: str, **more: Any) -> Any:
        make: Any = original
        return made.get(service) or make(service, **more)

    monkeypatch.setattr(boto3, "client", client)
    handler._client.cache_clear()
    for name, value in {"ALARM_BUCKET": "pages", "AWS_REGION": "us-east-1", "ALARM_TOPIC_ARN": ARN}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ALARM_THEIRS", " *payments.example.com , other ")
    return made


def test_an_event_is_answered(
    clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whose is what comes from the function's variables."""
    xray: XRay = slow_provider()
    monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", xray.url)
    try:
        told = handler.handle(rung(), CONTEXT)
    finally:
        xray.close()
    assert capsys.readouterr().out == "lambda-latency: ALARM of shop-SlowAlarm: shop-SlowAlarm: payments.example.com\n"
    assert told == {"alarm": "shop-SlowAlarm", "state": "ALARM", "told": "shop-SlowAlarm: payments.example.com"}
    assert [one["Subject"] for one in clients["sns"].published] == ["shop-SlowAlarm: payments.example.com"]
    assert any(key.startswith("pages/") for key in clients["s3"].objects)


def test_an_account_that_does_not_answer_is_told(clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The alarm has rung all the same."""

    def unreachable(_: object) -> None:
        raise FetchError("X-Ray does not answer: connection refused", "check the network")

    monkeypatch.setattr(handler, "Account", unreachable)
    told = handler.handle(rung(), CONTEXT)
    assert told["told"] == "shop-SlowAlarm: the cause is not known"
    [text] = clients["sns"].texts
    assert text.split("\n\n")[1].replace("\n", " ") == (
        "No slow traces: X-Ray does not answer: connection refused: check the network."
    )


def test_an_address_that_is_no_webhook_is_not_told(clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a secret; the topic hears, and Lambda tries the chat again."""
    monkeypatch.setenv("ALARM_WEBHOOK_PARAMETER", "/alarms/webhook")
    monkeypatch.setattr(handler, "Account", lambda _: (_ for _ in ()).throw(FetchError("no", "")))
    with pytest.raises(ValueError, match="the webhook of shop-SlowAlarm must be an https URL"):
        handler.handle(rung(), CONTEXT)
    assert len(clients["sns"].published) == 1


def test_another_event_is_an_error(clients: dict[str, Any]) -> None:
    """Somebody has set up another rule."""
    del clients
    with pytest.raises(ValueError, match="not the change of an alarm"):
        handler.handle({"source": "aws.ec2"}, CONTEXT)
