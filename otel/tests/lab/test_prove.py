"""What a run of `make prove` leaves in an account is deleted, or told: it costs money there."""

from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from lab.prove import leavings
from tests.docs.pages import ROOT

RUN = "lambda-latency-prove-1"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:heard"


class Account:
    """A stack and what has its tag, as far as `remove` asks for it; `denied` is an operation without permission."""

    def __init__(self, denied: str = "") -> None:
        self.denied = denied
        self.stacks = [RUN]
        self.tagged = [TABLE, QUEUE]

    def client(self, _: str) -> Any:
        """Every service is this account."""
        return self

    def describe_stacks(self, StackName: str = "") -> Any:  # noqa: N803 - AWS's name, as those below
        if StackName and StackName not in self.stacks:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")
        tags = [{"Key": leavings.TAG, "Value": RUN}]
        return {"Stacks": [{"StackName": name, "StackStatus": "CREATE_COMPLETE", "Tags": tags} for name in self.stacks]}

    def describe_stack_resources(self, **_: str) -> Any:
        table = {"ResourceType": "AWS::DynamoDB::Table", "ResourceStatus": "CREATE_COMPLETE"}
        return {"StackResources": [{**table, "PhysicalResourceId": "orders"}]}

    def delete_stack(self, StackName: str) -> None:  # noqa: N803
        self.stacks.remove(StackName)

    def get_resources(self, **_: Any) -> Any:
        tags = [{"Key": leavings.TAG, "Value": RUN}]
        return {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": tags} for arn in self.tagged]}

    def delete_table(self, **_: str) -> None:
        if self.denied == "delete_table":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "DeleteTable")
        self.tagged.remove(TABLE)

    def get_queue_url(self, QueueName: str) -> Any:  # noqa: N803
        return {"QueueUrl": QueueName}

    def delete_queue(self, **_: str) -> None:
        self.tagged.remove(QUEUE)


def test_stacks_what_outlives_them_and_what_is_tagged_are_deleted() -> None:
    """Another run finds nothing of it."""
    account = Account()
    assert leavings.earlier(account.client) == [RUN]
    assert leavings.remove(account.client, RUN, lambda _: None) == []
    assert (account.stacks, account.tagged, leavings.earlier(account.client)) == ([], [], [])


def test_what_cannot_be_deleted_is_listed_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second attempt; all else is gone."""
    monkeypatch.setattr(leavings, "AGAIN_S", 0)
    account = Account(denied="delete_table")
    (remaining,) = leavings.remove(account.client, RUN, lambda _: None)
    assert remaining.startswith("dynamodb orders: ")
    assert "AccessDenied" in remaining
    assert (account.stacks, account.tagged) == ([], [TABLE])


def test_the_workflow_runs_by_hand_with_a_role_of_oidc() -> None:
    """It is off until its owner names the role, and asks nobody."""
    text = (ROOT / ".github" / "workflows" / "prove.yml").read_text()
    read = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - it makes texts only, so that `on` is no boolean
    assert (list(read["on"]), read["permissions"]["id-token"]) == (["workflow_dispatch"], "write")
    job = read["jobs"]["prove"]
    assert job["if"] == "vars.PROVE_ROLE != ''"
    (command,) = [step["run"] for step in job["steps"] if "run" in step]
    assert "lab prove --yes --report prove.json" in command
