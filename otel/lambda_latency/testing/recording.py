"""Records spans at start and end: starts give the order of equal times, and show spans that never ended.

The process's TracerProvider delegates each span to the active provider. A tracer that a module gets at import stays
with the provider that creates its first span. The delegation must therefore be per span: the runtime's provider in an
invocation, otherwise the one that was set.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.util import types
from opentelemetry.util._decorator import _agnosticcontextmanager

from lambda_latency.testing.drawing import draw_note, draw_recorded
from lambda_latency.testing.snapshot import Snapshot
from lambda_latency.trace import Attributes, Event, Link, Scope, Span, SpanKind, Status, traces_of

# The spans of tests that this plugin creates are not recorded
RUNNER = "pytest-opentelemetry"
# The scope of AWS's plugin for durable functions, which asks for a tracer in each invocation, and works with the SDK's
DURABLE_PLUGIN = "aws-durable-execution-sdk-python"
# A server in a thread of the test responds before it ends its span
OTHERS_END_WITHIN_S = 2.0
RECORDINGS: list[Recording] = []  # the active ones


INVOKING: list[TracerProvider] = []  # of running invocations
OF_TEST: list[Recording] = []  # of the running test, for the check of the guarantees


@dataclass(slots=True, eq=False)
class Started:
    """A started span. `number` and `ended` order all starts and ends; `delivered`: the runtime exported it."""

    span: ReadableSpan
    number: int
    # "runtime": must be exported; "other": of another provider, may be unexported; "": outside invocations.
    source: str
    rootless: bool
    ended: int = 0
    killed: bool = False  # its environment was, before it could be delivered again
    delivered: list[ReadableSpan] = field(default_factory=list)

    @property
    def has_final(self) -> bool:
        """Whether the runtime exported the span after its end."""
        return not all((span.attributes or {}).get("lambda.provisional") for span in self.delivered)

    def spans(self) -> list[Span]:
        """The exported copies; the span itself if the final one is missing and its environment was not killed."""
        copies = list(map(span_of, self.delivered if self.has_final or self.killed else [self.span]))
        return [replace(span, parent_id=None, parent_remote=None) for span in copies] if self.rootless else copies


class Recording:
    """Records all spans from now on. A call returns a snapshot of the last invocation, or of all spans without one."""

    def __init__(self) -> None:
        self._started: dict[int, Started] = {}
        self._numbers = itertools.count(1)
        self._change = threading.Condition()
        self._frozen: list[Snapshot] = []
        self._stopped: Snapshot | None = None

    def __call__(self) -> Snapshot:
        """The snapshot of the last invocation, or of all spans without one."""
        return self._frozen[-1] if self._frozen else self.all()

    def all(self) -> Snapshot:
        """A snapshot of all spans since the recording started."""
        return self._stopped or self._snapshot(0)

    def snapshots(self) -> list[Snapshot]:
        """One snapshot per invocation; without invocations, one of all spans."""
        return self._frozen or [self.all()]

    def watch(self, provider: TracerProvider) -> None:
        """Also records another provider, such as that of a fake service in this process."""
        provider.add_span_processor(Tap([self], "other"))

    def stop(self) -> None:
        """Stops the recording."""
        self._stopped = self.all()

    def mark(self) -> int:
        """A number between the starts before and after this instant."""
        return next(self._numbers)

    def freeze(self, since: int) -> None:
        """Records the freeze: spans that started after the mark `since` belong to one invocation."""
        snapshot = self._snapshot(since)
        self._frozen.append(Snapshot(snapshot.traces, snapshot.order, snapshot.lost, invocation=True))

    def undelivered(self, span_id: int) -> ReadableSpan | None:
        """The span of an id, if the runtime has exported nothing of it."""
        started = self._started.get(span_id)
        return started.span if started is not None and not started.delivered else None

    def kill(self, since: int) -> None:
        """Records the end of an environment at a deadline: what is exported later never leaves it."""
        for started in self._started.values():
            started.killed |= started.number > since and started.source == "runtime"

    def start(self, span: SdkSpan, parent_context: Context | None, source: str) -> None:
        """Records the start of a span."""
        if self._stopped is not None or _scope(span) == RUNNER:
            return
        rootless = _scope(trace.get_current_span(parent_context)) == RUNNER
        self._started[id_of(span)] = Started(span, next(self._numbers), source, rootless)

    def end(self, span: ReadableSpan) -> None:
        """Records the end of a span."""
        started = self._started.get(id_of(span))
        if started is not None and self._stopped is None:
            with self._change:
                started.ended = next(self._numbers)
                self._change.notify_all()

    def delivered(self, spans: Sequence[ReadableSpan]) -> None:
        """Records the spans that the runtime exported."""
        for span in spans:
            started = self._started.get(id_of(span))
            if started is not None and not started.killed:
                started.delivered.append(span)

    def _snapshot(self, since: int) -> Snapshot:
        chosen = [started for started in list(self._started.values()) if started.number > since]
        awaited = [started for started in chosen if started.source == "other"]
        with self._change:
            self._change.wait_for(lambda: all(started.ended for started in awaited), timeout=OTHERS_END_WITHIN_S)
        spans: list[Span] = []
        lost = set()
        for started in chosen:
            spans += started.spans()
            if started.source == "runtime" and started.ended and not (started.has_final or started.killed):
                lost.add(spans[-1].span_id)
        order = {f"{span_id:016x}": (started.number, started.ended) for span_id, started in self._started.items()}
        return Snapshot(traces_of(spans), order, frozenset(lost))


class Tap(SpanProcessor):
    """The span processor that feeds the recordings."""

    def __init__(self, recordings: list[Recording], source: str = "") -> None:
        self._recordings = recordings
        self._source = source

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """Forwards the start to the recordings."""
        for recording in self._recordings:
            recording.start(span, parent_context, self._source)

    def on_end(self, span: ReadableSpan) -> None:
        """Forwards the end to the recordings."""
        for recording in self._recordings:
            recording.end(span)


def id_of(span: ReadableSpan) -> int:
    """The span's id; 0 without a context."""
    context = span.get_span_context()
    return context.span_id if context is not None else 0


