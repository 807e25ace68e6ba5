"""A cold start in a process of its own: prints the modules that tracing brought, one a line.

`before` has the function import first what has stand-ins; `bare` starts no runtime.
"""

import importlib
import importlib.util
import os
import sys

# What has a stand-in. A user may import any of these, before the runtime's imports or after them.
REPLACED = (
    "opentelemetry.instrumentation.dependencies",
    "packaging",
    "packaging.version",
    "wrapt",
    "psutil",
    "opentelemetry.metrics",
    "opentelemetry._logs",
    "typing_extensions",
    "opentelemetry.trace.propagation.tracecontext",
    "opentelemetry.propagators.composite",
    "opentelemetry.util.http.httplib",
    "opentelemetry.sdk.trace._tracer_metrics",
    "opentelemetry.util._importlib_metadata",
    "opentelemetry.semconv.resource",
    "opentelemetry.semconv.schemas",
    "opentelemetry.semconv.attributes.http_attributes",
    "opentelemetry.semconv._incubating.attributes.db_attributes",
)


def replaced() -> list[str]:
    """Those that this version of OpenTelemetry has."""
    return [name for name in REPLACED if importlib.util.find_spec(name)]


def main(*how: str) -> None:
    """Start as Lambda starts it, and call each library once."""
    import awslambdaric.bootstrap

    os.environ |= {
        "AWS_LAMBDA_FUNCTION_NAME": "orders-create",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2024/11/25/[$LATEST]0123",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "PROVIDER": "http://127.0.0.1:1",
        "LAMBDA_LATENCY_HANDLER": "lab.response_time.handler.handler",
        "_X_AMZN_TRACE_ID": "Root=1-674385f0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1",
    }
    if "before" in how:
        for name in replaced():
            importlib.import_module(name)
    if "bare" in how:
        from lab.response_time.handler import handler
    else:
        os.environ["_HANDLER"] = "lambda_latency.runtime.bootstrap.handler"
        handler = awslambdaric.bootstrap._get_handler(os.environ["_HANDLER"])
    assert callable(handler)
    if "after" in how or "before" in how:
        use_what_has_stand_ins()
    print("\n".join(sorted(sys.modules)))


def use_what_has_stand_ins() -> None:
    """As a user's own code would."""
    import asyncio
    from enum import Enum
    from importlib.metadata import version

    import psutil
    import typing_extensions
    import wrapt
    from opentelemetry import _logs, metrics
    from opentelemetry.instrumentation.dependencies import DependencyConflict, get_dependency_conflicts
    from opentelemetry.propagators.composite import CompositePropagator
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.semconv._incubating.attributes.db_attributes import DbSystemValues
    from opentelemetry.semconv.attributes.http_attributes import HTTP_ROUTE
    from opentelemetry.semconv.resource import CloudProviderValues
    from opentelemetry.semconv.schemas import Schemas
    from opentelemetry.trace import TraceState
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
    from opentelemetry.util._importlib_metadata import entry_points
    from packaging.requirements import Requirement
    from packaging.version import Version

    import lambda_latency.runtime.coldstart.standins as ours

    for name in replaced():
        importlib.import_module(name)
    assert not [name for name, module in sys.modules.items() if isinstance(module, ours.StandIn)]
    assert issubclass(DbSystemValues, Enum)
    assert CloudProviderValues("aws") is CloudProviderValues.AWS
    assert issubclass(Schemas, Enum)
    assert HTTP_ROUTE == "http.route"
    assert CompositePropagator([TraceContextTextMapPropagator()]).fields == {"traceparent", "tracestate"}
    assert TraceContextTextMapPropagator().fields == {"traceparent", "tracestate"}
    state = TraceState.from_header(["a=1, b=2", "c@d=3"])
    assert state.add("e", "f").to_header() == "e=f,a=1,b=2,c@d=3"
    assert not TraceState([("A", "1")])
    assert [point.name for point in entry_points(group="opentelemetry_propagator", name="xray")] == ["xray"]
    assert asyncio.run(asyncio.sleep(0, 5)) == 5
    assert psutil.Process().pid == os.getpid()
    assert str(Requirement("boto3>=1").specifier) == ">=1"
    assert Version(version("wrapt")) >= Version("1")
    assert isinstance(get_dependency_conflicts(["boto3 ~= 0.1"]), DependencyConflict)

    @typing_extensions.deprecated("old")
    def old() -> None:
        """Warns."""

    assert hasattr(old, "__deprecated__")

    @wrapt.decorator
    def doubled(wrapped, instance, args, kwargs):  # type: ignore[no-untyped-def]
        return 2 * wrapped(*args, **kwargs)

    @doubled
    def four() -> int:
        return 4

    assert four() == 8
    assert isinstance(four, wrapt.FunctionWrapper)
    assert _logs.get_logger("user") is not None
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader]))
    metrics.get_meter("user").create_counter("orders").add(1)
    data = reader.get_metrics_data()
    assert data is not None
    assert data.resource_metrics[0].scope_metrics[0].metrics[0].name == "orders"
    take_off_and_put_on()


def take_off_and_put_on() -> None:
    """Upstream's own instrumentors, by a user: off again, and on with the check of versions."""
    import botocore.client
    from opentelemetry.context import get_current
    from opentelemetry.instrumentation import requests
    from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
    from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
    from opentelemetry.trace import INVALID_SPAN
    from opentelemetry.util.http.httplib import HttpClientInstrumentor

    def call() -> object:
        return vars(botocore.client.BaseClient)["_make_api_call"]

    traced_call = call()
    BotocoreInstrumentor().uninstrument()  # type: ignore[no-untyped-call]
    assert call() is not traced_call
    BotocoreInstrumentor().instrument()  # type: ignore[no-untyped-call]
    assert BotocoreInstrumentor().is_instrumented_by_opentelemetry  # type: ignore[no-untyped-call]
    URLLib3Instrumentor().instrument()
    assert URLLib3Instrumentor().is_instrumented_by_opentelemetry
    HttpClientInstrumentor().instrument()
    with requests.set_ip_on_next_http_connection(INVALID_SPAN):  # type: ignore[attr-defined]
        assert "httpbase_instrumentation_state" in get_current()


if __name__ == "__main__":
    main(*sys.argv[1:])
