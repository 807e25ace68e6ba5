"""Fetches traces from an AWS account into a file that `report` reads. boto3 is imported on first use."""

from lambda_latency.fetch.asked import Asked, Place, resolve
from lambda_latency.fetch.clients import Clients
from lambda_latency.fetch.command import Account, Result, console
from lambda_latency.fetch.errors import FetchError, NothingFoundError, UsageError
from lambda_latency.fetch.expression import Choice
from lambda_latency.fetch.policy import iam_policy
from lambda_latency.fetch.refusals import refusal
from lambda_latency.fetch.run import Fetched
from lambda_latency.fetch.stopped import read_stopped

__all__ = [
    "Account",
    "Asked",
    "Choice",
    "Clients",
    "FetchError",
    "Fetched",
    "NothingFoundError",
    "Place",
    "Result",
    "UsageError",
    "console",
    "iam_policy",
    "read_stopped",
    "refusal",
    "resolve",
]
