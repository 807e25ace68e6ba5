"""Whether an invocation that returned has failed: a 5xx, a batch of which nothing was processed, a durable execution.

Lambda counts none of them as an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

__all__ = ["outcome"]

Outcome = tuple["dict[str, AttributeValue]", "str | None"]


def outcome(kind: str, event: object, result: object) -> Outcome:
    """Attributes of the handler's span, and what went wrong: None for nothing, "" where the attributes say it.

    `kind` is `faas.trigger`.
    """
    if not isinstance(result, Mapping):
        return {}, None
    if kind == "http":
        return answered(result.get("statusCode"))
    if "batchItemFailures" in result:
        return reported(event, result["batchItemFailures"])
    if isinstance(event, Mapping) and "DurableExecutionArn" in event and result.get("Status") == "FAILED":
        error = result.get("Error")
        name = error.get("ErrorType") if isinstance(error, Mapping) else None
        return {"error.type": str(name or "FAILED")}, "the durable execution failed"
    return {}, None


def answered(status: object) -> Outcome:
    """To an HTTP caller a 5xx is a failure, whether it was raised or returned."""
    if isinstance(status, str) and status.isdecimal():
        status = int(status)  # API Gateway takes "200" too
    if not isinstance(status, int):
        return {}, None
    # The second is the key that X-Ray's exporter and the client spans use.
    found: dict[str, AttributeValue] = {"http.response.status_code": status, "http.status_code": status}
    if status < 500:
        return found, None
    return {**found, "error.type": str(status)}, ""


def reported(event: object, failures: object) -> Outcome:
    """A batch whose handler names the items that failed. Lambda takes one without a name for the whole batch.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    if not isinstance(failures, list):
        return {}, None
    named = [one.get("itemIdentifier") if isinstance(one, Mapping) else None for one in failures]
    records = event.get("Records") if isinstance(event, Mapping) else None
    items = len(records) if isinstance(records, list) else 0
    failed = items if not all(named) else len(set(map(str, named)))
    found: dict[str, AttributeValue] = {"lambda.batch.failures": failed}
    if not failed or failed < items:
        return found, None
    return {**found, "error.type": "batchItemFailures"}, f"all {items} items of the batch failed"
