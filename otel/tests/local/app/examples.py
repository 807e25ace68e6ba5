"""AWS's own example events, which come with the SAM CLI (`sam local generate-event`), and how an event is like one."""

import json
from typing import Any

from samcli.lib.generated_sample_events.events import Events

# What is data: whatever keys it has, they are the sender's.
DATA = ("headers", "multiValueHeaders", "pathParameters", "queryStringParameters", "multiValueQueryStringParameters",
        "stageVariables", "detail", "Keys", "NewImage", "OldImage")  # fmt: skip
CONSTANTS = ("eventSource", "EventSource", "EventVersion", "eventName", "Type", "SignatureVersion", "s3SchemaVersion",
             "kinesisSchemaVersion", "source", "detail-type", "version")  # fmt: skip
# https://docs.aws.amazon.com/eventbridge/latest/ref/events-structure.html
EVENT = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "Ordered",
    "source": "shop",
    "account": "111122223333",
    "time": "2017-12-22T18:43:48Z",
    "region": "us-west-1",
    "resources": [],
    "detail": {},
}
SCHEDULED = {**EVENT, "detail-type": "Scheduled Event", "source": "aws.events", "resources": ["arn"]}


def example(service: str, kind: str, **values: str) -> Any:
    """One of the SAM CLI's, by the words of its command."""
    variables = {"region": "us-east-1", "partition": "aws", "account_id": "1", "dns_suffix": "a.b", **values}
    events = Events()
    for name, tag in events.event_mapping[service][kind]["tags"].items():
        variables.setdefault(name, tag["default"])
    return json.loads(events.generate_event(service, kind, variables))


def shape(value: Any, name: str = "") -> Any:
    """A value's keys, its constants, and of everything else the type."""
    if value is None or name in DATA:
        return "data" if name in DATA else None
    if isinstance(value, dict):
        return {key: shape(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [shape(member) for member in value[:1]]
    if name in CONSTANTS:
        return value
    return "number" if type(value) in (int, float) else type(value).__name__