def _scope(span: object) -> str:
    scope = getattr(span, "instrumentation_scope", None)
    return scope.name if scope is not None else ""


def span_of(raw: ReadableSpan) -> Span:
    """The current state of a span of the SDK, ended or not."""
    context, parent, scope = raw.get_span_context(), raw.parent, raw.instrumentation_scope
    assert context is not None
    return Span(
        trace_id=_hex_ids(context)[0],
        span_id=_hex_ids(context)[1],
        parent_id=_hex_ids(parent)[1] if parent is not None else None,
        parent_remote=parent.is_remote if parent is not None else None,
        name=raw.name,
        kind=SpanKind[raw.kind.name],
        start_ns=raw.start_time or 0,
        end_ns=raw.end_time,
        status=Status[raw.status.status_code.name],
        status_message=raw.status.description or "",
        attributes=Attributes(dict(raw.attributes or {})),
        events=[Event(event.name, event.timestamp, dict(event.attributes or {})) for event in raw.events],
        links=[Link(*_hex_ids(link.context), dict(link.attributes or {})) for link in raw.links],
        resource=Attributes(dict(raw.resource.attributes)),
        scope=Scope() if scope is None else Scope(scope.name, scope.version or "", dict(scope.attributes or {})),
    )


def _hex_ids(context: trace.SpanContext) -> tuple[str, str]:
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


