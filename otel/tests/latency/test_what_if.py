"""The promise of "saves at most": removing a part never makes requests faster than promised, even if calls overlap.

Planted cases: a generator makes requests, with and without one of the calls, which overlap in a third of them.
"""

import random

import pytest

from lambda_latency.latency import Breakdowns, Component, percentile, savings
from lambda_latency.text import Style, flat, saving_pieces
from tests.draws import draws
from tests.latency.drawn_requests import PAYMENTS, TABLE, request
from tests.latency.system import breakdown_of, charge, put_item
from tests.latency.system import request as served
from tests.trace.build import MS, Node, tree

CASES = draws(100)
REQUESTS = 40
ROUNDED = 10  # nanoseconds, because the generator's times are fractions of milliseconds
REMOVED = Component("external", "payments.example.com")


def _requests(seed: int, *, without: bool) -> Breakdowns:
    """The requests of a case: a table and a provider, in sequence or, in every third case, in parallel."""
    draw = random.Random(seed)  # noqa: S311 - a repeatable seed
    overlaps = seed % 3 == 0
    accounts = []
    for number in range(REQUESTS):
        table, paid = draw.uniform(5, 60), draw.lognormvariate(4.5, 0.8)
        own_ms = draw.uniform(1, 20)
        apart = draw.uniform(0.5, 4)
        begin = 10.0
        end = begin + table
        inside: list[Node] = [put_item(begin, end)]
        if not without:
            # Calls that overlap start at slightly different times; the handler continues after both.
            charged = begin + apart if overlaps else end
            inside.append(charge(charged, charged + paid, served=False))
            end = max(end, charged + paid)
        trace = tree(served(*inside, end=end + own_ms + 3), unit=MS, trace_id=f"6b05a667affeb9dbb0aa7f2b{number:08x}")
        accounts.append(breakdown_of(trace))
    return Breakdowns(accounts)


@pytest.mark.drawn
def test_the_real_percentile_is_never_below_the_promised_one() -> None:
    """In all drawn cases; without overlap, the estimate is within a tenth of the real percentile."""
    broken, far = [], []
    for seed in range(CASES):
        promised = next(saving for saving in savings(_requests(seed, without=False)) if saving.component == REMOVED)
        measured = percentile(_requests(seed, without=True).walls_ns, 95)
        if measured < promised.best_p95_ns - ROUNDED:
            broken.append((seed, measured, promised))
        if seed % 3 != 0 and abs(measured - promised.best_p95_ns) > measured / 10:
            far.append((seed, measured, promised))
    assert (broken, far) == ([], [])


def test_the_words_of_a_saving() -> None:
    """The saving in milliseconds, the percentile before and at best; no requests have no savings."""
    typical = [request(number, {TABLE: 90 + number % 3}) for number in range(90)]
    slow = [request(500 + number, {TABLE: 91, PAYMENTS: 1224}) for number in range(10)]
    [largest, *_] = ranking = savings(Breakdowns([*typical, *slow]))
    assert [saving.component for saving in ranking] == [PAYMENTS, TABLE]
    assert flat(saving_pieces(largest, Style(unicode=False))) == (
        "payments.example.com: saves at most 1,223 ms (p95 1,315 ms -> 92 ms at best)"
    )
    assert savings(Breakdowns([])) == ()
