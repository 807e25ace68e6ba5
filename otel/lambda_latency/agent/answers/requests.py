"""The answers about one request: `show_request` draws where it waited, `show_span` has the attributes of a span."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lambda_latency.agent.brief import DATA, STYLE, report_command
from lambda_latency.agent.budget import BoundedAnswer, tokens
from lambda_latency.agent.loading import Loader, ToolCall, time_of
from lambda_latency.agent.quoting import quoted, quoted_name, quoted_value
from lambda_latency.agent.tools import RefusedError
from lambda_latency.latency import Bar, Breakdown, Breakdowns, Waterfall, trace_name
from lambda_latency.text import instant_of, ms
from lambda_latency.trace import Span, Trace


def list_requests(
    loader: Loader,
    call: ToolCall,
    source: str | None = None,
    since: str | None = None,
    until: str | None = None,
    route: str | None = None,
    slower_than_ms: float = 0,
    errors: bool = False,
    timeouts: bool = False,
    newest: bool = False,
    limit: int = 10,
) -> str:
    """List the requests that match, the slowest or the newest first."""
    loaded, since_ns, until_ns = loader.load(source, call), time_of(since), time_of(until)
    accounts = loaded.chosen(route, since_ns, until_ns).named(loaded.names, loaded.names.part)
    order = reversed(accounts.order()) if newest else accounts.slowest(len(accounts))
    slow = (index for index in order if accounts.walls_ns[index] > slower_than_ms * 1e6)
    is_chosen = _chosen_kinds(accounts, errors=errors, timeouts=timeouts)
    matching = [index for index in slow if is_chosen[accounts.kind_of[index]]]
    answer = BoundedAnswer()
    if source is None:
        answer.add(f"source: {quoted(loaded.name)} (the newest trace file)")
    order_name = "newest" if newest else "slowest"
    answer.add(f"{len(matching):,} of {len(accounts):,} requests match; the {order_name} first")
    command = report_command(loader.words(loaded.name), loaded.names, route, since=since_ns, until=until_ns)
    answer.add(f"All of them: {command} --all --format json")
    if matching:
        answer.add("trace id | started | took | route | status | marks | longest part")
        for account in accounts.made(matching[:limit], with_calls=False):
            if not answer.add(_listed_row(account)):
                break
    more = len(matching) - limit
    if more > 0:
        answer.add(f"{more:,} more match; limit shows up to 50, and route, since or slower_than_ms fewer")
    return answer.text(DATA, more="narrow it by route, since, slower_than_ms, or a smaller limit")


def _chosen_kinds(accounts: Breakdowns, *, errors: bool, timeouts: bool) -> list[bool]:
    return [(kind.error or not errors) and (kind.timed_out or not timeouts) for kind in accounts.kinds]


def _listed_row(account: Breakdown) -> str:
    flags = {"cold": account.cold_start, "error": account.error, "timeout": account.timed_out}
    marks = [word for word, is_set in flags.items() if is_set]
    longest = f"{account.components[0][0].label} {ms(account.components[0][1], STYLE)}" if account.components else "-"
    cells = (
        trace_name(account.trace_id, account.start_ns),
        instant_of(account.start_ns),
        ms(account.wall_ns, STYLE),
        account.route,
        str(account.status_code or "-"),
        " ".join(marks) or "-",
        longest,
    )
    return " | ".join(cells)


MOST_SPANS = 60
DEEPEST = 12  # levels of indentation
MOST_PAIRS = 60  # attributes of a span or an event
MOST_EVENTS = 8
VALUE = 200  # characters
STACK = ("code.stacktrace", "exception.stacktrace", "lambda.timeout.threads")
STACK_LENGTH = 900


def show_request(
    loader: Loader, call: ToolCall, trace_id: str, source: str | None = None, under: str | None = None
) -> str:
    """Draw one request as a tree of its longest waits; `under` is the span id where the tree begins."""
    loaded = loader.load(source, call)
    trace, drawn = loaded.drawn(trace_id)
    name = trace_name(trace.trace_id, drawn.start_ns)
    return request_text(trace, drawn, report_command(loader.words(loaded.name), trace=name), under)


def request_text(trace: Trace, drawn: Waterfall, command: str, under: str | None = None) -> str:
    """Return the text of `show_request`, and of `report --format brief --trace ID`."""
    bars = _below(drawn, under) if under is not None else drawn.bars
    answer = BoundedAnswer()
    name = trace_name(trace.trace_id, drawn.start_ns)
    answer.add(f"{name} {quoted_name(trace.route)} took {ms(drawn.wall_ns, STYLE)}; {len(bars):,} spans")
    answer.add(f"All numbers below: {command}")
    outside = len(drawn.orphans) + len(drawn.other_roots)
    if outside:
        answer.add(f"{outside:,} spans are outside of the request: check_tracing says why")
    answer.add("span id | waited | took | span, indented by depth (waited: on the critical path, by the span itself)")
    chosen, omitted = _chosen_bars(bars, answer.room - 40)
    low = min((bar.depth for bar in chosen), default=0)
    for bar in chosen:
        answer.add(_row(bar, low))
    footer = [DATA, "show_span has the attributes of a span; under=SPAN_ID begins at one."]
    if omitted:
        waited = ms(sum(bar.waited_ns for bar in omitted), STYLE)
        footer.insert(0, f"left out: {len(omitted):,} more spans, which waited {waited} together")
    return answer.text(*footer)


def show_span(loader: Loader, call: ToolCall, trace_id: str, span_id: str, source: str | None = None) -> str:
    """Print the attributes and events of a span; secrets are removed, values are cut."""
    loaded = loader.load(source, call)
    trace, drawn = loaded.drawn(trace_id)
    span = next((s for s in trace.spans if s.span_id == span_id), None)
    if span is None:
        raise RefusedError(f"no span {quoted(span_id)} in this trace", "show_request prints the ids")
    answer = BoundedAnswer()
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
    root = drawn.bar_of.get(under)
    if root is None:
        raise RefusedError(f"no span {quoted(under)} in this trace", "show_request prints the ids of its spans")
    inside = {id(root)}
    for bar in drawn.bars:  # parents come before their children
        if bar.parent is not None and id(bar.parent) in inside:
            inside.add(id(bar))
    return [bar for bar in drawn.bars if id(bar) in inside]


def _chosen_bars(bars: Sequence[Bar], room: float) -> tuple[list[Bar], list[Bar]]:
    """Return the bars with the longest waits, in the order of the tree, as many as fit; and the others."""
    low = min((bar.depth for bar in bars), default=0)
    weight = [bar.waited_ns + bar.waited_below_ns for bar in bars]
    order = sorted(range(len(bars)), key=lambda index: (-weight[index], index))
    fitting: list[int] = []
    for index in order[:MOST_SPANS]:
        room -= tokens(_row(bars[index], low)) + 0.5
        if room < 0:
            break
        fitting.append(index)
    chosen = set(fitting)
    omitted = [bar for index, bar in enumerate(bars) if index not in chosen]
    return [bars[index] for index in sorted(fitting)], omitted


def _row(bar: Bar, low: int) -> str:
    took = ms(bar.end_ns - bar.start_ns, STYLE)
    mark = f" ({bar.mark})" if bar.mark else ""
    depth = "  " * min(DEEPEST, bar.depth - low)
    return f"{bar.span.span_id} | {ms(bar.waited_ns, STYLE)} | {took} | {depth}{quoted_name(bar.name)}{mark}"


def _pairs(attributes: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    pairs = sorted(attributes.items())
    for key, value in pairs[:MOST_PAIRS]:
        length = STACK_LENGTH if key in STACK else VALUE
        yield f"{prefix}{quoted(key)}: {quoted_value(key, value, length)}"
    if len(pairs) > MOST_PAIRS:
        yield f"{prefix}{len(pairs) - MOST_PAIRS:,} more attributes"


def _events(span: Span) -> Iterator[str]:
    for event in span.events[:MOST_EVENTS]:
        yield f"event {quoted(event.name)} after {ms(event.time_ns - span.start_ns, STYLE)}"
        yield from _pairs(event.attributes, "  ")
    if len(span.events) > MOST_EVENTS:
        yield f"{len(span.events) - MOST_EVENTS:,} more events"
