"""The fetch by itself, with a clock that is not waited for: what is asked for again, and for how long."""

from __future__ import annotations

import io
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from lambda_latency.fetch.asked import Asked, Place
from lambda_latency.fetch.clients import Clients
from lambda_latency.fetch.errors import FetchError
from lambda_latency.fetch.progress import Meter
from lambda_latency.fetch.refusals import refusal
from lambda_latency.fetch.run import Fetched, run
from lambda_latency.fetch.stores import XRay as Store
from lambda_latency.fetch.writer import Writer
from tests.fetch.account import sdk_segments
from tests.fetch.standin import KNOWN, XRay, trace_id

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fetch.conftest import Start


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those that the stand-in knows."""
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
    now = time.time_ns()
    told = run(
        Store(Clients(place).make("xray")),
        Asked(now - 6 * 3600 * 10**9, now),
        Writer(out),
        Meter(io.StringIO()),
        refusal=lambda error: refusal(error, place),
        sleep=slept.append,
    )
    return told, [json.loads(line) for line in out.read_text().splitlines()]


def filled(xray: XRay, *ages_s: int) -> list[str]:
    """A trace of each age."""
    now = int(time.time())
    ids = [trace_id(now - age, number) for number, age in enumerate(ages_s)]
    for one in ids:
        xray.put(int(one.split("-")[1], 16), one)
    return ids


def test_traces_in_progress_are_asked_for_again_until_they_end(start: Start, tmp_path: Path) -> None:
    """At once, and then after growing pauses; those that ended are not asked for any more."""
    xray = start(sdk_segments)
    ids = filled(xray, 30, 40, 50)
    xray.in_progress = {ids[0]: 1, ids[1]: 3}
    slept: list[float] = []
    told, traces = fetch(xray, tmp_path / "out.jsonl", slept)
    assert slept == [0, 2, 5]
    assert (told.traces, told.in_progress, told.missing, told.ended) == (3, 0, 0, None)
    assert [one["Id"] for one in traces] == [ids[2], ids[0], ids[1]]
    assert "in_progress" not in json.dumps(traces)


def test_what_began_hours_ago_is_asked_once_more_and_then_left(start: Start, tmp_path: Path) -> None:
    """No function runs for longer than 15 minutes: it will never end. What is young is waited for half a minute."""
    xray = start(sdk_segments)
    old, young = filled(xray, 4 * 3600, 30)
    xray.in_progress = {old: 99}
    slept: list[float] = []
    told, traces = fetch(xray, tmp_path / "out.jsonl", slept)
    assert (slept, told.traces, told.in_progress) == ([0], 2, 1)
    assert [one["Id"] for one in traces] == [young, old]
    xray.in_progress = {young: 99}
    told, traces = fetch(xray, tmp_path / "out.jsonl", slept)
    assert (slept, told.traces, told.in_progress) == ([0, 0, 2, 5, 10, 10], 2, 1)
    assert [one["Id"] for one in traces] == [old, young]


def test_what_is_first_seen_open_late_is_asked_once_more_all_the_same(start: Start, tmp_path: Path) -> None:
    """Not processed the first time, in progress the second, complete the third: however old it is."""
    xray = start(sdk_segments)
    [old] = filled(xray, 4 * 3600)
    xray.absent, xray.in_progress = {old: 1}, {old: 1}
    slept: list[float] = []
    told, _ = fetch(xray, tmp_path / "out.jsonl", slept)
    assert (slept, told.traces, told.in_progress) == ([0, 2], 1, 0)


def test_ids_that_are_not_processed_are_asked_for_again(start: Start, tmp_path: Path) -> None:
    """One that never comes is counted as missing."""
    xray = start(sdk_segments)
    ids = filled(xray, 30, 40, 50)
    xray.absent = {ids[0]: 2, ids[1]: 99}
    slept: list[float] = []
    told, traces = fetch(xray, tmp_path / "out.jsonl", slept)
    assert slept == [0, 2, 5, 10, 10]
    assert (told.traces, told.missing, told.ended) == (2, 1, None)
    assert sorted(one["Id"] for one in traces) == sorted([ids[0], ids[2]])


def test_what_was_held_is_written_when_the_fetch_ends_early(start: Start, tmp_path: Path) -> None:
    """A trace in progress is in the file although it was refused the next time (after two pages and a batch)."""
    xray = start(sdk_segments, denied_after=3)
    [only] = filled(xray, 30)
    xray.in_progress = {only: 99}
    told, traces = fetch(xray, tmp_path / "out.jsonl", [])
    assert [one["Id"] for one in traces] == [only]
    assert (told.in_progress, told.missing) == (1, 0)
    assert isinstance(told.ended, FetchError)
    assert told.ended.what.startswith("AWS does not allow BatchGetTraces")
