"""An archive answers: reports, a search in words, SQL."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from lambda_latency.archive import DIALECTS, ArchiveError, add, definitions, open_archive, query, read_filter, rows_of
from lambda_latency.cli import main
from lambda_latency.cli.commands.report import run_report
from lambda_latency.cli.request import Request
from lambda_latency.latency import Breakdown, percentile
from lambda_latency.text import Style
from lambda_latency.trace import Trace
from tests.archive.conftest import DAY_NS, write
from tests.archive.test_archive import accounts, kept


@pytest.fixture
def archive(tmp_path: Path, traces: list[Trace]) -> str:
    """Three days of requests."""
    where = str(tmp_path / "archive")
    add(where, [write(tmp_path / "t.jsonl", traces)])
    return where


def report(source: str, **more: object) -> dict[str, object]:
    """The JSON of a report, without what says where it is from."""
    out = io.StringIO()
    run_report(Request([source], json="-", everything=True, **more), Style(), out)  # type: ignore[arg-type]
    document: dict[str, object] = json.loads(out.getvalue())
    del document["sources"], document["problems"]
    return document


def test_a_report_on_an_archive_is_that_on_its_traces(archive: str, tmp_path: Path, traces: list[Trace]) -> None:
    """All of it, one route, and some days."""
    first_ns = min(t.request_root.start_ns for t in traces)
    route = accounts(traces)[0].route
    for chosen in (
        {},
        {"route": route},
        {"since_ns": first_ns + DAY_NS, "until_ns": first_ns + 2 * DAY_NS},
        {"slow_ns": 10**8},
    ):
        assert report(archive, **chosen) == report(str(tmp_path / "t.jsonl"), **chosen)


def test_settings_that_look_at_traces_in_another_way_read_the_spans(
    archive: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accounts were made the usual way."""
    for variable, value, more in (("FROM", "lambda", []), ("CLOCK_SKEW", "keep", []), ("FROM", "root", ["--redact"])):
        monkeypatch.setenv(f"LAMBDA_LATENCY_{variable}", value)
        texts = []
        for source in (archive, str(tmp_path / "t.jsonl")):
            assert main(["report", source, f"--format=json={tmp_path / 'out.json'}", *more]) in (0, 4)
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


CHOICES: dict[str, Callable[[Breakdown], bool]] = {
    "": lambda _: True,
    "slower than 100ms": lambda a: a.wall_ns > 100_000_000,
    "faster than 0.1 s": lambda a: a.wall_ns < 100_000_000,
    "slower than 100ms and part ~ PAYMENTS": lambda a: (
        a.wall_ns > 100_000_000 and any("payments" in part.name for part, _ in a.components)
    ),
    "part = cold start": lambda a: any((part.category, part.name) == ("cold start", "") for part, _ in a.components),
    "cold": lambda a: a.cold_start,
    "not cold and not timed out": lambda a: not a.cold_start and not a.timed_out,
    "error": lambda a: a.error,
    "timed out": lambda a: a.timed_out,
    "status >= 500": lambda a: a.status_code is not None and a.status_code >= 500,
    "status = 400": lambda a: a.status_code == 400,
    "route = POST /orders": lambda a: a.route == "POST /orders",
    "route ~ 'orders' and function ~ order": lambda a: "orders" in a.route and "order" in a.function.lower(),
}


@pytest.mark.parametrize("text", CHOICES)
def test_requests_are_found_by_words(archive: str, traces: list[Trace], text: str) -> None:
    """Each as its account says."""
    table, _ = rows_of(open_archive(archive))
    ids = sorted(table.filter(read_filter(text)(table))["trace_id"].to_pylist())
    assert ids == [a.trace_id for a in accounts(traces) if CHOICES[text](a)]


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
    top, second, summary = capsys.readouterr().out.splitlines()
    assert summary == f"{len(traces):,} requests, the 2 slowest are shown (--limit)."
    slowest = sorted(accounts(traces), key=lambda a: (-a.wall_ns, a.start_ns))
    assert [line.split()[-1] for line in (top, second)] == [a.trace_id for a in slowest[:2]]
    assert main(["archive", "show", slowest[0].trace_id, "--archive", archive]) == 0
    assert capsys.readouterr().out.startswith(f"The request: {slowest[0].route}")


def test_sql_says_what_the_report_says(archive: str, traces: list[Trace], capsys: pytest.CaptureFixture[str]) -> None:
    """The nearest rank, and the time of each part."""
    retained = accounts(traces)
    p95 = query(archive, "select quantile_disc(wall_ns, 0.95) from accounts").rows
    assert p95 == [(percentile([a.wall_ns for a in retained], 95),)]
    parts: dict[tuple[str, str], int] = {}
    for a in retained:
        for part, ns in a.components:
            parts[part.category, part.name] = parts.get((part.category, part.name), 0) + ns
    rows = query(archive, "select bucket, name, sum(ns)::bigint from parts group by all").rows
    assert {(bucket, name): ns for bucket, name, ns in rows} == parts
    assert main(["archive", "query", "select route, count(*) as n from accounts group by 1 order by 1", "--csv",
                 "--archive", archive]) == 0  # fmt: skip
    routes = sorted({a.route for a in retained})
    lines = [f"{route},{sum(a.route == route for a in retained)}" for route in routes]
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
    with pytest.raises(SystemExit, match="2"):
        main(["archive", "sql", "excel"])
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
        (["prune"], "--older-than is missing"),
        (["add"], "FILE is missing"),
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
