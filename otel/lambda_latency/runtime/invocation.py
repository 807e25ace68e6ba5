"""The handler's span: one per invocation, a child of Lambda's own segment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.trace import Span as RecordingSpan
from opentelemetry.trace import INVALID_SPAN, SpanKind, Status, StatusCode

from lambda_latency.runtime.harmless import harmless, warn
from lambda_latency.runtime.propagation import below, invocation_context, remote_parent
from lambda_latency.runtime.shortcuts import current_span, with_span
from lambda_latency.runtime.tracer import LambdaTracer
from lambda_latency.runtime.trigger import trigger

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.trace import Link, Span, Tracer
    from opentelemetry.util.types import AttributeValue

    from lambda_latency.runtime.deadline import DeadlineWatch
    from lambda_latency.runtime.propagation import LambdaIds

__all__ = ["Invocation"]


class Invocation:
    """An invocation that is running. None of its methods raises: it watches the request and is no part of it."""

    __slots__ = ("_span", "_token", "_watch", "_web")

    def __init__(self, span: Span, token: Token[Context] | None, watch: DeadlineWatch, *, web: bool) -> None:
        self._span = span
        self._token = token
        self._watch = watch
        self._web = web

    @classmethod
    def begin(
        cls,
        tracer: Tracer,
        event: object,
        context: object,
        *,
        cold: bool,
        trusting: bool,
        watch: DeadlineWatch,
        ids: LambdaIds,
    ) -> Invocation:
        """Start the span and make it current; when that fails, an invocation that records nothing."""
        try:
            return started(tracer, event, context, cold=cold, trusting=trusting, watch=watch, ids=ids)
        except Exception as error:  # noqa: BLE001 - whatever it is, the request goes on
            warn(f"this request is not traced ({type(error).__name__}: {error})")
            return cls(INVALID_SPAN, None, watch, web=False)

    @harmless("the handler's span")
    def answer(self, result: object) -> None:
        """The handler returned. To an HTTP caller a 5xx is a failure, whether it was raised or returned."""
        status = result.get("statusCode") if self._web and isinstance(result, dict) else None
        if isinstance(status, str) and status.isdecimal():
            status = int(status)  # API Gateway takes "200" too
        if not isinstance(status, int):
            return
        # The second is the key that X-Ray's exporter and the client spans use.
        self._span.set_attributes({"http.response.status_code": status, "http.status_code": status})
        if status >= 500:
            self._span.set_attribute("error.type", str(status))
            self._span.set_status(Status(StatusCode.ERROR))

    @harmless("the handler's span")
    def fail(self, error: BaseException) -> None:
        """The handler raised. Call it where that is caught: the catching frame is not the user's and is left out."""
        if not self._span.is_recording():
            return
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            error.__traceback__ = error.__traceback__.tb_next
        self._span.record_exception(error)
        self._span.set_attribute("error.type", name)
        self._span.set_status(Status(StatusCode.ERROR, f"{kind.__name__}: {error}"))

    @harmless("the handler's span")
    def end(self) -> None:
        """End the span; what the handler left running has it no longer as the current one."""
        self._watch.end()
        if self._token is not None:
            detach(self._token)
        self._span.end()


def started(
    tracer: Tracer,
    event: object,
    context: object,
    *,
    cold: bool,
    trusting: bool,
    watch: DeadlineWatch,
    ids: LambdaIds,
) -> Invocation:
    """The same as `Invocation.begin`, but it may raise."""
    header = os.environ.get("_X_AMZN_TRACE_ID", "")
    lambdas = remote_parent(header)
    if lambdas is not None and not trusting and not lambdas.trace_flags.sampled:
        # Nothing is recorded: Lambda's own segment stands for the handler's span, and tells its calls so.
        parent = below(lambdas)
        return Invocation(current_span(parent), attach(parent), watch, web=False)
    what = trigger(event)
    chosen = chosen_by_caller(event) if trusting and what.kind == "http" else None
    senders = links_of(event) if what.kind == "pubsub" else None
    name = what.name or os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or "handler"
    attributes: dict[str, AttributeValue] = {"faas.trigger": what.kind, "faas.coldstart": cold}
    attributes.update(what.attributes)
    attributes.update(identity(context))
    ids.draw()
    span: Span | None = None
    if lambdas is not None and chosen is None and not senders and isinstance(tracer, LambdaTracer):
        span = tracer.start_below(name, lambdas, SpanKind.SERVER, attributes)
    if span is not None:
        token = attach(with_span(span, Context()))
    else:
        parent = chosen or invocation_context(header)
        # The parent is made current first: the id of a trace without one is read from there.
        token = attach(parent)
        try:
            span = tracer.start_span(name, parent, SpanKind.SERVER, attributes, senders)
            attach(with_span(span))
        except BaseException:
            detach(token)
            raise
    if isinstance(span, RecordingSpan):  # else it is not recorded, and there would be nothing to tell
        deadline = getattr(context, "_epoch_deadline_time_in_ms", None)  # the method beside it asks the clock
        if deadline is not None and span.start_time is not None:
            watch.begin(span, deadline / 1000, span.start_time / 1e9)
    return Invocation(span, token, watch, web=what.kind == "http")


def chosen_by_caller(event: object) -> Context | None:
    """The context that a trusted caller's headers name, if they name one."""
    from lambda_latency.runtime.callers import callers_parent

    parent = callers_parent(event)
    return below(parent) if parent is not None else None


def links_of(event: object) -> list[Link]:
    """Who sent its messages."""
    from lambda_latency.runtime.links import links

    return links(event)


def identity(context: Any) -> dict[str, AttributeValue]:
    """What Lambda's context object tells: the request's id, and the function's address with the account in it."""
    found: dict[str, AttributeValue] = {}
    request_id = getattr(context, "aws_request_id", None)
    if isinstance(request_id, str):
        found["faas.invocation_id"] = request_id
    arn = getattr(context, "invoked_function_arn", None)
    if isinstance(arn, str) and arn.count(":") >= 6:
        found["cloud.resource_id"] = arn
        found["cloud.account.id"] = arn.split(":")[4]
    return found
