"""The flame graph of critical paths: every nanosecond of every request once, in three formats."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.latency import stacks_of
from lambda_latency.text import Style, render_flame
from lambda_latency.trace import dump_line
from tests.latency.generated import load
from tests.latency.system import THEIRS, account, order

if TYPE_CHECKING:
    from pathlib import Path


def test_folded_stacks_add_up_to_all_requests() -> None:
    """The outermost span first; of two requests that are alike, twice the time."""
    traces = [order(100, number=1), order(100, number=2)]
    folded = render_flame(stacks_of(traces, THEIRS.owners), "requests.folded")
    lines = dict(line.rsplit(" ", 1) for line in folded.splitlines())
    assert sum(map(int, lines.values())) * 1000 == sum(account(one).wall_ns for one in traces)
    assert lines == EXPECTED


def test_nothing_is_lost_whatever_happens_to_a_request() -> None:
    """Cold starts, retries, timeouts: the sum is that of the wall clocks, to the nanosecond."""
    stacks = stacks_of(load(), THEIRS.owners)
    assert stacks.total() == sum(account(one).wall_ns for one in load())


def test_the_name_of_the_file_says_the_format(tmp_path: Path) -> None:
    """Written by the command; the same total in each."""
    traces = tmp_path / "traces.jsonl"
    traces.write_text("".join(dump_line(trace.spans) for trace in load()))
    written = {}
    for name in ("a.folded", "a.speedscope.json", "a.json"):
        assert run_report(Request([traces], flame=str(tmp_path / name)), Style(), io.StringIO()) == 0
        written[name] = (tmp_path / name).read_text()
    total = sum(int(line.rsplit(" ", 1)[1]) for line in written["a.folded"].splitlines())
    [profile] = json.loads(written["a.speedscope.json"])["profiles"]
    slices = json.loads(written["a.json"])["traceEvents"]
    assert sum(profile["weights"]) == profile["endValue"] == total
    assert max(one["ts"] + one["dur"] for one in slices) == total
    tops = [one for one in slices if one["ts"] == 0]
    assert tops[0]["dur"] == max(one["dur"] for one in slices)


def test_a_name_ends_neither_its_frame_nor_its_line() -> None:
    """Whatever a trace calls its spans."""
    assert render_flame({("a;b", "c\n9"): 5_000}, "x") == "a,b;c\\x0a9 5\n"


HANDLER = "orders-api/dev;Lambda CreateOrder;CreateOrder handler"
EXPECTED = {
    "orders-api/dev": "10000",
    "orders-api/dev;Lambda CreateOrder": "7000",
    HANDLER: "20000",
    f"{HANDLER};DynamoDB PutItem orders": "24000",
    f"{HANDLER};POST payments.example.com": "8000",
    f"{HANDLER};POST payments.example.com;payments POST /charges": "120000",
    f"{HANDLER};POST payments.example.com;payments POST /charges;INSERT charges": "4000",
    "orders-api/dev;Lambda CreateOrder;Lambda overhead": "7000",
}
