"""The small parts of a fetch: windows of time, options as an expression, batches, the file, the terminal's line."""

from __future__ import annotations

import io
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lambda_latency.fetch.asked import resolve
from lambda_latency.fetch.batches import batch, is_in_progress
from lambda_latency.fetch.command import console
from lambda_latency.fetch.errors import FetchError
from lambda_latency.fetch.expression import filter_expression
from lambda_latency.fetch.policy import iam_policy
from lambda_latency.fetch.pool import Pool
from lambda_latency.fetch.progress import Meter
from lambda_latency.fetch.windows import LONGEST_S, windows
from lambda_latency.fetch.writer import Writer

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000_000


@given(some.integers(0, 2**31 * SECOND), some.integers(1, 40 * 24 * 3600 * SECOND))
def test_windows_cover_a_time_without_a_gap_and_none_is_too_long(since: int, length: int) -> None:
    """The newest first, to the second."""
    found = windows(since, since + length)
    assert found[-1].start_s * SECOND <= since
    assert found[0].end_s * SECOND >= since + length
    assert found[0].end_s - found[-1].start_s <= length / SECOND + 2
    assert [one.start_s for one in found[:-1]] == [one.end_s for one in found[1:]]
    assert {0 < one.end_s - one.start_s <= LONGEST_S for one in found} == {True}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, None),
        ({"own": "  "}, None),
        ({"own": 'service("a") OR fault'}, 'service("a") OR fault'),
        ({"slower_ns": 500_000_000}, "responsetime > 0.5"),
        ({"slower_ns": 0}, "responsetime > 0"),
        ({"slower_ns": 30_000_000_000}, "responsetime > 30"),
        ({"slower_ns": 1_000}, "responsetime > 0.000001"),
        ({"errors": True}, "error = true OR fault = true"),
        ({"own": "ok", "errors": True}, "ok AND (error = true OR fault = true)"),
        ({"route": "POST /orders"}, 'http.method = "POST" AND http.url CONTAINS "/orders"'),
        (
            {"route": "POST /orders/{id}/cancel", "slower_ns": 1_500_000},
            (
                'responsetime > 0.0015 AND http.method = "POST" AND http.url CONTAINS "/orders/" AND '
                'http.url CONTAINS "/cancel"'
            ),
        ),
        ({"route": "GET /"}, 'http.method = "GET"'),
        ({"route": "GET /na\u00efve/{proxy+}"}, 'http.method = "GET"'),
        ({"route": "orders-api/prod"}, 'service("orders-api/prod")'),
        ({"route": "POST CreateOrder"}, 'http.method = "POST" AND service("CreateOrder")'),
        ({"route": "my function"}, 'service("my function")'),
        ({"route": 'a"b\\'}, 'service("a\\"b\\\\")'),
    ],
)
def test_options_become_one_expression(options: dict[str, Any], told: str | None) -> None:
    """Joined by AND, an OR in parentheses; a route's parameters are left to the report."""
    assert filter_expression(**options) == told


def test_what_was_left_open_is_the_last_hour() -> None:
    """Until now; an end in the future is now."""
    now = 1_795_600_000 * SECOND
    last = resolve(None, None, now_ns=now)
    assert (last.since_ns, last.until_ns) == (now - 3600 * SECOND, now)
    assert resolve(now - SECOND, now + SECOND, now_ns=now).until_ns == now
    assert resolve(None, now - 3600 * SECOND, now_ns=now).since_ns == now - 7200 * SECOND
    with pytest.raises(FetchError, match="--since must be before --until and before now, got 2026-"):
        resolve(now, now, now_ns=now)
    with pytest.raises(FetchError, match="X-Ray keeps traces for 30 days"):
        resolve(now - 31 * 24 * 3600 * SECOND, None, now_ns=now)


