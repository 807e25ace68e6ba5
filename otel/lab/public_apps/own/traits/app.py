"""The functions of the app."""

import json
import os
from http.client import HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError

STATEMENT = {"Effect": "Allow", "Action": ["execute-api:Invoke"], "Resource": ["*"]}


def guard(event: Any, context: Any) -> Any:
    """Allow, refuse, or fail, as the token says."""
    if event["authorizationToken"] == "refuse":
        raise Exception("Unauthorized")
    if event["authorizationToken"] == "fail":
        raise ValueError("on purpose")
    return {"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": [STATEMENT]}}


def handler(event: Any, context: Any) -> Any:
    """Store the body, and answer with its size as S3 tells it."""
    s3 = boto3.client("s3")
    s3.put_object(Bucket=os.environ["FILES"], Key="order", Body=event["body"].encode())
    head = s3.head_object(Bucket=os.environ["FILES"], Key="order")
    return {"statusCode": 201, "body": json.dumps({"size": head["ContentLength"]})}


def listed(event: Any, context: Any) -> Any:
    """Whether the app's bucket is the only one."""
    names = [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]]
    return {"only": names == [os.environ["FILES"]]}


def received(event: Any, context: Any) -> Any:
    """Fail for a message that says so."""
    if any(record["body"] == "fail" for record in event["Records"]):
        raise ValueError("on purpose")


def made(event: Any, context: Any) -> Any:
    """Answer CloudFormation as libraries do: by HTTPS, whatever the address says."""
    identity = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    url = urlsplit(event["ResponseURL"])
    connection = HTTPSConnection(url.netloc, timeout=10)
    body = json.dumps({"Status": "SUCCESS", "PhysicalResourceId": "thing", **identity})
    connection.request("PUT", url.path, body)
    connection.getresponse().read()


def asked(event: Any, context: Any) -> Any:
    """The error of a service that is not emulated."""
    try:
        boto3.client("polly").describe_voices()
    except ClientError as error:
        return str(error)
