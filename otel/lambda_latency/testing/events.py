"""Complete events, as AWS sends them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

ACCOUNT = "123456789012"
REGION = "us-east-1"
AT = "2026-01-01T00:00:00Z"
AT_MS = 1_767_225_600_000


def api_event(
    method: str,
    path: str,
    body: object = None,
    *,
    resource: str | None = None,
    headers: Mapping[str, str] | None = None,
    stage: str = "prod",
) -> dict[str, Any]:
    """A request to a REST API (proxy integration): `api_event("GET", "/orders/7?full=1", resource="/orders/{id}")`.

    `body` is text; other values become JSON. `resource` is the route, by default the path. Raises `ValueError` for a
    resource that does not match the path. https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    url = urlsplit(path)
    query = parse_qsl(url.query, keep_blank_values=True)
    text = body if body is None or isinstance(body, str) else json.dumps(body)
    all_headers = {"Host": f"api.execute-api.{REGION}.amazonaws.com", "X-Forwarded-For": "203.0.113.7"}
    if text is not None and not isinstance(body, str):
        all_headers["Content-Type"] = "application/json"
    all_headers |= headers or {}
    route = resource or url.path
    return {
        "resource": route,
        "path": url.path,
        "httpMethod": method,
        "headers": all_headers,
        "multiValueHeaders": {key: [value] for key, value in all_headers.items()},
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": parse_qs(url.query, keep_blank_values=True) or None,
        "pathParameters": _parameters(route, url.path) or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "api",
            "authorizer": {},
            "domainName": f"api.execute-api.{REGION}.amazonaws.com",
            "domainPrefix": "api",
            "extendedRequestId": uuid.uuid4().hex[:16],
            "httpMethod": method,
            "identity": {"sourceIp": "203.0.113.7", "userAgent": all_headers.get("User-Agent")},
            "path": f"/{stage}{url.path}",
            "protocol": "HTTP/1.1",
            "requestId": str(uuid.uuid4()),
            "requestTime": "01/Jan/2026:00:00:00 +0000",
            "requestTimeEpoch": AT_MS,
            "resourceId": "abc123",
            "resourcePath": route,
            "stage": stage,
        },
        "body": text,
        "isBase64Encoded": False,
    }


def sqs_event(*bodies: object, queue: str = "queue", tracing_header: str | None = None) -> dict[str, Any]:
    """A batch of SQS messages, one for each body (text; other values become JSON).

    `tracing_header` is the sender's header in X-Ray's format. https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": str(AT_MS),
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "ApproximateFirstReceiveTimestamp": str(AT_MS + 1),
        **({"AWSTraceHeader": tracing_header} if tracing_header else {}),
    }
    return {
        "Records": [
            {
                "messageId": str(uuid.uuid4()),
                "receiptHandle": uuid.uuid4().hex,
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": attributes,
                "messageAttributes": {},
                "md5OfBody": uuid.uuid4().hex,
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
                "awsRegion": REGION,
            }
            for body in bodies
        ]
    }


def eventbridge_event(detail_type: str, detail: Mapping[str, object], *, source: str = "test") -> dict[str, Any]:
    """One event of a bus. https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html"""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": AT,
        "region": REGION,
        "resources": [],
        "detail": dict(detail),
    }


def dynamodb_event(*changes: tuple[Mapping[str, object] | None, Mapping[str, object] | None], table: str = "table",
                   keys: Sequence[str] = ("id",)) -> dict[str, Any]:  # fmt: skip
    """A batch of a table's stream; each change is the item before and after, None if there was no item.

    Items are plain Python (text, numbers, bytes as text, lists, mappings). `keys` are the table's key attributes.
    Raises `ValueError` for a change without items.
    https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
    """
    return {"Records": [_change(old, new, table, keys, number) for number, (old, new) in enumerate(changes, start=1)]}


def _change(
    old: Mapping[str, object] | None, new: Mapping[str, object] | None, table: str, keys: Sequence[str], number: int
) -> dict[str, Any]:
    image = new or old
    if not image:
        raise ValueError("a change has an item before it or after it, got neither")
    images = {name: _typed_members(i) for name, i in (("NewImage", new), ("OldImage", old)) if i is not None}
    record: dict[str, Any] = {
        "ApproximateCreationDateTime": AT_MS // 1000,
        "Keys": _typed_members({key: image[key] for key in keys if key in image}),
        "SequenceNumber": str(number),
        "SizeBytes": 100,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
        **images,
    }
    return {
        "eventID": uuid.uuid4().hex,
        "eventName": "INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": record,
        "eventSourceARN": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/2026-01-01T00:00:00.000",
    }


def _typed(value: object) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, Mapping):
        return {"M": _typed_members(value)}
    if isinstance(value, Sequence):
        return {"L": [_typed(member) for member in value]}
    return {"N": str(value)}


def _typed_members(image: Mapping[Any, object]) -> dict[str, Any]:
    return {str(key): _typed(member) for key, member in image.items()}


def _parameters(resource: str, path: str) -> dict[str, str]:
    """The values of `{id}` and of a final `{proxy+}`. Raises `ValueError` if the path does not match."""
    pattern, parts = resource.strip("/").split("/"), path.strip("/").split("/")
    if pattern[-1].endswith("+}"):
        parts = [*parts[: len(pattern) - 1], "/".join(parts[len(pattern) - 1 :])]
    parameters = {}
    for name, part in zip(pattern, parts, strict=False):
        if name.startswith("{"):
            parameters[name.strip("{}+")] = unquote(part)
        elif name != part:
            raise ValueError(f"the path {path} does not fit the resource {resource}: {part!r} is not {name!r}")
    if len(pattern) != len(parts):
        raise ValueError(f"the path {path} does not fit the resource {resource}: their numbers of parts differ")
    return parameters
