"""The short way to a span against the SDK's own: whatever is done to it, it tells the same."""

from __future__ import annotations

import asyncio
import logging
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, SynchronousMultiSpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from lambda_latency.runtime import recorded
from lambda_latency.runtime.propagation import LambdaSampler
from lambda_latency.runtime.recorded import Recorded
from lambda_latency.runtime.tracer import LambdaTracer, LambdaTracerProvider

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan, Tracer

TRACE = 0x674385F00123456789ABCDEF01234567


class Numbers(IdGenerator):
    """One after the other."""

    def __init__(self) -> None:
        self._next = count(1)

    def generate_span_id(self) -> int:
        return next(self._next)

    generate_trace_id = generate_span_id


class Kept(SpanProcessor):
    """What has begun and what has ended."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[ReadableSpan] = []

    def on_start(self, span: Any, parent_context: Any = None) -> None:  # noqa: ARG002
        self.begun.append(span.name)

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)


class Text(str):
    """A text that is no plain one."""

    __slots__ = ()


def below(flags: int = 1) -> Any:
    """The context below a span of another process."""
    parent = SpanContext(TRACE, 0x0123456789ABCDEF, is_remote=True, trace_flags=TraceFlags(flags))
    return set_span_in_context(NonRecordingSpan(parent), None)


class Alone(SynchronousMultiSpanProcessor):
    """The runtime's own, with nobody beside it."""

    alone = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        kept = Kept()
        self.begun, self.ended = kept.begun, kept.ended
        self.on_start, self.on_end = kept.on_start, kept.on_end  # type: ignore[method-assign]


def started(
    kind: type[TracerProvider], environ: pytest.MonkeyPatch | None = None, *, alone: bool = False
) -> tuple[Tracer, Kept | Alone]:
    """A tracer that has made its first span, and whom its spans go to; its limits are soon reached."""
    if environ is not None:
        environ.setenv("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", "true")
    limits = SpanLimits(
        max_attributes=4, max_span_attributes=4, max_event_attributes=2, max_link_attributes=2, max_events=2,
        max_links=2, max_attribute_length=6, max_span_attribute_length=5,
    )  # fmt: skip
    kept: Kept | Alone = Alone() if alone else Kept()
    provider = kind(
        sampler=LambdaSampler(), resource=Resource({"service.name": "one"}), id_generator=Numbers(),
        shutdown_on_exit=False, span_limits=limits, active_span_processor=kept if isinstance(kept, Alone) else None,
    )  # fmt: skip
    if isinstance(kept, Kept):
        provider.add_span_processor(kept)
    tracer: Any = provider.get_tracer("a.scope", "1")
    tracer.start_span("the first", below()).end()
    return tracer, kept


def told(span: ReadableSpan) -> dict[str, Any]:
    """All that a span tells, but for what the clock says."""
    return {
        "name": span.name, "context": span.get_span_context(), "parent": span.parent, "kind": span.kind,
        "attributes": list((span.attributes or {}).items()), "dropped": span.dropped_attributes,
        "events": [(one.name, list((one.attributes or {}).items()), one.dropped_attributes) for one in span.events],
        "dropped events": span.dropped_events,
        "links": [(one.context, list((one.attributes or {}).items())) for one in span.links],
        "dropped links": span.dropped_links, "status": (span.status.status_code, span.status.description),
        "resource": span.resource, "scope": span.instrumentation_scope,
        "ended": span.end_time is not None and span.start_time is not None and span.end_time >= span.start_time,
    }  # fmt: skip


