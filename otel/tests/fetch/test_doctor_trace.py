"""`doctor --trace ID`: the trace is fetched from X-Ray, and judged."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.fetch.account import sdk_segments
from tests.fetch.search import Search
from tests.fetch.standin import trace_id
from tests.fetch.test_fetch import filled

if TYPE_CHECKING:
    from tests.fetch.conftest import Run, Start


def lambdas_alone(name: str, start_s: int) -> list[dict[str, Any]]:
    """Lambda's own segments: the function's spans did not arrive."""
    times = {"trace_id": name, "start_time": float(start_s), "end_time": start_s + 0.1}
    service = {"id": "1" * 16, "name": "shop", "origin": "AWS::Lambda", **times}
    function = {"id": "2" * 16, "parent_id": "1" * 16, "name": "shop", "origin": "AWS::Lambda::Function", **times}
    return [service, function]


@pytest.mark.parametrize("search", [None, Search()], ids=["X-Ray", "Transaction Search"])
def test_a_trace_is_fetched_and_explained(start: Start, run: Run, search: Search | None) -> None:
    """Status 3 at an error, which names the trace."""
    xray = start(lambdas_alone, search=search)
    (name,) = filled(xray, 1, 3600)
    done = run("doctor", "--trace", name, "--endpoint-url", xray.url)
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith(f"{name}:1: error: ")
    assert "trace-without-function" in done.stdout


def test_a_whole_trace_has_no_finding(start: Start, run: Run) -> None:
    """Its segments are those of a function with the X-Ray SDK."""
    xray = start(sdk_segments)
    ids = filled(xray, 3, 3600)
    done = run("doctor", "--trace", ids[0], "--endpoint-url", xray.url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "No findings.\n", "")


def test_a_trace_that_x_ray_does_not_have_is_said(start: Start, run: Run) -> None:
    """It was not sampled, or is too old."""
    xray = start(sdk_segments)
    filled(xray, 3, 3600)
    missing = trace_id(int(time.time()) - 60, 999_999)
    done = run("doctor", "--trace", missing, "--endpoint-url", xray.url)
    assert (done.returncode, "trace-missing" in done.stdout) == (3, True), done
