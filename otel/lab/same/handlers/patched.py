"""What functions replace at run time: parts of libraries, the clock, the environment, modules."""

import builtins
import datetime
import importlib
import importlib.util
import os
import socket
import sys
import time
import unittest.mock

import boto3
import botocore.client
import requests

HTTP = f"{os.environ['PEER']}/http"


def get(what):
    return requests.get(f"{HTTP}/{what}", timeout=10).status_code


def function(event, context):
    with unittest.mock.patch("requests.get", side_effect=requests.get) as replaced:
        return [get("function"), replaced.call_count]


def resolver(event, context):
    real, seen = socket.getaddrinfo, []

    def getaddrinfo(host, *others, **options):
        seen.append(host)
        return real(host, *others, **options)

    with unittest.mock.patch("socket.getaddrinfo", getaddrinfo):
        return [get("resolver"), seen]


def api_call(event, context):
    """As moto and its like answer for AWS."""
    real, seen = botocore.client.BaseClient._make_api_call, []

    def answer(self, operation, options):
        seen.append(operation)
        return {"TableNames": ["own"]} if operation == "ListTables" else real(self, operation, options)

    with unittest.mock.patch("botocore.client.BaseClient._make_api_call", answer):
        client = boto3.client("dynamodb")
        return [client.list_tables(), client.describe_table(TableName="orders")["Table"], seen]


def autospec(event, context):
    client = unittest.mock.create_autospec(boto3.client("dynamodb"))
    client.get_item.return_value = {"Item": 1}
    return client.get_item(TableName="orders", Key={})


def clock(event, context):
    with unittest.mock.patch("time.time", return_value=1.0), unittest.mock.patch("time.time_ns", return_value=10**9):
        return [get("clock"), time.time(), time.time_ns()]


def stopped_clock(event, context):
    with unittest.mock.patch("time.monotonic", side_effect=[float(n) for n in range(10_000)]):
        return get("stopped")


def date(event, context):
    class Fixed(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2020, 1, 1)

    with unittest.mock.patch("datetime.datetime", Fixed):
        return [datetime.datetime.now(datetime.timezone.utc).year, get("date")]


def sleep(event, context):
    with unittest.mock.patch("time.sleep") as slept:
        time.sleep(50)
        return [get("sleep"), slept.call_count]


def opening(event, context):
    with unittest.mock.patch("builtins.open", unittest.mock.mock_open(read_data="made up")):
        return [get("opening"), builtins.open("/nowhere").read()]


def environment(event, context):
    os.environ.update(AWS_REGION="eu-west-1", OTEL_SDK_DISABLED="true", _X_AMZN_TRACE_ID="own")
    del os.environ["AWS_LAMBDA_FUNCTION_NAME"], os.environ["LAMBDA_TASK_ROOT"]
    return [get("aside"), os.environ["_X_AMZN_TRACE_ID"]]


def modules(event, context):
    """As tests and plug-in systems import a library anew."""
    saved = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "requests"}
    try:
        again = importlib.import_module("requests")
        return [again is saved["requests"], again.get(f"{HTTP}/aside", timeout=10).status_code]
    finally:
        sys.modules.update(saved)


def lazy_module(event, context):
    spec = importlib.util.find_spec("sqlite3")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules["sqlite3"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.connect(":memory:").execute("select 1").fetchall()


def output(event, context):
    real, sys.stderr = sys.stderr, None
    try:
        return get("output")
    finally:
        sys.stderr = real


def default_timeout(event, context):
    socket.setdefaulttimeout(0.2)
    try:
        with socket.create_connection(
            (os.environ["PEER"][7:].split(":")[0], int(os.environ["PEER"].split(":")[2]))
        ) as one:
            return [one.gettimeout(), get("timeout")]
    finally:
        socket.setdefaulttimeout(None)


def adapter(event, context):
    real, seen = requests.adapters.HTTPAdapter.send, []

    def send(self, request, **options):
        seen.append([request.method, options["timeout"]])
        request.headers["X-Own"] = "1"
        return real(self, request, **options)

    with unittest.mock.patch.object(requests.adapters.HTTPAdapter, "send", send):
        return [get("adapter"), seen]
