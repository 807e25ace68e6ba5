"""The functions as Lambda runs them, with a table in this process and a payments provider on the loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler
from samcli.yamlhelper import yaml_parse

from fake_payments import FakePayments, serve
from orders_api import Api, Refusal, imported

ROOT = Path(__file__).parents[1]
PROTECTION = (
    "DeletionProtectionEnabled",
    "PointInTimeRecoverySpecification",
)  # a call of its own each
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@pytest.fixture(scope="session")
def listening() -> Iterator[FakePayments]:
    """One server for all tests."""
    with serve() as provider:
        yield provider


@pytest.fixture(scope="session")
def functions(listening: FakePayments) -> Iterator[Api]:
    """The functions, imported once, as in a warm sandbox."""
    with imported(PAYMENTS_URL=listening.url) as api:
        yield api


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """The template as it is written."""
    written: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    return written


@pytest.fixture
def provider(listening: FakePayments) -> Iterator[FakePayments]:
    """The payments provider, with empty books."""
    listening.begin()
    yield listening
    listening.released.set()


@pytest.fixture
def api(
    functions: Api, provider: FakePayments, template: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Api]:
    """The API with an empty table."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    table = template["Resources"]["OrdersTable"]["Properties"]
    properties = {name: value for name, value in table.items() if name not in PROTECTION}
    # A call of DynamoDB is atomic; moto changes a table in one thread while another reads it
    lock, answer = threading.Lock(), DynamoHandler.call_action

    def answer_in_turn(handler: DynamoHandler) -> Any:
        with lock:
            return answer(handler)

    monkeypatch.setattr(DynamoHandler, "call_action", answer_in_turn)
    with mock_aws():
        functions.table.CLIENT.create_table(TableName="orders", **properties)
        yield functions


@pytest.fixture
def refusing(functions: Api) -> Refusal:
    """`with refusing("UpdateItem", "ThrottlingException")`: DynamoDB answers each such call with that error."""
    events = functions.table.CLIENT.meta.events

    @contextmanager
    def refuse(operation: str, code: str) -> Iterator[None]:
        def answer(**_: object) -> tuple[AWSResponse, dict[str, Any]]:
            return AWSResponse("", 400, HTTPHeaders(), None), {
                "Error": {"Code": code, "Message": "no"},
                "ResponseMetadata": {},
            }

        events.register_first(f"before-call.dynamodb.{operation}", answer)
        try:
            yield
        finally:
            events.unregister(f"before-call.dynamodb.{operation}", answer)

    return refuse


@pytest.fixture
def impatient(functions: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that hangs is given up at once."""
    monkeypatch.setattr(functions.payments, "_SECONDS", 0.2)
