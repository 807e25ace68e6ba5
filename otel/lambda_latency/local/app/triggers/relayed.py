"""Events that the emulator forwards to functions: their server, AWS's fields that they lack, and their source.

An event that a call to AWS causes has the tracing header of that call. The answers of custom resources reach the
emulator; a failed one, for which it would wait an hour, is reported to it.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from lambda_latency.http import Handler, Server, request
from lambda_latency.local.sandbox.function import Outcome

LISTS = ("stringListValues", "binaryListValues")
# Names in an event of Lambda, not of a queue.
URLS = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
COPIED = ("StackId", "RequestId", "LogicalResourceId")
SERVICES = {
    "aws:sqs": "SQS",
    "aws:sns": "SNS",
    "aws:s3": "S3",
    "aws:dynamodb": "DynamoDB stream",
    "aws:kinesis": "Kinesis",
    "aws:kafka": "Kafka",
}
ROUTE = "x-lambda-latency-route"  # the header with the route of a request


def delivered(event: bytes) -> bytes:
    """Return the event with the additional fields of AWS; an unknown event unchanged."""
    try:
        parsed: Any = json.loads(event)
        records = parsed["Records"]
        for record in records:
            _complete(record)
    except (ValueError, TypeError, KeyError, AttributeError):
        return event
    return json.dumps(parsed).encode()


def _source(record: dict[str, Any]) -> Any:
    return record.get("eventSource") or record.get("EventSource")


def _complete(record: dict[str, Any]) -> None:
    source = _source(record)
    if source == "aws:sns":
        message = record["Sns"]
        record["Sns"] = {URLS.get(name, name): value for name, value in message.items()}
        record["Sns"].setdefault("Subject", None)
    elif source == "aws:sqs":
        for attribute in record["messageAttributes"].values():
            attribute |= {name: attribute.get(name, []) for name in LISTS}
    elif source == "aws:dynamodb":
        change = record["dynamodb"]
        change["SizeBytes"] = sum(_item_size(change.get(part, {})) for part in ("Keys", "NewImage", "OldImage"))


def _item_size(item: dict[str, Any]) -> int:
    """Return the size of an item in bytes.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _size(attribute) for name, attribute in item.items())


def _size(attribute: dict[str, Any]) -> int:
    ((kind, content),) = attribute.items()
    if kind == "L":
        return 3 + sum(1 + _size(member) for member in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _size(member) for name, member in content.items())
    if kind in ("SS", "NS", "BS"):
        return sum(_size({kind[0]: member}) for member in content)
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return (sum(map(str.isdigit, content)) + 1) // 2 + 1
    return len(base64.b64decode(content)) if kind == "B" else 1


def with_response_url(event: bytes, url: str) -> bytes:
    """A request of CloudFormation that is answered at this address, by HTTP and by HTTPS; another event unchanged.

    Libraries for custom resources use HTTPS whatever the address says; the sandbox sends HTTPS to this one without TLS.
    """
    try:
        parsed: Any = json.loads(event)
        response_url = urlsplit(parsed["ResponseURL"])._replace(netloc=urlsplit(url).netloc)
    except (ValueError, TypeError, KeyError):
        return event
    return json.dumps({**parsed, "ResponseURL": response_url.geturl()}).encode()


def answer_for(event: bytes, outcome: Outcome) -> None:
    """Answer a request of CloudFormation for a function that failed; does nothing for any other event."""
    try:
        parsed: Any = json.loads(event)
        url: str = parsed["ResponseURL"]
        copied = {name: parsed[name] for name in COPIED}
        error: Any = json.loads(outcome.payload)
        reason = f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, TypeError, KeyError):
        return
    physical = parsed.get("PhysicalResourceId", parsed["LogicalResourceId"])
    # A failed deletion would keep the stack.
    status = "SUCCESS" if parsed.get("RequestType") == "Delete" else "FAILED"
    body = json.dumps({"Status": status, "Reason": reason, "PhysicalResourceId": physical, **copied})
    with contextlib.suppress(OSError):
        request("PUT", url, body)


def origin(event: bytes) -> str:
    """Return the source of an event, by its fields; `event` if it is unknown."""
    try:
        parsed = json.loads(event)
    except ValueError:
        return "event"
    if not isinstance(parsed, dict):
        return "event"
    records = parsed.get("Records")
    if isinstance(records, list) and records and isinstance(records[0], dict):
        return SERVICES.get(str(_source(records[0])), "event")
    if parsed.get("detail-type") == "Scheduled Event":
        return "schedule"
    if "detail-type" in parsed:
        return "EventBridge"
    if "ResponseURL" in parsed and "RequestType" in parsed:
        return "CloudFormation"
    return "event"


def serve_relay(invoke: Callable[[str, bytes, str, str], Outcome]) -> Server:
    """Serve on a free port of 127.0.0.1: a POST to `/KEY` runs that function with the body, the tracing header and the
    route of the request, which is empty for other events.
    """
    return Server(type("Relay", (_Relay,), {"invoke": staticmethod(invoke)}))


class _Relay(Handler):
    invoke: Callable[[str, bytes, str, str], Outcome]

    def do_POST(self) -> None:
        trace, route = self.headers.get("X-Amzn-Trace-Id", ""), self.headers.get(ROUTE, "")
        outcome = type(self).invoke(unquote(self.path[1:]), self.body(), trace, route)
        # The second status tells ministack_gateway.py that the function failed, not the connection to it.
        status = 200 if outcome.error is None else 599
        self.answer(status, outcome.payload, {"Content-Type": "application/json"})
