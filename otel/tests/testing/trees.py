"""Small random traces, one random change of a trace, and the expectation that says all of each span."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from lambda_latency.testing import event, remote, span
from lambda_latency.testing.comparison import Comparison, compare
from lambda_latency.testing.expectation import tops_of
from lambda_latency.testing.matchers import ANYTHING, ms
from lambda_latency.testing.snapshot import forest_of
from lambda_latency.trace import Event, Link, Span, SpanKind, Status, Trace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_latency.testing import Expectation

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
def traces(draw: Any, most: int = 8) -> Trace:
    """A trace that breaks no guarantee."""
    size = draw(st.integers(1, most))
    parents = [draw(st.one_of(st.none(), st.integers(0, number - 1))) if number else None for number in range(size)]
    return Trace([draw(spans(number, parent)) for number, parent in enumerate(parents)])


@st.composite
def changes(draw: Any, trace: Trace) -> Trace:
    """The same trace with one thing changed: a value of a span, its parent, or whether it is there at all."""
    found = list(trace.spans)
    number = draw(st.integers(0, len(found) - 1))
    one = found[number]
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
    if one.attributes:  # one more attribute is no change that an expectation sees
        values["attributes"] = VALUES.map(lambda value: {**one.attributes, next(iter(one.attributes)): value})
    what = draw(st.sampled_from([*values, "gone", "more"]))
    if what == "more":
        found.append(draw(spans(len(found), draw(st.one_of(st.none(), st.integers(0, len(found) - 1))))))
    elif what == "gone":
        del found[number]
        found = [replace(other, parent_id=one.parent_id, parent_remote=one.parent_remote)
                 if other.parent_id == one.span_id else other for other in found]  # fmt: skip
    else:
        changed: dict[str, Any] = {what: draw(values[what])}
        if what == "parent_id":
            changed["parent_remote"] = None if changed[what] is None else False
        elif what == "start_ns":
            changed["end_ns"] = changed[what] + (one.end_ns or 0) - one.start_ns  # moved, and as long as before
        found[number] = replace(one, **changed)
    return Trace(found) if found else trace


def stated(trace: Trace) -> list[Any]:
    """All that an expectation can say of each span, said."""

    def below(one: Span) -> Expectation:
        assert one.end_ns is not None
        said = span(
            one.name,
            one.kind,
            attributes=one.attributes,
            status=one.status,
            parent=None if one.parent_id is None else ANYTHING,
            took=ms((one.end_ns - one.start_ns) / 1e6),
            service=one.resource["service.name"],
            links=[remote(link.trace_id, link.span_id) for link in one.links],
            events=[event(found.name) for found in one.events],
        )
        children = trace.children(one)
        return said[tuple(below(child) for child in children)] if children else said

    return [below(top) for top in trace.tops]


def compared(expected: object, recorded: object) -> Comparison:
    """An expectation, or a list of them, laid over a snapshot or a trace."""
    tops, forest = tops_of(expected), forest_of(recorded)
    assert tops is not None
    assert forest is not None
    return compare(tops, forest)


def outline(trace: Trace) -> object:
    """The same without a comparison of ours: nested tuples of all that is stated, by type and value."""

    def below(spans: Iterable[Span]) -> tuple[object, ...]:
        return tuple(
            (
                one.name,
                one.kind,
                one.status,
                one.parent_id is None,
                (one.end_ns or 0) - one.start_ns,
                repr(sorted(one.attributes.items())),
                repr(one.links),
                [found.name for found in one.events],
                one.resource["service.name"],
                below(trace.children(one)),
            )
            for one in spans
        )

    return below(trace.tops)
