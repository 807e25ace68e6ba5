"""What leaves in a delivery, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import set_span_in_context

from lambda_latency.runtime.buffer import Buffer
from lambda_latency.runtime.chosen import Chosen
from lambda_latency.runtime.outbox import Outbox
from lambda_latency.runtime.recorder import Recorder
from lambda_latency.runtime.redaction import Redaction
from lambda_latency.runtime.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence


class Sink:
    """Keeps, of each delivery, the names of its spans and whether they are provisional."""

    def __init__(self) -> None:
        self.deliveries: list[list[tuple[str, bool]]] = []

    def export(self, spans: Sequence[ReadableSpan]) -> None:
        self.deliveries.append([(one.name, bool((one.attributes or {}).get("lambda.provisional"))) for one in spans])

    def shutdown(self) -> None:
        """Nothing to let go of."""


def test_what_runs_on_after_the_response_leaves_no_orphan_when_it_is_killed() -> None:
    """A call on a thread of its own has connected: the connection has ended, the call and the work around it have not.

    Each open one above it is told once, what else is open is not, and the final ones follow.
    """
    settings = Settings.read({})
    buffer: Buffer[ReadableSpan] = Buffer(10, 100_000)
    recorder = Recorder(buffer)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(recorder)
    sink = Sink()
    outbox = Outbox(buffer, recorder, Redaction(Chosen(), 4096), sink, None, settings)
    tracer = provider.get_tracer("function")

    work = tracer.start_span("work")
    beside = tracer.start_span("beside")
    call = tracer.start_span("call", set_span_in_context(work))
    tracer.start_span("tcp", set_span_in_context(call)).end()
    outbox.after_response(held=False)
    tracer.start_span("tls", set_span_in_context(call)).end()
    outbox.after_response(held=False)
    for span in (call, work, beside):
        span.end()
    outbox.after_response(held=False)

    assert sink.deliveries == [
        [("work", True), ("call", True), ("tcp", False)],
        [("tls", False)],
        [("call", False), ("work", False), ("beside", False)],
    ]
