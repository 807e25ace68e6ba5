"""Code that has OpenTelemetry, or a vendor's tracer, of its own."""

from lab.same.case import TWICE, Case, each, started

SET_UP, VENDORS = "own/set_up", "vendors/tracers"
POWERTOOLS = ("aws_lambda_powertools",)
OTEL = {"OTEL_SERVICE_NAME": "own", "OTEL_RESOURCE_ATTRIBUTES": "team=a", "OTEL_PROPAGATORS": "tracecontext,baggage"}
DATADOG = {"DD_TRACE_AGENT_URL": "http://127.0.0.1:1", "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
           "DD_REMOTE_CONFIGURATION_ENABLED": "false", "DD_TRACE_STARTUP_LOGS": "false"}  # fmt: skip

ASKED = {"requests": "the user's propagator writes traceparent, and without the kit there is nobody to ask it to"}
FASTAPI = tuple(  # which makes spans of its own, by OpenTelemetry's API
    name for route in ("GET /orders", "GET /sync")
    for name in (route, *(f"{route} > fastapi.{step}" for step in ("dependencies", "endpoint", "serialization")))
)  # fmt: skip
WARNS = {"log": "the SDK itself warns of what a span is given that it cannot take; the API alone says nothing"}


def http(path: str) -> dict[str, object]:
    """An event of an HTTP API."""
    about = {"method": "GET", "path": path, "sourceIp": "127.0.0.1", "protocol": "HTTP/1.1"}
    return {"version": "2.0", "routeKey": f"GET {path}", "rawPath": path, "rawQueryString": "",
            "headers": {"host": "x"},
            "requestContext": {"http": about, "stage": "$default"}, "isBase64Encoded": False}  # fmt: skip


CASES = [
    Case("own/api.spans", ("outer", "outer > inner", "outer > inner > GET")),
    Case("own/api.failing", ("fails",)),
    Case("own/api.decorated", ("decorator", "decorator"), events=TWICE),
    Case("own/api.by_hand", ("renamed",), but=WARNS),
    Case("own/api.odd_values", ("odd",), but=WARNS),
    Case("own/api.with_baggage", ("GET",)),
    Case("own/api.new_root", ("root of its own",)),
    Case("own/api.flushed", ("before the flush",)),
    Case("own/api.in_a_thread", ("starts it", "starts it > threaded")),
    Case("own/api.across_generators", ("generator",)),
    *each("own/api", "wrong_token", "extracted", "never_ended", "fields"),
    Case("own/provider.is_set", ("init > outer",)),
    Case("own/provider.exported", ("direct", "init > outer", "outer", "outer > inner", "outer > inner > GET")),
    Case("own/provider.flushed", ("init > outer", "outer")),
    Case("own/provider.described", ("init > outer", "outer")),
    Case("own/provider.shut_down", ("after", "init > outer")),
    Case("own/api.forked", ("in the child", "in the child > GET")),
    Case("own/api.variables", ("GET", "mine"), variables=OTEL, but=ASKED),
    Case("own/api.variables", label="OTEL_SDK_DISABLED", variables={"OTEL_SDK_DISABLED": "true"}, roots=0),
    Case("own/api.variables", ("GET", "mine"), label="nonsense",
         variables={"OTEL_TRACES_SAMPLER": "nonsense", "OTEL_ATTRIBUTE_COUNT_LIMIT": "x"}),
    started(SET_UP, "private_provider", ("theirs",),
            but={"orphans": "the parent is of a provider that the process does not have, and stays there"}),
    started(SET_UP, "processor_later", ("mine",)),
    started(SET_UP, "propagator", ("GET",), but=ASKED),
    started(SET_UP, "metrics", events=TWICE),
    started(SET_UP, "logs"),
    started(SET_UP, "log_instrumentation"),
    started(SET_UP, "instrumentors", ("GET",) * 2, needs=("opentelemetry.instrumentation.threading",), events=TWICE),
    started(SET_UP, "boto_instrumentor", ("DynamoDB.GetItem",) * 2, events=TWICE),
    started(SET_UP, "imports_instrumentor", ("DynamoDB.GetItem", "GET"),
            needs=("opentelemetry.instrumentation.sqlite3",)),
    started(SET_UP, "at_init", ("init > load model",)),
    started(VENDORS, "sentry", ("GET",) * 2, needs=("sentry_sdk",), events=({}, {}, {"fails": True})),
    started(VENDORS, "sentry_otel", ("POST", "user span", "user span"), events=TWICE,
            needs=("sentry_sdk", "opentelemetry.instrumentation.urllib3"),
            but={"requests": "a transaction is the invocation with the kit, and the user's span without"}),
    started(VENDORS, "xray", ("DynamoDB.GetItem", "GET"), needs=("aws_xray_sdk",),
            but={"header": "the X-Ray SDK writes its own subsegment there"}),
    started(VENDORS, "datadog", ("GET",), needs=("ddtrace",), variables=DATADOG),
    started(VENDORS, "datadog_otel", needs=("ddtrace",), variables=DATADOG,
            but={"log": "Datadog's own hook fails where OpenTelemetry is imported after it, and says so"}),
    Case("vendors/powertools.logged", ("DynamoDB.GetItem", "GET"), needs=POWERTOOLS),
    Case("vendors/web.by_flask", ("GET",), needs=("flask", "apig_wsgi"), events=(http("/orders"), http("/fails"),
        http("/no"))),
    Case("vendors/web.by_fastapi", (*FASTAPI, "GET /sync > fastapi.endpoint > GET"), needs=("fastapi", "mangum"),
         events=(http("/orders"), http("/sync"))),
]  # fmt: skip
