"""Sentry with its integration for Lambda."""

import os

import requests
import sentry_sdk
from sentry_sdk.integrations.aws_lambda import AwsLambdaIntegration

PEER = os.environ["PEER"]
sentry_sdk.init(
    dsn=f"{PEER.replace('://', '://key@')}/aside/1", traces_sample_rate=1.0, auto_session_tracking=False,
    integrations=[AwsLambdaIntegration(timeout_warning=False)],
)  # fmt: skip


def handler(event, context):
    requests.get(f"{PEER}/http/sentry", timeout=10)
    return "ok"


def failing(event, context):
    raise ValueError("told to Sentry")
