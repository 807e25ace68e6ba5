"""The function as Lambda calls it: its variables, its clients, its answer. boto3 is pointed at fakes."""

import io
from collections.abc import Callable, Collection, Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from lambda_latency.alarm import handler
from lambda_latency.fetch import FetchError
from lambda_latency.stacks import ALARM
from tests.alarm.cloud import Bucket, Topic
from tests.alarm.conftest import ARN
from tests.alarm.test_answer import rung, slow_provider
from tests.fetch.search import Search
from tests.fetch.standin import XRay
from tests.parts import statements

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
        answer = handler.handle(rung(), CONTEXT)
    finally:
        xray.close()
    assert capsys.readouterr().out == "lambda-latency: ALARM of shop-SlowAlarm: shop-SlowAlarm: payments.example.com\n"
    assert answer == {"alarm": "shop-SlowAlarm", "state": "ALARM", "told": "shop-SlowAlarm: payments.example.com"}
    assert [message["Subject"] for message in clients["sns"].published] == ["shop-SlowAlarm: payments.example.com"]
    assert any(key.startswith("pages/") for key in clients["s3"].objects)


def test_an_account_that_does_not_answer_is_told(clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The alarm has rung all the same."""

    def unreachable(_: object) -> None:
        raise FetchError("X-Ray does not answer: connection refused", "check the network")

    monkeypatch.setattr(handler, "Account", unreachable)
    answer = handler.handle(rung(), CONTEXT)
    assert answer["told"] == "shop-SlowAlarm: the cause is not known"
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


# ---- Each action of its policy is needed: taken out, the message is missing, or says what is ----

# A key is used by SNS and Parameter Store, which are fakes here.
STATEMENTS = statements(ALARM.template, "Explain")
ACTIONS = [action for statement in STATEMENTS for action in statement["Action"] if statement["Sid"] != "UseKey"]
# Needed only in an account with Transaction Search; all others are needed in one without.
SEARCHED = {
    "xray:GetTraceSegmentDestination", "xray:StartTraceRetrieval", "xray:ListRetrievedTraces",
    "logs:StartQuery", "logs:GetQueryResults", "cloudwatch:GetMetricData",
}  # fmt: skip
CALLS = {
    "put_object": "s3:PutObject",
    "get_object": "s3:GetObject",
    "publish": "sns:Publish",
    "get_parameter": "ssm:GetParameter",
}


class AllSlow(dict[str, Callable[[str], bool]]):
    """Conditions of a query, whatever they say: each trace is slow."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, _: str) -> Callable[[str], bool]:
        return lambda _: True


class Guarded:
    """A fake client, for a role that may do some actions only."""

    def __init__(self, client: Any, allowed: Collection[str]) -> None:
        self._client, self._allowed = client, allowed

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name not in CALLS:
            return call

        def guarded(**arguments: Any) -> Any:
            if CALLS[name] not in self._allowed:
                raise denied(name)
            try:
                return call(**arguments)
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchKey" and "s3:ListBucket" not in self._allowed:
                    raise denied(name) from None  # as S3 answers those who may not see what is there
                raise

        return guarded


def denied(operation: str) -> ClientError:
    """AWS's answer to whoever may not."""
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, operation)


@pytest.fixture(params=["X-Ray", "Transaction Search"], scope="module")
def account(request: pytest.FixtureRequest) -> Iterator[XRay]:
    """An account that keeps its traces in either place."""
    xray = slow_provider()
    if request.param == "Transaction Search":
        xray.search = Search(matches=AllSlow())
    yield xray
    xray.close()


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch, account: XRay) -> Callable[[Collection[str]], dict[str, Any]]:
    """Lets an alarm ring in front of a role with some actions; returns what comes of it."""
    original: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

    def answer(allowed: Collection[str]) -> dict[str, Any]:
        def call(self: Any, operation: str, arguments: dict[str, Any]) -> Any:
            if f"{self.meta.service_model.service_name}:{operation}" not in allowed:
                raise denied(operation)
            if operation == "GetMetricData":  # nothing to scan
                return {"MetricDataResults": []}
            return original(self, operation, arguments)

        chats: list[bytes] = []

        def post(request: Any, timeout: float) -> io.BytesIO:
            del timeout
            chats.append(request.data)
            return io.BytesIO()

        topic, bucket = Topic(), Bucket()
        chat = Parameters("https://chat.example/hook")
        made = {"s3": Guarded(bucket, allowed), "sns": Guarded(topic, allowed), "ssm": Guarded(chat, allowed)}
        monkeypatch.setattr(handler, "_client", made.__getitem__)
        monkeypatch.setattr(BaseClient, "_make_api_call", call)
        monkeypatch.setattr("urllib.request.urlopen", post)
        error = ""
        try:
            handler.handle(rung(), CONTEXT)
        except Exception as raised:  # noqa: BLE001 - whatever Lambda would count as a failure
            error = type(raised).__name__
        texts = [text.partition("What was read")[0] for text in topic.texts]
        return {"error": error, "mails": texts, "chats": len(chats), "pages": len(bucket.objects)}

    for name, value in {
        "ALARM_BUCKET": "pages", "AWS_REGION": "us-east-1", "ALARM_TOPIC_ARN": ARN,
        "ALARM_WEBHOOK_PARAMETER": "/alarms/webhook", "ALARM_THEIRS": "*payments.example.com",
        "AWS_ENDPOINT_URL_XRAY": account.url, "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": account.url,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return answer


def test_each_action_that_is_taken_out_is_missed(
    answered: Callable[[Collection[str]], dict[str, Any]], account: XRay
) -> None:
    """With all of them mail and chat have an explanation; without one the function fails, or says less."""
    whole = answered(ACTIONS)
    needed = [action for action in ACTIONS if (action in SEARCHED) is (account.search is not None)]

    assert (whole["error"], len(whole["mails"]), whole["chats"]) == ("", 1, 1)
    assert "Not known" not in whole["mails"][0]
    assert [action for action in needed if answered([a for a in ACTIONS if a != action]) == whole] == []
    assert set(ACTIONS) >= SEARCHED
