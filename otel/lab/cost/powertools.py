"""The handler with Powertools' Tracer, set up as in its documentation."""

# ruff: noqa: E402
from aws_lambda_powertools import Tracer

tracer = Tracer(service="bench")

from lab.response_time.handler import handler as bare

handler = tracer.capture_lambda_handler(bare)
