"""Random traces for hypothesis: overlaps, ties, skew, open spans, zero lengths, orphans and cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from lambda_latency.trace import Span
from tests.trace.build import T0, TRACE_ID

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

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
        own = (number * 389 + choice) % 499 + 1 + (500 if choice % 2 else 0) + 1000 * number
        spans.append(_span(own, parent.span_id, start, None if length is None else start + length))
    for number, kind in enumerate(odd):
        own, other = 900_001 + 2 * number, 900_002 + 2 * number
        spans.append(_span(own, f"{other:016x}", 2, 30))
        if kind == "cycle":
            spans.append(_span(other, f"{own:016x}", 3, 40))
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
