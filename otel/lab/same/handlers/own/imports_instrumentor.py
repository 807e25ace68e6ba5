"""Imports an instrumentation before its library, and leaves it at that."""

import opentelemetry.instrumentation.botocore
import opentelemetry.instrumentation.requests
import opentelemetry.instrumentation.sqlite3  # noqa: F401

import boto3  # isort: skip
import requests  # isort: skip


def handler(event, context):
    import os

    requests.get(f"{os.environ['PEER']}/http/get", timeout=10)
    return boto3.client("dynamodb").get_item(TableName="orders", Key={"id": {"S": "1"}})["Item"]
