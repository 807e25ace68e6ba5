"""Lean spans are the SDK's to whoever looks by public names: a function, its processors, an instrumentation."""

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, NoOpTracer, SpanContext, SpanKind, StatusCode, set_span_in_context

from lab.lean import Ids, difference, told
from lambda_latency.runtime import lean
from lambda_latency.runtime.lean import COUNTS, LeanSpan, LeanTracer, Provider
from lambda_latency.runtime.propagation import LambdaSampler

LIMITS = SpanLimits(128, 128, 128, 128, 128, 128, 5000, 5000)


class SpanLog(SpanProcessor):
    """In the recorder's place."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def provider(recorder: SpanLog | None = None) -> Provider:
    """A provider that records all, with ids in a row."""
    sampler = LambdaSampler()
    keeps: Any = SpanLog() if recorder is None else recorder
    sampler.decision = True
    return Provider(keeps, sampler, LIMITS, resource=Resource({"a": "b"}), id_generator=Ids())


@pytest.mark.parametrize("begin", range(0, 400, 100))
def test_whatever_is_done_to_a_lean_span_the_sdks_tells_the_same(begin: int) -> None:
    """Drawn sequences of operations; `lab lean` draws more."""
    assert [seed for seed in range(begin, begin + 100) if difference(seed) is not None] == []


# Public names that a lean class takes over, because they use public names only, or because the SDK fills them.
INHERITED = {
    sdk.Span: {"instrumentation_info", "record_exception"},
    sdk.Tracer: set[str](),
    TracerProvider: {"force_flush", "resource", "shutdown"},
}


@pytest.mark.parametrize(("lean", "sdks"), [(LeanSpan, sdk.Span), (LeanTracer, sdk.Tracer), (Provider, TracerProvider)])
def test_every_public_name_of_the_sdks_class_is_the_lean_classs_own(lean: type, sdks: type) -> None:
    """A name that a release adds would read the SDK's private fields: it has to be looked at."""
    public = {name for name in dir(sdks) if not name.startswith("_")} | {"__exit__", "__enter__"} & set(dir(sdks))
    overridden = {"__enter__"} | set(vars(lean))  # the API's `__enter__` returns the span
    assert public - overridden == INHERITED[sdks]  # type: ignore[index]


def test_a_lean_span_and_its_makers_are_instances_of_the_sdks_classes() -> None:
    """As a function or a library may ask."""
    made = provider()
    tracer: Any = made.get_tracer("t")
    span = tracer.start_span("s")
    assert isinstance(span, LeanSpan)
    assert [isinstance(span, kind) for kind in (ReadableSpan, sdk.Span, trace.Span)] == [True] * 3
    assert [isinstance(made, TracerProvider), isinstance(tracer, sdk.Tracer)] == [True, True]
    assert [tracer.sampler, tracer.resource, tracer.id_generator] == [made.sampler, made.resource, made.id_generator]
    assert tracer.instrumentation_info.name == "t"


def test_a_scope_has_one_tracer() -> None:
    """As with the SDK; a tracer whose names differ is another one."""
    made, original = provider(), TracerProvider(shutdown_on_exit=False)
    identical = [source.get_tracer("t", "1") is source.get_tracer("t", "1") for source in (made, original)]
    assert identical[0] is identical[1]
    assert made.get_tracer("t", "1") is not made.get_tracer("t", "2")
    tracer: Any = made.get_tracer("t", "1")
    tracer.sampler = ALWAYS_ON
    assert (made.get_tracer("t", "1") is tracer) is identical[1]


def test_threads_that_ask_for_a_tracer_at_once_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if another thread adds a processor, and asks too, while the first one's tracer is made."""
    made, original = provider(), TracerProvider(shutdown_on_exit=False)
    tracers: list[Any] = []

    def interrupted(*names: Any) -> InstrumentationScope:
        made.add_span_processor(SpanLog())
        tracers.append(made.get_tracer("t", "1"))
        return InstrumentationScope(*names)

    monkeypatch.setattr(lean, "InstrumentationScope", interrupted)
    tracer = made.get_tracer("t", "1")
    is_one = original.get_tracer("t", "1") is original.get_tracer("t", "1")
    tracers.append(made.get_tracer("t", "1"))
    assert [tracer is sibling for sibling in tracers] == [is_one, is_one]


def test_a_field_that_only_the_sdks_span_has_is_read_from_a_copy() -> None:
    """Code in the wild reads them, and a copy that the SDK itself would make."""
    span: Any = provider().get_tracer("t").start_span("s", kind=SpanKind.CLIENT, attributes={"k": 1}, start_time=5)
    span.add_event("e")
    copy = span._readable_span()
    assert (span._name, span._start_time, dict(span._attributes), span._events[0].name) == ("s", 5, {"k": 1}, "e")
    assert told(copy) == told(span)
    assert [hasattr(span, name) for name in ("_unknown", "__unknown__", "unknown")] == [False] * 3


def test_a_parent_of_another_kind_is_left_to_the_sdk() -> None:
    """It says what is wrong with it."""

    class Odd(NonRecordingSpan):
        def get_span_context(self) -> Any:
            return 3

    context = set_span_in_context(Odd(SpanContext(1, 2, is_remote=True)))
    with pytest.raises(TypeError, match="parent_span_context must be a SpanContext or None"):
        provider().get_tracer("t").start_span("s", context)


