"""Completes samcli's events with API Gateway's fields: ids, times, caller, domain, tracing header."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambda_latency.local.sandbox.function import Outcome

# The fields that are null for a caller without credentials: https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
NOBODY = dict.fromkeys(("accessKey", "cognitoIdentityId", "principalOrgId"))
# The fields that an event of format 2.0 has only if they are not empty.
OPTIONAL = ("body", "cookies", "pathParameters", "queryStringParameters", "stageVariables")


@dataclass(frozen=True, slots=True)
class Caller:
    """The values of a request that samcli lacks. `trace` is the value of X-Amzn-Trace-Id; `start_ns` is epoch ns."""

    request_id: str
    source_ip: str
    port: int
    trace: str
    start_ns: int


def complete(event: dict[str, Any], caller: Caller, stage: str) -> str:
    """Completes an event in place; returns its route, such as `GET /orders/{id}`."""
    if event.get("version") == "2.0":
        return _complete_v2(event, caller)
    context = event["requestContext"]
    path = event["path"] if stage in ("", "$default") else f"/{stage}{event['path']}"
    context |= {
        "requestId": caller.request_id,
        "extendedRequestId": caller.request_id,
        "path": path,
        "stage": context["stage"] or stage,
        "domainPrefix": _first_label(context.get("domainName")),
    }
    identity = {**NOBODY, **context["identity"], "userAgent": event["headers"].get("User-Agent")}
    context["identity"] = identity
    for name, value in _headers(event["headers"].get("X-Forwarded-For"), caller).items():
        event["headers"][name] = value
        event["multiValueHeaders"][name] = [value]
    return f"{event['httpMethod']} {event['resource']}"


def is_for_authorizer(event: dict[str, Any]) -> bool:
    """Whether an event is for a Lambda authorizer, not for the function of a route."""
    return "methodArn" in event or "routeArn" in event


def refusal_of(event: Mapping[str, Any], outcome: Outcome) -> tuple[int, bytes] | None:
    """The response for a caller whose Lambda authorizer failed; None if it did not. An error with the message
    `Unauthorized` is an authorizer's way to refuse a caller.
    """
    if outcome.error is None:
        return None
    if json.loads(outcome.payload).get("errorMessage") == "Unauthorized":
        return 401, b'{"message":"Unauthorized"}'
    is_http = "routeArn" in event or "routeKey" in event
    return 500, b'{"message":"Internal Server Error"}' if is_http else b'{"message":null}'


def payload_for(event: dict[str, Any], outcome: Outcome, failed_status: int) -> str:
    """A function's response in the form that samcli reads. The error of a failed function is hidden, as on AWS."""
    if outcome.error is None:
        return outcome.payload.decode()
    if event.get("version") == "2.0":
        body = json.dumps({"message": "Internal Server Error"})
        headers = {"Content-Type": "application/json"}
        return json.dumps({"statusCode": failed_status, "headers": headers, "body": body})
    # API Gateway answers 502 for a failed function; samcli answers 502 for an invalid proxy response.
    return json.dumps({"failed": outcome.error})


def _complete_v2(event: dict[str, Any], caller: Caller) -> str:
    for name in [name for name in OPTIONAL if not event.get(name)]:
        event.pop(name, None)
    if event.get("routeKey") == "$default":
        event.pop("pathParameters", None)  # the parameter of samcli's catch-all route
    context = event["requestContext"]
    lower = {name.lower(): value for name, value in event["headers"].items()}
    via = _headers(lower.get("x-forwarded-for"), caller)
    event["headers"] = lower | {name.lower(): value for name, value in via.items()}
    seconds = caller.start_ns // 1_000_000_000
    context |= {
        "requestId": caller.request_id,
        "domainName": lower.get("host", ""),
        "domainPrefix": _first_label(lower.get("host")),
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(seconds)),
        "timeEpoch": caller.start_ns // 1_000_000,
    }
    context["http"] |= {"sourceIp": caller.source_ip, "userAgent": lower.get("user-agent", "")}
    method, key = context["http"]["method"], str(event.get("routeKey") or "$default")
    return key if key != "$default" else f"{method} {event['rawPath']}"


def _first_label(host: str | None) -> str:
    return (host or "").partition(".")[0]


def _headers(via: str | None, caller: Caller) -> dict[str, str]:
    return {
        "X-Forwarded-For": ", ".join(filter(None, (via, caller.source_ip))),
        "X-Forwarded-Port": str(caller.port),
        "X-Amzn-Trace-Id": caller.trace,
    }
