"""Small random traces, one random change of a trace, and the expectation that says all of each span."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from lambda_latency.testing import Expectation, event, remote, span
from lambda_latency.testing.comparison import Comparison, compare
from lambda_latency.testing.expectation import roots_of
from lambda_latency.testing.expected import ANYTHING, ms
from lambda_latency.testing.snapshot import forest_of
from lambda_latency.trace import Event, Link, Span, SpanKind, Status, Trace

TRACE_ID = "6b05a667affeb9dbb0aa7f2b5d5ab5f9"
T0 = 1_795_560_000_000_000_000
NAMES = ("a", "b", "c", "", "quote ' \" \\", "line\n2", "\u65e5\u672c")
VALUES = st.one_of(st.booleans(), st.integers(0, 2), st.sampled_from([0.0, 1.0, "", "x", "1"]),
                   st.lists(st.integers(0, 2), max_size=2).map(tuple))  # fmt: skip
NAMED = st.sampled_from(NAMES)
EVENTS = st.lists(st.builds(Event, st.sampled_from("ef"), st.just(T0)), max_size=2).map(tuple)
LINKS = st.lists(st.builds(Link, st.just("1" * 32), st.sampled_from(["1" * 16, "2" * 16])), max_size=1).map(tuple)
RESOURCES = st.sampled_from([{"service.name": "s"}, {"service.name": "t"}])
ENDS = st.integers(T0 + 100, T0 + 103)


def identifier(number: int | None) -> str | None:
    """A span's id."""
    return None if number is None else f"{number + 1:016x}"


def spans(number: int, parent: int | None) -> st.SearchStrategy[Span]:
    """One span; the number is its place in time and its id. Clocks tie."""
    return st.builds(
        Span,
        trace_id=st.just(TRACE_ID),
        span_id=st.just(f"{number + 1:016x}"),
        parent_id=st.just(identifier(parent)),
        parent_remote=st.just(None if parent is None else False),
        name=NAMED,
        kind=st.sampled_from(SpanKind),
        start_ns=st.just(T0 + number // 2),
        end_ns=ENDS,
        status=st.sampled_from(Status),
        attributes=st.dictionaries(st.sampled_from("kl"), VALUES, max_size=2),
        events=EVENTS,
        links=LINKS,
        resource=RESOURCES,
    )


@st.composite
def traces(draw: Any, limit: int = 8) -> Trace:
    """A trace that breaks no guarantee."""
    size = draw(st.integers(1, limit))
    parents = [draw(st.one_of(st.none(), st.integers(0, number - 1))) if number else None for number in range(size)]
    return Trace([draw(spans(number, parent)) for number, parent in enumerate(parents)])


@st.composite
def changes(draw: Any, trace: Trace) -> Trace:
    """The same trace with one thing changed: a value of a span, its parent, or whether it is there at all."""
    remaining = list(trace.spans)
    number = draw(st.integers(0, len(remaining) - 1))
    chosen = remaining[number]
    values: dict[str, st.SearchStrategy[Any]] = {
        "name": NAMED,
        "kind": st.sampled_from(SpanKind),
        "status": st.sampled_from(Status),
        "end_ns": ENDS,
        "events": EVENTS,
        "links": LINKS,
        "resource": RESOURCES,
        "start_ns": st.integers(T0, T0 + 10),
        "parent_id": st.one_of(st.none(), st.integers(0, number - 1) if number else st.none()).map(identifier),
    }
    if chosen.attributes:  # one more attribute is no change that an expectation sees
        values["attributes"] = VALUES.map(lambda value: {**chosen.attributes, next(iter(chosen.attributes)): value})
    change = draw(st.sampled_from([*values, "gone", "more"]))
    if change == "more":
        remaining.append(draw(spans(len(remaining), draw(st.one_of(st.none(), st.integers(0, len(remaining) - 1))))))
    elif change == "gone":
        del remaining[number]
        remaining = [replace(s, parent_id=chosen.parent_id, parent_remote=chosen.parent_remote)
                 if s.parent_id == chosen.span_id else s for s in remaining]  # fmt: skip
    else:
        changed: dict[str, Any] = {change: draw(values[change])}
        if change == "parent_id":
            changed["parent_remote"] = None if changed[change] is None else False
        elif change == "start_ns":
            changed["end_ns"] = changed[change] + (chosen.end_ns or 0) - chosen.start_ns  # moved, and as long as before
        remaining[number] = replace(chosen, **changed)
    return Trace(remaining) if remaining else trace


def stated(trace: Trace) -> list[Any]:
    """All that an expectation can say of each span, said."""

    def below(recorded: Span) -> Expectation:
        assert recorded.end_ns is not None
        said = span(
            recorded.name,
            recorded.kind,
            attributes=recorded.attributes,
            status=recorded.status,
            parent=None if recorded.parent_id is None else ANYTHING,
            took=ms((recorded.end_ns - recorded.start_ns) / 1e6),
            service=recorded.resource["service.name"],
            links=[remote(link.trace_id, link.span_id) for link in recorded.links],
            events=[event(e.name) for e in recorded.events],
        )
        children = trace.children(recorded)
        return said[tuple(below(child) for child in children)] if children else said

    return [below(top) for top in trace.local_roots]


def compared(expected: object, recorded: object) -> Comparison:
    """An expectation, or a list of them, laid over a snapshot or a trace."""
    roots, forest = roots_of(expected), forest_of(recorded)
    assert roots is not None
    assert forest is not None
    return compare(roots, forest)


def outline(trace: Trace) -> object:
    """The same without a comparison of ours: nested tuples of all that is stated, by type and value."""

    def below(spans: Iterable[Span]) -> tuple[object, ...]:
        return tuple(
            (
                recorded.name,
                recorded.kind,
                recorded.status,
                recorded.parent_id is None,
                (recorded.end_ns or 0) - recorded.start_ns,
                repr(sorted(recorded.attributes.items())),
                repr(recorded.links),
                [e.name for e in recorded.events],
                recorded.resource["service.name"],
                below(trace.children(recorded)),
            )
            for recorded in spans
        )

    return below(trace.local_roots)
