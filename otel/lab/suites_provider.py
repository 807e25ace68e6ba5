"""A plugin of pytest for `lab suites`: tests that make a provider of the SDK get the kit's, whose spans are lean.

The recorder passes each span to the processors that a test adds: added to the kit's provider itself, they would have
the SDK make the spans, and the tests would see nothing of the kit.
"""

import os
from typing import Any

from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, SynchronousMultiSpanProcessor

from lambda_latency.runtime.lean import LeanSpan, Provider
from lambda_latency.runtime.propagation import LambdaSampler

UNLIMITED = 1 << 30


class Passing(SpanProcessor):
    """In the recorder's place: passes lean spans on, at their end by the SDK's class."""

    def __init__(self, processor: Any) -> None:
        self.processor = processor

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.processor.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        self.processor.on_end(span.readable() if isinstance(span, LeanSpan) else span)

    def shutdown(self) -> None:
        self.processor.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return bool(self.processor.force_flush(timeout_millis))


class KitProvider(Provider):
    """The kit's provider with the arguments of the SDK's. A sampler of the test's has the SDK make the spans."""

    def __init__(
        self,
        sampler: Any = None,
        resource: Any = None,
        shutdown_on_exit: bool = True,  # noqa: ARG002 - as the SDK's
        active_span_processor: Any = None,
        id_generator: Any = None,
        span_limits: SpanLimits | None = None,
        **options: Any,
    ) -> None:
        given = span_limits or SpanLimits()
        names = [name for name in vars(given) if name.startswith("max_")]
        limits = SpanLimits(**{
            name: UNLIMITED if getattr(given, name) is None else getattr(given, name) for name in names
        })  # fmt: skip
        decider = LambdaSampler()
        decider.decision = True
        processors: Any = SynchronousMultiSpanProcessor
        self.passing = Passing(active_span_processor or processors())
        recorder: Any = self.passing
        super().__init__(recorder, decider, limits, resource=resource, id_generator=id_generator, **options)
        if sampler is not None:
            self.sampler = sampler

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        self.passing.processor.add_span_processor(span_processor)


if os.environ["SUITES_PROVIDER"] == "kit":
    sdk.TracerProvider = KitProvider  # type: ignore[misc]
