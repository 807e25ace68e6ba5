"""Lists and deletes what a run of `make prove` leaves in an account: by its tag, and log groups by their names."""

import contextlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

TAG = "lambda-latency-prove"
GONE = ("NotFound", "NonExistent", "NoSuchBucket", "does not exist", "QueueDoesNotExist")
DELETION_S = 900
PAUSES_S = (10, 20, 30)  # before each further attempt: a log group is made anew by an environment that still runs
# Resources that outlive their stack: CloudFormation's type, and the service that deletes them by name.
RETAINED = {"AWS::DynamoDB::Table": "dynamodb", "AWS::S3::Bucket": "s3"}
Make = Callable[[str], Any]


def earlier(make: Make) -> list[str]:
    """The runs whose stacks or tagged resources are still there, by the value of their tag."""
    stacks = {run for _, run, _ in _stacks(make)}
    with contextlib.suppress(ClientError):  # without the right only stacks are found
        return sorted(stacks | {run for _, run in _tagged(make, "")})
    return sorted(stacks)


def listed(make: Make, run: str) -> list[str]:
    """What is there of a run: its stacks, what has its tag, and the log groups that Lambda made for its functions."""
    try:
        stacks = [f"stack {name} ({status})" for name, of_run, status in _stacks(make) if of_run == run]
        tagged = [arn for arn, _ in _tagged(make, run)]
        groups = [f"log group {name}" for name in _log_groups(make, run)]
    except (ClientError, BotoCoreError) as error:
        return [f"not known: look for {run} ({error})"]
    return stacks + tagged + groups


def remove(make: Make, run: str, say: Callable[[str], None]) -> list[str]:
    """Deletes the stacks of a run and what outlives them; returns what is left after a minute, each with the reason."""
    deleted: set[str] = set()
    for number, pause in enumerate((0, *PAUSES_S)):
        time.sleep(pause)
        remaining = _attempt(make, run, say, " again" if number else "", deleted)
        if not remaining:
            break
    return [f"{name}: {reason}" for name, reason in remaining.items()]


def _attempt(make: Make, run: str, say: Callable[[str], None], attempt: str, deleted: set[str]) -> dict[str, str]:
    """Deletes once; returns the reasons why things are left, by their names. `deleted` gets what stacks deleted."""
    remaining: dict[str, str] = {}
    names: list[tuple[str, str]] = []
    for stack, _, status in [row for row in _stacks(make) if row[1] == run]:
        say(f"deleting {stack}{attempt} ({status})")
        resources = [*_resources(make, stack)]
        names += _retained(resources)
        if reason := _delete_stack(make, stack):
            remaining[stack] = reason
        else:
            deleted |= {name for kind, name, _ in resources if kind not in RETAINED}
    try:
        names += _outside_stacks(make, run, deleted)
    except ClientError as error:
        remaining["what is tagged"] = f"cannot be listed: {_code(error)}"
    for service, name in dict.fromkeys(names):
        if reason := _delete(make, service, name):
            remaining[f"{service} {name}"] = reason
    return remaining


def _outside_stacks(make: Make, run: str, deleted: set[str]) -> list[tuple[str, str]]:
    """What has the tag of a run, and the log groups of its functions: service and name.

    AWS lists a deleted resource by its tag for hours (boto/boto3#3341): one that its stack `deleted` is gone.
    """
    arns = [arn for arn, _ in _tagged(make, run) if not deleted.intersection(re.split("[:/]", arn))]
    tagged = [resource for resource in map(_of_arn, arns) if resource[0] != "cloudformation"]
    return tagged + [("logs", name) for name in _log_groups(make, run)]


def _stacks(make: Make) -> Iterator[tuple[str, str, str]]:
    """The stacks of all runs that are not within others: name, run, status."""
    for page in _pages(make("cloudformation").describe_stacks, "NextToken"):
        for stack in page["Stacks"]:
            run = next((tag["Value"] for tag in stack.get("Tags", ()) if tag["Key"] == TAG), "")
            if run and not stack.get("ParentId") and stack["StackStatus"] != "DELETE_COMPLETE":
                yield stack["StackName"], run, stack["StackStatus"]


def _resources(make: Make, stack: str) -> Iterator[tuple[str, str, str]]:
    """The resources of a stack and of those within it: type, name, status. One that was never made has no name."""
    for resource in make("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]:
        name = resource.get("PhysicalResourceId", "")
        if resource["ResourceType"] == "AWS::CloudFormation::Stack" and name:
            yield from _resources(make, name)
        elif name:
            yield resource["ResourceType"], name, resource["ResourceStatus"]


def _retained(resources: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str]]:
    """The resources that a stack leaves behind when it is deleted."""
    for kind, name, status in resources:
        if kind in RETAINED and status != "DELETE_COMPLETE":
            yield RETAINED[kind], name


