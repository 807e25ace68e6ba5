"""Traces from X-Ray's API into a file that `report` reads. boto3 is imported only when it is needed."""

from lambda_latency.fetch.asked import Asked, Place, resolve
from lambda_latency.fetch.command import Account, Result, console
from lambda_latency.fetch.errors import FetchError, UsageError
from lambda_latency.fetch.expression import filter_expression
from lambda_latency.fetch.policy import iam_policy

__all__ = [
    "Account",
    "Asked",
    "FetchError",
    "Place",
    "Result",
    "UsageError",
    "console",
    "filter_expression",
    "iam_policy",
    "resolve",
]
