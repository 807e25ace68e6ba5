"""Records spans at start and end: starts give the order of equal times, and show spans that never ended."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import get_current_span

from lambda_latency.testing.sdk import span_of
from lambda_latency.testing.snapshot import Snapshot
from lambda_latency.trace import traces_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span as SdkSpan
    from opentelemetry.sdk.trace import TracerProvider

    from lambda_latency.trace import Span

RUNNER = "pytest-opentelemetry"  # the spans of tests that this plugin creates are not recorded
OTHERS_END_WITHIN_S = 2.0  # a server in a thread of the test responds before it ends its span


@dataclass(slots=True, eq=False)
class Started:
    """A started span. `number` and `ended` order all starts and ends; `delivered`: the runtime exported it."""

    span: ReadableSpan
    number: int
    way: str  # "runtime": must be exported; "other": of another provider, may be unexported; "": outside invocations
    rootless: bool
    ended: int = 0
    delivered: list[ReadableSpan] = field(default_factory=list)


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
        found = self._snapshot(since)
        self._frozen.append(Snapshot(found.traces, found.order, found.lost, invocation=True))

    def start(self, span: SdkSpan, parent_context: Context | None, way: str) -> None:
        """Records the start of a span."""
        if self._stopped is not None or _scope(span) == RUNNER:
            return
        rootless = _scope(get_current_span(parent_context)) == RUNNER
        self._started[id_of(span)] = Started(span, next(self._numbers), way, rootless)

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
            if started is not None:
                started.delivered.append(span)

    def _snapshot(self, since: int) -> Snapshot:
        chosen = [one for one in list(self._started.values()) if one.number > since]
        with self._change:
            self._change.wait_for(
                lambda: all(one.ended for one in chosen if one.way == "other"), timeout=OTHERS_END_WITHIN_S
            )
        spans: list[Span] = []
        lost = set()
        for one in chosen:
            final = [span for span in one.delivered if not (span.attributes or {}).get("lambda.provisional")]
            values = [span_of(span) for span in (one.delivered if final else [one.span])]
            spans += [replace(span, parent_id=None, parent_remote=None) if one.rootless else span for span in values]
            if one.way == "runtime" and one.ended and not final:
                lost.add(values[0].span_id)
        order = {f"{number:016x}": (one.number, one.ended) for number, one in self._started.items()}
        return Snapshot(traces_of(spans), order, frozenset(lost))


class Tap(SpanProcessor):
    """The span processor that feeds the recordings."""

    def __init__(self, recordings: list[Recording], way: str = "") -> None:
        self._recordings = recordings
        self._way = way

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """Forwards the start to the recordings."""
        for recording in self._recordings:
            recording.start(span, parent_context, self._way)

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
