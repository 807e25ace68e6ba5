"""Adds the fields that only AWS's events have: URLs of a topic's event, lists of a queue's, sizes of a stream's."""

from __future__ import annotations

import base64
import json
from typing import Any

LISTS = ("stringListValues", "binaryListValues")
URLS = {
    "SigningCertURL": "SigningCertUrl",
    "UnsubscribeURL": "UnsubscribeUrl",
}  # names in an event of Lambda, not of a queue


def delivered(event: bytes) -> bytes:
    """The event with the additional fields of AWS; an unknown event unchanged."""
    try:
        parsed: Any = json.loads(event)
        records = parsed["Records"]
        for record in records:
            _complete(record)
    except (ValueError, TypeError, KeyError, AttributeError):
        return event
    return json.dumps(parsed).encode()


def _complete(record: dict[str, Any]) -> None:
    source = record.get("eventSource") or record.get("EventSource")
    if source == "aws:sns":
        message = record["Sns"]
        record["Sns"] = {URLS.get(name, name): value for name, value in message.items()}
        record["Sns"].setdefault("Subject", None)
    elif source == "aws:sqs":
        for attribute in record["messageAttributes"].values():
            attribute |= {name: attribute.get(name, []) for name in LISTS}
    elif source == "aws:dynamodb":
        change = record["dynamodb"]
        change["SizeBytes"] = sum(_item(change.get(part, {})) for part in ("Keys", "NewImage", "OldImage"))


def _item(item: dict[str, Any]) -> int:
    """The size of an item in bytes.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value(value) for name, value in item.items())


def _value(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "L":
        return 3 + sum(1 + _value(one) for one in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value(one) for name, one in content.items())
    if kind in ("SS", "NS", "BS"):
        return sum(_value({kind[0]: one}) for one in content)
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return (sum(map(str.isdigit, content)) + 1) // 2 + 1
    return len(base64.b64decode(content)) if kind == "B" else 1
