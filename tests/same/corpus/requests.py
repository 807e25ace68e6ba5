"""Calls of HTTP servers, of AWS and of databases."""

from __future__ import annotations

from tests.same.case import SAMPLED, Case

__all__ = ["CASES"]

TWICE: tuple[object, ...] = ({}, {})
GET = ("GET",)
# The newest instrumentations are not all released at once: an environment may lack some.
AIOHTTP = ("aiohttp", "opentelemetry.instrumentation.aiohttp_client")
URLLIB3 = ("opentelemetry.instrumentation.urllib3",)

CASES = [
    *[Case(f"calls.{function}", GET)
      for function in ("get", "own_headers_untouched", "own_xray_header", "not_found", "unavailable", "refused",
                       "refused_unhandled", "reset", "too_slow", "streamed", "hooks", "auth", "prepared",
                       "subclassed_session", "patched_by_user", "by_urllib", "urllib_error", "urllib_opener")],
    Case("calls.by_urllib3", GET, needs=URLLIB3),
    Case("calls.post", ("POST",)),
    Case("calls.own_tracing_header", ("GET", "GET")),
    Case("calls.session", ("GET",) * 6, events=TWICE),
    Case("calls.redirect", GET),  # one call for the caller
    Case("calls.bad_address", GET),  # of three, the one that gets as far as an adapter
    Case("calls.uploaded", ("POST",)),
    Case("calls.adapter", GET),
    Case("calls.urllib_request", ("PUT",)),
    Case("calls.urllib3_retries", GET, needs=URLLIB3),
    Case("calls.urllib3_fields", ("POST",), needs=URLLIB3),
    Case("calls.by_http_client", GET),
    Case("calls.by_socket"),
    Case("calls.slept_in", GET),
    Case("calls.by_httpx", GET, needs=("httpx",)),
    Case("calls.httpx_client", ("GET", "POST"), needs=("httpx",)),
    Case("calls.httpx_error", ("GET", "GET"), needs=("httpx",)),
    Case("calls.httpx_transport", needs=("httpx",)),
    Case("calls.httpx_asynchronous", ("GET", "GET", "GET"), needs=("httpx",)),
    Case("calls.by_aiohttp", GET, needs=AIOHTTP),
    Case("calls.aiohttp_traced_by_user", ("POST",), needs=AIOHTTP),
    Case("calls.aiohttp_error", GET, needs=AIOHTTP),
    Case("aws.get_item", ("DynamoDB.GetItem",) * 2, events=TWICE),
    Case("aws.get_item", label="not sampled", events=TWICE, roots=0,
         header=SAMPLED.replace("Sampled=1", "Sampled=0")),
    Case("aws.get_item", ("POST",), label="requests and urllib3 alone are traced",
         variables={"LAMBDA_LATENCY_INSTRUMENTATIONS": "requests,urllib3"}),
    Case("aws.twice", ("DynamoDB.GetItem",) * 2),
    Case("aws.metadata", ("DynamoDB.PutItem",)),
    Case("aws.resource", ("DynamoDB.GetItem",)),
    Case("aws.batch_writer", ("DynamoDB.BatchWriteItem",)),
    Case("aws.pages", ("DynamoDB.Query",) * 2),
    Case("aws.waits", ("DynamoDB.DescribeTable",)),
    Case("aws.missing", ("DynamoDB.GetItem",)),
    Case("aws.missing_unhandled", ("DynamoDB.GetItem",)),
    Case("aws.conditional", ("DynamoDB.PutItem",)),
    Case("aws.throttled", ("DynamoDB.GetItem",)),
    Case("aws.invalid", ("DynamoDB.GetItem",)),
    Case("aws.transaction", ("DynamoDB.TransactWriteItems",)),
    Case("aws.unreachable", ("DynamoDB.ListTables",)),
    Case("aws.queue", ("SQS.SendMessage",)),
    Case("aws.topic", ("t send",)),
    Case("aws.topic_attributes", ("t send",)),
    Case("aws.bus", ("EventBridge.PutEvents",)),
    Case("aws.another_function", ("Lambda.Invoke",)),
    Case("aws.bucket", ("S3.GetObject", "S3.PutObject")),
    Case("aws.upload", ("S3.GetObject", "S3.HeadObject", "S3.PutObject")),
    Case("aws.presigned"),
    Case("aws.identity", ("STS.GetCallerIdentity",)),
    Case("aws.own_hooks", ("DynamoDB.ListTables",)),
    Case("aws.stubbed", ("DynamoDB.ListTables",) * 2),
    Case("aws.introspected"),
    Case("aws.low_level", ("DynamoDB.ListTables",)),
    Case("aws.in_threads", ("DynamoDB.GetItem",) * 3),
    Case("aws.clients_in_threads", ("DynamoDB.ListTables",) * 3),
    Case("aws.asynchronous", ("DynamoDB.GetItem",), needs=("aiobotocore",)),
    Case("aws.modelled", ("DynamoDB.GetItem",), needs=("pynamodb",)),
    Case("databases.cursor", ("create", "insert", "select")),
    Case("databases.connection_methods", ("create", "insert", "select")),
    Case("databases.row_factory", ("select",)),
    Case("databases.functions", ("select",)),
    Case("databases.own_class"),
    Case("databases.types"),
    Case("databases.backup", ("create", "select")),
    Case("databases.failing", ("nonsense", "select")),
    Case("databases.failing_unhandled", ("select",)),
    Case("databases.rolled_back", ("create", "insert", "select")),
    Case("databases.other_thread"),
    Case("databases.alchemy", ("connect", "select"), needs=("sqlalchemy",)),
    Case("databases.alchemy_models", ("CREATE", "INSERT", "PRAGMA", "PRAGMA", "SELECT", "connect", "connect",
                                      "connect"),
         needs=("sqlalchemy",)),
    Case("databases.alchemy_events", ("connect", "select"), needs=("sqlalchemy",)),
    Case("databases.redis_refused", ("GET",), needs=("redis",)),
    Case("databases.redis_pipeline", needs=("redis",)),
    Case("databases.mysql_refused", ("connect",), needs=("pymysql",)),
]  # fmt: skip
