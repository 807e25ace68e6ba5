"""The handler of all variants: it reads an item, calls an API, and writes the item."""

import gc
import json
import os
import sys
from typing import Any

import boto3
import requests

URL = os.environ["PROVIDER"]
TABLE = boto3.resource("dynamodb", endpoint_url=URL).Table("items")


def handler(event: Any, context: Any) -> Any:
    if "collect" in event:
        return {"statusCode": 200, "body": str(gc.collect())}
    if "leave" in event:  # with the response, before the runtime client asks for the next event
        client = sys.modules["awslambdaric.lambda_runtime_client"].LambdaRuntimeClient
        client.wait_next_invocation = lambda *_: os._exit(0)
    key = event["pathParameters"]["id"]
    TABLE.get_item(Key={"id": key})
    rate = requests.get(f"{URL}/rates/eur", timeout=3).json()
    TABLE.put_item(Item={"id": key, "seen": context.aws_request_id})
    return {"statusCode": 200, "body": json.dumps({"id": key, "rate": rate})}
