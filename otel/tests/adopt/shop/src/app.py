"""Prices tea; traced by Powertools' Tracer."""

import json

from aws_lambda_powertools import Tracer

tracer = Tracer(service="shop")


@tracer.capture_method
def price(sku, quantity):
    """Its result is metadata."""
    tracer.put_annotation(key="sku", value=sku)
    return {"sku": sku, "price": 450 * quantity}


@tracer.capture_lambda_handler
def handler(event, context):
    """GET /price/{sku}."""
    return {"statusCode": 200, "body": json.dumps(price(event["pathParameters"]["sku"], 2))}
