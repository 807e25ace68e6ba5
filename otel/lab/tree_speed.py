"""The time to compare span trees of 1,000 spans, and to print their differences.

Usual time: 1 minute.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from lambda_latency.testing import Expectation, Snapshot, any_order, span
from lambda_latency.testing.comparison import compare
from lambda_latency.testing.drawing import draw
from lambda_latency.trace import Span, Trace

SPANS = 1_000
TRACE_ID = "6b05a667affeb9dbb0aa7f2b5d5ab5f9"
T0 = 1_795_560_000_000_000_000
ROUNDS = 3
EQUAL_WITHIN_S, DIFFERENT_WITHIN_S = 1.0, 2.0


def made(parent_of: Callable[[int], int], name_of: Callable[[int], str]) -> list[Span]:
    """Spans by the numbers of their parents; the first is the root."""
    return [
        Span(
            trace_id=TRACE_ID,
            span_id=f"{number + 1:016x}",
            parent_id=f"{parent_of(number) + 1:016x}" if number else None,
            parent_remote=False if number else None,
            name=name_of(number),
            start_ns=T0 + number,
            end_ns=T0 + 10 * SPANS,
            attributes={"key": number},
        )
        for number in range(SPANS)
    ]


SHAPES: dict[str, list[Span]] = {
    "one parent, names of their own": made(lambda _: 0, lambda number: f"call {number}"),
    "one parent, one name": made(lambda _: 0, lambda _: "call"),
    "a chain": made(lambda number: number - 1, lambda number: f"call {number % 7}"),
    "three children each": made(lambda number: (number - 1) // 3, lambda number: f"call {number % 7}"),
    "333 calls of two steps": made(
        lambda number: 0 if number % 3 == 1 else (number - 1) // 3 * 3 + 1, lambda _: "call"
    ),
}


def expected(trace: Trace, *, ordered: bool = True) -> Expectation:
    """The expectation of a whole trace, with an attribute that distinguishes its spans."""
    found: dict[str, Expectation] = {}
    for one in reversed(trace.spans):
        children = [found.pop(child.span_id) for child in trace.children(one)]
        said = span(one.name, attributes=one.attributes)
        if children and not ordered:
            random.Random(1).shuffle(children)  # noqa: S311 - not for secrets
            children = [any_order(*children)]  # type: ignore[list-item]
        found[one.span_id] = said[tuple(children)] if children else said
    return found[trace.spans[0].span_id]


def changed(spans: list[Span], how: str) -> list[Span]:
    """The trace with errors."""
    rest = random.Random(2)  # noqa: S311 - not for secrets
    if how == "one attribute":
        spans[500] = replace(spans[500], attributes={"key": -1})
    elif how == "10 gone, 10 more":
        tops = {span.parent_id for span in spans}
        leaves = [span for span in spans if span.span_id not in tops]
        gone = {span.span_id for span in rest.sample(leaves, min(10, len(leaves)))}
        spans = [span for span in spans if span.span_id not in gone]
        spans += [replace(spans[number], span_id=f"{9_000 + number:016x}", name="more") for number in range(1, 11)]
    elif how == "every attribute":
        spans = [replace(span, attributes={"key": -1}) for span in spans]
    elif how == "reversed":
        spans = [replace(span, start_ns=T0 + SPANS - number) for number, span in enumerate(spans)]
    return spans


def compared(wanted: Expectation, other: Snapshot) -> object:
    """Compare, and draw the differences."""
    return other == wanted or draw(compare([wanted.tree], other.forest()))


def seconds(work: Callable[[], object]) -> float:
    """The median processor time of several runs: the time of other programs does not count."""
    times = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return statistics.median(times)


def main() -> int:
    """Print a table; 1 if a comparison takes longer than promised."""
    argparse.ArgumentParser("python -m lab tree-speed", description=__doc__).parse_args()
    slow = 0
    print(f"Trees of {SPANS:,} spans, seconds of CPU (median of {ROUNDS})\n")
    for shape, spans in SHAPES.items():
        snapshot = Snapshot((Trace(spans),))
        for name, ordered in (("equal", True), ("equal, in any order", False)):
            wanted = expected(snapshot.traces[0], ordered=ordered)
            assert snapshot == wanted
            took = seconds(lambda wanted=wanted, snapshot=snapshot: snapshot == wanted)  # type: ignore[misc]
            slow += took > EQUAL_WITHIN_S
            print(f"{shape:32}{name:34}{took:6.2f}")
        for how in ("one attribute", "10 gone, 10 more", "every attribute", "reversed"):
            other = Snapshot((Trace(changed(list(spans), how)),))
            for ordered in (True, False):
                wanted = expected(snapshot.traces[0], ordered=ordered)
                took = seconds(partial(compared, wanted, other))
                slow += took > DIFFERENT_WITHIN_S
                print(f"{shape:32}{how + ('' if ordered else ', in any order'):34}{took:6.2f}")
    print(f"\n{slow} took longer than {EQUAL_WITHIN_S:g} s (equal) or {DIFFERENT_WITHIN_S:g} s (different, and drawn)")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
