"""An archive answers: reports, a search in words, SQL."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from lambda_latency.archive import DIALECTS, ArchiveError, add, definitions, open_archive, query, rows_of, wanted
from lambda_latency.cli import main
from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.latency import percentile
from lambda_latency.text import Style
from tests.archive.conftest import DAY_NS, write
from tests.archive.test_archive import accounts, kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.latency import Account
    from lambda_latency.trace import Trace


@pytest.fixture
def archive(tmp_path: Path, traces: list[Trace]) -> str:
    """Three days of requests."""
    where = str(tmp_path / "archive")
    add(where, [write(tmp_path / "t.jsonl", traces)])
    return where


def report(source: str, **more: object) -> dict[str, object]:
    """The JSON of a report, without what says where it is from."""
    out = io.StringIO()
    run_report(Request([source], json="-", per_request=True, **more), Style(), out)  # type: ignore[arg-type]
    found: dict[str, object] = json.loads(out.getvalue())
    del found["sources"], found["problems"]
    return found


def test_a_report_on_an_archive_is_that_on_its_traces(archive: str, tmp_path: Path, traces: list[Trace]) -> None:
    """All of it, one route, and some days."""
    first = min(one.outermost.start_ns for one in traces)
    route = accounts(traces)[0].route
    for chosen in (
        {},
        {"route": route},
        {"since_ns": first + DAY_NS, "until_ns": first + 2 * DAY_NS},
        {"slow_ns": 10**8},
    ):
        assert report(archive, **chosen) == report(str(tmp_path / "t.jsonl"), **chosen)


def test_options_that_look_at_traces_in_another_way_read_the_spans(archive: str, tmp_path: Path) -> None:
    """Accounts were made the usual way."""
    for more in (["--from", "lambda"], ["--no-skew"], ["--redact"]):
        texts = []
        for source in (archive, str(tmp_path / "t.jsonl")):
            assert main(["report", source, "--json", str(tmp_path / "out.json"), *more]) in (0, 4)
            texts.append({**json.loads((tmp_path / "out.json").read_text()), "sources": 0, "command": 0, "problems": 0})
        assert texts[0] == texts[1]


def test_an_archive_is_a_baseline(archive: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of it, or its last days."""
    path = str(tmp_path / "t.jsonl")
    assert main(["report", path, "--against", archive, "-q"]) in (0, 4)
    assert main(["report", path, "--against", f"{archive}@9000d", "-q"]) in (0, 4)
    capsys.readouterr()
    assert main(["report", path, "--against", f"{archive}@1s"]) == 1
    assert f"no request in the baseline {archive}@1s" in capsys.readouterr().err
    assert main(["report", path, "--against", f"{archive}@soon"]) == 1
    assert "must be a time like 2026-11-25T08:00:00Z or how long ago, like 24h, got 'soon'" in capsys.readouterr().err


CHOICES: dict[str, Callable[[Account], bool]] = {
    "": lambda _: True,
    "slower than 100ms": lambda one: one.wall_ns > 100_000_000,
    "faster than 0.1 s": lambda one: one.wall_ns < 100_000_000,
    "slower than 100ms and part ~ PAYMENTS": lambda one: (
        one.wall_ns > 100_000_000 and any("payments" in part.name for part, _ in one.parts)
    ),
    "part = cold start": lambda one: any((part.bucket, part.name) == ("cold start", "") for part, _ in one.parts),
    "cold": lambda one: one.cold_start,
    "not cold and not timed out": lambda one: not one.cold_start and not one.timed_out,
    "error": lambda one: one.error,
    "timed out": lambda one: one.timed_out,
    "status >= 500": lambda one: one.status_code is not None and one.status_code >= 500,
    "status = 400": lambda one: one.status_code == 400,
    "route = POST /orders": lambda one: one.route == "POST /orders",
    "route ~ 'orders' and function ~ order": lambda one: "orders" in one.route and "order" in one.function.lower(),
}


@pytest.mark.parametrize("text", CHOICES)
def test_requests_are_found_by_words(archive: str, traces: list[Trace], text: str) -> None:
    """Each as its account says."""
    table, _ = rows_of(open_archive(archive))
    found = sorted(table.filter(wanted(text)(table))["trace_id"].to_pylist())
    assert found == [one.trace_id for one in accounts(traces) if CHOICES[text](one)]


