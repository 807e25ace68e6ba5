"""A fetch in one process: windows of time, options as an expression, batches, the file, and the whole of them."""

from __future__ import annotations

import io
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lambda_latency.fetch.clients import Clients
from lambda_latency.fetch.command import console, iam_policy
from lambda_latency.fetch.errors import FetchError
from lambda_latency.fetch.progress import Meter
from lambda_latency.fetch.refusals import refusal
from lambda_latency.fetch.run import BatchPool, Fetched, FetchRun
from lambda_latency.fetch.selection import Place, Selection, filter_expression, resolve
from lambda_latency.fetch.stores import LONGEST_S, batch, is_in_progress, windows
from lambda_latency.fetch.stores import XRay as Store
from lambda_latency.fetch.writer import Writer
from tests.fetch.account import sdk_segments
from tests.fetch.conftest import Start
from tests.fetch.standin import KNOWN, XRay, trace_id

SECOND = 1_000_000_000


@given(some.integers(0, 2**31 * SECOND), some.integers(1, 40 * 24 * 3600 * SECOND))
def test_windows_cover_a_time_without_a_gap_and_none_is_too_long(since: int, length: int) -> None:
    """The newest first, to the second."""
    cuts = windows(since, since + length)
    assert cuts[-1].start_s * SECOND <= since
    assert cuts[0].end_s * SECOND >= since + length
    assert cuts[0].end_s - cuts[-1].start_s <= length / SECOND + 2
    assert [window.start_s for window in cuts[:-1]] == [window.end_s for window in cuts[1:]]
    assert {0 < window.end_s - window.start_s <= LONGEST_S for window in cuts} == {True}