class Lines(logging.Handler):
    """What the SDK logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def outcome(kind: type[TracerProvider], do: Callable[[Tracer], object], *, alone: bool = False) -> tuple[Any, ...]:
    """The spans that something leaves, what was begun, and what was logged."""
    tracer, kept = started(kind, alone=alone)
    log, lines = logging.getLogger("opentelemetry"), Lines()
    log.addHandler(lines)
    try:
        do(tracer)
    finally:
        log.removeHandler(lines)
    return [told(span) for span in kept.ended], kept.begun, lines.lines


def same(do: Callable[[Tracer], object]) -> list[dict[str, Any]]:
    """Do it with both; what the spans tell, but for the first one."""
    ours, theirs = outcome(LambdaTracerProvider, do), outcome(TracerProvider, do)
    assert ours == theirs
    assert outcome(LambdaTracerProvider, do, alone=True) == theirs
    spans: list[dict[str, Any]] = ours[0][1:]
    return spans


keys: Any = st.sampled_from(["a", "b", "c", "d", "e", "", Text("f"), 1])
texts = st.text("xy", max_size=8)
values: Any = st.one_of(
    texts, st.integers(-2, 2), st.booleans(), st.floats(allow_nan=False), st.none(), st.just(Text("longer than five")),
    st.binary(max_size=8), st.lists(texts, max_size=3), st.lists(st.integers(), max_size=2).map(tuple),
    st.just(["a", 1]), st.just({"a": 1}), st.just(object),
)  # fmt: skip
attributes = st.dictionaries(keys, values, max_size=6)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("set_attribute"), keys, values),
        st.tuples(st.just("set_attributes"), attributes),
        st.tuples(st.just("add_event"), texts, attributes),
        st.tuples(st.just("add_link"), st.just(SpanContext(1, 2, is_remote=True)), attributes),
        st.tuples(st.just("record_exception"), st.just(ValueError("no"))),
        st.tuples(st.just("set_status"), st.sampled_from(list(StatusCode)), st.just("why")),
        st.tuples(st.just("update_name"), texts),
        st.tuples(st.just("end")),
    ),
    max_size=8,
)


@given(attributes, steps)
def test_whatever_is_done_to_a_span_it_tells_the_same(given_first: dict[Any, Any], then: list[tuple[Any, ...]]) -> None:
    """Attributes of every kind, beyond every limit, before and after its end; and the SDK's own warnings."""

    def do(tracer: Tracer) -> None:
        span = tracer.start_span("a span", below(), SpanKind.CLIENT, given_first)
        for name, *arguments in then:
            getattr(span, name)(*arguments)
        span.end()

    same(do)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"context": below()},
        {"context": below(3)},
        {"context": below(0)},
        {"context": below(5)},
        {"context": below(), "start_time": 5},
        {"context": below(), "links": [Link(SpanContext(1, 2, is_remote=True), {"a": 1})]},
        {"context": below(), "record_exception": False},
        {"context": below(), "attributes": {"a": 1}},
    ],
)
def test_whatever_a_span_begins_with_it_tells_the_same(how: dict[str, Any]) -> None:
    """Parents that are recorded and that are not, none at all, links, a start of its own."""
    same(lambda tracer: tracer.start_span("a span", **how).end())


@given(attributes)
def test_a_span_below_another_process_tells_what_it_tells_in_its_context(given_first: dict[Any, Any]) -> None:
    """Which is not made for it."""

    def do(tracer: Tracer) -> None:
        parent = get_current_span(below()).get_span_context()
        short = (
            tracer.start_below("a span", parent, SpanKind.SERVER, given_first) if type(tracer) is LambdaTracer else None
        )
        (short or tracer.start_span("a span", below(), SpanKind.SERVER, given_first)).end()

    same(do)


@pytest.mark.parametrize(
    ("flags", "alone", "short"), [(1, True, True), (3, True, True), (0, True, False), (1, False, False)]
)
def test_no_context_is_made_where_nobody_asks_for_it(flags: int, alone: bool, short: bool) -> None:
    """A function's own processor may ask; what is not recorded goes the SDK's way."""
    tracer, kept = started(LambdaTracerProvider, alone=alone)
    parent = get_current_span(below(flags)).get_span_context()
    assert isinstance(tracer, LambdaTracer)
    span = tracer.start_below("a span", parent, SpanKind.SERVER, {})
    assert (span is not None, kept.begun) == (short, ["the first", *["a span"][:short]])


