"""The critical path of 10,000 random trees: exact, and equal to a walk nanosecond by nanosecond."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from lambda_latency.latency import account
from lambda_latency.trace import Span, Trace, critical_path
from tests.trace.reference import reference_sections
from tests.trace.trees import trees


@settings(max_examples=10_000, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees())
def test_sections_are_disjoint_without_gaps_and_equal_the_obvious_walk(spans: list[Span]) -> None:
    """They add up to the wall clock to the nanosecond, as do the parts of the request's account."""
    trace = Trace(spans)
    path = critical_path(trace)
    at = path.start_ns
    for section in path.sections:
        assert (section.start_ns, section.ns > 0) == (at, True)
        at = section.end_ns
    assert at == path.end_ns
    found = [(section.span.span_id, section.start_ns, section.end_ns) for section in path.sections]
    assert found == reference_sections(trace)
    assert sum(ns for _, ns in account(trace).parts) == path.wall_ns
