"""The handler's span: one per invocation, a child of Lambda's segment."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from functools import lru_cache
from time import time
from typing import TYPE_CHECKING

from opentelemetry.context import attach, detach
from opentelemetry.sdk.trace import Span as RecordingSpan
from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span, set_span_in_context

from lambda_latency.runtime.harmless import harmless
from lambda_latency.runtime.propagation import context_below, parsed, root_context
from lambda_latency.runtime.trigger import trigger

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, Span, Tracer
    from opentelemetry.util.types import AttributeValue

    from lambda_latency.runtime.deadline.watch import DeadlineWatch

# Python 3.11 searches for a member of an enumeration each time
SERVER = SpanKind.SERVER


class Invocation:
    """A running invocation. None of its methods raises. `kind`: the value of `faas.trigger`; "" if not recorded."""

    __slots__ = ("_event", "_kind", "_token", "_watch", "span")

    def __init__(
        self, span: Span, token: Token[Context] | None, watch: DeadlineWatch, kind: str, event: object
    ) -> None:
        self.span, self._token, self._watch, self._kind, self._event = span, token, watch, kind, event

    @harmless("the handler's span")
    def answer(self, result: object) -> None:
        """The handler returned. Its result may report a failure."""
        if not self._kind or not self.span.is_recording():
            return
        if self._kind == "http" and type(result) is dict:  # as `outcome` has it
            attributes, error = answered(result.get("statusCode"))
        else:
            attributes, error = outcome(self._kind, self._event, result)
        # Not all at once: a span rarely does that, and the client waits
        for key, value in attributes.items():
            self.span.set_attribute(key, value)
        if error is not None:
            self.span.set_status(Status(StatusCode.ERROR, error or None))

    @harmless("the handler's span")
    def fail(self, error: BaseException) -> None:
        """The handler raised. Removes the first frame of the traceback, the caller's that caught the exception."""
        if not self.span.is_recording():
            return
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            BaseException.with_traceback(error, error.__traceback__.tb_next)  # its own `__setattr__` may raise
        self.span.set_attribute("error.type", name)
        text, stack = described(error)
        self.span.set_status(Status(StatusCode.ERROR, f"{kind.__name__}: {text}"))
        # Not by `record_exception`, which asks for the text once more and fails if that raises.
        attributes = {"type": name, "message": text, "stacktrace": stack, "escaped": "False"}
        self.span.add_event("exception", {f"exception.{key}": value for key, value in attributes.items()})

    @harmless("the handler's span")
    def end(self) -> None:
        """End the span. It is no longer the current span of tasks that the handler left running."""
        self._watch.end()
        if self._token is not None:
            detach(self._token)
        if self.span.is_recording():  # the handler may have ended it
            self.span.end()


def described(error: BaseException) -> tuple[str, str]:
    """Return text and stack of an exception, as Python prints it. Its own methods may raise: then without them."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - whatever the exception's own method raises
        text = "<exception str() failed>"  # as `traceback` has it
    try:
        stack = traceback.format_exception(error)
    except Exception:  # noqa: BLE001 - the same
        stack = [*traceback.format_tb(error.__traceback__), f"{type(error).__name__}: {text}\n"]
    return text, "".join(stack)


def started(
    tracer: Tracer, event: object, context: object, *, cold: bool, trusting: bool, watch: DeadlineWatch
) -> Invocation:
    """Start the handler's span and make it the current one."""
    header = os.environ.get("_X_AMZN_TRACE_ID", "")
    segment, _, sampled = parsed(header)
    if segment is not None and not trusting and not sampled:
        # Nothing is recorded. Lambda's segment takes the place of the handler's span, so calls are not sampled either.
        parent = context_below(segment)
        return Invocation(get_current_span(parent), attach(parent), watch, "", None)
    kind, route, described = trigger(event)
    named = segment
    senders: list[Link] | None = None
    if trusting and kind == "http":
        from lambda_latency.runtime.callers import callers_parent

        named = callers_parent(event) or segment
    if kind == "pubsub":
        from lambda_latency.runtime.callers import links

        senders = links(event)
    name = route or os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or "handler"
    attributes: dict[str, AttributeValue] = {"faas.trigger": kind, "faas.coldstart": cold}
    attributes.update(described)
    request_id = getattr(context, "aws_request_id", None)
    if isinstance(request_id, str):
        attributes["faas.invocation_id"] = request_id
    arn = getattr(context, "invoked_function_arn", None)
    if isinstance(arn, str):
        attributes.update(arn_attributes(arn))
    parent = context_below(named) if named is not None else root_context(header)
    # The parent becomes current first: a span without a parent reads its trace id from there.
    token = attach(parent)
    try:
        span = tracer.start_span(name, parent, SERVER, attributes, senders)
        attach(set_span_in_context(span, parent))
    except BaseException:
        detach(token)
        raise
    # A span that is not recorded has no marks at its deadline
    if isinstance(span, RecordingSpan):
        left_ms = getattr(context, "get_remaining_time_in_millis", None)
        if left_ms is not None and span.start_time is not None:
            watch.begin(span, time() + left_ms() / 1000, span.start_time / 1e9)
    return Invocation(span, token, watch, kind, event)