def test_the_usual_span_is_made_the_short_way() -> None:
    """Else the above would hold the SDK against itself."""
    tracer, kept = started(LambdaTracerProvider)
    with tracer.start_as_current_span("a span", below()):
        pass
    assert [type(span) is Recorded for span in kept.ended] == [False, True]


def test_a_list_that_is_changed_later_changes_no_span() -> None:
    """The span has what it was given."""

    def do(tracer: Tracer) -> None:
        names = ["a"]
        span = tracer.start_span("a span", below(), attributes={"names": names})
        span.set_attribute("more", names)
        names.append("b")
        span.end()

    (span,) = same(do)
    assert span["attributes"] == [("names", ("a",)), ("more", ("a",))]


@pytest.mark.parametrize("error", [None, ValueError("no"), KeyboardInterrupt()])
@pytest.mark.parametrize("how", [{}, {"record_exception": False}, {"set_status_on_exception": False}])
def test_what_a_block_raises_is_told_the_same(error: BaseException | None, how: dict[str, bool]) -> None:
    """An error is an event and the status, and goes on; the span is the current one inside and nowhere else."""

    def do(tracer: Tracer) -> None:
        with tracer.start_as_current_span("a span", below(), SpanKind.CLIENT, **how) as span:  # type: ignore[arg-type]
            assert get_current_span() is span
            if error is not None:
                raise error

    def whole(tracer: Tracer) -> None:
        if error is None:
            do(tracer)
        else:
            with pytest.raises(type(error)):
                do(tracer)
        assert not get_current_span().is_recording()

    same(whole)


def test_a_block_may_leave_its_span_open() -> None:
    """As streams do: who has it ends it."""

    def do(tracer: Tracer) -> None:
        with tracer.start_as_current_span("a span", below(), end_on_exit=False) as span:
            pass
        assert span.is_recording()
        span.end()

    same(do)


def test_functions_can_be_decorated() -> None:
    """Each call is a span, of a coroutine until it is done."""

    def do(tracer: Tracer) -> None:
        around: Any = tracer.start_as_current_span("a span", below())

        @around  # type: ignore[untyped-decorator]
        def plain() -> str:
            return get_current_span().name  # type: ignore[attr-defined,no-any-return]

        @around  # type: ignore[untyped-decorator]
        async def awaited() -> str:
            await asyncio.sleep(0)
            return get_current_span().name  # type: ignore[attr-defined,no-any-return]

        assert (plain(), plain(), asyncio.run(awaited())) == ("a span",) * 3

    assert len(same(do)) == 3


def test_another_sdk_makes_its_own_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that is not there any more: nothing is copied that is not known."""
    monkeypatch.setattr(recorded, "FIELDS", recorded.FIELDS | {"_new"})
    tracer, kept = started(LambdaTracerProvider)
    tracer.start_span("a span", below()).end()
    assert not any(type(span) is Recorded for span in kept.ended)


def test_the_sdk_can_count_its_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own setting; then they are all its own."""
    tracer, _ = started(LambdaTracerProvider, monkeypatch)
    assert not isinstance(tracer, LambdaTracer)


def test_who_asks_for_a_tracer_twice_gets_the_same() -> None:
    """As with the SDK."""
    provider = LambdaTracerProvider(shutdown_on_exit=False)
    assert provider.get_tracer("one") is provider.get_tracer("one")


def test_the_status_that_a_span_has_is_its_own() -> None:
    """Spans begin as copies of one another, and no more than that."""

    def do(tracer: Tracer) -> None:
        with tracer.start_as_current_span("one", below()) as span:
            span.set_status(Status(StatusCode.ERROR, "no"))
            span.add_event("an event")
        tracer.start_span("two", below()).end()

    one, two = same(do)
    assert (one["status"], len(one["events"])) == ((StatusCode.ERROR, "no"), 1)
    assert (two["status"], two["events"]) == ((StatusCode.UNSET, None), [])
