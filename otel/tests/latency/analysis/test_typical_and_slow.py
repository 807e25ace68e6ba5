"""Slow requests against typical ones of the same route, and the resulting verdict."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_latency.latency import Breakdown, Breakdowns, Component, Edge, cause_groups
from lambda_latency.latency.analysis.thresholds import (
    DOMINANT_PERCENT,
    ENOUGH_REQUESTS,
    ENOUGH_SLOW,
    EVEN_NS,
    EVEN_WIDTHS,
    NEVER_EVEN_TIMES,
)
from lambda_latency.latency.analysis.typical_and_slow import TypicalAndSlow, typical_and_slow
from lambda_latency.latency.analysis.verdict import Verdict, verdict
from tests.draws import draws
from tests.latency.generated import hundred, timed_out
from tests.latency.system import breakdown_of, order
from tests.trace.build import MS

PAY, TABLE, OWN = (
    Component("external", "pay.example"),
    Component("aws", "DynamoDB PutItem orders"),
    Component("own code"),
)
PLAIN = breakdown_of(order(200))


def _one(number: int, route: str = "POST /orders", **parts_ms: float) -> Breakdown:
    """A request of parts: `pay`, `table`, `own`, in milliseconds."""
    names = {"pay": PAY, "table": TABLE, "own": OWN}
    parts = tuple(sorted(((names[key], round(ms * MS)) for key, ms in parts_ms.items()), key=lambda pair: -pair[1]))
    wall = sum(ns for _, ns in parts)
    cells = tuple((Edge("", part), ns) for part, ns in parts)
    return PLAIN._replace(
        trace_id=f"{number:032x}", route=route, wall_ns=wall, edges=cells, edge_calls=(), durations_ns=()
    )


def _steady(count: int, route: str = "POST /orders", own_ms: float = 50, start: int = 1000) -> list[Breakdown]:
    return [_one(start + number, route, own=own_ms + number % 10 / 10) for number in range(count)]


def _judged(accounts: Sequence[Breakdown], slow_ns: int | None = None) -> tuple[TypicalAndSlow, Verdict]:
    requests = Breakdowns(accounts)
    groups = cause_groups(requests, slow_ns)
    compared = typical_and_slow(requests, slow_ns, groups.slow)
    return compared, verdict(requests, compared, groups)


def test_a_border_divides_slow_from_other_requests() -> None:
    """There is none where a usual request of one route takes longer than a slow one of another."""
    reads = [*_steady(40, "GET /orders", own_ms=10), *(_one(number, "GET /orders", own=80) for number in range(10))]
    assert _judged(reads)[0].border_ns == 80 * MS - 1
    both, _ = _judged([*reads, *_steady(40, own_ms=200, start=2000)])
    assert (len(both.slow), both.over_ns, both.border_ns) == (10, 80 * MS - 1, None)
    limited, _ = _judged([*reads, *_steady(40, own_ms=200, start=2000)], slow_ns=70 * MS)
    assert (limited.over_ns, limited.border_ns) == (70 * MS, None)  # a whole route is over the limit
    assert _judged(_steady(40))[0].border_ns is not None


def test_slow_is_strictly_over_the_95th_percentile() -> None:
    """Of 120 requests six are slow, not seven."""
    accounts = [_one(number, own=100 + number) for number in range(120)]
    compared = typical_and_slow(accounts)
    assert (len(compared.slow), compared.over_ns) == (6, 213 * MS)
    assert [slow.breakdown.wall_ns // MS for slow in compared.slow] == [219, 218, 217, 216, 215, 214]


def test_of_few_requests_the_longest_is_slow() -> None:
    """Among fewer than twenty, none is over the 95th percentile."""
    assert [slow.breakdown.wall_ns // MS for slow in typical_and_slow([_one(1, own=90), _one(2, own=400)]).slow] == [
        400
    ]
    assert typical_and_slow([_one(1, own=90), _one(2, own=90)]).slow == ()


def test_the_most_requests_are_never_slow() -> None:
    """Ten that take as long as each other are not slow because one is faster."""
    compared = typical_and_slow([_one(1, own=10), *(_one(2 + number, own=100) for number in range(10))])
    assert (compared.slow, compared.over_ns) == ((), 100 * MS)


def test_each_request_is_compared_with_its_own_route() -> None:
    """Otherwise the difference between POST and GET would be the result."""
    accounts = [*_steady(90, "GET /orders", own_ms=5), *_steady(10, "POST /orders", own_ms=300, start=5000)]
    compared, judged = _judged(accounts)
    assert {slow.breakdown.route for slow in compared.slow} == {"POST /orders"}
    assert compared.difference_ns < MS
    assert judged.kind == "even"


def test_typical_requests_have_the_weights_of_the_slow_ones() -> None:
    """Two slow requests of route A and one of B: two thirds of A's typical time, one third of B's."""
    accounts = [*_steady(40, "A", own_ms=30), *_steady(40, "B", own_ms=90, start=2000)]
    accounts += [_one(1, "A", own=530), _one(2, "A", own=530), _one(3, "B", own=590)]
    compared = typical_and_slow(accounts, 500 * MS)
    assert compared.typical_mean_ns == round(Fraction(2, 3) * 30_450_000 + Fraction(1, 3) * 90_450_000)
    assert [(c.component, c.difference_ns) for c in compared.components] == [(OWN, compared.difference_ns)]


def test_requests_that_timed_out_are_left_out() -> None:
    """Their duration is the limit, which says nothing about parts."""
    traces = hundred()
    with_it, without = (
        [breakdown_of(trace) for trace in traces if keep(trace)] for keep in (bool, lambda t: not t.timed_out)
    )
    assert sum(breakdown.timed_out for breakdown in with_it) == 1
    assert typical_and_slow(with_it) == typical_and_slow(without)


def test_a_clear_verdict_names_the_part_and_a_request_that_supports_it() -> None:
    """And a request that contradicts it."""
    accounts = _steady(110) + [_one(number, own=50, pay=900 + number) for number in range(1, 22)]
    accounts.append(_one(99, own=450, pay=180, table=410))
    compared, judged = _judged(accounts, 500 * MS)
    assert (judged.kind, judged.component, judged.confidence, judged.unexplained) == ("clear", PAY, "high", 1)
    assert judged.proof is not None
    assert judged.proof.breakdown.trace_id == f"{11:032x}"  # the median
    assert judged.counterexample is not None
    assert (judged.counterexample.breakdown.trace_id, judged.counterexample.component) == (f"{99:032x}", TABLE)
    assert [(c.component, c.largest_in_slow) for c in compared.components] == [(PAY, 21), (TABLE, 1), (OWN, 0)]


@pytest.mark.parametrize(
    ("typical", "slow", "kind", "confidence"),
    [
        (ENOUGH_REQUESTS, ENOUGH_REQUESTS, "clear", "high"),
        (ENOUGH_REQUESTS, ENOUGH_REQUESTS - 1, "clear", "medium"),
        (ENOUGH_REQUESTS, ENOUGH_SLOW, "clear", "medium"),
        (ENOUGH_REQUESTS, ENOUGH_SLOW - 1, "thin", "low"),
        (4, 2, "thin", "low"),
    ],
)
def test_few_requests_or_few_slow_ones_are_thin_evidence(typical: int, slow: int, kind: str, confidence: str) -> None:
    """Even if one part explains all of the difference."""
    accounts = _steady(typical) + [_one(number, own=50, pay=900) for number in range(slow)]
    judged = _judged(accounts, 500 * MS)[1]
    assert (judged.kind, judged.confidence, judged.candidates[0].component) == (kind, confidence, PAY)
    assert (judged.component is None) is (kind == "thin")


def test_no_dominant_part_is_thin_evidence() -> None:
    """A share below the threshold, or a share that is due to a single request."""
    split = [_one(number, own=50, pay=400, table=400) for number in range(6)]
    assert _judged([*_steady(100), *split], 500 * MS)[1].kind == "thin"
    lone = [_one(1, own=50, pay=9000), *(_one(number, own=600) for number in range(2, 8))]
    compared, judged = _judged([*_steady(100), *lone], 500 * MS)
    assert 100 * compared.components[0].difference_ns > DOMINANT_PERCENT * compared.difference_ns
    assert judged.kind == "thin"


def test_a_part_of_half_of_the_slow_requests_is_thin_evidence() -> None:
    """Three of six requests wait for one part, three for another."""
    split = [_one(number, own=50, pay=500) for number in range(3)]
    split += [_one(3 + number, own=50, table=300) for number in range(3)]
    compared, judged = _judged([*_steady(100, own_ms=49.55), *split], 300 * MS)
    largest = compared.components[0]
    assert (largest.component, largest.largest_in_slow, compared.has_dominant) == (PAY, 3, False)
    assert 100 * compared.components[0].difference_ns > DOMINANT_PERCENT * compared.difference_ns
    assert (judged.kind, judged.confidence) == ("thin", "low")


def test_a_difference_within_the_typical_range_is_even() -> None:
    """Even if one part explains all of it; a difference too small to notice is even too."""
    varied = [_one(number, own=50, pay=20 + number % 60) for number in range(300)]
    compared, judged = _judged(varied)
    assert judged.kind == "even"
    assert compared.difference_ns < EVEN_WIDTHS * compared.width_ns
    steady = _steady(200) + [_one(number, own=50 + EVEN_NS / MS * 0.9) for number in range(10)]
    assert _judged(steady)[1].kind == "even"


def test_a_wait_of_one_request_in_three_is_not_even() -> None:
    """The width is that of the faster half: p75 itself is slow here."""
    accounts = _steady(80) + [_one(number, own=50, pay=900 + number) for number in range(40)]
    assert _judged(accounts)[1].component == PAY


def test_a_difference_of_many_typical_requests_is_not_even() -> None:
    """A cause that affects nearly every second request is usual itself: a slower one is slow beside it."""
    accounts = [_one(number, own=50, pay=300) if number % 20 < 8 else _one(number, own=50) for number in range(240)]
    accounts += [_one(1000 + number, own=50, pay=1500) for number in range(12)]
    compared, judged = _judged(accounts)
    assert NEVER_EVEN_TIMES * compared.typical_mean_ns < compared.difference_ns
    assert (judged.kind, judged.component) == ("clear", PAY)


def test_one_request_and_none_have_verdicts_of_their_own() -> None:
    """Neither compares anything."""
    single = breakdown_of(order(200))
    assert [_judged(accounts)[1].kind for accounts in ([single], [])] == ["one", "none"]
    assert _judged([single])[1].component == Component("external", "payments.example.com")
    assert _judged([breakdown_of(timed_out())])[1].kind == "one"


@settings(max_examples=draws(300), deadline=None, database=None)
@given(st.lists(st.tuples(st.sampled_from("AB"), *[st.integers(0, 400)] * 3), min_size=1, max_size=60))
def test_differences_of_parts_add_up_to_the_difference(drawn: list[tuple[str, int, int, int]]) -> None:
    """Except for rounding, a nanosecond per part; and every slow request has one largest part."""
    accounts = [_one(n, route, own=code, pay=pay, table=table) for n, (route, code, pay, table) in enumerate(drawn)]
    compared = typical_and_slow(accounts)
    assert (
        abs(sum(slow.difference_ns for slow in compared.components) - compared.difference_ns)
        <= len(compared.components) + 2
    )
    assert sum(component.largest_in_slow for component in compared.components) == len(compared.slow)
    assert all(slow.breakdown.wall_ns > compared.over_ns for slow in compared.slow)
