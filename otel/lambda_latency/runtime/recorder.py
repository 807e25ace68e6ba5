"""The SDK's end of the pipe: which spans are open, and ended ones into a buffer. The runtime itself delivers."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SynchronousMultiSpanProcessor

from lambda_latency.runtime.shortcuts import reader

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanProcessor
    from opentelemetry.trace import Link

    from lambda_latency.runtime.buffer import Buffer

__all__ = ["Recorder"]

FEW = 64
span_id = reader("span_id")


class Recorder(SynchronousMultiSpanProcessor):
    """Without a lock or a timer of its own: it is asked about each span while the request waits.

    It is the provider's own processor and not one of its list, which takes longer to go through than a span to be kept;
    what a function adds comes after it.
    """

    def __init__(self, buffer: Buffer[ReadableSpan]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._buffer = buffer
        self._open: dict[int, tuple[Span, int]] = {}
        self.alone = True  # with no processor of the function's beside it

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Tell this one of all spans too."""
        super().add_span_processor(span_processor)
        self.alone = False

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember a span, and the thread that it began on."""
        self._open[span_id(span.get_span_context())] = span, get_ident()
        if not self.alone:
            super().on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span; handlers end them on threads of their own."""
        # The request still waits, and most of them make few: only beyond that are sizes worth their time.
        self._buffer.add(span, about(span) if len(self._buffer) >= FEW else 0)
        # Afterwards, so that whoever looks at the open ones first and into the buffer then misses none.
        context = span.get_span_context()
        assert context is not None
        self._open.pop(span_id(context), None)
        if not self.alone:
            super().on_end(span)

    def open_spans(self) -> list[tuple[Span, int]]:
        """Those that have not ended, in the order of their starts, each with the thread that it began on."""
        return list(self._open.values())


def about(span: ReadableSpan) -> int:
    """A span's size in memory, roughly."""
    size = 500
    holders: list[ReadableSpan | Event | Link] = [span, *span.events, *span.links]
    for holder in holders:
        for key, value in (holder.attributes or {}).items():
            size += len(key) + (sum(map(length, value)) if isinstance(value, tuple) else length(value))
    return size


def length(value: object) -> int:
    """Of a text its own."""
    return len(value) if isinstance(value, str) else 16
