"""Random traces for hypothesis: overlaps, ties, skew, open spans, zero lengths, orphans and cycles."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lambda_latency.trace import Span, Trace
from tests.trace.build import T0, TRACE_ID

# A span's offset from the start of its parent, its duration, and its parent: small numbers make ties.
ONE = st.tuples(st.integers(-3, 12), st.sampled_from([0, 1, 3, 7, 15, 30, None]), st.integers(0, 1000))
ODD = st.lists(st.sampled_from(["orphan", "cycle"]), max_size=2)


def trees() -> SearchStrategy[list[Span]]:
    """The spans of one trace: a root with an end, 1 to 39 spans below it, and sometimes orphans and cycles."""
    return st.builds(_tree, st.lists(ONE, min_size=1, max_size=39), st.integers(0, 40), ODD)


def _tree(drawn: list[tuple[int, int | None, int]], wall: int, odd: list[str]) -> list[Span]:
    spans = [_span(500, None, 0, wall)]
    for number, (behind, length, choice) in enumerate(drawn):
        parent = spans[choice % len(spans)]
        start = parent.start_ns - T0 + behind
        # Ids do not follow the order of creation, which must not decide a tie.
        child_id = (number * 389 + choice) % 499 + 1 + (500 if choice % 2 else 0) + 1000 * number
        spans.append(_span(child_id, parent.span_id, start, None if length is None else start + length))
    for number, kind in enumerate(odd):
        child_id, parent_id = 900_001 + 2 * number, 900_002 + 2 * number
        spans.append(_span(child_id, f"{parent_id:016x}", 2, 30))
        if kind == "cycle":
            spans.append(_span(parent_id, f"{child_id:016x}", 3, 40))
    return spans[::-1]


def _span(number: int, parent_id: str | None, start: int, end: int | None) -> Span:
    return Span(
        trace_id=TRACE_ID,
        span_id=f"{number:016x}",
        parent_id=parent_id,
        parent_remote=False if parent_id is not None else None,
        name=f"{number}",
        start_ns=T0 + start,
        end_ns=None if end is None else T0 + end,
    )


def reference_sections(trace: Trace) -> list[tuple[str, int, int]]:
    """`(span id, start, end)` in the order of time, for a trace with one root that has an end."""
    [root] = trace.roots
    assert root.end_ns is not None
    owners = _owners(trace, root, root.start_ns, root.end_ns)
    sections: list[tuple[str, int, int]] = []
    for ns in range(root.start_ns, root.end_ns):
        owner = owners[ns]
        if sections and sections[-1][0] == owner:
            sections[-1] = (owner, sections[-1][1], ns + 1)
        else:
            sections.append((owner, ns, ns + 1))
    return sections


def _owners(trace: Trace, span: Span, low: int, high: int) -> dict[int, str]:
    """The owner of each nanosecond of a span's window."""
    owners = dict.fromkeys(range(low, high), span.span_id)
    children = [child for child in trace.spans if child.parent_id == span.span_id]
    until = high
    while True:
        # Candidates have time in this window and start before `at`: from there on, all time has an owner.
        windows = {
            child.span_id: (max(child.start_ns, low), high if child.end_ns is None else min(child.end_ns, high), child)
            for child in children
        }
        able = [(-end, start, span_id) for span_id, (start, end, _) in windows.items() if start < end and start < until]
        if not able:
            return owners
        _, start, span_id = min(able)
        _, end, child = windows[span_id]
        owners.update(_owners(trace, child, start, min(end, until)))
        until = start
        children.remove(child)