@lru_cache(maxsize=4)  # one for each alias and version that is invoked
def arn_attributes(arn: str) -> dict[str, str]:
    """Return the attributes that follow from a function's ARN."""
    return {"cloud.resource_id": arn, "cloud.account.id": arn.split(":")[4]} if arn.count(":") >= 6 else {}


Outcome = tuple["dict[str, AttributeValue]", "str | None"]


def outcome(kind: str, event: object, result: object) -> Outcome:
    """Return attributes of the handler's span, and the error: None for success, "" if the attributes describe it."""
    if not isinstance(result, dict) or not issubclass(type(result), dict):  # a proxy is the first only
        return {}, None
    get = dict.get  # a subclass's own methods may do anything
    if kind == "http":
        return answered(get(result, "statusCode"))
    if (failures := get(result, "batchItemFailures")) is not None:
        return reported(event, failures)
    if isinstance(event, Mapping) and "DurableExecutionArn" in event:
        return suspended_or_ended(get(result, "Status"), get(result, "Error"))
    return {}, None


def suspended_or_ended(status: object, error: object) -> Outcome:
    """Return the outcome of an invocation of a durable execution: whether that goes on, or how it ended."""
    attributes: dict[str, AttributeValue] = {"durable.invocation.status": str(status)}
    if status != "FAILED":
        return attributes, None
    name = error.get("ErrorType") if isinstance(error, Mapping) else None
    return {**attributes, "error.type": str(name or "FAILED")}, "the durable execution failed"


def answered(status: object) -> Outcome:
    """Return the outcome of an HTTP response. A returned 5xx is an error like a raised one."""
    if isinstance(status, str) and status.isdecimal():
        status = int(status)  # API Gateway accepts "200" too
    if not isinstance(status, int):
        return {}, None
    # The second key is the one of X-Ray's exporter and of client spans.
    attributes: dict[str, AttributeValue] = {"http.response.status_code": status, "http.status_code": status}
    if status < 500:
        return attributes, None
    return {**attributes, "error.type": str(status)}, ""


def reported(event: object, failures: object) -> Outcome:
    """Return the outcome of a batch whose handler names the failed items. One without a name means the whole batch.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    if not isinstance(failures, list):
        return {}, None
    named = [f.get("itemIdentifier") if isinstance(f, Mapping) else None for f in failures]
    records = event.get("Records") if isinstance(event, Mapping) else None
    items = len(records) if isinstance(records, list) else 0
    failed = items if not all(named) else len(set(map(str, named)))
    attributes: dict[str, AttributeValue] = {"lambda.batch.failures": failed}
    if not failed or failed < items:
        return attributes, None
    return {**attributes, "error.type": "batchItemFailures"}, f"all {items} items of the batch failed"
