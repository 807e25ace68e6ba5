"""Takes orders; traced by the X-Ray SDK."""

import json
import os

import boto3
from aws_xray_sdk.core import patch_all, xray_recorder

patch_all()
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


@xray_recorder.capture("check order")
def check(order):
    """Raises ValueError for an order without items."""
    xray_recorder.put_annotation("items", len(order.get("items", [])))
    if not order.get("items"):
        raise ValueError("no items")


def order(event, context):
    """POST /orders."""
    order = json.loads(event["body"] or "{}")
    try:
        check(order)
    except ValueError as error:
        return {"statusCode": 400, "body": str(error)}
    with xray_recorder.in_subsegment("store order") as subsegment:
        subsegment.put_metadata("order", order, "orders")
        table.put_item(Item={"id": order["id"]})
    return {"statusCode": 201, "body": json.dumps({"id": order["id"]})}


def notify(event, context):
    """A message of the queue."""
    subsegment = xray_recorder.begin_subsegment("notify")
    subsegment.put_annotation("messages", len(event["Records"]))
    xray_recorder.end_subsegment()
