"""Spans of AWS's plugin for durable functions whose local parent exists nowhere: a part of `lab suites`.

A durable function with steps, a wait and a child context runs in AWS's own test runner, in several invocations. The
spans of each of the plugin's two classes are recorded with the kit around the handler, and with a provider of the SDK.
The interpreter of the suites' environment runs `main`.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python_otel import (
    ExecutionOtelPluginFactory,
    InvocationOtelPluginFactory,
    OtelPluginConfig,
)
from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestRunner
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime
from lambda_latency.testing.redacted import RedactedSpans

Handler = Callable[[Any, Any], Any]
PLUGINS = (ExecutionOtelPluginFactory, InvocationOtelPluginFactory)
LAMBDA = {
    "_X_AMZN_TRACE_ID": "Root=1-674385f0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1",
    "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "order",
    "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_LOG_STREAM_NAME": "a",
}  # fmt: skip


def order(_event: object, context: DurableContext) -> str:
    """Reserve, wait for a second, and pay in a child context."""
    reserved = context.step(lambda _: "reserved", name="reserve")
    context.wait(Duration.from_seconds(1), name="settle")
    paid = context.run_in_child_context(lambda child: child.step(lambda _: "paid", name="pay"), name="payment")
    return f"{reserved}, {paid}"


def main() -> int:
    """Print a line for each class and provider; returns 1 if a span is an orphan with either provider."""
    os.environ.update(LAMBDA)
    orphans = 0
    for plugin in PLUGINS:
        for name, record in {"the SDK's provider": with_sdk, "the kit's": with_kit}.items():
            spans = record(plugin)
            count = len(list(filter(partial(is_orphan, {identity(span) for span in spans}), spans)))
            print(f"{plugin.__name__} with {name}: {count} of {len(spans)} spans are orphans", flush=True)
            orphans += count + (not spans)
    return int(orphans > 0)


def with_sdk(plugin: Any) -> tuple[ReadableSpan, ...]:
    """Return the spans of an execution with a provider of the SDK."""
    memory, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    execute(durable_execution(order, plugins=[plugin(OtelPluginConfig(provider))]))
    return memory.get_finished_spans()


def with_kit(plugin: Any) -> tuple[ReadableSpan, ...]:
    """Return the spans of an execution with the kit around the handler, whose provider is the process's."""
    memory, settings = InMemorySpanExporter(), Settings.read(os.environ)
    runtime = Runtime(settings, RedactedSpans(memory, settings)).start(is_global=True)
    try:
        execute(traced(durable_execution(order, plugins=[plugin()]), runtime))
    finally:
        runtime.stop()
    return memory.get_finished_spans()


def execute(handler: Handler) -> None:
    """Run an execution to its end. Raises `AssertionError` if it fails."""
    with DurableFunctionTestRunner(handler, poll_interval=0.05) as runner:
        result = runner.run(input="{}")
    assert result.result == '"reserved, paid"', result


def identity(span: ReadableSpan) -> int:
    """Return the span id of a span."""
    context = span.get_span_context()
    assert context is not None
    return context.span_id


def is_orphan(recorded: set[int], span: ReadableSpan) -> bool:
    """Whether a span's parent is of this process, and not among the recorded ones."""
    return span.parent is not None and not span.parent.is_remote and span.parent.span_id not in recorded
