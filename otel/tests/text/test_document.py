"""The report as JSON: what the schema says, sums that add up, and the words of the text."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import lambda_latency.text
from lambda_latency.latency import Component, report_of
from lambda_latency.latency.breakdowns.component import CATEGORIES
from lambda_latency.latency.map import called
from lambda_latency.prices import read_prices
from lambda_latency.text.json_document import document
from lambda_latency.trace import Problem, Trace
from tests.latency.generated import few, hundred, load, slow_order, timed_out
from tests.latency.system import THEIRS, breakdown_of, order
from tests.trace.build import MS, T0

SCHEMA = json.loads((Path(lambda_latency.text.__file__).parent / "report.schema.json").read_text())


def _document(traces: Sequence[Trace], *, problems: Sequence[Problem] = (), per_request: bool = True) -> Any:
    by_id = {trace.trace_id: trace for trace in traces}
    accounts = [breakdown_of(trace) for trace in traces]
    report = report_of(
        accounts,
        lambda ids: {key: by_id[key] for key in ids},
        problems=problems,
        sources=["t.jsonl"],
        owners=THEIRS.owners,
    )
    return document(
        report, command="lambda-latency report t.jsonl", version="1", per_request=by_id if per_request else None
    )


@pytest.mark.parametrize("traces", [hundred(), few(), load(), [order()], [timed_out()], [slow_order()], []])
def test_every_report_is_what_the_schema_says(traces: list[Trace]) -> None:
    """All kinds of verdict, with timeouts, with nothing."""
    problems = [Problem("t.jsonl", 3, "cut"), Problem("t.jsonl", None, "twice", "counted")]
    for per_request in (True, False):
        doc = json.loads(json.dumps(_document(traces, problems=problems, per_request=per_request)))
        jsonschema.validate(doc, SCHEMA, format_checker=jsonschema.FormatChecker())
        assert ("per_request" in doc) is per_request


def test_the_schema_has_every_bucket() -> None:
    """Of a part, and of the callees of the map."""
    assert sorted(SCHEMA["$defs"]["name"]["enum"]) == sorted(CATEGORIES)
    kinds = SCHEMA["properties"]["map"]["properties"]["nodes"]["items"]["properties"]["kind"]["enum"]
    callees = {node[0] for node in map(called, map(Component, CATEGORIES)) if node is not None}
    assert sorted(kinds) == sorted({"api gateway", "function", *callees})


def test_the_schema_says_something() -> None:
    """A time that is no whole number is refused; a name that it does not know is allowed."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate({**_document([order()]), "more": 1}, SCHEMA)
    for change in ({"classes": 1}, {"requests": 1.5}, {"schema": 2}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**_document([order()]), **change}, SCHEMA)


def test_sums_add_up() -> None:
    """The parts of a request to its wall clock, its path too, and all of them to the buckets."""
    doc = _document(hundred())
    for r in doc["per_request"]:
        assert sum(part["ns"] for part in r["buckets"]) == r["wall_ns"]
        assert sum(step["end_ns"] - step["start_ns"] for step in r["path"]) == r["wall_ns"]
    walls = sum(r["wall_ns"] for r in doc["per_request"])
    assert sum(r["total_ns"] for r in doc["buckets"]) == walls
    difference = sum(r["difference_ns"] for r in doc["buckets"])
    assert abs(difference - doc["cohorts"]["difference_ns"]) <= len(doc["buckets"])  # each is rounded by itself


def test_the_verdict_stands_in_it_as_in_the_text() -> None:
    """With plain spaces between numbers and units."""
    verdict = _document(hundred())["verdict"]
    assert [c["name"] for c in verdict.pop("candidates")] == ["payments.example.com", "DynamoDB orders", ""]
    assert verdict == {
        "kind": "clear",
        "bucket": "external",
        "name": "payments.example.com",
        "owner": "theirs",
        "owner_evidence": "matched by --theirs '*payments.example.com'",
        "owner_options": None,
        "confidence": "medium",
        "sentence": "10 of 119 requests of POST /orders (8 %) wait for payments.example.com: 1,183 ms more than a "
        "typical one, 90 % of the excess. The cause is external.",
        "evidence": "Medium confidence: it is the largest excess in 10 of the 11 slow requests.",
        "suspects": [],
        "cautions": [],
        "trace_id": "6b05a667affeb9dbb0aa7f2b000000cb",
        "against": None,
        "example": {
            "trace_id": "6b05a667affeb9dbb0aa7f2b000000cb",
            "place": "lambda",
            "span": None,
            "span_ns": 0,
            "pool": False,
            "connects": None,
            "beside": None,
            "cold_start": None,
            "slow_call": None,
            "line": None,
            "attempts": None,
            "client_timeout": None,
            "log": {
                "group": "/aws/lambda/CreateOrder",
                "request_id": None,
                "region": None,
                "query": "fields @timestamp, @message | filter @message like "
                '"1-6b05a667-affeb9dbb0aa7f2b000000cb" | sort @timestamp asc | limit 200',
                "link": None,
            },
        },
    }


