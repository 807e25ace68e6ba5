"""What Lambda gives a function: the variables of its environment, and a context."""

from __future__ import annotations

from dataclasses import dataclass

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