def test_the_sdk_makes_the_spans_where_it_counts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its variable; with another one it makes none."""
    monkeypatch.setenv(COUNTS, "True")
    assert type(provider().get_tracer("t")) is sdk.Tracer
    monkeypatch.delenv(COUNTS)
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert isinstance(provider().get_tracer("t"), NoOpTracer)


def test_a_sampler_of_the_functions_own_is_asked_by_the_sdk() -> None:
    """Tracers of later scopes use it."""
    made = provider()
    made.sampler = ALWAYS_ON
    assert type(made.get_tracer("t")) is sdk.Tracer


class Foreign(SpanProcessor):
    """A processor of the function's: does one thing with each span, and keeps what it sees."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.seen: list[Any] = []
        self.open: dict[int, Any] = {}

    def on_start(self, span: Any, parent_context: Any = None) -> None:  # noqa: ARG002
        getattr(self, f"{self.way}_start", lambda _: None)(span)

    def on_end(self, span: ReadableSpan) -> None:
        self.seen.append((told(span), hasattr(span, "set_attribute")))
        getattr(self, f"{self.way}_end", lambda _: None)(span)

    def read_start(self, span: Any) -> None:
        self.seen.append(told(span))

    def rename_start(self, span: Any) -> None:
        span.update_name(f"renamed {span.name}")

    def add_start(self, span: Any) -> None:  # as Powertools' and many own ones do
        span.set_attributes({"tenant": "t1", "cold": True, "none": [1, 2]})
        span.add_event("begun", {"at": 1})

    def judge_start(self, span: Any) -> None:
        span.set_status(StatusCode.ERROR, "judged")

    def link_start(self, span: Any) -> None:
        span.add_link(SpanContext(7, 8, is_remote=True), {"why": "x"})

    def keep_start(self, span: Any) -> None:  # as Sentry's does: open spans by their ids, looked up at their ends
        self.open[span.get_span_context().span_id] = span

    def keep_end(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        assert context is not None
        span_begun = self.open.pop(context.span_id, None)
        self.seen.append(None if span_begun is None else (span_begun.is_recording(), told(span_begun)))

    def end_start(self, span: Any) -> None:
        if span.name == "two":
            span.end()

    def copy_end(self, span: ReadableSpan) -> None:  # as Datadog's and others that convert: read all, keep JSON
        self.seen.append(span.to_json(indent=None))


WAYS = ("read", "rename", "add", "judge", "link", "keep", "end", "copy", "simple", "batch")


def foreign(way: str, exporter: InMemorySpanExporter) -> SpanProcessor:
    """A processor, of the SDK's own kinds too."""
    return {"simple": SimpleSpanProcessor, "batch": BatchSpanProcessor}.get(way, lambda _: Foreign(way))(exporter)


def seen_by(made: TracerProvider, recorder: SpanLog, way: str, when: str) -> list[Any]:
    """What a processor sees of three spans, and what the recorder keeps of them."""
    exporter, memory = InMemorySpanExporter(), InMemorySpanExporter()
    processor = foreign(way, exporter)
    tracer = made.get_tracer("t", "1", attributes={"x": "y"})

    def add() -> None:
        made.add_span_processor(processor)
        made.add_span_processor(SimpleSpanProcessor(memory))

    if when == "before":
        add()
    try:
        with tracer.start_as_current_span("one", attributes={"k": 1}, start_time=1) as first_span:
            if when == "within":
                add()
            with tracer.start_as_current_span("two", kind=SpanKind.CLIENT, start_time=2) as two:
                two.add_event("e", {"a": [1]}, 5)
                trace.get_current_span().set_attribute("v", "w")
            first_span.set_attribute("after", "two")
            raise ValueError("x")
    except ValueError:
        pass
    if when == "after":
        add()
    with tracer.start_as_current_span("three", start_time=3):
        pass
    made.force_flush()
    made.shutdown()
    exported = [list(map(told, memory_of.get_finished_spans())) for memory_of in (exporter, memory)]
    return [getattr(processor, "seen", None), exported, list(map(told, recorder.spans))]


def untimed(value: Any) -> Any:
    """Without the instants of this run, which the clock told."""
    if isinstance(value, dict):
        return {key: untimed(member) for key, member in value.items() if key not in ("times", "json", "resource")}
    if isinstance(value, str) and value.startswith("{"):
        return len(value)
    if isinstance(value, tuple | list):
        return [untimed(member) for member in value if not (isinstance(member, int) and member > 10**15)]
    return value


@pytest.mark.parametrize("when", ["before", "within", "after", "never"])
@pytest.mark.parametrize("way", WAYS)
def test_a_functions_processor_sees_and_does_what_it_would_with_the_sdk_alone(way: str, when: str) -> None:
    """Added before, within or after a span; a span that was open then reaches its end without its start in both."""
    recorder, expected = SpanLog(), SpanLog()
    alone = TracerProvider(ALWAYS_ON, Resource({"a": "b"}), shutdown_on_exit=False, id_generator=Ids(),
                           span_limits=LIMITS)  # fmt: skip
    alone.add_span_processor(expected)
    assert untimed(seen_by(provider(recorder), recorder, way, when)) == untimed(seen_by(alone, expected, way, when))
