"""What a fetch would take, before it is begun."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.fetch.account import sdk_segments
from tests.fetch.test_fetch import filled

if TYPE_CHECKING:
    from tests.fetch.conftest import Run, Start

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_a_short_time_is_counted(start: Start, run: Run) -> None:
    """Calls and dollars; nothing is fetched."""
    xray = start(sdk_segments)
    filled(xray, 250, 3600)
    for command in (["report", "--xray"], ["fetch"]):
        done = run(*command, "--dry-run", "--until", "1s", "--endpoint-url", xray.url)
        assert (done.returncode, TIME.sub("T", done.stdout), done.stderr) == (
            0,
            (
                "Dry run, nothing was fetched: X-Ray in us-east-1, T to T.\n"
                "250 traces.\n"
                "Calls: 3 GetTraceSummaries and 50 BatchGetTraces.\n"
                "X-Ray charges $0.0003: 250 traces scanned and 250 retrieved, at $0.50 a million\n"
                "(public list prices of us-east-1, 2026-07); the first 1,000,000 of a month are free.\n"
                "This dry run took 3 calls and scanned 250 traces.\n"
            ),
            "",
        )
    assert xray.calls["/Traces"] == 0


def test_a_long_time_is_estimated_from_a_minute_of_each_hour(start: Start, run: Run) -> None:
    """Within a tenth of what is there, for a sixtieth of it; a filter scans what it does not choose."""
    xray = start(sdk_segments, page=1000, matches={"fault": lambda name: int(name[-6:], 16) % 10 == 0})
    filled(xray, 60_000, 2 * 24 * 3600)
    done = run("fetch", "--dry-run", "--since", "2d", "--filter", "fault", "--endpoint-url", xray.url)
    match = re.search(r"About ([\d,]+) traces match \(one minute of each hour was counted\)", done.stdout)
    scanned = re.search(r"X-Ray charges about \$0\.03: about ([\d,]+) traces scanned", done.stdout)
    spent = re.search(r"This dry run took ([\d,]+) calls and scanned ([\d,]+) traces", done.stdout)
    assert match is not None
    assert scanned is not None
    assert spent is not None
    assert abs(int(match[1].replace(",", "")) - 6_000) < 600
    assert abs(int(scanned[1].replace(",", "")) - 60_000) < 6_000
    assert xray.calls["/TraceSummaries"] == int(spent[1])
    assert int(spent[2].replace(",", "")) < 2_000


def test_the_policy_needs_no_account(run: Run) -> None:
    """It is printed without credentials and without a file to write to."""
    for command in (["report", "--print-policy"], ["fetch", "--print-policy"], ["report", "--xray", "--print-policy"]):
        done = run(*command, AWS_ACCESS_KEY_ID="", AWS_DEFAULT_REGION="")
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["Version"] == "2012-10-17"
