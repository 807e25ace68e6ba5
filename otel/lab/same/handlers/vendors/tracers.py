"""Tracers of vendors, as they start; the variable START names which, and its function returns the handler."""

import os

PEER = os.environ["PEER"]


def get(what):
    import requests

    return requests.get(f"{PEER}/http/{what}", timeout=10).status_code


def datadog():
    """As Datadog's layer starts it."""
    import ddtrace.auto  # noqa: F401
    import requests  # noqa: F401
    from ddtrace import tracer

    def handler(event, context):
        with tracer.trace("own"):
            return get("aside")

    return handler


def datadog_otel():
    """Datadog's tracer behind OpenTelemetry's API."""
    os.environ["DD_TRACE_OTEL_ENABLED"] = "true"
    import ddtrace.auto  # noqa: F401
    from ddtrace.opentelemetry import TracerProvider
    from opentelemetry import trace

    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())

    def handler(event, context):
        with trace.get_tracer("user").start_as_current_span("mine") as span:
            return [type(span).__module__.split(".")[0], isinstance(trace.get_tracer_provider(), TracerProvider)]

    return handler


def sentry():
    """Sentry with its integration for Lambda."""
    import requests  # noqa: F401
    import sentry_sdk
    from sentry_sdk.integrations.aws_lambda import AwsLambdaIntegration

    sentry_sdk.init(
        dsn=f"{PEER.replace('://', '://key@')}/aside/1", traces_sample_rate=1.0, auto_session_tracking=False,
        integrations=[AwsLambdaIntegration(timeout_warning=False)],
    )  # fmt: skip

    def handler(event, context):
        if event.get("fails"):
            raise ValueError("told to Sentry")
        return get("sentry")

    return handler


def sentry_otel():
    """Sentry's OpenTelemetry mode: its processor on a provider of the user's, its propagator for the process."""
    import sentry_sdk
    from opentelemetry import trace
    from opentelemetry.propagate import set_global_textmap
    from opentelemetry.sdk.trace import TracerProvider
    from sentry_sdk.integrations.opentelemetry import SentryPropagator, SentrySpanProcessor

    sent = []
    sentry_sdk.init(
        dsn=f"{PEER.replace('://', '://key@')}/aside/1", traces_sample_rate=1.0, instrumenter="otel",
        auto_session_tracking=False,
        before_send_transaction=lambda transaction, hint: sent.append(transaction["transaction"]),
    )  # fmt: skip
    provider = TracerProvider()
    provider.add_span_processor(SentrySpanProcessor())
    trace.set_tracer_provider(provider)
    set_global_textmap(SentryPropagator())

    def handler(event, context):
        sentry_sdk.flush(2)
        before = bool(sent)  # of the invocations so far
        with trace.get_tracer("user").start_as_current_span("user span"):
            pass
        return [trace.get_tracer_provider() is provider, before]

    return handler


def xray():
    """AWS's X-Ray SDK, which the kit is to replace, still in use."""
    import boto3
    import requests  # noqa: F401
    from aws_xray_sdk.core import patch_all, xray_recorder

    patch_all()

    def handler(event, context):
        with xray_recorder.in_subsegment("own"):
            get("aside")
        return boto3.client("dynamodb").get_item(TableName="orders", Key={"id": {"S": "1"}})["Item"]

    return handler


handler = globals()[os.environ["START"]]()