class Relay(trace.TracerProvider):
    """Creates tracers that choose the provider for each span."""

    def __init__(self, provider: TracerProvider) -> None:
        self.provider = provider

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: types.Attributes = None,
    ) -> trace.Tracer:
        """A tracer that delegates; part of the API."""
        arguments = (instrumenting_module_name, instrumenting_library_version, schema_url, attributes)
        if instrumenting_module_name == DURABLE_PLUGIN:
            return active_provider(self).get_tracer(*arguments)
        return RelayTracer(self, arguments)

    def __getattr__(self, name: str) -> Any:
        """The SDK's attributes beyond the API, from the usual provider."""
        return getattr(self.provider, name)


class RelayTracer(trace.Tracer):
    """A tracer that delegates to the active provider."""

    def __init__(self, relay: Relay, arguments: tuple[Any, ...]) -> None:
        self._relay = relay
        self._arguments = arguments

    def start_span(self, *args: Any, **kwargs: Any) -> trace.Span:
        """As the API calls it."""
        return self._tracer.start_span(*args, **kwargs)

    @_agnosticcontextmanager
    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Iterator[trace.Span]:
        """As the API calls it."""
        with self._tracer.start_as_current_span(*args, **kwargs) as span:
            yield span

    @property
    def _tracer(self) -> trace.Tracer:
        return active_provider(self._relay).get_tracer(*self._arguments)


def active_provider(relay: Relay) -> trace.TracerProvider:
    """The provider that creates the process's spans now."""
    return INVOKING[-1] if INVOKING else relay.provider


class Forward(SpanProcessor):
    """Passes spans of the usual provider to the recordings or, in an invocation, to the runtime's span processors.

    It is needed for tracers of a provider that was set before, which cannot choose per span.
    """

    def __init__(self) -> None:
        self._tap = Tap(RECORDINGS)
        self._taken: dict[int, SpanProcessor] = {}

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """As the SDK calls it."""
        processor: SpanProcessor = INVOKING[-1]._active_span_processor if INVOKING else self._tap
        self._taken[id_of(span)] = processor
        processor.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """As the SDK calls it."""
        processor = self._taken.pop(id_of(span), None)
        if processor is not None:
            processor.on_end(span)


def ready() -> None:
    """Installs the recording on the process's TracerProvider."""
    current = trace.get_tracer_provider()
    if isinstance(current, Relay) or current in FORWARDED:
        return
    if isinstance(current, TracerProvider):
        FORWARDED.append(current)
        current.add_span_processor(Forward())
        return
    provider = TracerProvider(ALWAYS_ON, shutdown_on_exit=False)
    provider.add_span_processor(Forward())
    trace.set_tracer_provider(Relay(provider))


FORWARDED: list[TracerProvider] = []


@contextmanager
def making_spans(provider: TracerProvider) -> Iterator[None]:
    """A context in which this provider creates the process's spans."""
    ready()
    INVOKING.append(provider)
    try:
        yield
    finally:
        INVOKING.remove(provider)


@contextmanager
def recorded() -> Iterator[Recording]:
    """Records all spans of the block: `with recorded() as trace:`, then `assert trace() == ...`.

    The process's TracerProvider creates the spans, or the kit's own if none is set. Spans outside the block are not
    parents of spans in it.
    """
    with recording() as spans:
        token = attach(Context())
        try:
            yield spans
        finally:
            detach(token)


@contextmanager
def recording() -> Iterator[Recording]:
    """As `recorded`, without changing the current context, for callers that manage it."""
    ready()
    spans = Recording()
    OF_TEST.append(spans)
    RECORDINGS.append(spans)
    try:
        yield spans
    finally:
        RECORDINGS.remove(spans)
        spans.stop()


def broken() -> str | None:
    """The broken guarantees of the test's recordings, with the tree; None without any."""
    for recording in OF_TEST:
        for snapshot in recording.snapshots():
            forest = snapshot.forest()
            faults = [f"{node.span.name}: {fault}" for node in forest.nodes for fault in node.faults] + forest.notes
            if faults:
                notes = [line for note in forest.notes for line in draw_note(note)]
                return "\n".join(
                    [f"a guarantee of every test is broken: {faults[0]}", "", *draw_recorded(forest), *notes]
                )
    return None
