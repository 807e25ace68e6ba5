"""More of Powertools: idempotency, parameters, batches of tasks, validation, streams, feature flags, parsers."""

import asyncio
import os

import boto3
import requests
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.middleware_factory import lambda_handler_decorator
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, EventType, async_process_partial_response
from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent, event_source
from aws_lambda_powertools.utilities.feature_flags import FeatureFlags
from aws_lambda_powertools.utilities.feature_flags.base import StoreProvider
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.parser import BaseModel, event_parser
from aws_lambda_powertools.utilities.streaming import S3Object
from botocore.config import Config

HTTP = f"{os.environ['PEER']}/http"
LOGGER = Logger(service="shop", log_uncaught_exceptions=True)
APP = APIGatewayHttpResolver(enable_validation=True)
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
    return (await asyncio.to_thread(requests.get, f"{HTTP}/batch", timeout=10)).status_code


def tasks_of_a_batch(event, context):
    processor = AsyncBatchProcessor(event_type=EventType.SQS)
    return async_process_partial_response(event=event, record_handler=handle, processor=processor, context=context)


def seen(app, following):
    print("path", app.current_event.path)
    return following(app)


@APP.get("/orders/<number>", middlewares=[seen])
def order(number: int) -> dict:
    return {"number": number}


@APP.get("/none")
def none():
    raise NotFoundError("no such order")


@APP.exception_handler(KeyError)
def key_error(error):
    return Response(400, "text/plain", f"key {error}")


@APP.get("/key")
def key():
    raise KeyError("x")


def validated(event, context):
    return APP.resolve(event, context)


def streamed(event, context):
    client = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    return [line.decode() for line in S3Object(bucket="b", key="k", boto3_client=client)]


class Store(StoreProvider):
    def get_configuration(self):
        rule = {"when_match": True, "conditions": [{"action": "EQUALS", "key": "tier", "value": "high"}]}
        return {"new": {"default": False, "rules": {"tier": rule}}}

    get_raw_configuration = property(get_configuration)


def flags(event, context):
    found = FeatureFlags(Store())
    return [found.evaluate(name="new", context={"tier": "high"}, default=False), found.evaluate(name="no", default=3)]


class Order(BaseModel):
    id: int


@lambda_handler_decorator
def around(handler, event, context, more=None):
    return [handler(event, context), more]


@around(more="more")
@event_parser(model=Order)
def parsed(event, context):
    return event.id


@event_source(data_class=EventBridgeEvent)
def data_class(event, context):
    return event.detail_type


@LOGGER.inject_lambda_context(clear_state=True, correlation_id_path="requestContext.requestId")
def correlated(event, context):
    LOGGER.append_keys(order=7)
    LOGGER.info("hello")
    return LOGGER.get_correlation_id()