@pytest.mark.parametrize(
    ("options", "expression"),
    [
        ({}, None),
        ({"xray_filter": "  "}, None),
        ({"xray_filter": 'service("a") OR fault'}, 'service("a") OR fault'),
        ({"slower_ns": 500_000_000}, "responsetime > 0.5"),
        ({"slower_ns": 0}, "responsetime > 0"),
        ({"slower_ns": 30_000_000_000}, "responsetime > 30"),
        ({"slower_ns": 1_000}, "responsetime > 0.000001"),
        ({"errors": True}, "error = true OR fault = true"),
        ({"xray_filter": "ok", "errors": True}, "ok AND (error = true OR fault = true)"),
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
def test_options_become_one_expression(options: dict[str, Any], expression: str | None) -> None:
    """Joined by AND, an OR in parentheses; a route's parameters are left to the report."""
    assert filter_expression(**options) == expression


def test_what_was_left_open_is_the_last_hour() -> None:
    """Until now; an end in the future is now."""
    now_ns = 1_795_600_000 * SECOND
    choice = resolve(None, None, now_ns=now_ns)
    assert (choice.since_ns, choice.until_ns) == (now_ns - 3600 * SECOND, now_ns)
    assert resolve(now_ns - SECOND, now_ns + SECOND, now_ns=now_ns).until_ns == now_ns
    assert resolve(None, now_ns - 3600 * SECOND, now_ns=now_ns).since_ns == now_ns - 7200 * SECOND
    with pytest.raises(FetchError, match="--since must be before --until and before now, got 2026-"):
        resolve(now_ns, now_ns, now_ns=now_ns)
    with pytest.raises(FetchError, match="X-Ray keeps traces for 30 days") as error:
        resolve(now_ns - 31 * 24 * 3600 * SECOND, None, now_ns=now_ns)
    assert error.value.todo == "use --since 30d"


class Answers:
    """A client that gives these answers, one after the other, and keeps what it was asked."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, Any]] = []

    def batch_get_traces(self, **parameters: Any) -> dict[str, Any]:
        self.requests.append(parameters)
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
    assert client.requests == [{"TraceIds": ["a", "b", "c"]}, {"TraceIds": ["a", "b", "c"], "NextToken": "t"}]


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

    pool = BatchPool(work, 2)
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
    seconds = [0.0]
    out = Terminal()
    meter = Meter(out, clock=lambda: seconds[0])
    lines = [meter.line(0.0)]
    meter.listed(1_000, 0.25)
    meter.fetched(500)
    lines.append(meter.line(10.0))
    meter.listed(2_000, 1.0)
    lines.append(meter.line(10.0))
    seconds[0] = 1.0
    meter.waiting(3)
    lines.append(meter.line(10.0))
    meter.close()
    meter.fetched(501)
    assert lines == [
        "listing traces",
        "fetching 500 of about 4,000 traces  ━━──────────────  50 a second, 1:10 left",
        "fetching 500 of 2,000 traces  ━━━━────────────  50 a second, 0:30 left",
        "fetching 500 traces, requesting 3 again that were not ready",
    ]
    assert out.getvalue() == f"\r\x1b[2K{lines[3]}\r\x1b[2K"
    quiet = io.StringIO()
    Meter(quiet).fetched(1)
    assert quiet.getvalue() == ""


def test_the_policy_allows_the_calls_that_are_made_and_no_other() -> None:
    """Each by the name of its operation."""
    allowed = [action for statement in json.loads(iam_policy())["Statement"] for action in statement["Action"]]
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


# ---- The whole by itself, with a clock that is not waited for: what is requested again, and for how long ----


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those that the fake knows."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": KNOWN,
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)


def fetch(xray: XRay, out: Path, slept: list[float]) -> tuple[Fetched, list[dict[str, Any]]]:
    """Fetch all of the last hours."""
    place = Place(region="us-east-1", endpoint_url=xray.url)
    now_ns = time.time_ns()
    result = FetchRun(
        Store(Clients(place).make("xray")),
        Selection(now_ns - 6 * 3600 * 10**9, now_ns),
        Writer(out),
        Meter(io.StringIO()),
        refusal=lambda error: refusal(error, place),
        sleep=slept.append,
    ).run()
    return result, [json.loads(line) for line in out.read_text().splitlines()]


def filled(xray: XRay, *ages_s: int) -> list[str]:
    """A trace of each age."""
    now_s = int(time.time())
    ids = [trace_id(now_s - age, number) for number, age in enumerate(ages_s)]
    for name in ids:
        xray.put(int(name.split("-")[1], 16), name)
    return ids


def test_traces_in_progress_are_asked_for_again_until_they_end(start: Start, tmp_path: Path) -> None:
    """At once, and then after growing pauses; those that ended are not asked for any more."""
    xray = start(sdk_segments)
    ids = filled(xray, 30, 40, 50)
    xray.in_progress = {ids[0]: 1, ids[1]: 3}
    slept: list[float] = []
    result, traces = fetch(xray, tmp_path / "out.jsonl", slept)
    assert slept == [0, 2, 5]
    assert (result.traces, result.in_progress, result.missing, result.ended) == (3, 0, 0, None)
    assert [t["Id"] for t in traces] == [ids[2], ids[0], ids[1]]
    assert "in_progress" not in json.dumps(traces)


def test_what_began_hours_ago_is_asked_once_more_and_then_left(start: Start, tmp_path: Path) -> None:
    """No function runs for longer than 15 minutes: it will never end. What is young is waited for half a minute."""
    xray = start(sdk_segments)
    old, young = filled(xray, 4 * 3600, 30)
    xray.in_progress = {old: 99}
    slept: list[float] = []
    result, traces = fetch(xray, tmp_path / "out.jsonl", slept)
    assert (slept, result.traces, result.in_progress) == ([0], 2, 1)
    assert [t["Id"] for t in traces] == [young, old]
    xray.in_progress = {young: 99}
    result, traces = fetch(xray, tmp_path / "out.jsonl", slept)
    assert (slept, result.traces, result.in_progress) == ([0, 0, 2, 5, 10, 10], 2, 1)
    assert [t["Id"] for t in traces] == [old, young]


def test_what_is_first_seen_open_late_is_asked_once_more_all_the_same(start: Start, tmp_path: Path) -> None:
    """Not processed the first time, in progress the second, complete the third: however old it is."""
    xray = start(sdk_segments)
    [old] = filled(xray, 4 * 3600)
    xray.absent, xray.in_progress = {old: 1}, {old: 1}
    slept: list[float] = []
    result, _ = fetch(xray, tmp_path / "out.jsonl", slept)
    assert (slept, result.traces, result.in_progress) == ([0, 2], 1, 0)


def test_ids_that_are_not_processed_are_asked_for_again(start: Start, tmp_path: Path) -> None:
    """One that never comes is counted as missing."""
    xray = start(sdk_segments)
    ids = filled(xray, 30, 40, 50)
    xray.absent = {ids[0]: 2, ids[1]: 99}
    slept: list[float] = []
    result, traces = fetch(xray, tmp_path / "out.jsonl", slept)
    assert slept == [0, 2, 5, 10, 10]
    assert (result.traces, result.missing, result.ended) == (2, 1, None)
    assert sorted(t["Id"] for t in traces) == sorted([ids[0], ids[2]])


def test_what_was_held_is_written_when_the_fetch_ends_early(start: Start, tmp_path: Path) -> None:
    """A trace in progress is in the file although it was refused the next time (after a batch)."""
    xray = start(sdk_segments, denied_after=1)
    [only] = filled(xray, 30)
    xray.in_progress = {only: 99}
    result, traces = fetch(xray, tmp_path / "out.jsonl", [])
    assert [t["Id"] for t in traces] == [only]
    assert (result.in_progress, result.missing) == (1, 0)
    assert isinstance(result.ended, FetchError)
    assert result.ended.what.startswith("AWS does not allow BatchGetTraces")
