"""Completes botocore spans: tables of transactions, status 429 for throttles, failed conditions as no error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Status, StatusCode

from lambda_latency.runtime.harmless import failed, harmless

if TYPE_CHECKING:
    from opentelemetry.trace import Span

__all__ = ["requested", "responded"]

SUBJECT = "an AWS call's span"
TABLES = "aws.dynamodb.table_names"

# The codes that botocore retries as throttling (`botocore.retries.standard.ThrottledRetryableChecker`), by a test.
THROTTLES = frozenset((
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "TooManyRequestsException",
    "ProvisionedThroughputExceededException", "TransactionInProgressException", "RequestLimitExceeded",
    "BandwidthLimitExceeded", "LimitExceededException", "RequestThrottled", "SlowDown", "PriorRequestNotComplete",
    "EC2ThrottledException",
))  # fmt: skip


def requested(span: Span, service: str, _operation: str, params: Mapping[str, Any]) -> None:
    """The instrumentation's request hook, which runs before the call."""
    if service != "dynamodb":
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
        tell_error(span, result)


@harmless(SUBJECT)
def tell_error(span: Span, result: Mapping[str, Any]) -> None:
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
    """The tables of a DynamoDB call (plain, batch or transaction), each once, in the order of the call."""
    if "RequestItems" not in params and "TransactItems" not in params:
        name = params.get("TableName")
        return [name] if isinstance(name, str) else []
    found = [params.get("TableName"), *(params.get("RequestItems") or ())]
    for item in params.get("TransactItems") or ():
        found += [action.get("TableName") for action in item.values()]
    return list(dict.fromkeys(name for name in found if isinstance(name, str)))
