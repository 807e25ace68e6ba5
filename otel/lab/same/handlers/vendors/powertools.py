"""Powertools for AWS Lambda."""

import json
import os

import boto3
import requests
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

LOGGER = Logger(service="orders")
METRICS = Metrics(namespace="shop", service="orders")
APP = APIGatewayRestResolver()
BATCH = BatchProcessor(event_type=EventType.SQS)
PEER = os.environ["PEER"]


@METRICS.log_metrics(capture_cold_start_metric=True)
@LOGGER.inject_lambda_context(log_event=True)
def logged(event, context):
    LOGGER.info("hello", extra={"order": 7})
    requests.get(f"{PEER}/http/powertools", timeout=10)
    boto3.client("dynamodb").get_item(TableName="orders", Key={"id": {"S": "1"}})
    METRICS.add_metric(name="orders", unit="Count", value=1)
    return "ok"


@LOGGER.inject_lambda_context
def failing(event, context):
    try:
        {}["missing"]
    except KeyError:
        LOGGER.exception("failed")
        raise


@APP.get("/orders/<number>")
def get_order(number):
    return {"number": number}


def routed(event, context):
    return APP.resolve(event, context)


def record(one):
    if json.loads(one.body)["fail"]:
        raise ValueError("planned")


def batched(event, context):
    return process_partial_response(event=event, record_handler=record, processor=BATCH, context=context)


def parameter(event, context):
    return parameters.get_parameter("/shop/x", max_age=60)
