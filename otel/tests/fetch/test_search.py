"""An account with Transaction Search, against a fake that is as strict as AWS documents it."""

import re
import time
from pathlib import Path

import pytest

from tests.fetch.account import sdk_segments
from tests.fetch.conftest import Run, Start, measured
from tests.fetch.search import Search
from tests.fetch.test_fetch import TIME, WEEK_S, fetched, filled


def slow(name: str) -> bool:
    """Whether a trace of `sdk_segments` is a slow one."""
    return int(name[-6:], 16) % 20 == 7


def test_a_report_says_which_source_was_read_and_what_it_scanned(start: Start, run: Run) -> None:
    """X-Ray's own API would have found nothing here."""
    xray = start(sdk_segments, search=Search())
    filled(xray, 100, 3600)
    done = run("report", "--xray", "--since", "2h", AWS_ENDPOINT_URL=xray.url)
    text = TIME.sub("T", " ".join(done.stdout.split()))
    assert (done.returncode, done.stderr) == (4, "")  # CloudWatch, which counts requests, refuses
    assert "payments.example.com" in text
    assert (
        "Fetched from Transaction Search in us-east-1: 100 traces from T to T. Logs Insights scanned 0.9 MB ($0.0000)."
    ) in text
    assert (xray.calls["/TraceSummaries"], xray.calls["/Traces"]) == (0, 0)


def test_both_stores_give_the_same_report(start: Start, run: Run) -> None:
    """But for the sentence that says where it was read."""
    reports = []
    for search in (None, Search()):
        xray = start(sdk_segments, search=search)
        filled(xray, 60, 3600)
        done = run("report", "--xray", "--since", "2h", AWS_ENDPOINT_URL=xray.url)
        reports.append(re.split(r"\n\S*Fetched from", done.stdout)[0].replace("Transaction Search", "X-Ray"))
    assert re.sub(r"[0-9a-f-]{35}", "ID", reports[0]) == re.sub(r"[0-9a-f-]{35}", "ID", reports[1])


def test_options_choose_traces_by_conditions_of_logs_insights(start: Start, run: Run, tmp_path: Path) -> None:
    """Each may match more than it says; the report filters again."""
    conditions = (
        "durationNano > 500000000",
        '(status.code = "ERROR" or attributes.http.response.status_code >= 400 or attributes.http.status_code >= 400)',
        '(name = "POST /orders" or attributes.http.route = "/orders")',
    )
    xray = start(sdk_segments, search=Search(matches=dict.fromkeys(conditions, slow)))
    ids = filled(xray, 100, 3600)
    options = ("--slower-than", "500", "--errors", "--route", "POST /orders", "--since", "2h", "--out", "o.jsonl")
    done = run("fetch", *options, AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(fetched(tmp_path / "o.jsonl")) == sorted(filter(slow, ids))


def test_a_filter_in_x_rays_language_is_refused_with_what_to_say(start: Start, run: Run) -> None:
    """Nothing is scanned for it."""
    xray = start(sdk_segments, search=Search())
    done = run("fetch", "--out", "-", "--filter", "fault = true", AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        (
            "lambda-latency: --filter is an X-Ray filter expression, but this account's traces are in CloudWatch "
            "(Transaction Search)\n  use --route, --slower-than, --errors, --since and --until instead\n"
        ),
    )


def test_one_trace_is_found_by_its_id_alone(start: Start, run: Run, tmp_path: Path) -> None:
    """At any time; no query is paid for."""
    xray = start(sdk_segments, search=Search())
    ids = filled(xray, 3, WEEK_S)
    done = run("report", "--xray", "--trace", ids[-1], AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "payments.example.com" in done.stdout
    assert xray.search is not None
    assert xray.search.calls["StartQuery"] == 0


@pytest.mark.parametrize(
    ("search", "status"),
    [(Search(busy=2), ""), (Search(ends=["Failed"]), "Failed"), (Search(ends=["Timeout"]), "Timeout")],
    ids=["busy", "failed", "timeout"],
)
def test_a_query_that_is_refused_for_a_while_is_begun_again(
    start: Start, run: Run, search: Search, status: str
) -> None:
    """One that CloudWatch gives up is said."""
    xray = start(sdk_segments, search=search)
    filled(xray, 30, 3600)
    done = run("fetch", "--out", "o.jsonl", AWS_ENDPOINT_URL=xray.url)
    said = (
        f"lambda-latency: CloudWatch ended a query of aws/spans with status {status}\n"
        "  try again later, or choose a shorter period (--since)\n"
    )
    assert (done.returncode, done.stderr) == ((1, said) if status else (0, ""))


def test_who_may_not_ask_where_traces_are_is_told_what_was_read(start: Start, run: Run) -> None:
    """X-Ray's own API, which may know one trace in a hundred."""
    xray = start(sdk_segments, may_ask_where=False)
    filled(xray, 30, 3600)
    done = run("report", "--xray", "--problems", AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, done.stderr) == (4, "")
    text = " ".join(done.stdout.split())
    assert (
        "skipped: X-Ray us-east-1: AWS does not allow GetTraceSegmentDestination: only X-Ray's own traces were read, "
        "by default 1 % of all with Transaction Search"
    ) in text


def test_what_would_be_scanned_is_said_and_bounded_before_it_is(start: Start, run: Run, moto: str) -> None:
    """By what CloudWatch took in, which costs nothing to ask."""
    search = Search()
    xray = start(sdk_segments, search=search, cloudwatch=moto)
    filled(xray, 10, 3600)
    measured(moto, "AWS/Logs/IncomingBytes", int(time.time()) - 1800, 12.5e9, LogGroupName="aws/spans")
    done = run("fetch", "--dry-run", "--since", "2h", "--until", "1s", AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, TIME.sub("T", done.stdout), done.stderr) == (
        0,
        (
            "Dry run, nothing was fetched: Transaction Search in us-east-1, T to T.\n"
            "The traces are in the log group aws/spans, which ingested 12.50 GB ($0.06) in these hours.\n"
            "Logs Insights charges for what it scans, in brackets (public list prices of us-east-1, 2026-08-06): "
            "all of it once,\nand again each time that a query finds over 10,000 traces.\n"
        ),
        "",
    )
    done = run("fetch", "--out", "-", "--since", "2h", "--max-gb", "5", AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        (
            "lambda-latency: Logs Insights would scan 12.50 GB of aws/spans, --max-gb is 5\n"
            "  choose a shorter period (--since), or allow more (--max-gb)\n"
        ),
    )
    assert search.calls["StartQuery"] == 0
