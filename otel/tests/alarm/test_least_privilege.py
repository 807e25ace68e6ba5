"""Each action of the function's policy is needed: taken out, an alarm's message is missing, or says what is.

The policy is that of explain.yaml, which `Alarms=explained` and `lambda-latency alarm` both deploy.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from lambda_latency.alarm import TEMPLATE, handler
from tests.alarm.cloud import Bucket, Topic
from tests.alarm.conftest import ARN
from tests.alarm.test_answer import rung, slow_provider
from tests.alarm.test_handler import CONTEXT, Parameters
from tests.fetch.search import Search
from tests.fetch.standin import XRay
from tests.parts import statements

# A key is used by SNS and Parameter Store, which are stand-ins here.
ACTIONS = [action for one in statements(TEMPLATE, "Explain") for action in one["Action"] if one["Sid"] != "UseKey"]
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
    """A stand-in of a client, for a role that may do some actions only."""

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
    needed = [one for one in ACTIONS if (one in SEARCHED) is (account.search is not None)]

    assert (whole["error"], len(whole["mails"]), whole["chats"]) == ("", 1, 1)
    assert "Not known" not in whole["mails"][0]
    assert [one for one in needed if answered([other for other in ACTIONS if other != one]) == whole] == []
    assert set(ACTIONS) >= SEARCHED
