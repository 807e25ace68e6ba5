"""Are lean spans the SDK's, whatever is done to them? Draws sequences of operations, and runs each with both kinds.

Compared are all public names of the spans, what the operations return and raise, and the SDK's lines in the log. The
seed of each sequence is its number. Status 1 if a sequence differs.

Usual time: 2 minutes.
"""

import asyncio
import json
import logging
import random
import traceback
import warnings
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
    use_span,
)

from lambda_latency.runtime.lean import LeanSpan, Provider
from lambda_latency.runtime.propagation import INIT, LambdaSampler

CLOCKS = "opentelemetry.sdk.trace", "lambda_latency.runtime.lean"


class Text(str):
    """No plain text."""

    __slots__ = ()


class Number(int):
    """No plain number."""


class Odd:
    """No value of an attribute. Its text is short: SDK 1.45 does not cut it, in one of the two ways to set it."""

    def __str__(self) -> str:
        return "odd"


class SilentError(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


VALUES: list[Any] = [
    "x", "long " * 9, 1, True, 2.5, b"bytes", b"\xff", None, ["a", "b"], ("a", 1), [1, None, 2], [b"z"], {"a": 1},
    Odd(), "", [], [True, False], 10**30, float("inf"), Text("sub"), Number(3), ["long " * 9], "\ud800", ("a", "b"),
]  # fmt: skip
KEYS: list[Any] = ["a", "b", "c", "d", "e", "", 3, None, "f", Text("g")]
ERRORS: list[Callable[[], BaseException]] = [
    lambda: ValueError("x"), lambda: KeyError("k"), lambda: json.JSONDecodeError("m", "d", 0), lambda: StopIteration(3),
    KeyboardInterrupt, GeneratorExit, lambda: SystemExit(2),
    SilentError,
]  # fmt: skip
PARENTS: list[Callable[[], Any]] = [
    lambda: INVALID_SPAN,
    lambda: NonRecordingSpan(SpanContext(5, 6, True, TraceFlags(1), TraceState([("k", "v")]))),
    lambda: NonRecordingSpan(SpanContext(5, 7, False, TraceFlags(3))),
    lambda: NonRecordingSpan(SpanContext(5, 8, True, TraceFlags(0))),
]
Operation = Callable[["World"], object]


class Ids(RandomIdGenerator):
    """Ids in a row."""

    def __init__(self) -> None:
        self._last = 0

    def generate_span_id(self) -> int:
        self._last += 1
        return self._last

    def generate_trace_id(self) -> int:
        return self.generate_span_id() << 64


class Ended(SpanProcessor):
    """In the recorder's place: keeps what it is told of."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.seen.append(("start", span.name, parent_context is not None))

    def on_end(self, span: ReadableSpan) -> None:
        self.seen.append(("end", told(span)))


class World:
    """A provider of one kind, the spans that a sequence has started, and what came of its operations."""

    def __init__(self, limits: SpanLimits, decision: bool | str, *, lean: bool) -> None:
        sampler, self.recorder = LambdaSampler(), Ended()
        sampler.decision = decision
        recorder: Any = self.recorder
        self.provider = Provider(recorder, sampler, limits, resource=Resource({"a": "b"}), id_generator=Ids())
        if not lean:
            self.provider.add_span_processor(SpanProcessor())
        self.tracer = self.provider.get_tracer("scope", "1", "https://schema", {"x": "y"})
        self.spans: list[Any] = []
        self.seen: list[Any] = []

    def run(self, operations: list[Operation]) -> None:
        """Run the operations of a sequence, or of a block in it."""
        for operation in operations:
            self.tell(operation)

    def tell(self, operation: Operation) -> None:
        """Run one; what it returns or raises is kept."""
        Clock.ns += 1000
        try:
            self.seen.append(operation(self))
        except BaseException as error:  # noqa: BLE001 - whatever a sequence raises is compared
            frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == __file__]
            self.seen.append((type(error).__name__, [(frame.name, frame.lineno) for frame in frames]))

    def all(self) -> list[Any]:
        """All that can be compared."""
        return [self.seen, self.recorder.seen, [told(span) for span in self.spans]]


class Clock:
    """A clock that stands still during an operation."""

    ns = 10**18


@contextmanager
def standing() -> Iterator[None]:
    """The clock of both kinds stands."""
    modules: list[dict[str, Any]] = [vars(import_module(name)) for name in CLOCKS]
    originals = [module["time_ns"] for module in modules]
    for module in modules:
        module["time_ns"] = lambda: Clock.ns
    Clock.ns = 10**18
    try:
        yield
    finally:
        for module, its in zip(modules, originals, strict=True):
            module["time_ns"] = its


def told(span: Any) -> dict[str, Any]:
    """All that a span says of itself by public names."""
    if not isinstance(span, ReadableSpan):
        return {"kind": type(span).__name__, "context": span.get_span_context()}
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        info: Any = span.instrumentation_info
    scope = span.instrumentation_scope
    assert scope is not None
    return {
        "name": span.name, "context": span.get_span_context(), "same": span.context is span.get_span_context(),
        "flags": int(span.context.trace_flags), "state": dict(span.context.trace_state), "parent": span.parent,
        "kind": span.kind, "times": (span.start_time, span.end_time), "attributes": items(span.attributes),
        "events": [(e.name, e.timestamp, items(e.attributes), e.dropped_attributes) for e in span.events],
        "links": [(link.context, items(link.attributes), link.dropped_attributes) for link in span.links],
        "status": (span.status.status_code, span.status.description, span.status.is_ok),
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
        "scope": (scope.name, scope.version, scope.schema_url, items(scope.attributes)), "resource": span.resource,
        "info": (info.name, info.version, [str(warning.message) for warning in warned]),
        "json": json_of(span), "types": [type(span.attributes), type(span.events), type(span.links)],
    }  # fmt: skip


def json_of(span: ReadableSpan) -> str:
    """The span in the SDK's format, or the error that this gives."""
    try:
        return str(span.to_json())
    except Exception as error:  # noqa: BLE001 - for a key or a value that JSON lacks
        return repr(error)


def items(values: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Attributes in their order; by text, since NaN and lone surrogates are no equals."""
    return [(repr(key), repr(value)) for key, value in (values or {}).items()]


def sequence(rng: random.Random, *, depth: int = 0) -> list[Operation]:
    """Operations, drawn once and run by both kinds."""
    return [drawn(rng, depth) for _ in range(rng.randrange(1, 14 if depth == 0 else 5))]


def drawn(rng: random.Random, depth: int) -> Operation:
    """One operation."""
    kinds = [started, started, on_span, on_span, on_span, on_span, on_span, on_span]
    return rng.choice(kinds if depth > 2 else [*kinds, block, decorated, entered])(rng, depth)


def keys(rng: random.Random, limit: int = 6) -> dict[Any, Any]:
    """Attributes."""
    return {rng.choice(KEYS): rng.choice(VALUES) for _ in range(rng.randrange(limit))}


def arguments(rng: random.Random, *, links: bool = True) -> Callable[[], dict[str, Any]]:
    """What a span starts with, made anew for each kind: the SDK changes given links."""
    parent = rng.choice([*[None] * 4, *PARENTS])
    keywords = _keywords(rng)
    count = rng.choice([0, 0, 0, 1, 2, 3]) if links else 0
    senders = [(rng.choice([0, 1]), rng.choice([0, 2]), keys(rng)) for _ in range(count)]

    def made() -> dict[str, Any]:
        more: dict[str, Any] = {}
        if senders:
            more["links"] = [Link(SpanContext(trace, span, True), dict(its)) for trace, span, its in senders]
        if parent is not None:
            more["context"] = set_span_in_context(parent())
        return {**keywords, **more}

    return made


def _keywords(rng: random.Random) -> dict[str, Any]:
    keywords: dict[str, Any] = {}
    if rng.random() < 0.7:
        keywords["attributes"] = rng.choice([keys(rng), keys(rng, 12), {"a": 1, "b": "x", "c": 2.5}, {}, None])
    if rng.random() < 0.3:
        keywords["kind"] = rng.choice(list(SpanKind))
    if rng.random() < 0.2:
        keywords["start_time"] = 7
    for name in ("record_exception", "set_status_on_exception"):
        if rng.random() < 0.15:
            keywords[name] = False
    return keywords


def started(rng: random.Random, _depth: int) -> Operation:
    """`start_span`."""
    keywords = arguments(rng)

    def act(world: World) -> None:
        world.spans.append(world.tracer.start_span("s", **keywords()))

    return act


def block(rng: random.Random, depth: int) -> Operation:
    """`start_as_current_span` around other operations."""
    keywords, inner, ends = arguments(rng), sequence(rng, depth=depth + 1), rng.random() < 0.8
    error = rng.choice([None, None, *ERRORS])

    def act(world: World) -> None:
        with world.tracer.start_as_current_span("b", **keywords(), end_on_exit=ends) as span:
            world.spans.append(span)
            world.seen.append(get_current_span() is span)
            world.run(inner)
            if error is not None:
                raise error()

    return act


def decorated(rng: random.Random, depth: int) -> Operation:
    """`start_as_current_span` as a decorator, of a function or a coroutine function.

    Without links: the SDK changes them in the first call, and takes them as they are then in the second one.
    """
    keywords, inner = arguments(rng, links=False), sequence(rng, depth=depth + 1)
    error, is_coroutine = rng.choice([None, ERRORS[0], ERRORS[1]]), rng.random() < 0.3

    def act(world: World) -> object:
        def body() -> str:
            world.spans.append(get_current_span())
            world.run([] if is_coroutine else inner)
            if error is not None:
                raise error()
            return "done"

        manager = world.tracer.start_as_current_span("d", **keywords())
        if not is_coroutine:
            function = manager(body)
            return function.__name__, function(), function()

        @manager
        async def coroutine() -> str:
            await asyncio.sleep(0)
            return body()

        return asyncio.run(coroutine())

    return act


def entered(rng: random.Random, depth: int) -> Operation:
    """A span's own `with`, or `use_span`."""
    keywords, inner, error = arguments(rng), sequence(rng, depth=depth + 1), rng.choice([None, *ERRORS])
    current = rng.random() < 0.5

    def act(world: World) -> None:
        span: Any = world.tracer.start_span("w", **keywords())
        world.spans.append(span)
        with use_span(span, end_on_exit=True) if current else span:
            world.run(inner)
            if error is not None:
                raise error()

    return act


def on_span(rng: random.Random, _depth: int) -> Operation:
    """A method of a span."""
    position, act = rng.random(), method(rng)

    def apply(world: World) -> object:
        return act(world.spans[int(position * len(world.spans))]) if world.spans else None

    return apply


def method(rng: random.Random) -> Callable[[Any], object]:
    """A method with its arguments."""
    key, value, extra = rng.choice(KEYS), rng.choice(VALUES), keys(rng)
    code, why = rng.choice(list(StatusCode)), rng.choice([None, "why", ""])
    context = SpanContext(
        rng.choice([0, 7]), rng.choice([0, 8]), False, None, rng.choice([None, TraceState([("k", "v")])])
    )
    error, stamp = rng.choice(ERRORS), rng.choice([None, 5])
    call: Callable[[Any], object] = rng.choice([
        lambda s: s.set_attribute(key, value), lambda s: s.set_attribute("key", "value"),
        lambda s: s.set_attributes(extra), lambda s: s.add_event("e", extra, stamp), lambda s: s.add_event("e"),
        lambda s: s.add_link(context, extra), lambda s: s.add_link(context),
        lambda s: s.set_status(code, why), lambda s: s.set_status(Status(code)),
        lambda s: s.set_status(Status(code), why),
        lambda s: s.set_status("no status"),
        lambda s: s.update_name(why), lambda s: s.record_exception(error(), extra, stamp),
        lambda s: s.record_exception(error(), escaped=True), lambda s: s.is_recording(), lambda s: s.start(3),
        lambda s: s.attributes, lambda s: s.end() if why else None, lambda s: s.end(9) if why else None,
        lambda s: hasattr(s, "unknown"),
    ])  # fmt: skip
    return lambda span: repr(call(span))


def difference(seed: int) -> tuple[object, object] | None:
    """What a sequence gave with lean spans and with the SDK's; None if that is the same."""
    rng = random.Random(seed)  # noqa: S311 - a seed that can be repeated
    count, longest = rng.choice([1, 3, 128]), rng.choice([3, 20, 5000])
    limits = SpanLimits(count, rng.choice([1, 2, 128]), rng.choice([1, 2, 128]), count, count, count, longest, longest)
    decisions: list[bool | str] = [True, True, True, False, INIT]
    decision, operations = rng.choice(decisions), sequence(rng)
    outcomes = []
    for lean in (True, False):
        lines: list[object] = []
        handler = logging.Handler()
        handler.emit = lambda record, lines=lines: lines.append((record.name, record.levelname, record.getMessage()))  # type: ignore[method-assign,misc]
        root = logging.getLogger("opentelemetry")
        root.addHandler(handler)
        passes, root.propagate = root.propagate, False
        try:
            with standing():
                world = World(limits, decision, lean=lean)
                world.run(operations)
                outcomes.append([*world.all(), lines])
        finally:
            root.removeHandler(handler)
            root.propagate = passes
        assert not any(isinstance(span, LeanSpan) is not lean for span in world.spans if isinstance(span, ReadableSpan))
    return None if outcomes[0] == outcomes[1] else (outcomes[0], outcomes[1])


def main(parser: ArgumentParser) -> int:
    """Draw and compare."""
    parser.add_argument("--count", type=int, default=20_000, metavar="N", help="how many sequences (20,000)")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first one's number")
    options = parser.parse_args()
    different = 0
    for seed in range(options.first, options.first + options.count):
        both = difference(seed)
        if both is not None:
            different += 1
            for part, (lean, sdk) in enumerate(zip(*map(list[Any], both), strict=True)):  # type: ignore[arg-type]
                for lean_part, sdk_part in zip(lean, sdk, strict=False):
                    if lean_part != sdk_part:
                        print(f"sequence {seed}, part {part}:\n  lean {lean_part}\n  SDK  {sdk_part}")
                        break
    print(f"{different} of {options.count} sequences differ")
    return int(bool(different))
