"""Imports when it is called."""


def handler(event, context):
    import os

    import boto3
    import requests

    requests.get(f"{os.environ['PEER']}/http/lazy", timeout=10)
    return boto3.client("dynamodb").get_item(TableName="orders", Key={"id": {"S": "1"}})["Item"]
