"""The answers about one request: `show_request` draws where it waited, `show_span` has the attributes of a span."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.agent.brief import DATA, STYLE
from lambda_latency.agent.budget import Answer, tokens
from lambda_latency.agent.commands import report_command
from lambda_latency.agent.errors import RefusedError
from lambda_latency.agent.quoting import quoted, quoted_name, quoted_value
from lambda_latency.latency import trace_name
from lambda_latency.text import ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_latency.agent.loading import Call, Loader
    from lambda_latency.latency import Bar, Waterfall
    from lambda_latency.trace import Span, Trace

MOST_SPANS = 60
DEEPEST = 12  # levels of indentation
MOST_PAIRS = 60  # attributes of a span or an event
MOST_EVENTS = 8
VALUE = 200  # characters
STACK = ("code.stacktrace", "exception.stacktrace", "lambda.timeout.threads")
STACK_LENGTH = 900


def show_request(loader: Loader, call: Call, trace_id: str, source: str | None = None, under: str | None = None) -> str:
    """One request as a tree of its longest waits; `under` begins at one span."""
    loaded = loader.load(source, call)
    trace, drawn = loaded.drawn(trace_id)
    return request_text(
        trace, drawn, report_command(loader.words(loaded.name), trace=trace_name(trace.trace_id, drawn.start_ns)), under
    )


def request_text(trace: Trace, drawn: Waterfall, command: str, under: str | None = None) -> str:
    """The text of `show_request`, and of `report --brief --trace ID`."""
    bars = _below(drawn, under) if under is not None else drawn.bars
    answer = Answer()
    name = trace_name(trace.trace_id, drawn.start_ns)
    answer.add(f"{name} {quoted_name(trace.route)} took {ms(drawn.wall_ns, STYLE)}; {len(bars):,} spans")
    answer.add(f"All numbers below: {command}")
    outside = len(drawn.orphans) + len(drawn.others)
    if outside:
        answer.add(f"{outside:,} spans are outside of the request: check_tracing says why")
    answer.add("span id | waited | took | span, indented by depth (waited: on the critical path, by the span itself)")
    kept, left = _chosen(bars, answer.room - 40)
    low = min((bar.depth for bar in kept), default=0)
    for bar in kept:
        answer.add(_row(bar, low))
    last = [DATA, "show_span has the attributes of a span; under=SPAN_ID begins at one."]
    if left:
        waited = ms(sum(bar.waited_ns for bar in left), STYLE)
        last.insert(0, f"left out: {len(left):,} more spans, which waited {waited} together")
    return answer.text(*last)


def show_span(loader: Loader, call: Call, trace_id: str, span_id: str, source: str | None = None) -> str:
    """The attributes and events of a span; secrets are removed, values are cut."""
    loaded = loader.load(source, call)
    trace, drawn = loaded.drawn(trace_id)
    span = next((one for one in trace.spans if one.span_id == span_id), None)
    if span is None:
        raise RefusedError(f"no span {quoted(span_id)} in this trace", "show_request prints the ids")
    answer = Answer()
    bar = drawn.bar_of.get(span_id)
    waited = f", the request waited {ms(bar.waited_ns, STYLE)} for it" if bar is not None else ""
    took = f"took {ms(span.end_ns - span.start_ns, STYLE)}" if span.end_ns is not None else "has no end"
    answer.add(f"{span.span_id} {quoted_name(span.name)} {span.kind.name} status {span.status.name} {took}{waited}")
    if span.status_message:
        answer.add(f"message: {quoted(span.status_message, VALUE)}")
    name = trace_name(trace.trace_id, drawn.start_ns)
    answer.add(f"All of it: {report_command(loader.words(loaded.name), trace=name)} --html request.html")
    for line in (*_pairs(span.attributes), *_events(span), *_pairs(span.resource, "resource ")):
        answer.add(line)
    return answer.text(DATA, more="the page has all")


def _below(drawn: Waterfall, under: str) -> list[Bar]:
    top = drawn.bar_of.get(under)
    if top is None:
        raise RefusedError(f"no span {quoted(under)} in this trace", "show_request prints the ids of its spans")
    inside = {id(top)}
    for bar in drawn.bars:  # parents come before their children
        if bar.above is not None and id(bar.above) in inside:
            inside.add(id(bar))
    return [bar for bar in drawn.bars if id(bar) in inside]


def _chosen(bars: Sequence[Bar], room: float) -> tuple[list[Bar], list[Bar]]:
    """The bars with the longest waits, in the order of the tree, as many as fit; and the others."""
    low = min((bar.depth for bar in bars), default=0)
    weight = [bar.waited_ns + bar.waited_below_ns for bar in bars]
    order = sorted(range(len(bars)), key=lambda at: (-weight[at], at))
    kept: list[int] = []
    for at in order[:MOST_SPANS]:
        room -= tokens(_row(bars[at], low)) + 0.5
        if room < 0:
            break
        kept.append(at)
    chosen = set(kept)
    return [bars[at] for at in sorted(kept)], [bar for at, bar in enumerate(bars) if at not in chosen]


def _row(bar: Bar, low: int) -> str:
    took = ms(bar.end_ns - bar.start_ns, STYLE)
    mark = f" ({bar.mark})" if bar.mark else ""
    depth = "  " * min(DEEPEST, bar.depth - low)
    return f"{bar.span.span_id} | {ms(bar.waited_ns, STYLE)} | {took} | {depth}{quoted_name(bar.name)}{mark}"


def _pairs(attributes: object, before: str = "") -> Iterator[str]:
    assert hasattr(attributes, "items")
    pairs = sorted(attributes.items())
    for key, value in pairs[:MOST_PAIRS]:
        most = STACK_LENGTH if key in STACK else VALUE
        yield f"{before}{quoted(key)}: {quoted_value(key, value, most)}"
    if len(pairs) > MOST_PAIRS:
        yield f"{before}{len(pairs) - MOST_PAIRS:,} more attributes"


def _events(span: Span) -> Iterator[str]:
    for event in span.events[:MOST_EVENTS]:
        yield f"event {quoted(event.name)} after {ms(event.time_ns - span.start_ns, STYLE)}"
        yield from _pairs(event.attributes, "  ")
    if len(span.events) > MOST_EVENTS:
        yield f"{len(span.events) - MOST_EVENTS:,} more events"
