"""An account archived hour by hour: each trace once, whatever fails and whenever a run ends."""

import json
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lambda_latency.archive import ArchiveError, hourly, read_requests
from lambda_latency.archive.hourly import archive_hours, handle
from lambda_latency.fetch import Account, FetchError, Place
from lambda_latency.fetch.run import FetchRun
from tests.fetch.account import sdk_segments
from tests.fetch.conftest import (
    Start,
    start,  # noqa: F401 - a fixture
)
from tests.fetch.search import Search
from tests.fetch.standin import KNOWN, XRay, trace_id

SECOND_NS = 1_000_000_000
HOUR_S = 3600
NOW_S = int(time.time()) // HOUR_S * HOUR_S + 20 * 60 - 24 * HOUR_S  # a time when the schedule runs
LAST_S = NOW_S - 20 * 60 - HOUR_S  # the beginning of the hour that is archived then
KINDS = {"X-Ray": None, "Transaction Search": Search}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those that the fake knows, and no waiting for traces that are not ready."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KNOWN)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setattr("lambda_latency.fetch.command.FetchRun", partial(FetchRun, sleep=lambda _: None))


def filled(xray: XRay, hour: int, count: int = 40) -> list[str]:
    """Traces of an hour, counted from the last one before now; none begins in the second of the full hour."""
    ids = []
    for number in range(count):
        start_s = LAST_S + hour * HOUR_S + 1 + number * (HOUR_S - 2) // (count - 1)
        ids.append(trace_id(start_s, (hour + 100) * count + number))
        xray.put(start_s, ids[-1])
    return ids


def archived(xray: XRay, where: str, hour: int = 0, left_s: Callable[[], float] = lambda: 600) -> list[str]:
    """What a run says that begins so many hours after now."""
    account = Account(Place(region="us-east-1", endpoint_url=xray.url))
    return list(archive_hours(where, account, (NOW_S + hour * HOUR_S) * SECOND_NS, left_s))


def rows(where: str) -> list[str]:
    """The traces of all rows, each as often as it was written, as X-Ray spells their ids."""
    ids = [key for path in Path(where).rglob("*.parquet") for key in pq.read_table(path)["trace_id"].to_pylist()]
    return sorted(f"1-{key[:8]}-{key[8:]}" for key in ids)


def counted(where: str) -> list[str]:
    """The traces that a report counts."""
    accounts = read_requests(where).breakdowns
    ids = [accounts.trace_id(index) for index in range(len(accounts))]
    return sorted(f"1-{key[:8]}-{key[8:]}" for key in ids)


