"""Fetches traces from an AWS account into a file that `report` reads. boto3 is imported on first use."""

from lambda_latency.fetch.clients import Clients
from lambda_latency.fetch.command import Account, Result, console, iam_policy
from lambda_latency.fetch.errors import FetchError, NothingFoundError, SelectionError
from lambda_latency.fetch.refusals import refusal, rejects_credentials
from lambda_latency.fetch.run import Fetched
from lambda_latency.fetch.selection import Choice, Place, Selection, resolve
from lambda_latency.fetch.stores import answers
from lambda_latency.fetch.writer import read_stopped

__all__ = [
    "Account",
    "Choice",
    "Clients",
    "FetchError",
    "Fetched",
    "NothingFoundError",
    "Place",
    "Result",
    "Selection",
    "SelectionError",
    "answers",
    "console",
    "iam_policy",
    "read_stopped",
    "refusal",
    "rejects_credentials",
    "resolve",
]