def _log_groups(make: Make, run: str) -> list[str]:
    """The log groups that Lambda made for functions without one: no stack deletes them, and they have no tag."""
    pages = _pages(make("logs").describe_log_groups, "nextToken", logGroupNamePrefix=f"/aws/lambda/{run}")
    return [group["logGroupName"] for page in pages for group in page["logGroups"]]


def _delete_stack(make: Make, stack: str) -> str:
    """Deletes a stack and waits; returns the reason if it stays."""
    cloudformation = make("cloudformation")
    cloudformation.delete_stack(StackName=stack)
    end = time.monotonic() + DELETION_S
    while time.monotonic() < end:
        try:
            (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            return "" if _is_gone(error) else _code(error)
        if described["StackStatus"] == "DELETE_COMPLETE":
            return ""
        if described["StackStatus"] == "DELETE_FAILED":
            return str(described.get("StackStatusReason", "DELETE_FAILED"))
        time.sleep(5)
    return f"not deleted after {DELETION_S} s"


def _tagged(make: Make, run: str) -> Iterator[tuple[str, str]]:
    """The ARNs of what has the tag, with the run; those of one run if it is named."""
    tag_filter: dict[str, Any] = {"Key": TAG, **({"Values": [run]} if run else {})}
    client = make("resourcegroupstaggingapi")
    for page in _pages(client.get_resources, "PaginationToken", TagFilters=[tag_filter]):
        for resource in page["ResourceTagMappingList"]:
            runs = (tag["Value"] for tag in resource.get("Tags", ()) if tag["Key"] == TAG)
            yield resource["ResourceARN"], next(runs, run)


def _of_arn(arn: str) -> tuple[str, str]:
    """The service and the name in an ARN."""
    _, _, service, _, _, name = arn.split(":", 5)
    return service, name.removeprefix("table/").removeprefix("log-group:").removesuffix(":*")


def _delete(make: Make, service: str, name: str) -> str:
    """Deletes one resource; returns the reason if it stays. What is not there any more counts as deleted."""
    if service not in DELETE:
        return "is still listed by its tag, and nothing here deletes it"
    try:
        DELETE[service](make(service), name)
    except (ClientError, BotoCoreError) as error:
        return "" if _is_gone(error) else str(error)
    return ""


def _delete_table(client: Any, name: str) -> None:
    try:
        client.delete_table(TableName=name)
    except ClientError as error:
        if "protection" not in str(error).lower():
            raise
        client.update_table(TableName=name, DeletionProtectionEnabled=False)
        client.delete_table(TableName=name)


def _delete_queue(client: Any, name: str) -> None:
    client.delete_queue(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"])


def _delete_bucket(client: Any, name: str) -> None:
    for page in _pages(client.list_objects_v2, "ContinuationToken", "NextContinuationToken", Bucket=name):
        keys = [{"Key": stored["Key"]} for stored in page.get("Contents", ())]
        if keys:
            client.delete_objects(Bucket=name, Delete={"Objects": keys})
    client.delete_bucket(Bucket=name)


DELETE: Mapping[str, Callable[[Any, str], object]] = {
    "dynamodb": _delete_table,
    "lambda": lambda client, name: client.delete_function(FunctionName=name.removeprefix("function:")),
    "logs": lambda client, name: client.delete_log_group(logGroupName=name),
    "s3": _delete_bucket,
    "sns": lambda client, name: client.delete_topic(TopicArn=_topic(client, name)),
    "sqs": _delete_queue,
}


def _topic(client: Any, name: str) -> str:
    """The ARN of a topic."""
    for page in _pages(client.list_topics, "NextToken"):
        for topic in page["Topics"]:
            if topic["TopicArn"].endswith(f":{name}"):
                return str(topic["TopicArn"])
    raise ClientError({"Error": {"Code": "NotFound", "Message": name}}, "ListTopics")


def _pages(operation: Any, token_key: str, returned: str = "", **arguments: Any) -> Iterator[Any]:
    """All pages of an operation."""
    while True:
        page = operation(**arguments)
        yield page
        token = page.get(returned or token_key)
        if not token:
            return
        arguments[token_key] = token


def _is_gone(error: Exception) -> bool:
    return any(part in str(error) for part in GONE)


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