def test_words_that_are_not_understood_are_shown(archive: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, with examples."""
    assert main(["archive", "find", "quicker than light", "--archive", archive]) == 2
    assert capsys.readouterr().err.startswith(
        "lambda-latency: 'quicker than light' is not understood\n  for example: slower than 2s"
    )


def test_find_show_and_the_slowest_first(archive: str, traces: list[Trace], capsys: pytest.CaptureFixture[str]) -> None:
    """A line a request; its id draws it."""
    assert main(["archive", "find", "--archive", archive, "--limit", "2", "cold or not"]) == 2
    capsys.readouterr()
    assert main(["archive", "find", "--archive", archive, "--limit", "2", "slower than 1ms"]) == 0
    first, second, last = capsys.readouterr().out.splitlines()
    assert last == f"{len(traces):,} requests, the 2 slowest are shown (--limit)."
    slowest = sorted(accounts(traces), key=lambda one: (-one.wall_ns, one.start_ns))
    assert [line.split()[-1] for line in (first, second)] == [one.trace_id for one in slowest[:2]]
    assert main(["archive", "show", slowest[0].trace_id, "--archive", archive]) == 0
    assert capsys.readouterr().out.startswith(f"The request: {slowest[0].route}")


def test_sql_says_what_the_report_says(archive: str, traces: list[Trace], capsys: pytest.CaptureFixture[str]) -> None:
    """The nearest rank, and the time of each part."""
    every = accounts(traces)
    p95 = query(archive, "select quantile_disc(wall_ns, 0.95) from accounts").rows
    assert p95 == [(percentile([one.wall_ns for one in every], 95),)]
    parts: dict[tuple[str, str], int] = {}
    for one in every:
        for part, ns in one.parts:
            parts[part.bucket, part.name] = parts.get((part.bucket, part.name), 0) + ns
    rows = query(archive, "select bucket, name, sum(ns)::bigint from parts group by all").rows
    assert {(bucket, name): ns for bucket, name, ns in rows} == parts
    assert main(["archive", "query", "select route, count(*) as n from accounts group by 1 order by 1", "--csv",
                 "--archive", archive]) == 0  # fmt: skip
    routes = sorted({one.route for one in every})
    lines = [f"{route},{sum(one.route == route for one in every)}" for route in routes]
    assert capsys.readouterr().out.splitlines() == ["route,n", *lines]


@pytest.mark.parametrize(
    "text",
    [
        "select * from read_csv('/etc/passwd')",
        "copy (select 1) to '/tmp/out.csv'",
        "set enable_external_access = true",
        "select * from nothing",
        "selec",
    ],
)
def test_sql_that_cannot_be_run_is_one_line(archive: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It reads the archive, and nothing beside it."""
    assert main(["archive", "query", text, "--archive", archive]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 2)
    assert err.startswith("lambda-latency: DuckDB says: ")


def test_the_tables_are_made_known_to_engines(archive: str, capsys: pytest.CaptureFixture[str]) -> None:
    """DuckDB's are run; the others name every column."""
    with duckdb.connect() as connection:
        connection.execute(definitions("duckdb", archive))
        (count,) = connection.execute("select count(*) from accounts").fetchall()
        names = {row[0] for row in connection.execute("describe accounts").fetchall()}
    assert count == (len(kept(archive)),)
    for dialect in DIALECTS:
        assert main(["archive", "sql", dialect, "--archive", "s3://bucket/traces/"]) == 0
        text = capsys.readouterr().out
        assert "'s3://bucket/traces/accounts/" in text
        assert dialect == "duckdb" or all(f" {name}" in text for name in names - {"day", "route"})
    assert main(["archive", "sql", "excel"]) == 2
    assert "there is no engine 'excel'" in capsys.readouterr().err


def test_what_is_no_archive_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By each action; an unknown version is not guessed at."""
    for action in (
        ["find", "cold"],
        ["show", "a" * 32],
        ["query", "select 1"],
        ["compact"],
        ["prune", "--older-than", "1d"],
    ):
        assert main(["archive", *action, "--archive", str(tmp_path)]) in (1, 2)
        assert "is not an archive" in capsys.readouterr().err or action[0] == "show"
    (tmp_path / "archive.version").write_text('{"archive": 2}')
    with pytest.raises(ArchiveError, match="has archive version 2, this command supports 1"):
        open_archive(str(tmp_path))
    (tmp_path / "archive.version").write_text("{")
    with pytest.raises(ArchiveError, match=r"cannot be read: archive\.version cannot be read"):
        open_archive(str(tmp_path))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["prune"], "prune needs --older-than"),
        (["add"], "archive add needs trace files"),
        (["compact", "now"], "'now': unexpected argument"),
        (["keep"], "there is no action 'keep'"),
    ],
)
def test_what_is_typed_wrong_is_a_matter_of_usage(
    typed: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2."""
    try:
        status = main(["archive", *typed])
    except SystemExit as ended:
        status = int(ended.code or 0)
    assert (status, said in capsys.readouterr().err) == (2, True)
