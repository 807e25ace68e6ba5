"""Sentry's OpenTelemetry mode: its processor on a provider of the user's, its propagator for the process."""

import os

import sentry_sdk
from opentelemetry import trace
from opentelemetry.propagate import set_global_textmap
from opentelemetry.sdk.trace import TracerProvider
from sentry_sdk.integrations.opentelemetry import SentryPropagator, SentrySpanProcessor

PEER = os.environ["PEER"]
SENT = []
sentry_sdk.init(
    dsn=f"{PEER.replace('://', '://key@')}/aside/1", traces_sample_rate=1.0, instrumenter="otel", auto_session_tracking=False,
    before_send_transaction=lambda transaction, hint: SENT.append(transaction["transaction"]),
)  # fmt: skip
PROVIDER = TracerProvider()
PROVIDER.add_span_processor(SentrySpanProcessor())
trace.set_tracer_provider(PROVIDER)
set_global_textmap(SentryPropagator())


def handler(event, context):
    sentry_sdk.flush(2)
    before = bool(SENT)  # of the invocations so far
    with trace.get_tracer("user").start_as_current_span("user span"):
        pass
    return [trace.get_tracer_provider() is PROVIDER, before]