class Answers:
    """A client that gives these answers, one after the other, and keeps what it was asked."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def batch_get_traces(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return self.answers.pop(0)


def test_a_batch_is_all_of_its_pages() -> None:
    """A trace that goes on on the next page is one trace."""
    client = Answers(
        {"Traces": [{"Id": "a", "Segments": [1]}], "NextToken": "t"},
        {"Traces": [{"Id": "a", "Segments": [2]}, {"Id": "b", "Segments": []}], "UnprocessedTraceIds": ["c"]},
    )
    answer = batch(client, ["a", "b", "c"])
    assert answer.traces == {"a": {"Id": "a", "Segments": [1, 2]}, "b": {"Id": "b", "Segments": []}}
    assert answer.calls == 2
    assert client.asked == [{"TraceIds": ["a", "b", "c"]}, {"TraceIds": ["a", "b", "c"], "NextToken": "t"}]


@pytest.mark.parametrize(
    ("document", "is_open"),
    [
        ({"id": "a", "in_progress": True}, True),
        ({"id": "a", "in_progress": False, "end_time": 1}, False),
        ({"id": "a", "in_progress": True, "end_time": 1}, False),
        ({"id": "a", "end_time": 1, "subsegments": [{"id": "b", "subsegments": [{"in_progress": True}]}]}, True),
        ({"id": "a", "name": "in_progress", "metadata": {"in_progress": True}, "end_time": 1}, False),
    ],
)
def test_a_trace_is_in_progress_where_a_segment_says_so(document: dict[str, Any], is_open: bool) -> None:
    """At any depth, and nowhere else."""
    assert (
        is_in_progress({"Segments": [{"Document": json.dumps({"end_time": 1})}, {"Document": json.dumps(document)}]})
        is is_open
    )


def trace(name: str, **more: Any) -> dict[str, Any]:
    """A trace without segments."""
    return {"Id": name, "Segments": [], **more}


def test_a_held_trace_gives_way_to_a_later_version_of_it(tmp_path: Path) -> None:
    """Whatever was held last is written at the end; what was written is not written again."""
    path = tmp_path / "out.jsonl"
    path.write_text("of another time\n")
    writer = Writer(path)
    writer.hold(trace("a", Duration=1))
    writer.hold(trace("b", Duration=1))
    assert path.read_text() == "of another time\n"
    writer.write(trace("c"))
    writer.hold(trace("b", Duration=2))
    writer.write(trace("a", Duration=3, LimitExceeded=True))
    assert writer.held == {"b"}
    assert writer.close() == 1
    writer.write(trace("d"))
    assert (writer.close(), writer.count, writer.too_long) == (0, 3, 1)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        trace("c"),
        trace("a", Duration=3, LimitExceeded=True),
        trace("b", Duration=2),
    ]


def test_a_file_that_cannot_be_written_is_named_before_anything_is_asked(tmp_path: Path) -> None:
    """And none is left behind where no trace came."""
    with pytest.raises(FetchError, match=r"none/out.jsonl cannot be written: No such file or directory$"):
        Writer(tmp_path / "none" / "out.jsonl")
    Writer(tmp_path / "out.jsonl").close()
    assert list(tmp_path.iterdir()) == []


def test_the_first_failure_ends_the_work_of_all() -> None:
    """Nothing is begun after it, and whoever waits is told."""
    done: list[str] = []
    failed = threading.Event()

    def work(ids: list[str]) -> None:
        if ids == ["bad"]:
            failed.set()
            raise FetchError("no", "way")
        failed.wait(20)
        done.extend(ids)

    pool = Pool(work, 2)
    pool.submit(["good"])
    pool.submit(["bad"])
    with pytest.raises(FetchError, match="no"):
        pool.wait()
    with pytest.raises(FetchError, match="no"):
        pool.submit(["later"])
    pool.close(20)
    assert done == ["good"]


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def test_the_line_on_the_terminal_tells_how_many_how_fast_and_how_long() -> None:
    """It is gone at the end; on what is no terminal there is none."""
    now = [0.0]
    out = Terminal()
    meter = Meter(out, clock=lambda: now[0])
    told = [meter.line(0.0)]
    meter.listed(1_000, 0.25)
    meter.fetched(500)
    told.append(meter.line(10.0))
    meter.listed(2_000, 1.0)
    told.append(meter.line(10.0))
    now[0] = 1.0
    meter.waiting(3)
    told.append(meter.line(10.0))
    meter.close()
    meter.fetched(501)
    assert told == [
        "listing traces",
        "fetching 500 of about 4,000 traces  ━━──────────────  50 a second, 1:10 left",
        "fetching 500 of 2,000 traces  ━━━━────────────  50 a second, 0:30 left",
        "fetching 500 traces, requesting 3 again that were not ready",
    ]
    assert out.getvalue() == f"\r\x1b[2K{told[3]}\r\x1b[2K"
    quiet = io.StringIO()
    Meter(quiet).fetched(1)
    assert quiet.getvalue() == ""


def test_the_policy_allows_the_calls_that_are_made_and_no_other() -> None:
    """Each by the name of its operation."""
    allowed = [action for one in json.loads(iam_policy())["Statement"] for action in one["Action"]]
    assert allowed == [
        "xray:BatchGetTraces",
        "xray:GetTraceSegmentDestination",
        "xray:GetTraceSummaries",
        "xray:ListRetrievedTraces",
        "xray:StartTraceRetrieval",
        "cloudwatch:GetMetricData",
        "cloudwatch:ListMetrics",
        "logs:StartQuery",
        "logs:GetQueryResults",
        "logs:StopQuery",
    ]


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "console.aws.amazon.com"),
        ("cn-north-1", "console.amazonaws.cn"),
        ("us-gov-west-1", "console.amazonaws-us-gov.com"),
    ],
)
def test_the_console_of_a_region_is_that_of_its_partition(region: str, host: str) -> None:
    """A trace id completes the address."""
    assert console(region) == f"https://{region}.{host}/cloudwatch/home?region={region}#xray:traces/"