def test_a_thin_verdict_owns_nothing() -> None:
    """Its candidates are in the sentence."""
    thin = _document(few())["verdict"]
    assert [thin[key] for key in ("kind", "bucket", "name", "owner", "confidence")] == ["thin", None, None, None, "low"]


def test_the_head_says_what_was_read() -> None:
    """The window runs from the first start to the last end."""
    head = _document([order(200, number=1), order(300, number=2)])
    assert {
        key: head[key] for key in ("schema", "sources", "window", "requests", "sampling", "wall_ns", "slowest")
    } == {
        "schema": 3,
        "sources": ["t.jsonl"],
        "window": {"from": "2026-11-24T22:40:00.000000Z", "to": "2026-11-24T22:40:00.300000Z"},
        "requests": 2,
        "sampling": {"seen": 2, "total": None, "by_route": []},
        "wall_ns": {"p50": 200 * MS, "p90": 300 * MS, "p95": 300 * MS, "p99": 300 * MS, "max": 300 * MS},
        "slowest": [
            {"trace_id": "6b05a667affeb9dbb0aa7f2b00000002", "wall_ns": 300 * MS},
            {"trace_id": "6b05a667affeb9dbb0aa7f2b00000001", "wall_ns": 200 * MS},
        ],
    }


def test_the_map_says_who_calls_whom() -> None:
    """A timeout counts where the call was running."""
    graph = _document([order(200), timed_out()])["map"]
    assert graph["nodes"] == [
        {"id": 0, "kind": "function", "name": "CreateOrder"},
        {"id": 1, "kind": "api gateway", "name": "API Gateway"},
        {"id": 2, "kind": "aws", "name": "DynamoDB orders"},
        {"id": 3, "kind": "external", "name": "a-rather-long-name.payments.example.com"},
        {"id": 4, "kind": "external", "name": "payments.example.com"},
    ]
    short = [[edge[key] for key in ("from", "to", "calls", "p95_ns", "errors", "timeouts")] for edge in graph["edges"]]
    assert short == [
        [0, 2, 2, 12 * MS, 0, 0],
        [0, 3, 1, 2980 * MS, 0, 1],
        [0, 4, 1, 166 * MS, 0, 0],
        [1, 0, 2, 3010 * MS, 0, 1],
    ]


def test_a_timeout_is_told_with_what_was_running() -> None:
    """And cold starts with their mean."""
    doc = _document([timed_out(), order(200, cold=300)])
    assert doc["timeouts"] == [
        {
            "trace_id": "6b05a667affeb9dbb0aa7f2b00000069",
            "limit_ns": 0,
            "running": "POST a-rather-long-name.payments.example.com",
            "elapsed_ns": 2977 * MS,
            "frames": [],
            "threads": [],
            "own_code": None,
        }
    ]
    cost = {
        "memory_mb": 1024,
        "gb_seconds": 0.302,
        "dollars_a_million": 5.03,
        "prices": read_prices().source("lambda_gb_second_x86_64"),
    }
    assert doc["cold_starts"] == {"requests": 1, "mean_ns": 302 * MS, "cost": cost}


def test_ten_thousand_bad_lines_are_one_row() -> None:
    """With the first line and the count."""
    problems = [Problem("t.jsonl", line, "cut") for line in range(7, 10_007)]
    assert _document([order()], problems=problems)["problems"] == [
        {"source": "t.jsonl", "line": 7, "reason": "cut", "count": 10_000, "effect": "skipped"}
    ]


def test_a_request_is_told_with_its_path() -> None:
    """The first and the last section are API Gateway's."""
    [row] = _document([order(200)])["per_request"]
    assert {key: row[key] for key in ("route", "status", "start_ns", "wall_ns", "cold_start", "error", "timeout")} == {
        "route": "POST /orders",
        "status": 201,
        "start_ns": T0,
        "wall_ns": 200 * MS,
        "cold_start": False,
        "error": False,
        "timeout": False,
    }
    assert [row["path"][n]["name"] for n in (0, 1, -1)] == ["orders-api/dev", "CreateOrder", "orders-api/dev"]
