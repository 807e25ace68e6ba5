"""Its modules of libraries refuse that anything is replaced in them."""

import http.client
import os
import types

import boto3
import botocore.client
import requests


class ReadOnly(types.ModuleType):
    def __setattr__(self, name, value):
        raise AttributeError(f"{self.__name__}.{name} is read-only")


for module in (http.client, botocore.client, requests, requests.sessions):
    module.__class__ = ReadOnly


def handler(event, context):
    status = requests.get(f"{os.environ['PEER']}/http/x", timeout=10).status_code
    return [status, sorted(boto3.client("dynamodb").list_tables())]
