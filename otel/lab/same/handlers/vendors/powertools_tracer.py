"""Powertools' tracer, which stands on the X-Ray SDK."""

import os

import requests
from aws_lambda_powertools import Tracer

TRACER = Tracer(service="orders")


@TRACER.capture_method
def work():
    TRACER.put_annotation("order", "7")
    return requests.get(f"{os.environ['PEER']}/http/aside", timeout=10).status_code


@TRACER.capture_lambda_handler
def handler(event, context):
    return work()
