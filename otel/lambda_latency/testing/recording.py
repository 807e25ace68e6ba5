"""Spans as they start and end. Their start gives the order, for clocks tie, and tells which of them never ended."""

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

__all__ = ["Recording", "Tap", "id_of"]

RUNNER = "pytest-opentelemetry"  # a plugin that makes spans of tests: its own are no part of what is tested
OTHERS_END_WITHIN_S = 2.0  # a server in a thread of the test answers first, and ends its span then


@dataclass(slots=True, eq=False)
class Started:
    """A span that started. `number` and `ended` order all starts and ends; `delivered` is what left the runtime."""

    span: ReadableSpan
    number: int
    way: str  # "runtime": it has to be delivered; "other": somebody else's, who need not hurry; "": nobody's
    rootless: bool
    ended: int = 0
    delivered: list[ReadableSpan] = field(default_factory=list)


class Recording:
    """All spans from here on. Called, it gives a snapshot: of the last invocation if there was one, else of all."""

    def __init__(self) -> None:
        self._started: dict[int, Started] = {}
        self._numbers = itertools.count(1)
        self._change = threading.Condition()
        self._frozen: list[Snapshot] = []
        self._stopped: Snapshot | None = None

    def __call__(self) -> Snapshot:
        """What happened."""
        return self._frozen[-1] if self._frozen else self.all()

    def all(self) -> Snapshot:
        """Everything since the recording began, as it is now."""
        return self._stopped or self._snapshot(0)

    def snapshots(self) -> list[Snapshot]:
        """One for each invocation; without any, one of everything."""
        return self._frozen or [self.all()]

    def watch(self, provider: TracerProvider) -> None:
        """Record the spans of another provider, too: that of a fake service in this process, say."""
        provider.add_span_processor(Tap([self], "other"))

    def stop(self) -> None:
        """What happens from now on is left out."""
        self._stopped = self.all()

    def mark(self) -> int:
        """A number between the starts before and those after this instant."""
        return next(self._numbers)

    def freeze(self, since: int) -> None:
        """The environment would be frozen now: what has started `since` a mark is one invocation."""
        found = self._snapshot(since)
        self._frozen.append(Snapshot(found.traces, found.order, found.lost, invocation=True))

    def start(self, span: SdkSpan, parent_context: Context | None, way: str) -> None:
        """A span starts."""
        if self._stopped is not None or _scope(span) == RUNNER:
            return
        rootless = _scope(get_current_span(parent_context)) == RUNNER
        self._started[id_of(span)] = Started(span, next(self._numbers), way, rootless)

    def end(self, span: ReadableSpan) -> None:
        """A span ends."""
        started = self._started.get(id_of(span))
        if started is not None and self._stopped is None:
            with self._change:
                started.ended = next(self._numbers)
                self._change.notify_all()

    def delivered(self, spans: Sequence[ReadableSpan]) -> None:
        """The runtime hands these over."""
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
    """What a provider's spans pass by."""

    def __init__(self, recordings: list[Recording], way: str = "") -> None:
        self._recordings = recordings
        self._way = way

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """To all who record."""
        for recording in self._recordings:
            recording.start(span, parent_context, self._way)

    def on_end(self, span: ReadableSpan) -> None:
        """To all who record."""
        for recording in self._recordings:
            recording.end(span)


def id_of(span: ReadableSpan) -> int:
    """The span's own id."""
    context = span.get_span_context()
    return context.span_id if context is not None else 0


def _scope(span: object) -> str:
    scope = getattr(span, "instrumentation_scope", None)
    return scope.name if scope is not None else ""
