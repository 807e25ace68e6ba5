"""The promise of "saves at most": removing a part never makes requests faster than promised, even if calls overlap.

Planted cases: a generator makes requests, with and without one of the calls. `WHAT_IF_CASES` is their number; the calls
overlap in a third of them.
"""

from __future__ import annotations

import os
import random

from lambda_latency.latency import Accounts, Part, percentile, savings
from lambda_latency.text import Style, flat, saving_pieces
from tests.latency.requests import PAYMENTS, TABLE, request
from tests.latency.system import account, charge, put_item
from tests.latency.system import request as served
from tests.trace.build import MS, Node, tree

CASES = int(os.environ.get("WHAT_IF_CASES", "24"))
REQUESTS = 40
ROUNDED = 10  # nanoseconds, because the generator's times are fractions of milliseconds
PLANTED = Part("external", "payments.example.com")


def _requests(seed: int, *, without: bool) -> Accounts:
    """The requests of a case: a table and a provider, in sequence or, in every third case, in parallel."""
    draw = random.Random(seed)  # noqa: S311 - a repeatable seed
    overlaps = seed % 3 == 0
    found = []
    for number in range(REQUESTS):
        table, paid = draw.uniform(5, 60), draw.lognormvariate(4.5, 0.8)
        own = draw.uniform(1, 20)
        apart = draw.uniform(0.5, 4)
        inside: list[Node] = []
        begin = 10.0
        if overlaps:
            # The calls start at slightly different times; the handler continues after both.
            inside.append(put_item(begin, begin + table))
            end = begin + table
            if not without:
                inside.append(charge(begin + apart, begin + apart + paid, served=False))
                end = max(end, begin + apart + paid)
        else:
            inside.append(put_item(begin, begin + table))
            end = begin + table
            if not without:
                inside.append(charge(end, end + paid, served=False))
                end += paid
        trace = tree(served(*inside, end=end + own + 3), unit=MS, trace_id=f"6b05a667affeb9dbb0aa7f2b{number:08x}")
        found.append(account(trace))
    return Accounts(found)


def test_the_real_percentile_is_never_below_the_promised_one() -> None:
    """In all planted cases; without overlap, the promise is within a tenth of the real percentile."""
    broken, far = [], []
    for seed in range(CASES):
        promised = next(one for one in savings(_requests(seed, without=False)) if one.part == PLANTED)
        real = percentile(_requests(seed, without=True).walls_ns, 95)
        if real < promised.best_p95_ns - ROUNDED:
            broken.append((seed, real, promised))
        if seed % 3 != 0 and abs(real - promised.best_p95_ns) > real / 10:
            far.append((seed, real, promised))
    assert (broken, far) == ([], [])


def test_the_words_of_a_saving() -> None:
    """The saving in milliseconds, the percentile before and at best; no requests have no savings."""
    usual = [request(number, {TABLE: 90 + number % 3}) for number in range(90)]
    slow = [request(500 + number, {TABLE: 91, PAYMENTS: 1224}) for number in range(10)]
    [first, *_] = found = savings(Accounts([*usual, *slow]))
    assert [one.part for one in found] == [PAYMENTS, TABLE]
    assert flat(saving_pieces(first, Style(unicode=False))) == (
        "payments.example.com: saves at most 1,223 ms (p95 1,315 ms -> 92 ms at best)"
    )
    assert savings(Accounts([])) == ()
