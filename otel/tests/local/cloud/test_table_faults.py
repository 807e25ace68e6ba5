"""Faults of DynamoDB calls: those of the functions that the plan names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from lab.apps import packages
from lambda_latency.local.cloud.emulator import Cloud
from lambda_latency.local.cloud.proxy import AwsProxy
from lambda_latency.local.faults import FaultPlan, FaultRule, TableFaults
from lambda_latency.local.processes import Processes
from tests.local.app.conftest import needs_packages
from tests.local.calls import PATIENCE, port_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = needs_packages

# One function for each kind of fault; `Fine` has a route, too, but no rule names it.
RULES = (
    FaultRule("table", "throttle", 1, route="POST /throttled"),
    FaultRule("table", "status", 1, route="POST /broken", status=500),
    FaultRule("table", "delay", 1, ms=30, route="POST /slow"),
    FaultRule("table", "hang", 1, route="POST /hanging"),
    FaultRule("table", "reset", 1, route="POST /reset"),
    FaultRule("table", "throttle", 0.5, route="POST /sometimes"),
    FaultRule("provider", "throttle", 1),
)
ROUTES = {
    "Throttled": ["GET /other", "POST /throttled"],
    "Broken": ["POST /broken"],
    "Slow": ["POST /slow"],
    "Hanging": ["POST /hanging"],
    "Reset": ["POST /reset"],
    "Sometimes": ["POST /sometimes"],
    "Fine": ["POST /fine"],
}
KEY = {"order_id": {"S": "1"}}
ORDER = {**KEY, "customer": {"S": "ada"}, "created_at": {"S": "2026-01-01"}}


@dataclass(frozen=True, slots=True)
class Aws:
    """The emulator's port, and what it has printed."""

    port: int
    printed: list[str] = field(default_factory=list)

    @contextmanager
    def client(self, function: str, timeout: float = PATIENCE) -> Iterator[DynamoDBClient]:
        """A client as the function has it, but without retries: its calls are signed with the function's name."""
        settings = Config(retries={"total_max_attempts": 1}, proxies={}, read_timeout=timeout)
        client = boto3.Session(region_name="us-east-1").client(
            "dynamodb",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id=function,
            aws_secret_access_key="local",
            config=settings,
        )
        yield client
        client.close()


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """The emulator with a table, behind the proxy with the plan above."""
    printed: list[str] = []
    with Processes() as processes:
        cloud = Cloud(packages(), processes, "{}", lambda _: None, printed.append)
        cloud.wait()
        cloud.client("dynamodb").create_table(
            TableName="OrdersTable",
            AttributeDefinitions=[{"AttributeName": "order_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "order_id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        faults = TableFaults(FaultPlan(1, RULES), ROUTES)
        with closing(AwsProxy(cloud.url, lambda *_: None, printed.append, faults=faults)) as proxy:
            yield Aws(port_of(proxy.url), printed)
        cloud.stop()


def test_a_throttle_is_dynamodbs_own(aws: Aws) -> None:
    """boto3 knows the error: its code, its message, its status; and nothing was written."""
    with (
        aws.client("Throttled") as client,
        pytest.raises(client.exceptions.ProvisionedThroughputExceededException) as raised,
    ):
        client.put_item(TableName="OrdersTable", Item={**ORDER, "order_id": {"S": "throttled"}})
    with aws.client("Fine") as client:
        written = client.get_item(TableName="OrdersTable", Key={"order_id": {"S": "throttled"}})
    assert (
        raised.value.response["Error"],
        raised.value.response["ResponseMetadata"]["HTTPStatusCode"],
        "Item" in written,
    ) == (
        {
            "Code": "ProvisionedThroughputExceededException",
            "Message": "The level of throughput was exceeded.",
        },
        400,
        False,
    )


def test_a_share_of_the_calls_is_throttled(aws: Aws) -> None:
    """Half of one client's calls are refused, and those after a refused one find their answer."""
    outcomes: list[object] = []
    with aws.client("Sometimes") as client:
        for _ in range(20):
            try:
                outcomes.append(client.list_tables()["TableNames"])
            except client.exceptions.ProvisionedThroughputExceededException:
                outcomes.append("throttled")
    assert (outcomes.count("throttled"), outcomes.count(["OrdersTable"])) == (10, 10)


def test_a_status_is_an_error_of_the_service(aws: Aws) -> None:
    """The status of the rule, with DynamoDB's name for it."""
    with aws.client("Broken") as client, pytest.raises(ClientError) as raised:
        client.get_item(TableName="OrdersTable", Key=KEY)
    assert (raised.value.response["Error"], raised.value.response["ResponseMetadata"]["HTTPStatusCode"]) == (
        {"Code": "InternalServerError", "Message": "The request could not be processed."},
        500,
    )


def test_a_delay_answers_right_and_late(aws: Aws) -> None:
    """The call does what it should, after the milliseconds of the rule."""
    item = {**ORDER, "order_id": {"S": "slow"}}
    with aws.client("Slow") as client:
        begin = time.perf_counter()
        client.put_item(TableName="OrdersTable", Item=item)
        took = time.perf_counter() - begin
        got = client.get_item(TableName="OrdersTable", Key={"order_id": {"S": "slow"}})["Item"]
    assert (got, took >= 0.03) == (item, True)


def test_a_hang_lasts_until_the_client_gives_up(aws: Aws) -> None:
    """No answer comes within the client's patience, and others are served meanwhile."""
    with aws.client("Hanging", timeout=0.1) as client, pytest.raises(ReadTimeoutError):
        client.list_tables()
    with aws.client("Fine") as client:
        assert client.list_tables()["TableNames"] == ["OrdersTable"]


def test_a_reset_ends_the_connection(aws: Aws) -> None:
    """The client hears at once that there will be no answer; it does not have to wait for its own timeout."""
    with aws.client("Reset") as client, pytest.raises(ConnectionClosedError):
        client.list_tables()


@pytest.mark.parametrize("function", ["Fine", "Unknown", "Throttle"])
def test_faults_of_other_functions_do_not_hit(aws: Aws, function: str) -> None:
    """Who signs a call decides: a function without a rule, or nobody that the template knows, is served well."""
    with aws.client(function) as client:
        assert [client.list_tables()["TableNames"] for _ in range(5)] == [["OrdersTable"]] * 5


def test_faults_are_for_dynamodb_alone(aws: Aws) -> None:
    """Another service called by the same function is left in peace."""
    client = boto3.Session(region_name="us-east-1").client(
        "sts",
        endpoint_url=f"http://127.0.0.1:{aws.port}",
        aws_access_key_id="Throttled",
        aws_secret_access_key="local",
        config=Config(proxies={}),
    )
    account = client.get_caller_identity()["Account"]
    client.close()
    assert account == "123456789012"


def test_it_prints_nothing(aws: Aws) -> None:
    """What a call did is in the spans; the log has only what is wrong."""
    with aws.client("Fine") as client:
        client.list_tables()
    assert aws.printed == []
