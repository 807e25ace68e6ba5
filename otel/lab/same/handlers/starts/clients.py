"""Clients of the whole module, used at import too."""

import os

import boto3
import requests

PEER = os.environ["PEER"]
TABLE = boto3.resource("dynamodb").Table("orders")
SESSION = requests.Session()
CONFIGURATION = SESSION.get(f"{PEER}/http/aside/configuration", timeout=10).json()
ITEM = TABLE.get_item(Key={"id": "configuration"})["Item"]


def handler(event, context):
    TABLE.put_item(Item={"id": "1"})
    return [CONFIGURATION, str(ITEM["n"]), SESSION.get(f"{PEER}/http/now", timeout=10).status_code]
