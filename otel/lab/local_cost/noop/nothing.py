"""A handler that does nothing."""

from typing import Any

ANSWER = {"statusCode": 200, "body": "{}"}


def handler(event: Any, context: Any) -> Any:
    return ANSWER
