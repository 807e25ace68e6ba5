"""Recognizes the trigger of an invocation by its event: the name and first attributes of the handler's span.

Headers and queries are not used, because any caller may choose them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "QUERY"))

# The values of `faas.trigger`: https://opentelemetry.io/docs/specs/semconv/registry/attributes/faas/
QUEUES = ("aws:sqs", "aws:sns", "aws:kinesis", "aws:kafka", "SelfManagedKafka", "aws:mq", "aws:rmq")
SOURCES = dict.fromkeys(QUEUES, "pubsub") | dict.fromkeys(("aws:s3", "aws:dynamodb", "aws:docdb"), "datasource")


NOTHING: Mapping[str, AttributeValue] = MappingProxyType({})


Trigger = tuple[str, str, Mapping[str, "AttributeValue"]]
"""The kind (a value of `faas.trigger`), the name of the handler's span ("": the function's), and attributes.

A tuple, because the client waits: a class would cost a call.
"""


def trigger(event: object) -> Trigger:
    """Return the trigger of an event. Unknown events, such as those of direct invocations, are `other`."""
    # A dict is recognized first, because the abstract class is slow.
    if type(event) is not dict and not isinstance(event, Mapping):
        return "other", "", NOTHING
    context = event.get("requestContext")
    # The event of a request authorizer looks like a request, but its answer is a policy.
    if (type(context) is dict or isinstance(context, Mapping)) and "methodArn" not in event and "routeArn" not in event:
        if isinstance(event.get("httpMethod"), str):
            return request(event["httpMethod"], event.get("resource"), event.get("path"), context)
        http = context.get("http")
        if isinstance(http, Mapping):
            return request(http.get("method"), routed(event.get("routeKey")), event.get("rawPath"), context)
    if event.get("detail-type") == "Scheduled Event":
        return "timer", "", NOTHING
    if "detail-type" in event and "source" in event:
        return "pubsub", "", NOTHING
    if "DurableExecutionArn" in event:
        return "other", "", durable(event)
    return SOURCES.get(source(event), "other"), "", NOTHING


def durable(event: Mapping[str, Any]) -> Mapping[str, AttributeValue]:
    """Return the attributes of an invocation of a durable execution, with the names of AWS's plugin."""
    arn, state = event["DurableExecutionArn"], event.get("InitialExecutionState")
    operations = state.get("Operations") if isinstance(state, Mapping) else None
    is_first = not isinstance(operations, list) or len(operations) < 2  # the execution itself is one
    return {"durable.execution.arn": str(arn), "durable.invocation.first": is_first}


def request(method: object, route: object, path: object, context: Mapping[str, Any]) -> Trigger:
    """Return the trigger of an HTTP request. Load balancers and function URLs have no route: the method is the name."""
    valid = method if isinstance(method, str) and method in METHODS else None
    name = valid or "HTTP"
    attributes = {"http.request.method": valid or "_OTHER"}
    if isinstance(route, str) and route:
        name = f"{name} {route}"
        attributes["http.route"] = route
    if isinstance(path, str) and path:
        attributes["url.path"] = path
    domain = context.get("domainName")
    if isinstance(domain, str) and domain:
        attributes["server.address"] = domain
    return "http", name, attributes


def routed(key: object) -> str | None:
    """Return the route in the route key of an HTTP API: `/orders` of `POST /orders`, None of `$default`."""
    return key.partition(" ")[2] or None if isinstance(key, str) else None


def source(event: Mapping[str, Any]) -> str:
    """Return the service that sent the records. SNS has the key in another case; Kafka and MQ have it on the event."""
    records = event.get("Records")
    record = records[0] if isinstance(records, list) and records else event
    if not isinstance(record, Mapping):
        return ""
    return str(record.get("eventSource") or record.get("EventSource") or "")
