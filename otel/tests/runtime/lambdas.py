"""What Lambda gives a function: the variables of its environment, and a context."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf

from opentelemetry.sdk.trace import ReadableSpan

ENVIRONMENT = {
    "AWS_LAMBDA_FUNCTION_NAME": "orders-create",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2024/11/25/[$LATEST]0123",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "nothing",
}


@dataclass(frozen=True, slots=True)
class Context:
    """As much of Lambda's context object as the runtime reads."""

    aws_request_id: str = "5b7e2c60-0000-4000-8000-000000000001"
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:orders-create"


class Sink:
    """Keeps the spans as they were recorded, those at a deadline apart."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        self.at_deadline: list[ReadableSpan] = []

    def export(self, spans: Iterable[ReadableSpan], _seconds: float = 0) -> None:
        """Keep them."""
        self.spans += spans

    def urgent(self, spans: Iterable[ReadableSpan], _seconds: float = inf) -> Callable[[float], str]:
        """Keep them when they are delivered."""
        copies = list(spans)

        def deliver(_seconds: float) -> str:
            self.at_deadline += copies
            return ""

        return deliver

    def shutdown(self) -> None:
        """There is nothing to close."""
