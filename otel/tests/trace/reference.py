"""The critical path in the slow and obvious way: nanosecond by nanosecond, the owner of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_latency.trace import Span, Trace


def reference_sections(trace: Trace) -> list[tuple[str, int, int]]:
    """`(span id, start, end)` in the order of time, for a trace with one root that has an end."""
    [root] = trace.roots
    assert root.end_ns is not None
    owners = _owners(trace, root, root.start_ns, root.end_ns)
    sections: list[tuple[str, int, int]] = []
    for at in range(root.start_ns, root.end_ns):
        owner = owners[at]
        if sections and sections[-1][0] == owner:
            sections[-1] = (owner, sections[-1][1], at + 1)
        else:
            sections.append((owner, at, at + 1))
    return sections


def _owners(trace: Trace, span: Span, low: int, high: int) -> dict[int, str]:
    """The owner of each nanosecond of a span's window."""
    owners = dict.fromkeys(range(low, high), span.span_id)
    left = [child for child in trace.spans if child.parent_id == span.span_id]
    at = high
    while True:
        # Candidates have time in this window and start before `at`: from there on, all time has an owner.
        windows = {
            child.span_id: (max(child.start_ns, low), high if child.end_ns is None else min(child.end_ns, high), child)
            for child in left
        }
        able = [(-end, start, span_id) for span_id, (start, end, _) in windows.items() if start < end and start < at]
        if not able:
            return owners
        _, start, span_id = min(able)
        _, end, child = windows[span_id]
        owners.update(_owners(trace, child, start, min(end, at)))
        at = start
        left.remove(child)