def batches(xray: XRay) -> int:
    """The calls that asked for whole traces."""
    return xray.calls["/Traces"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_hour_is_archived_once(start: Start, tmp_path: Path, kind: str) -> None:  # noqa: F811
    """The first run begins with the last hour; one that comes again has nothing to do; a missed one is made up for."""
    xray, where = start(sdk_segments, search=KINDS[kind] and Search()), str(tmp_path / "archive")
    ids = {hour: filled(xray, hour) for hour in (-1, 0, 1, 3)}  # nothing happened in hour 2
    [line] = archived(xray, where)
    assert line.startswith(time.strftime("%Y-%m-%dT%H:%MZ: 40 traces with ", time.gmtime(LAST_S)))
    assert archived(xray, where) == ["there is no new hour"]
    assert rows(where) == sorted(ids[0])
    early, second, third = archived(xray, where, 3)
    assert ("40 traces" in early, second[18:], "40 traces" in third) == (True, " no traces", True)
    assert rows(where) == sorted(ids[0] + ids[1] + ids[3])
    assert sorted(path.name for path in Path(where).iterdir()) == [
        "accounts",
        "archive.hourly",
        "archive.version",
        "samples",
        "spans",
    ]


def test_what_begins_with_the_full_hour_counts_once(start: Start, tmp_path: Path) -> None:  # noqa: F811
    """X-Ray lists it in both hours: it does not say which of them the second between them belongs to."""
    xray, where = start(sdk_segments), str(tmp_path / "archive")
    ids = [*filled(xray, 0), *filled(xray, 1), trace_id(LAST_S + HOUR_S, 7)]
    xray.put(LAST_S + HOUR_S, ids[-1])
    archived(xray, where)
    archived(xray, where, 1)
    assert counted(where) == sorted(ids)


def test_a_run_that_fails_is_continued_where_it_ended(start: Start, tmp_path: Path) -> None:  # noqa: F811
    """By an error of AWS: what came is not asked for again, and the hours behind it follow."""
    xray, where = start(sdk_segments), str(tmp_path / "archive")
    xray.batch_page = 5
    ids = filled(xray, 0) + filled(xray, 1)
    xray.denied_after = 4
    with pytest.raises(FetchError, match="AWS does not allow BatchGetTraces"):
        archived(xray, where)
    assert rows(where) == []
    had, xray.denied_after = batches(xray), None
    lines = archived(xray, where, 1)
    assert [line[19:].partition(" with")[0] for line in lines] == ["40 traces", "40 traces"]
    assert rows(where) == sorted(ids)
    assert batches(xray) - had < 16  # of five each: the first run had some of them


@pytest.mark.parametrize("stop_at", [2, 5, 8])
def test_a_run_without_time_is_continued_by_the_next(start: Start, tmp_path: Path, stop_at: int) -> None:  # noqa: F811
    """The function stops by itself, before Lambda stops it."""
    xray, where = start(sdk_segments), str(tmp_path / "archive")
    ids = filled(xray, 0)
    calls = 0

    def on_call(_: int) -> None:
        nonlocal calls
        calls += 1
        if calls == stop_at:
            os.kill(os.getpid(), signal.SIGALRM)

    xray.on_call = on_call
    [line] = archived(xray, where)
    assert line.endswith("the next run continues")
    assert rows(where) == []
    [line] = archived(xray, where)
    assert "40 traces with" in line
    assert rows(where) == sorted(ids)
    assert archived(xray, where, left_s=lambda: 0) == ["there is no new hour"]
    assert archived(xray, where, 1, left_s=lambda: 0) == []


def test_a_run_that_is_killed_behind_its_writing_counts_nothing_twice(
    start: Start,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The traces are in the archive and the state is not: the hour is fetched again, and merged."""
    xray, where = start(sdk_segments), str(tmp_path / "archive")
    ids = filled(xray, 0)

    def killed(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(hourly, "_put", killed)
        with pytest.raises(SystemExit):
            archived(xray, where)
    assert rows(where) == sorted(ids)
    archived(xray, where)
    assert counted(where) == sorted(ids)


def test_a_trace_that_is_listed_and_never_comes_does_not_stop_the_work(start: Start, tmp_path: Path) -> None:  # noqa: F811
    """Three runs ask for it; the log says how many are missing."""
    xray, where = start(sdk_segments), str(tmp_path / "archive")
    ids = filled(xray, 0)
    xray.absent = {ids[7]: 1_000}
    for _ in range(2):
        [line] = archived(xray, where)
        assert line.endswith("39 of 40 traces, the next run continues")
        assert rows(where) == []
    [line] = archived(xray, where)
    assert line.endswith(", 1 were listed and did not come in 3 runs")
    assert rows(where) == sorted(set(ids) - {ids[7]})
    assert archived(xray, where) == ["there is no new hour"]


def test_the_function_raises_so_that_lambda_tries_again(
    start: Start,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And its log has a line for each hour."""

    class Context:
        """Of an invocation with ten minutes."""

        def get_remaining_time_in_millis(self) -> int:
            return 600_000

    xray, where = start(sdk_segments), tmp_path / "archive"
    monkeypatch.setenv("ARCHIVE", str(where))
    monkeypatch.setenv("ARCHIVE_SOURCE", "auto")
    monkeypatch.setenv("AWS_ENDPOINT_URL", xray.url)
    answer = handle({}, Context())
    assert answer == {"archive": str(where), "told": [answer["told"][0]]}  # type: ignore[index]
    assert capsys.readouterr().out == f"lambda-latency: {answer['told'][0]}\n"  # type: ignore[index]
    (where / "archive.hourly").write_text(json.dumps({"until": 1}))
    with pytest.raises(ArchiveError, match=r"archive\.hourly of .* cannot be read"):
        handle({}, Context())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXPIRED")
    (where / "archive.hourly").unlink()
    with pytest.raises(FetchError, match="expired"):
        handle({}, Context())
