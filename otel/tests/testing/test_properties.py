"""What holds for every trace."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import lambda_latency.testing
from lambda_latency.testing import Expectation, Snapshot, any_order, span
from lambda_latency.testing.alignment import WHOLE, Aligner
from lambda_latency.testing.expectation import ChildExpectation, roots_of
from lambda_latency.testing.expected import Child, ExpectedSet, ExpectedSpan
from lambda_latency.testing.facets import differences
from lambda_latency.testing.node import Node, forest
from lambda_latency.trace import Span, Trace
from tests.draws import draws
from tests.testing.trees import T0, TRACE_ID, changes, compared, outline, stated, traces

NAMES: dict[str, Any] = {name: getattr(lambda_latency.testing, name) for name in lambda_latency.testing.__all__}
RUN = settings(deadline=None, max_examples=draws(100), suppress_health_check=[HealthCheck.too_slow])


def read(code: str) -> Any:
    """What a person pastes."""
    return eval(code, dict(NAMES))  # noqa: S307 - code of our own


@RUN
@given(traces())
def test_a_trace_equals_its_own_repr(trace: Trace) -> None:
    """And what is read from it has the same repr again."""
    snapshot = Snapshot((trace,))
    expected = read(repr(snapshot))
    assert snapshot == expected
    if isinstance(expected, Expectation):
        assert trace == expected
        assert read(repr(expected)) == expected


@RUN
@given(traces())
def test_a_trace_equals_all_that_can_be_said_of_it(trace: Trace) -> None:
    """Written out and read again, too."""
    expected = stated(trace)
    assert Snapshot((trace,)) == expected
    assert read(repr(expected)) == expected


@RUN
@given(st.data())
def test_a_trace_with_one_change_is_never_equal(data: Any) -> None:
    """Whatever the change; and a changed value of one span is one mark."""
    trace = data.draw(traces())
    changed = data.draw(changes(trace))
    assume(outline(changed) != outline(trace))
    comparison = compared(stated(trace), Snapshot((changed,)))
    assert not comparison.holds
    assert Snapshot((changed,)) != stated(trace)
    same_shape = [(s.span_id, s.parent_id, s.name, s.start_ns) for s in changed.spans] == [
        (s.span_id, s.parent_id, s.name, s.start_ns) for s in trace.spans
    ]
    if same_shape:
        assert [line.sign for line in comparison.lines].count("~") == 1
        assert {line.sign for line in comparison.lines} <= {" ", "~"}


@RUN
@given(traces(), st.sampled_from(["orphan", "open", "lost", "twice"]), st.data())
def test_a_trace_that_breaks_a_guarantee_equals_nothing(trace: Trace, how: str, data: Any) -> None:
    """Not even what is pasted from it: its repr says in a comment what is wrong, and passes nobody."""
    number = data.draw(st.integers(0, len(trace.spans) - 1))
    chosen = trace.spans[number]
    lost = frozenset([chosen.span_id]) if how == "lost" else frozenset()
    broken: dict[str, dict[str, Any]] = {
        "orphan": {"parent_id": "f" * 16, "parent_remote": False},
        "open": {"end_ns": None},
    }
    values = {name: getattr(chosen, name) for name in chosen.__slots__ if name not in ("origin", "provisional")}
    spans = list(trace.spans)
    spans[number] = Span(**{**values, **broken.get(how, {})})
    if how == "twice":
        spans.append(spans[number])
    snapshot = Snapshot((Trace(spans),), lost=lost)
    assert "# " in repr(snapshot)
    assert snapshot != read(repr(snapshot))
    assert snapshot != [...]


# ---- The diff is minimal ------------------------------------------------------------------------------------------


@st.composite
def expectations(draw: Any, limit: int) -> list[ChildExpectation]:
    """Small trees with sets and gaps; names that are few and attributes that may differ."""

    def children(budget: int) -> tuple[list[ChildExpectation], int]:
        siblings: list[ChildExpectation] = []
        while budget and draw(st.booleans()):
            kind = draw(st.sampled_from(["span", "span", "span", "set", "gap"]))
            if kind == "gap":
                siblings.append(...)
                budget -= 1
            elif kind == "set":
                members = []
                for _ in range(draw(st.integers(1, min(3, budget)))):
                    if budget:
                        child, budget = a_span(budget)
                        members.append(child)
                siblings.append(any_order(*members))
            else:
                child, budget = a_span(budget)
                siblings.append(child)
        return siblings, budget

    def a_span(budget: int) -> tuple[Expectation, int]:
        attributes = draw(st.dictionaries(st.sampled_from("kl"), st.integers(0, 1), max_size=2))
        below, budget = children(budget - 1)
        parent = span(draw(st.sampled_from("ab")), attributes=attributes)
        return (parent[tuple(below)] if below else parent), budget

    return children(limit)[0]


@st.composite
def small_traces(draw: Any, limit: int) -> Trace:
    """As small, some with spans that are left open."""
    size = draw(st.integers(1, limit))
    return Trace([
        Span(
            trace_id=TRACE_ID,
            span_id=f"{number + 1:016x}",
            parent_id=f"{draw(st.integers(0, number - 1)) + 1:016x}" if number and draw(st.booleans()) else None,
            name=draw(st.sampled_from("ab")),
            start_ns=T0 + number,
            end_ns=draw(st.sampled_from([T0 + 50, T0 + 50, T0 + 50, None])),
            attributes=draw(st.dictionaries(st.sampled_from("kl"), st.integers(0, 1), max_size=2)),
        )
        for number in range(size)
    ])  # fmt: skip


def cheapest(expected: Sequence[Child], nodes: Sequence[Node]) -> int:
    """By trying every way: each expected child is missing, or kept as any later span."""
    if not expected:
        return sum(WHOLE * node.size for node in nodes)
    head, tail = expected[0], expected[1:]
    skipped = [sum(WHOLE * node.size for node in nodes[:number]) for number in range(len(nodes) + 1)]
    if isinstance(head, ExpectedSpan):
        ways = [WHOLE * head.size + cheapest(tail, nodes)]
        ways += [skipped[i] + cost_of(head, nodes[i]) + cheapest(tail, nodes[i + 1 :]) for i in range(len(nodes))]
        return min(ways)
    ranges = [(begin, end) for begin in range(len(nodes) + 1) for end in range(begin, len(nodes) + 1)]
    if isinstance(head, ExpectedSet):
        return min(
            skipped[begin] + in_set(head, nodes[begin:end]) + cheapest(tail, nodes[end:]) for begin, end in ranges
        )
    return min(
        skipped[begin] + sum(node.faulty for node in nodes[begin:end]) + cheapest(tail, nodes[end:])
        for begin, end in ranges
    )


def cost_of(expected: ExpectedSpan, node: Node) -> int:
    """A span of another name may be kept, at the price of one missing and one unexpected."""
    renamed = 2 * WHOLE if expected.name != node.span.name else 0
    return renamed + len(differences(expected, node)) + cheapest(expected.children, node.children)


def in_set(bag: ExpectedSet, nodes: Sequence[Node]) -> int:
    """Every choice of members, laid over every choice of spans."""
    best = None
    places: list[Node | None] = [*nodes, *[None] * len(bag.members)]
    for chosen in set(itertools.permutations(range(len(places)), len(bag.members))):
        taken = [places[index] for index in chosen]
        cost = sum(
            WHOLE * m.size if node is None else cost_of(m, node) for m, node in zip(bag.members, taken, strict=True)
        )
        cost += sum(WHOLE * node.size for node in nodes if node not in taken)
        best = cost if best is None else min(best, cost)
    assert best is not None
    return best


def has_set(expected: Sequence[Child]) -> bool:
    """Whether there is a choice between the members of a set, on any level."""
    return any(
        (isinstance(child, ExpectedSet) and (len(child.members) > 1 or has_set(child.members)))
        or (isinstance(child, ExpectedSpan) and has_set(child.children))
        for child in expected
    )


@settings(RUN, max_examples=draws(150))
@given(expectations(5), small_traces(5))
def test_a_diff_is_minimal(expected: list[ChildExpectation], trace: Trace) -> None:
    """Among the ways to keep a span only under a kept parent; and its lines are what it costs.

    In a set the cheapest pair comes first, which may cost more in the end; but what is equal costs nothing.
    """
    roots = forest([trace]).roots
    expected_roots = roots_of(expected)
    assert expected_roots is not None
    cost, _ = Aligner().level(expected_roots, roots)
    least = cheapest(expected_roots, roots)
    assert (cost >= least and bool(cost) == bool(least)) if has_set(expected_roots) else cost == least
    lines = compared(expected, Snapshot((trace,))).lines
    marked = sum(WHOLE * (line.sign in "-+") for line in lines)
    renamed = sum(WHOLE * 2 for line in lines if any(note.startswith("name: ") for note in line.notes))
    notes = sum(len(line.notes) for line in lines if line.sign == "~")
    assert cost == marked + renamed + notes


def test_children_that_moved_by_two_places_are_kept() -> None:
    """Two unexpected children before them, two missing ones after them: four lines of the diff have a sign."""
    root, *ids = (f"{number:016x}" for number in range(1, 8))
    recorded = [Span(trace_id=TRACE_ID, span_id=root, name="root", start_ns=T0, end_ns=T0 + 9)]
    for number, (span_id, name) in enumerate(zip(ids, "xyabcd", strict=True)):
        recorded.append(replace(recorded[0], span_id=span_id, parent_id=root, name=name, start_ns=T0 + number))
    expected = span("root")[tuple(span(name) for name in "abcdef")]
    lines = compared([expected], Snapshot((Trace(recorded),))).differing
    assert [(line.sign, line.name) for line in lines] == [("+", "x"), ("+", "y"), ("-", "e"), ("-", "f")]
