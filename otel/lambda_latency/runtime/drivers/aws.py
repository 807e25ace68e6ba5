"""What AWS calls need besides botocore's instrumentation: the tracing header, attempts, tables, throttles, conditions.

botocore writes the tracing header of the invocation, with the `Lineage` by which Lambda detects loops; a header without
it would end the detection. The handlers put the current span into that header as the parent, also if botocore's calls
have no spans. The attempts of a retried call become events of its span, with their ends and results. A call with one
attempt has no such event.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from time import time_ns
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from opentelemetry.propagators.textmap import default_setter
from opentelemetry.trace import Status, StatusCode, TraceFlags, get_current_span

from lambda_latency.runtime.harmless import failed, harmless, warn
from lambda_latency.runtime.propagation import HEADER, LINEAGE, header_of, root_of, write

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from types import ModuleType

    from opentelemetry.trace import Span
    from opentelemetry.util.types import AttributeValue

ATTEMPT = "lambda_latency_attempt"


# The propagator of upstream's instrumentation: `before_send` writes the header, after the signature.
LATER = SimpleNamespace(inject=lambda _headers: None)


def watch_sessions(botocore: ModuleType, dynamodb: Callable[..., None]) -> Callable[[], None]:
    """Register the handlers in boto3's sessions, and `dynamodb` before its clients; returns the function to undo it."""

    def initialize(session: Any) -> None:
        session.register("creating-client-class.dynamodb", dynamodb)
        for event, handler in HANDLERS.items():
            session.register(event, handler, unique_id=f"lambda-latency {event}")

    if not hasattr(botocore, "register_initializer"):
        warn(f"botocore {botocore.__version__} is too old for the tracing header and the attempts of AWS calls")
        return lambda: None
    botocore.register_initializer(initialize)
    default_session = getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)
    if default_session is not None:
        initialize(default_session.events)
    return lambda: botocore.unregister_initializer(initialize)


# They run in each call, so they catch their errors themselves: a wrapper of each would cost more than most of them.
def request_created(request: Any, **_: object) -> None:
    """botocore has created a request, of the first or a later attempt."""
    try:
        if ATTEMPT in request.context:
            write_attempt(request.context, is_repeated=True)
    except Exception as error:  # noqa: BLE001 - the request goes on, whatever fails
        failed("an attempt of an AWS call", error)


def before_send(request: Any, **_: object) -> None:
    """botocore sends a request. The header is written last, after the signature, which does not cover it.

    Before SDK 1.42, an instrumentation of botocore that the function installs writes the header without `Lineage`.
    """
    try:
        headers, span = request.headers, get_current_span()
        context = span.get_span_context()
        root, header = root_of(context.trace_id), headers.get(HEADER)
        if type(header) is bytes:  # as botocore prepares its own headers
            header = header.decode("ascii", "replace")
        if (
            type(header) is str
            and header.startswith(root)
            and LINEAGE in header
            and context.trace_flags & TraceFlags.SAMPLED
            and span.is_recording()
            # In a message of `email`, this would add a second header
            and not hasattr(headers, "replace_header")
        ):  # botocore has written Lambda's header, of this trace: only the parent changes
            lineage = header.partition(LINEAGE)[2].partition(";")[0]
            headers[HEADER] = f"{root};Parent={context.span_id:016x};Sampled=1{LINEAGE}{lineage}"
        else:
            rewrite(headers)
    except Exception as error:  # noqa: BLE001 - the same
        failed("the tracing header of an AWS call", error)


def rewrite(headers: Any) -> None:
    """Write the current span as the parent. A header of another trace than Lambda's is deliberate and stays."""
    span, header = get_current_span(), header_of(headers)
    if header:
        if not span.is_recording():
            # The header is the one that botocore took from Lambda's variable
            return
        if not header.startswith(root_of(span.get_span_context().trace_id)):
            lambdas = os.environ.get("_X_AMZN_TRACE_ID", "").partition(";")[0]
            if not header.startswith(lambdas or "Root="):
                return
    write(span, headers, header, default_setter)


def attempt_ended(
    attempts: int, request_dict: Any, response: Any = None, caught_exception: Any = None, **_: object
) -> None:
    """An attempt was answered or failed. It is not known yet whether botocore tries again."""
    try:
        request_dict["context"][ATTEMPT] = attempts, time_ns(), response, caught_exception
    except Exception as error:  # noqa: BLE001 - the same
        failed("an attempt of an AWS call", error)


def call_ended(context: Any = None, **_: object) -> None:
    """A call has ended."""
    try:
        if context and ATTEMPT in context and context[ATTEMPT][0] > 1:
            write_attempt(context, is_repeated=False)
    except Exception as error:  # noqa: BLE001 - the same
        failed("the last attempt of an AWS call", error)


