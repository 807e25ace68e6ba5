"""Code that has OpenTelemetry, or a vendor's tracer, of its own."""

from __future__ import annotations

from lab.same.case import Case

TWICE: tuple[object, ...] = ({}, {})
REST = {"httpMethod": "GET", "path": "/orders/7", "resource": "/orders/{number}", "headers": {"Host": "x"},
        "multiValueHeaders": {}, "queryStringParameters": None, "requestContext": {"stage": "x"},
        "body": None}  # fmt: skip
OTEL = {"OTEL_SERVICE_NAME": "own", "OTEL_RESOURCE_ATTRIBUTES": "team=a", "OTEL_PROPAGATORS": "tracecontext,baggage"}
DATADOG = {"DD_TRACE_AGENT_URL": "http://127.0.0.1:1", "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
           "DD_REMOTE_CONFIGURATION_ENABLED": "false", "DD_TRACE_STARTUP_LOGS": "false"}  # fmt: skip

ASKED = {"requests": "the user's propagator writes traceparent, and without the kit there is nobody to ask it to"}
FASTAPI = tuple(  # which makes spans of its own, by OpenTelemetry's API
    name for route in ("GET /orders", "GET /sync")
    for name in (route, *(f"{route} > fastapi.{step}" for step in ("dependencies", "endpoint", "serialization")))
)  # fmt: skip
WARNS = {"log": "the SDK itself warns of what a span is given that it cannot take; the API alone says nothing"}


def rest(path: str) -> dict[str, object]:
    return {**REST, "path": path, "resource": path, "version": "1.0", "requestContext": {"stage": "x", "path": path}}


def http(path: str) -> dict[str, object]:
    """An event of an HTTP API."""
    about = {"method": "GET", "path": path, "sourceIp": "127.0.0.1", "protocol": "HTTP/1.1"}
    return {"version": "2.0", "routeKey": f"GET {path}", "rawPath": path, "rawQueryString": "",
            "headers": {"host": "x"},
            "requestContext": {"http": about, "stage": "$default"}, "isBase64Encoded": False}  # fmt: skip


SQS = {"Records": [
    {"messageId": f"m-{number}", "receiptHandle": "r", "body": f'{{"fail": {fail}}}', "attributes": {},
     "messageAttributes": {},
     "md5OfBody": "x", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:q",
     "awsRegion": "us-east-1"}
    for number, fail in enumerate(("true", "false"))]}  # fmt: skip

CASES = [
    Case("own/api.spans", ("outer", "outer > inner", "outer > inner > GET")),
    Case("own/api.failing", ("fails",)),
    Case("own/api.decorated", ("decorator", "decorator"), events=TWICE),
    Case("own/api.by_hand", ("renamed",), but=WARNS),
    Case("own/api.odd_values", ("odd",), but=WARNS),
    Case("own/api.wrong_token"),
    Case("own/api.values"),
    Case("own/api.with_baggage", ("GET",)),
    Case("own/api.extracted"),
    Case("own/api.new_root", ("root of its own",)),
    Case("own/api.flushed", ("before the flush",)),
    Case("own/api.never_ended"),
    Case("own/api.in_a_thread", ("starts it", "starts it > threaded")),
    Case("own/api.across_generators", ("generator",)),
    Case("own/provider.is_set", ("init > outer",)),
    Case("own/provider.exported", ("direct", "init > outer", "outer", "outer > inner", "outer > inner > GET")),
    Case("own/provider.flushed", ("init > outer", "outer")),
    Case("own/provider.described", ("init > outer", "outer")),
    Case("own/provider.shut_down", ("after", "init > outer")),
    Case("own/private_provider.handler", ("theirs",),
         but={"orphans": "the parent is of a provider that the process does not have, and stays there"}),
    Case("own/private_provider.unsampled"),
    Case("own/processor_later.handler", ("mine",)),
    Case("own/propagator.handler", ("GET",), but=ASKED),
    Case("own/metrics.handler", events=TWICE),
    Case("own/logs.handler"),
    Case("own/log_instrumentation.handler"),
    Case("own/instrumentors.handler", ("GET", "GET"), needs=("opentelemetry.instrumentation.threading",), events=TWICE),
    Case("own/boto_instrumentor.handler", ("DynamoDB.GetItem",) * 2, events=TWICE),
    Case("own/imports_instrumentor.handler", ("DynamoDB.GetItem", "GET"),
         needs=("opentelemetry.instrumentation.sqlite3",)),
    Case("own/at_init.handler", ("init > load model",)),
    Case("own/variables.handler", ("GET", "mine"), variables=OTEL, but=ASKED),
    Case("own/variables.handler", label="OTEL_SDK_DISABLED", variables={"OTEL_SDK_DISABLED": "true"}, roots=0),
    Case("own/variables.handler", ("GET", "mine"), label="nonsense",
         variables={"OTEL_TRACES_SAMPLER": "nonsense", "OTEL_ATTRIBUTE_COUNT_LIMIT": "x"}),
    Case("own/variables.fields"),
    Case("own/forked.handler", ("in the child", "in the child > GET")),
    Case("vendors/sentry.handler", ("GET", "GET"), needs=("sentry_sdk",), events=TWICE),
    Case("vendors/sentry.failing", needs=("sentry_sdk",)),
    Case("vendors/sentry_otel.handler", ("POST", "user span", "user span"), events=TWICE,
         needs=("sentry_sdk", "opentelemetry.instrumentation.urllib3"),
         but={"requests": "a transaction is the invocation with the kit, and the user's span without"}),
    Case("vendors/powertools.logged", ("DynamoDB.GetItem", "GET"), needs=("aws_lambda_powertools",)),
    Case("vendors/powertools.failing", needs=("aws_lambda_powertools",)),
    Case("vendors/powertools.routed", needs=("aws_lambda_powertools",), events=(REST, rest("/nowhere"))),
    Case("vendors/powertools.batched", needs=("aws_lambda_powertools",), events=(SQS,)),
    Case("vendors/powertools.parameter", ("SSM.GetParameter",), needs=("aws_lambda_powertools",), events=TWICE),
    Case("vendors/powertools_tracer.handler", ("GET",), needs=("aws_lambda_powertools", "aws_xray_sdk")),
    Case("vendors/xray.handler", ("DynamoDB.GetItem", "GET"), needs=("aws_xray_sdk",),
         but={"header": "the X-Ray SDK writes its own subsegment there"}),
    Case("vendors/datadog.handler", ("GET",), needs=("ddtrace",), variables=DATADOG),
    Case("vendors/datadog_otel.handler", needs=("ddtrace",), variables=DATADOG,
         but={"log": "Datadog's own hook fails where OpenTelemetry is imported after it, and says so"}),
    Case("vendors/web.by_flask", ("GET",), needs=("flask", "apig_wsgi"), events=(http("/orders"), http("/fails"),
        http("/no"))),
    Case("vendors/web.by_fastapi", (*FASTAPI, "GET /sync > fastapi.endpoint > GET"), needs=("fastapi", "mangum"),
         events=(http("/orders"), http("/sync"))),
]  # fmt: skip
