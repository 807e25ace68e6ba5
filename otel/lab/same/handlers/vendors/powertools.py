"""Powertools for AWS Lambda: logs, metrics, routes, batches, parameters, idempotency, streams, flags, parsers."""

import asyncio
import os

import boto3
import requests
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, EventType, async_process_partial_response
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.streaming import S3Object
from botocore.config import Config

LOGGER = Logger(service="orders")
METRICS = Metrics(namespace="shop", service="orders")
VALIDATED = APIGatewayHttpResolver(enable_validation=True)
PEER = os.environ["PEER"]


@METRICS.log_metrics(capture_cold_start_metric=True)
@LOGGER.inject_lambda_context(log_event=True)
def logged(event, context):
    LOGGER.info("hello", extra={"order": 7})
    requests.get(f"{PEER}/http/powertools", timeout=10)
    boto3.client("dynamodb").get_item(TableName="orders", Key={"id": {"S": "1"}})
    METRICS.add_metric(name="orders", unit="Count", value=1)
    return "ok"


PAID = []


@idempotent_function(
    data_keyword_argument="order",
    persistence_store=DynamoDBPersistenceLayer(table_name="orders"),
    config=IdempotencyConfig(use_local_cache=True),
)
def pay(order):
    PAID.append(order["id"])
    return {"paid": order["id"]}


def idempotent(event, context):
    return [pay(order={"id": 1}), pay(order={"id": 1}), PAID]


def cached_parameters(event, context):
    provider = parameters.SSMProvider()
    found = [provider.get("/a", max_age=5), provider.get("/a", max_age=5), provider.get("/a", force_fetch=True)]
    try:
        parameters.get_secret("s")
    except parameters.GetParameterError as error:
        found.append(str(error))
    return found


async def handle(record):
    if record.body == "bad":
        raise ValueError("planned")
    return (await asyncio.to_thread(requests.get, f"{PEER}/http/batch", timeout=10)).status_code


def tasks_of_a_batch(event, context):
    processor = AsyncBatchProcessor(event_type=EventType.SQS)
    return async_process_partial_response(event=event, record_handler=handle, processor=processor, context=context)


def seen(app, following):
    print("path", app.current_event.path)
    return following(app)


@VALIDATED.get("/orders/<number>", middlewares=[seen])
def order(number: int) -> dict:
    return {"number": number}


@VALIDATED.get("/none")
def none():
    raise NotFoundError("no such order")


@VALIDATED.exception_handler(KeyError)
def key_error(error):
    return Response(400, "text/plain", f"key {error}")


@VALIDATED.get("/key")
def key():
    raise KeyError("x")


def validated(event, context):
    return VALIDATED.resolve(event, context)


def streamed(event, context):
    client = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    return [line.decode() for line in S3Object(bucket="b", key="k", boto3_client=client)]
