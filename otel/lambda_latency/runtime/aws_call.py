"""What upstream's botocore span leaves out: tables of transactions, throttles as 429, failed conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Status, StatusCode

from lambda_latency.runtime.harmless import harmless

if TYPE_CHECKING:
    from opentelemetry.trace import Span

__all__ = ["requested", "responded"]

TABLES = "aws.dynamodb.table_names"

# What botocore retries as throttling (`botocore.retries.standard.ThrottledRetryableChecker`); a test holds them equal.
THROTTLES = frozenset((
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "TooManyRequestsException",
    "ProvisionedThroughputExceededException", "TransactionInProgressException", "RequestLimitExceeded",
    "BandwidthLimitExceeded", "LimitExceededException", "RequestThrottled", "SlowDown", "PriorRequestNotComplete",
    "EC2ThrottledException",
))  # fmt: skip


@harmless("an AWS call's span")
def requested(span: Span, service: str, _operation: str, params: Mapping[str, Any]) -> None:
    """Upstream's request hook, called before the call."""
    if service == "dynamodb" and span.is_recording() and TABLES not in (getattr(span, "attributes", None) or ()):
        names = tables(params)
        if names:
            span.set_attribute(TABLES, names)


@harmless("an AWS call's span")
def responded(span: Span, _service: str, _operation: str, result: Mapping[str, Any] | None) -> None:
    """Upstream's response hook. It is called for a failed call too, with the error's response, before the span ends."""
    error = (result or {}).get("Error")
    code = error.get("Code") if isinstance(error, Mapping) else None
    if result is None or not code:
        return
    if is_condition(code, result):
        # OK is final (https://opentelemetry.io/docs/specs/otel/trace/api/#set-status). Upstream calls this hook before
        # the exception leaves the span's `with`, and the ERROR that the SDK writes there changes nothing any more.
        # The exception itself stays on the span as an event.
        span.set_status(Status(StatusCode.OK))
        return
    span.set_attribute("error.type", code)
    if code in THROTTLES:
        span.set_attribute("http.status_code", 429)  # DynamoDB itself says 400


def is_condition(code: str, result: Mapping[str, Any]) -> bool:
    """Did a condition of the caller's own say no, and nothing else go wrong?"""
    if code == "TransactionCanceledException":
        reasons = {reason.get("Code", "None") for reason in result.get("CancellationReasons", ())}
        return "ConditionalCheckFailed" in reasons and reasons <= {"ConditionalCheckFailed", "None"}
    return code == "ConditionalCheckFailedException"


def tables(params: Mapping[str, Any]) -> list[str]:
    """The tables of a DynamoDB call, each once, in the order of the call: plain, batch and transaction."""
    if "RequestItems" not in params and "TransactItems" not in params:
        name = params.get("TableName")
        return [name] if isinstance(name, str) else []
    found = [params.get("TableName"), *(params.get("RequestItems") or ())]
    for item in params.get("TransactItems") or ():
        found += [action.get("TableName") for action in item.values()]
    return list(dict.fromkeys(name for name in found if isinstance(name, str)))
