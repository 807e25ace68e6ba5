"""What else differs between slow requests and others: planted differences come first, and chance is never claimed.

`DIFFERS_CASES` says how many cases are made with a planted difference (in turn a version, a route, cold starts, an
attribute), and how many without one.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lambda_latency.latency import report_of
from lambda_latency.page import page_values
from lambda_latency.page.facts import sample
from lambda_latency.trace import SpanKind, Trace
from tests.latency.requests import PAYMENTS, drawn
from tests.latency.requests import request as request_of
from tests.latency.system import account, charge, put_item, request
from tests.page.node import run_module
from tests.trace.build import MS, tree

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CASES = int(os.environ.get("DIFFERS_CASES", "4"))
REQUESTS = 400
SORTS = ("version", "route", "cold", "attribute")
FIRST = {"version": "version 2.0.1", "route": "POST /refunds", "cold": "cold start", "attribute": "tenant = gold"}
DIFFERING = "module.differing(module.slowAndOthers(report, 4), module.factColumns(report), report.columns.route)"
RANK = f"""({{ reports }}) => reports.map((report) => {DIFFERING}
    .map(({{ fact, value }}) => report.facts[fact].texts[value]))"""


def _case(seed: int, sort: str | None) -> list[Trace]:
    """Requests of two routes, three versions, many tenants; those with the planted value are often slow."""
    draw = random.Random(f"{seed} {sort}")  # noqa: S311 - a seed that can be repeated
    found = []
    for number in range(REQUESTS):
        route = "POST /refunds" if draw.random() < 0.25 else "POST /orders"
        cold = 2.0 if draw.random() < 0.2 else 0.0
        version = draw.choices(("2.0.1", "2.0.0", "1.9.4"), (25, 60, 15))[0]
        tenant = draw.choices(("gold", "silver", "free"), (25, 40, 35))[0]
        planted = {
            "version": version == "2.0.1",
            "route": route == "POST /refunds",
            "cold": cold > 0,
            "attribute": tenant == "gold",
        }
        slow = draw.random() < (0.005 if sort is None else 0.22 if planted[sort] else 0.002)
        paid = draw.lognormvariate(4.5, 0.15) + (900 if slow else 0)
        begin = 10.0 + cold
        top = request(
            put_item(begin, begin + 9),
            charge(begin + 10, begin + 10 + paid),
            end=begin + paid + 20,
            cold=cold,
            route=route,
        )
        made = tree(top, unit=MS, trace_id=f"6b05a667affeb9dbb0aa7f2b{number:08x}", first=1)
        more = {"tenant": tenant, "order.id": f"o-{number}", "weekday": draw.choice(("mon", "tue", "wed"))}
        later = number * 1000 * MS
        spans = [
            replace(
                span,
                start_ns=span.start_ns + later,
                end_ns=None if span.end_ns is None else span.end_ns + later,
                resource={**span.resource, "service.version": version, "faas.instance": f"i-{number % 12}"},
                attributes={**span.attributes, **more} if span.kind is SpanKind.SERVER else span.attributes,
            )
            for span in made.spans
        ]
        found.append(Trace(spans))
    return found


def _values(traces: list[Trace]) -> dict[str, Any]:
    by_id = {trace.trace_id: trace for trace in traces}

    def find(wanted: Iterable[str]) -> dict[str, Trace]:
        return {one: by_id[one] for one in wanted}

    report = report_of([account(trace) for trace in traces], find)
    values, _ = page_values(report, find, command="lambda-latency report", version="1.0")
    return {name: values[name] for name in ("facts", "read", "slow", "columns")}


def test_planted_differences_come_first_and_chance_is_not_claimed(tmp_path: Path) -> None:
    """A version, a route, cold starts, an attribute; as many cases without a difference."""
    wanted = [SORTS[number % len(SORTS)] for number in range(CASES)]
    reports = [_values(_case(seed, sort)) for seed, sort in enumerate([*wanted, *[None] * CASES])]
    ranked = run_module(tmp_path, "differs", RANK, {"reports": reports})
    firsts = [one[0] if one else "" for one in ranked[:CASES]]
    assert firsts == [FIRST[sort] for sort in wanted]
    assert ranked[CASES:] == [[]] * CASES


def test_requests_are_compared_with_those_of_their_route(tmp_path: Path) -> None:
    """What only a slow route has explains nothing in it; the same requests under another name stand beside them."""
    size = 200
    route = [at % 2 for at in range(size)]
    facts = [
        {"name": "route", "texts": ["GET /", "POST /"], "column": "route"},
        {"name": "method", "texts": ["method = post"], "of": [0 if one else -1 for one in route]},
        {"name": "version", "texts": ["version 1", "version 2"], "of": [at // 2 % 2 for at in range(size)]},
        {"name": "image", "texts": ["image = b", "image = a"], "of": [1 - at // 2 % 2 for at in range(size)]},
    ]
    columns = {"wall_ns": [1] * size, "route": route, "flags": [0] * size, "status": [200] * size}
    slow = [[at, 0, 1] for at in range(size) if route[at] and at // 2 % 2]
    code = f"""(report) => {DIFFERING}.map((one) =>
      [one.fact, one.value, one.chosen, Math.round(one.rest * 100), one.same.map((other) => other.fact)])"""
    value = {"facts": facts, "read": None, "columns": columns, "slow": slow}
    assert run_module(tmp_path, "differs", code, value) == [[0, 1, 1, 33, []], [2, 1, 1, 33, [3]]]


def test_only_requests_that_were_read_count(tmp_path: Path) -> None:
    """Of many only some have their spans read: the others neither have a value nor lack it."""
    size, read = 300, list(range(0, 300, 3))
    columns = {"wall_ns": [1] * size, "route": [0] * size, "flags": [0] * size, "status": [200] * size}
    facts = [{"name": "tenant", "texts": ["tenant = gold"], "of": [0 if at < 60 else -1 for at in read]}]
    value = {"facts": facts, "read": read, "columns": columns, "slow": [[at, 0, 1] for at in range(60)]}
    code = f"(report) => {DIFFERING}.map(({{ chosen, rest }}) => [chosen, rest])"
    assert run_module(tmp_path, "differs", code, value) == [[1, 0]]


def test_facts_have_few_values() -> None:
    """Ids are no facts, nor what rules read; a version is one, whatever attribute tells it."""
    values = _values(_case(1, None))
    texts = {one["name"]: one["texts"] for one in values["facts"]}
    assert list(texts) == [
        *("route", "cold", "status", "error", "throttled", "version", "instance", "function", "tenant", "weekday"),
    ]
    assert texts["version"] == ["version 2.0.0", "version 2.0.1", "version 1.9.4"]
    assert len(texts["instance"]) == 12
    assert values["read"] is None


def test_of_many_requests_the_slow_ones_and_a_sample_are_read() -> None:
    """In order, none twice; of a few all are."""
    late = [request_of(9_000 + number, {PAYMENTS: 9_000}, timed_out=True) for number in range(200)]
    report = report_of([*drawn(1, 2_600), *late], lambda _: {})
    read = sample(report)
    assert read == sorted(set(read))
    assert 900 < len(read) <= 1_000
    slow = {one.account.trace_id for one in report.cohorts.slow}
    assert slow <= {report.accounts.trace_id(at) for at in read}
    assert sample(report_of(drawn(1, 300), lambda _: {})) == list(range(300))
