"""Replaces the layer's own otel_wrapper: the function's handler under the Lambda instrumentation.

As in the layer, Lambda's tracing header replaces that of the event; the global propagators extract the parent.
"""

import os
from importlib import import_module
from typing import Any

from opentelemetry.context import Context
from opentelemetry.instrumentation.aws_lambda import AwsLambdaInstrumentor
from opentelemetry.propagate import get_global_textmap


def lambdas_context(event: Any) -> Context:
    """Return the context with the parent of the handler's span."""
    headers = event.get("headers") if isinstance(event, dict) else None
    carrier = dict(headers or {})
    if header := os.environ.get("_X_AMZN_TRACE_ID"):
        carrier = {name: value for name, value in carrier.items() if name.lower() != "x-amzn-trace-id"}
        carrier["X-Amzn-Trace-Id"] = header
    return get_global_textmap().extract(carrier)


AwsLambdaInstrumentor().instrument(event_context_extractor=lambdas_context)
module, _, function = os.environ["ORIG_HANDLER"].rpartition(".")
lambda_handler = getattr(import_module(module.replace("/", ".")), function)