def write_attempt(context: MutableMapping[str, Any], *, is_repeated: bool) -> None:
    """Add an event at the end of an attempt. `retry.delay_ms` is the wait before the next attempt."""
    attempt, ended_ns, response, error = context.pop(ATTEMPT)
    span = get_current_span()
    if not span.is_recording():
        return
    attributes: dict[str, AttributeValue] = {"attempt": attempt}
    if response is not None:
        http, parsed = response
        attributes["http.status_code"] = http.status_code
        code = (parsed.get("Error") or {}).get("Code")
        if code:
            attributes["error.type"] = code
    if error is not None:
        attributes["error.type"] = type(error).__qualname__
    if is_repeated:
        attributes["retry.delay_ms"] = delay_ms = (time_ns() - ended_ns) / 1e6
        started_ns = getattr(span, "start_time", None) or ended_ns
        ended_ms = (ended_ns - started_ns) / 1e6
        # Since the call's start. They repeat the events, because X-Ray keeps no events.
        if attempt == 1:
            span.set_attribute("lambda.retry.first_ended_ms", ended_ms)
        span.set_attribute("lambda.retry.last_began_ms", ended_ms + delay_ms)
    span.add_event("attempt", attributes, ended_ns)


HANDLERS: dict[str, Callable[..., None]] = {
    "request-created": request_created,
    "before-send": before_send,
    "needs-retry": attempt_ended,
    "after-call": call_ended,
    "after-call-error": call_ended,
}


SUBJECT = "an AWS call's span"
TABLES = "aws.dynamodb.table_names"
# Operations whose table upstream names
NAMED_BY_UPSTREAM = frozenset(("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"))

# The codes that botocore retries as throttling (`botocore.retries.standard.ThrottledRetryableChecker`), by a test.
THROTTLES = frozenset((
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "TooManyRequestsException",
    "ProvisionedThroughputExceededException", "TransactionInProgressException", "RequestLimitExceeded",
    "BandwidthLimitExceeded", "LimitExceededException", "RequestThrottled", "SlowDown", "PriorRequestNotComplete",
    "EC2ThrottledException",
))  # fmt: skip


def requested(span: Span, service: str, operation: str, params: Mapping[str, Any]) -> None:
    """The instrumentation's request hook, which runs before the call."""
    if service != "dynamodb" or operation in NAMED_BY_UPSTREAM:
        return
    try:
        if span.is_recording() and TABLES not in (getattr(span, "attributes", None) or ()):
            names = tables(params)
            if names:
                span.set_attribute(TABLES, names)
    except Exception as error:  # noqa: BLE001 - the request goes on, whatever fails
        failed(SUBJECT, error)


def responded(span: Span, _service: str, _operation: str, result: Mapping[str, Any] | None) -> None:
    """The instrumentation's response hook. It runs before the span ends; a failed call has the error's response."""
    if result and "Error" in result:
        write_error(span, result)


@harmless(SUBJECT)
def write_error(span: Span, result: Mapping[str, Any]) -> None:
    """Write the error of a call's response to its span."""
    error = result["Error"]
    code = error.get("Code") if isinstance(error, Mapping) else None
    if not code:
        return
    if is_condition(code, result):
        # OK is final (https://opentelemetry.io/docs/specs/otel/trace/api/#set-status). The hook runs before the
        # exception leaves the span's `with`, so the ERROR that the SDK sets there has no effect. The exception
        # stays on the span as an event.
        span.set_status(Status(StatusCode.OK))
        return
    span.set_attribute("error.type", code)
    if code in THROTTLES:
        span.set_attribute("http.status_code", 429)  # DynamoDB answers 400


def is_condition(code: str, result: Mapping[str, Any]) -> bool:
    """Whether the only reason of the failure is that a condition of the request did not hold."""
    if code == "TransactionCanceledException":
        reasons = {reason.get("Code", "None") for reason in result.get("CancellationReasons", ())}
        return "ConditionalCheckFailed" in reasons and reasons <= {"ConditionalCheckFailed", "None"}
    return code == "ConditionalCheckFailedException"


def tables(params: Mapping[str, Any]) -> list[str]:
    """Return the tables of a DynamoDB call (plain, batch or transaction), each once, in the order of the call."""
    if "RequestItems" not in params and "TransactItems" not in params:
        name = params.get("TableName")
        return [name] if isinstance(name, str) else []
    names = [params.get("TableName"), *(params.get("RequestItems") or ())]
    for item in params.get("TransactItems") or ():
        names += [action.get("TableName") for action in item.values()]
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))
