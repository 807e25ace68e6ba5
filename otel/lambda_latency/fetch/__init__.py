"""Traces out of an account into a file that `report` reads. boto3 is imported only when it is needed."""

from lambda_latency.fetch.asked import Asked, Place, resolve
from lambda_latency.fetch.command import Account, Result, console
from lambda_latency.fetch.errors import FetchError, UsageError
from lambda_latency.fetch.expression import Choice
from lambda_latency.fetch.policy import iam_policy

__all__ = [
    "Account",
    "Asked",
    "Choice",
    "FetchError",
    "Place",
    "Result",
    "UsageError",
    "console",
    "iam_policy",
    "resolve",
]
