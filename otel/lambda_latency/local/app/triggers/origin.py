"""The name of an event's source, such as SQS or schedule."""

from __future__ import annotations

import json

SERVICES = {
    "aws:sqs": "SQS",
    "aws:sns": "SNS",
    "aws:s3": "S3",
    "aws:dynamodb": "DynamoDB stream",
    "aws:kinesis": "Kinesis",
    "aws:kafka": "Kafka",
}


def origin(event: bytes) -> str:
    """The source of an event, by its fields; `event` if it is unknown."""
    try:
        parsed = json.loads(event)
    except ValueError:
        return "event"
    if not isinstance(parsed, dict):
        return "event"
    records = parsed.get("Records")
    if isinstance(records, list) and records and isinstance(records[0], dict):
        named = records[0].get("eventSource") or records[0].get("EventSource")
        return SERVICES.get(str(named), "event")
    if parsed.get("detail-type") == "Scheduled Event":
        return "schedule"
    if "detail-type" in parsed:
        return "EventBridge"
    if "ResponseURL" in parsed and "RequestType" in parsed:
        return "CloudFormation"
    return "event"
