"""A span processor that retains the open spans and puts ended ones into a buffer, from which `Outbox` delivers them.

It is added to the runtime's own provider, and to one that the function sets. The buffer is bounded in items and in
bytes: many spans must not use up the function's memory.
"""

from __future__ import annotations

import threading
from collections import deque
from threading import get_ident
from typing import TYPE_CHECKING, Generic, TypeVar

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import SpanKind, TraceFlags

from lambda_latency.runtime.copies import attributes_of, copied, identity, moved
from lambda_latency.runtime.harmless import failed, warn
from lambda_latency.runtime.propagation import INIT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Event, ReadableSpan, Span
    from opentelemetry.trace import Link, SpanContext

    from lambda_latency.runtime.propagation import LambdaSampler

FEW = 64
MOST_TAKEN = 10_000
SAMPLED = TraceFlags.SAMPLED


class Recorder(SpanProcessor):
    """Has no lock and no timer, because it runs for each span while the request waits. It raises only `on_trial`.

    `open` has the open spans by id, each with the thread that started it, at most `most_open`. `flush`
    delivers within some seconds and returns whether all spans are delivered. `handler_span` is the handler's, once an
    invocation has begun.
    """

    def __init__(
        self, buffer: Buffer[ReadableSpan], sampler: LambdaSampler, most_open: int, flush: Callable[[float], bool]
    ) -> None:
        self.buffer, self._sampler, self._most, self._flush = buffer, sampler, most_open, flush
        self.open: dict[int, tuple[Span, int]] = {}
        self._outgrown = self.on_trial = False
        self.in_fork = False  # in a forked child, nothing else delivers
        self._parents: frozenset[int] = frozenset()
        self.handler_span: SpanContext | None = None

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the SDK's
        """Remember an open span and its thread."""
        try:
            self.open[span.context.span_id] = span, get_ident()
            if len(self.open) > self._most:
                self.open.pop(next(iter(self.open)), None)
                self._outgrow(self._most)
        except Exception as error:  # noqa: BLE001 - the call goes on, whatever fails
            self._fail("the start of a span", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Put a span into the buffer. Any thread of the handler may call this."""
        try:
            context = span.get_span_context()
            assert context is not None
            span_id = context.span_id
            # Spans of init lack the flag. One that ends after init belongs to no invocation and is dropped.
            is_sampled = context.trace_flags & SAMPLED or self._sampler.decision == INIT
            if not is_sampled or span_id in self._parents:
                return
            # The request waits, and most requests have few spans: sizes are computed only beyond `FEW`.
            parent = span.parent
            if (parent is None or parent.is_remote) and context is not self.handler_span:
                span = self.placed(span)
            self.buffer.add(span, size_of(span) if len(self.buffer.waiting) >= FEW else 0)
            # Last, so that a reader of the open spans and then of the buffer misses none.
            self.open.pop(span_id, None)
            if self.in_fork and not self.open:
                self._flush(0.0)
        except Exception as error:  # noqa: BLE001 - the call goes on, whatever fails
            self._fail("the end of a span", error)

    def _fail(self, subject: str, error: Exception) -> None:
        """Write the line of an error, which a trial wants to see: the function's call goes on."""
        if self.on_trial:
            raise error
        failed(subject, error)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver the ended spans; False if some were not accepted in that time."""
        return self._flush(timeout_millis / 1000)

    def open_spans(self) -> list[tuple[Span, int]]:
        """Return the open spans in the order of their starts, each with the thread that started it."""
        return list(self.open.values())

    def forget_open(self) -> None:
        """Forget spans of an earlier invocation that never ended, or whose thread still runs."""
        count = len(self.open)
        self.open.clear()
        self._outgrow(count)

    def drop_early(self) -> None:
        """Drop the spans of init: the first invocation is not recorded, or init ran in another environment."""
        self.buffer.drain()

    def forked(self) -> None:
        """Adapt to a fork, in the child: waiting and open spans belong to the parent."""
        # A child that exits by an exception ends these spans too
        self._parents |= self.open.keys()
        self.open.clear()
        self.buffer.renew()
        self.in_fork = True

    def adopt(self, top: SpanContext) -> None:
        """Move the spans of init below the span `top`."""
        spans, _ = self.buffer.drain()
        for span in spans:
            self.keep(moved(span, top.trace_id, top))

    def placed(self, span: ReadableSpan) -> ReadableSpan:
        """Return the span; below the handler's, if it has no parent or is the request itself.

        A framework with spans of its own, such as FastAPI, reads its parent from the headers of the request: that is
        the caller of Lambda, or nobody.
        """
        parent, top = span.parent, self.handler_span
        if parent is not None and not (parent.is_remote and span.kind is SpanKind.SERVER):
            return span
        context = span.get_span_context()
        if top is None or context is None or context.trace_id != top.trace_id:
            return span
        return span if context.span_id == top.span_id else copied(span, attributes_of(span), parent=top)

    def keep(self, span: ReadableSpan) -> None:
        """Put a span into the buffer, with its size."""
        self.buffer.add(span, size_of(span))

    def put_back(self, spans: Collection[ReadableSpan]) -> None:
        """Put spans that have been taken into the buffer again, before those that have ended since."""
        if spans:
            self.buffer.extend([(span, size_of(span)) for span in spans], are_oldest=True)

    def _outgrow(self, count: int) -> None:
        if not self._outgrown:
            self._outgrown = True
            warn(
                f"{count} spans were still open when the next invocation began, or when more than {self._most} were; "
                "one that never ends is never delivered"
            )


class Guest(SpanProcessor):
    """The recorder as a processor of the function's own provider, whose sampler may record more than Lambda samples."""

    def __init__(self, recorder: Recorder, sampler: LambdaSampler) -> None:
        self._recorder, self._sampler = recorder, sampler
        self._taken: set[int] = set()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember an open span if the invocation is recorded at its start."""
        if self._sampler.decision is not False:
            if len(self._taken) > MOST_TAKEN:
                self._taken.clear()  # these spans never end
            self._taken.add(identity(span))
            self._recorder.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Put a span into the buffer if it was remembered at its start."""
        if identity(span) in self._taken:
            self._taken.discard(identity(span))
            self._recorder.on_end(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver the ended spans."""
        return self._recorder.force_flush(timeout_millis)


def size_of(span: ReadableSpan) -> int:
    """Return the approximate size of a span in memory, in bytes."""
    size = 500
    holders: list[ReadableSpan | Event | Link] = [span, *span.events, *span.links]
    for holder in holders:
        for key, value in (holder.attributes or {}).items():
            texts = value if isinstance(value, tuple) else (value,)
            size += len(key) + sum([len(text) if isinstance(text, str) else 16 for text in texts])
    return size


T = TypeVar("T")


class Buffer(Generic[T]):
    """A queue, oldest items first. A full one drops these and counts them in `dropped`. `waiting`: items and sizes."""

    def __init__(self, most_items: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most_items, most_bytes
        self.renew()

    def renew(self) -> None:
        """Empty the queue with a new lock: after a fork, the thread that held the old one does not exist."""
        self.waiting: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self.waiting)

    def add(self, item: T, size: int) -> None:
        """Add an item of `size` bytes."""
        with self._lock:
            self.waiting.append((item, size))
            self._bytes += size
            if self._bytes > self._most_bytes or len(self.waiting) > self._most:
                self._trim()

    def extend(self, items: list[tuple[T, int]], *, are_oldest: bool = False) -> None:
        """Add items with their sizes; `are_oldest`: `drain` has removed them."""
        with self._lock:
            if are_oldest:
                self.waiting.extendleft(reversed(items))
            else:
                self.waiting.extend(items)
            self._bytes += sum([size for _, size in items])
            self._trim()

    def _trim(self) -> None:
        while len(self.waiting) > self._most or self._bytes > self._most_bytes:
            self._bytes -= self.waiting.popleft()[1]
            self.dropped += 1

    def oldest(self, most_bytes: int) -> list[T]:
        """Return the oldest items that fit into `most_bytes`, at least one. They stay in the queue."""
        batch: list[T] = []
        with self._lock:
            if self._bytes <= most_bytes:
                return [item for item, _ in self.waiting]
            for item, size in self.waiting:
                most_bytes -= size
                if most_bytes < 0 and batch:
                    break
                batch.append(item)
        return batch

    def forget(self, count: int) -> None:
        """Remove the `count` oldest items."""
        with self._lock:
            self._bytes -= sum([self.waiting.popleft()[1] for _ in range(count)])

    def drain(self) -> tuple[list[T], int]:
        """Remove all items; returns them and the number of items dropped since the last call."""
        with self._lock:
            taken = [item for item, _ in self.waiting], self.dropped
            self.waiting.clear()
            self._bytes = self.dropped = 0
        return taken
