"""The runtime as a span processor: which spans are open, and ended ones into a buffer. `Outbox` delivers them.

It is added to the runtime's own provider, and to one that the function sets itself.
"""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import TraceFlags

from lambda_latency.runtime.copies import identity, moved
from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.propagation import INIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Event, ReadableSpan, Span
    from opentelemetry.trace import Link, SpanContext

    from lambda_latency.runtime.buffer import Buffer
    from lambda_latency.runtime.propagation import LambdaSampler

__all__ = ["Guest", "Recorder", "about"]

FEW = 64
MOST_TAKEN = 10_000


class Recorder(SpanProcessor):
    """Without a lock or a timer of its own: it is asked about each span while the request waits.

    `most` is how many open spans it remembers, `flush` delivers within so many seconds and says whether all has left.
    """

    def __init__(
        self, buffer: Buffer[ReadableSpan], sampler: LambdaSampler, most: int, flush: Callable[[float], bool]
    ) -> None:
        self.buffer = buffer
        self._sampler = sampler
        self._most = most
        self._flush = flush
        self._open: dict[int, tuple[Span, int]] = {}
        self._outgrown = False
        self.in_fork = False  # where nothing else delivers
        self._parents: frozenset[int] = frozenset()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the SDK's
        """Remember a span, and the thread that it began on."""
        self._open[identity(span)] = span, get_ident()
        if len(self._open) > self._most:
            self._open.pop(next(iter(self._open)), None)
            self._outgrow(self._most)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span; handlers end them on threads of their own."""
        context = span.get_span_context()
        assert context is not None
        # Without the flag: made in init. What of it ends later has no invocation that it could be kept for.
        wanted = context.trace_flags & TraceFlags.SAMPLED or self._sampler.decision == INIT
        if not wanted or context.span_id in self._parents:
            return
        # The request still waits, and most of them make few: only beyond that are sizes worth their time.
        self.buffer.add(span, about(span) if len(self.buffer) >= FEW else 0)
        # Afterwards, so that whoever looks at the open ones first and into the buffer then misses none.
        self._open.pop(context.span_id, None)
        if self.in_fork and not self._open:
            self._flush(0.0)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver what has ended; False where not all of it was taken in that time."""
        return self._flush(timeout_millis / 1000)

    def open_spans(self) -> list[tuple[Span, int]]:
        """Those that have not ended, in the order of their starts, each with the thread that it began on."""
        return list(self._open.values())

    def begin(self) -> None:
        """An invocation begins: what is still open was forgotten, or belongs to a thread that has outlived its own."""
        left = len(self._open)
        if left:
            self._open.clear()
            self._outgrow(left)

    def drop_early(self) -> None:
        """The invocation that follows init is not recorded, or init was another environment's."""
        self.buffer.drain()

    def forked(self) -> None:
        """This process is a child: what waited and what was open is its parent's."""
        self._parents |= self._open.keys()  # a child that leaves by an exception ends them, too
        self._open.clear()
        self.buffer.renew()
        self.in_fork = True

    def adopt(self, top: SpanContext) -> None:
        """Let the spans of init be descendants of that span."""
        spans, _ = self.buffer.drain()
        for span in spans:
            self.keep(moved(span, top.trace_id, top))

    def keep(self, span: ReadableSpan) -> None:
        """Into the buffer, with its size."""
        self.buffer.add(span, about(span))

    def _outgrow(self, count: int) -> None:
        if not self._outgrown:
            self._outgrown = True
            warn(f"{count} spans were still open when the next invocation began, or when more than {self._most} were; "
                 "one that never ends is never delivered")  # fmt: skip


class Guest(SpanProcessor):
    """The recorder as a processor of the function's own provider, whose sampler may record what Lambda's header does
    not want: such spans are left out.
    """

    def __init__(self, recorder: Recorder, sampler: LambdaSampler) -> None:
        self._recorder = recorder
        self._sampler = sampler
        self._taken: set[int] = set()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Whether a span is taken is decided when it starts."""
        if self._sampler.decision is not False:
            if len(self._taken) > MOST_TAKEN:
                self._taken.clear()  # they never end
            self._taken.add(identity(span))
            self._recorder.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span that was taken."""
        if identity(span) in self._taken:
            self._taken.discard(identity(span))
            self._recorder.on_end(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver what has ended."""
        return self._recorder.force_flush(timeout_millis)


def about(span: ReadableSpan) -> int:
    """A span's size in memory, roughly, in bytes."""
    size = 500
    holders: list[ReadableSpan | Event | Link] = [span, *span.events, *span.links]
    for holder in holders:
        for key, value in (holder.attributes or {}).items():
            texts = value if isinstance(value, tuple) else (value,)
            size += len(key) + sum([len(one) if isinstance(one, str) else 16 for one in texts])
    return size
