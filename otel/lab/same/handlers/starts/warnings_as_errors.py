"""Each warning is an error from here on, and so it is in the variable PYTHONWARNINGS of one of its rows."""

import warnings

warnings.simplefilter("error")

import boto3  # noqa: E402
import requests  # noqa: E402


def handler(event, context):
    import os

    requests.get(f"{os.environ['PEER']}/http/warned", timeout=10)
    return boto3.client("dynamodb").list_tables()["ResponseMetadata"]["HTTPStatusCode"]
