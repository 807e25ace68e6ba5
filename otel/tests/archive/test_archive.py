"""An archive gives back what was put in, whoever writes at the same time, and whatever kills a writer."""

import contextlib
import errno
import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

import pyarrow.parquet as pq
import pytest

from lambda_latency.archive import ArchiveError, add, compact, prune, query, read_requests
from lambda_latency.archive.layout import in_path, new_name, written_s
from lambda_latency.archive.places import Folder
from lambda_latency.cli import main
from lambda_latency.latency import Breakdown, Breakdowns, breakdown_of
from lambda_latency.trace import Trace, read_traces
from tests.archive.conftest import DAY_NS, moved, write
from tests.latency.generated import hundred, load, mixed

ROOT = Path(__file__).parents[3]
ADD = "import sys; from lambda_latency.archive import add; add(sys.argv[1], sys.argv[2:])"


def accounts(traces: Iterable[Trace]) -> list[Breakdown]:
    """Those of some traces, in the order of their ids."""
    return sorted(Breakdowns(map(breakdown_of, traces)), key=lambda a: a.trace_id)


def kept(where: object, **chosen: object) -> list[Breakdown]:
    """Those of an archive, in the same order."""
    return sorted(read_requests(str(where), **chosen).breakdowns, key=lambda a: a.trace_id)  # type: ignore[arg-type]


def spans(traces: Iterable[Trace]) -> dict[str, object]:
    return {trace.trace_id: trace.spans for trace in traces}


def test_what_is_added_comes_out_again(tmp_path: Path, traces: list[Trace]) -> None:
    """Accounts and spans, by day and hour; nothing of the writing is left."""
    archive = tmp_path / "archive"
    added = add(str(archive), [write(tmp_path / "t.jsonl", traces)])
    assert (added.traces, added.spans, added.merged) == (len(traces), sum(len(t.spans) for t in traces), 0)
    assert kept(archive) == accounts(traces)
    by_id = read_requests(str(archive)).find([t.trace_id for t in traces])
    assert spans(by_id.values()) == spans(traces)
    assert spans(read_traces(archive / "spans").traces) == spans(traces)
    names = {path.relative_to(archive).parts[0] for path in archive.rglob("*") if path.is_file()}
    assert names == {"archive.version", "spans", "samples", "accounts"}
    assert len({path.parent.parent for path in archive.rglob("*.parquet")}) == 3


def test_only_the_days_and_the_route_that_are_asked_for_are_read(
    tmp_path: Path, traces: list[Trace], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the names of files."""
    archive = tmp_path / "archive"
    add(str(archive), [write(tmp_path / "t.jsonl", traces)])
    read: list[str] = []
    local = Folder.local

    def noted(self: Folder, path: str, folder: Path) -> Path:
        read.append(path)
        return local(self, path, folder)

    monkeypatch.setattr(Folder, "local", noted)
    second = min(t.request_root.start_ns for t in traces) + DAY_NS
    route = accounts(traces)[0].route
    selected = kept(archive, since_ns=second, until_ns=second + 1, route=route)
    assert selected == [a for a in accounts(traces) if a.trace_id.startswith("01") and a.route == route]
    assert len({path.split("/")[1] for path in read if path.startswith("accounts/")}) == 1


def test_what_is_added_twice_is_there_once(tmp_path: Path, traces: list[Trace]) -> None:
    """And pieces of a trace are put together."""
    archive = tmp_path / "archive"
    whole = write(tmp_path / "whole.jsonl", traces)
    halves = [
        write(tmp_path / "1.jsonl", [Trace(t.spans[: len(t.spans) // 2]) for t in traces if len(t.spans) > 1]),
        write(tmp_path / "2.jsonl", [Trace(t.spans[len(t.spans) // 2 :]) for t in traces]),
    ]
    for half in halves:
        add(str(archive), [half])
    assert add(str(archive), [whole]).merged == len(traces)
    assert kept(archive) == accounts(traces)
    assert query(str(archive), "select count(*) from accounts").rows == [(len(traces),)]
    assert compact(str(archive), 0).recovered == 0
    assert kept(archive) == accounts(traces)
    assert spans(read_traces(archive / "spans").traces) == spans(traces)


def test_packed_files_can_be_added(tmp_path: Path, traces: list[Trace]) -> None:
    """gzip, as the archive's own are."""
    path = Path(write(tmp_path / "t.jsonl", traces))
    (tmp_path / "t.jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
    add(str(tmp_path / "archive"), [tmp_path / "t.jsonl.gz"])
    assert kept(tmp_path / "archive") == accounts(traces)


def test_compaction_leaves_few_files_and_every_request(tmp_path: Path, traces: list[Trace]) -> None:
    """What was written just now is left alone: its writer may not be done."""
    archive = tmp_path / "archive"
    for number in range(0, len(traces), 7):
        add(str(archive), [write(tmp_path / "t.jsonl", traces[number : number + 7])])
    files = len(list((archive / "spans").rglob("*.gz")))
    assert compact(str(archive)).files_after < compact(str(archive)).files_before + 1
    assert len(list((archive / "spans").rglob("*.gz"))) == files
    done = compact(str(archive), 0)
    assert (done.files_after < done.files_before, done.recovered) == (True, 0)
    assert len(list((archive / "spans").rglob("*.gz"))) == 3
    assert kept(archive) == accounts(traces)
    assert spans(read_traces(archive / "spans").traces) == spans(traces)
    assert compact(str(archive), 0).files_before == done.files_after


@pytest.mark.parametrize("command", ["report", "archive compact --archive", "archive find --archive"])
def test_a_broken_file_of_accounts_is_named(
    command: str,
    tmp_path: Path,
    traces: list[Trace],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without it, compaction makes its accounts again."""
    monkeypatch.chdir(tmp_path)
    add("archive", [write(tmp_path / "t.jsonl", traces)])
    broken = min(Path("archive").rglob("*.parquet"))
    broken.write_bytes(b"PAR1" + b"x" * 1000 + b"\xff\xff\xff\x7fPAR1")
    assert main([*command.split(), "archive"]) == 1
    assert capsys.readouterr().err == (
        f"lambda-latency: not accounts: {broken.relative_to('archive')}\n"
        "  remove it: archive compact reads its spans again\n"
    )
    broken.unlink()
    compact("archive", 0)
    assert kept(Path("archive")) == accounts(traces)


def test_spans_without_an_account_are_found_by_compaction(tmp_path: Path, traces: list[Trace]) -> None:
    """A writer that is killed leaves them: accounts come last."""
    archive = tmp_path / "archive"
    add(str(archive), [write(tmp_path / "t.jsonl", traces)])
    for path in archive.rglob("*.parquet"):
        path.unlink()
    assert kept(archive) == []
    assert compact(str(archive), 0).recovered == len(traces)
    assert kept(archive) == accounts(traces)


def test_days_that_are_over_can_be_removed(tmp_path: Path, traces: list[Trace]) -> None:
    """Whole days, with their folders."""
    archive = tmp_path / "archive"
    add(str(archive), [write(tmp_path / "t.jsonl", traces)])
    last_ns = max(t.request_root.start_ns for t in traces)
    assert prune(str(archive), last_ns) == 2
    assert kept(archive) == [a for a in accounts(traces) if a.trace_id.startswith("02")]
    assert len(list((archive / "spans").iterdir())) == 1
    assert prune(str(archive), last_ns) == 0


def test_writers_and_a_compaction_do_not_disturb_each_other(tmp_path: Path, traces: list[Trace]) -> None:
    """Two processes add while a third puts files together and a fourth reads."""
    archive = tmp_path / "archive"
    add(str(archive), [write(tmp_path / "first.jsonl", traces[:3])])
    files = [write(tmp_path / f"{half}.jsonl", traces[3 + half :: 2]) for half in (0, 1)]
    writers = [subprocess.Popen([sys.executable, "-c", ADD, str(archive), file], cwd=ROOT) for file in files]
    stop, failed = threading.Event(), list[BaseException]()

    def disturb() -> None:
        try:
            while not stop.is_set():
                compact(str(archive))
                read_requests(str(archive))
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    thread = threading.Thread(target=disturb)
    thread.start()
    assert [writer.wait(60) for writer in writers] == [0, 0]
    stop.set()
    thread.join(60)
    assert failed == []
    assert kept(archive) == accounts(traces)
    compact(str(archive), 0)
    assert kept(archive) == accounts(traces)


@pytest.mark.parametrize("files", [1, 6])
def test_a_writer_that_is_killed_leaves_no_broken_file(tmp_path: Path, traces: list[Trace], files: int) -> None:
    """However far it came; the same again is then whole."""
    archive, path = tmp_path / "archive", write(tmp_path / "t.jsonl", traces)
    killed = (
        "import os, sys, signal\n"
        "from lambda_latency.archive import add, places\n"
        "put, left = places.Folder.put, [int(sys.argv[1])]\n"
        "def counted(self, source, path):\n"
        "    left[0] -= 1\n"
        "    if left[0] < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    put(self, source, path)\n"
        "places.Folder.put = counted\n"
        "add(sys.argv[2], sys.argv[3:])\n"
    )
    command = [sys.executable, "-c", killed, str(files), str(archive), path]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    for file in archive.rglob("*.jsonl.gz"):
        if not any(part.startswith(".writing-") for part in file.parts):
            assert gzip.decompress(file.read_bytes()).endswith(b"\n")
    for file in (archive / "accounts").rglob("*.parquet"):
        assert pq.read_table(file, partitioning=None).num_rows > 0
    assert {a.trace_id for a in kept(archive)} <= {t.trace_id for t in traces}
    add(str(archive), [path])
    assert kept(archive) == accounts(traces)
    compact(str(archive), 0)
    assert kept(archive) == accounts(traces)
    assert not list(archive.glob(".writing-*"))


def test_a_full_disk_is_one_line_and_costs_nothing_that_was_there(
    tmp_path: Path, traces: list[Trace], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1."""
    archive = tmp_path / "archive"
    add(str(archive), [write(tmp_path / "1.jsonl", traces[:20])])
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def put(*_: object) -> None:
        raise full

    monkeypatch.setattr(Folder, "put", put)
    assert main(["archive", "add", write(tmp_path / "2.jsonl", traces), "--archive", str(archive), "-q"]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == (
        "",
        f"lambda-latency: {archive} cannot be written: No space left on device\n  files written before are complete\n",
    )
    monkeypatch.undo()
    assert kept(archive) == accounts(traces[:20])


def test_a_bucket_is_an_archive_as_a_folder_is(tmp_path: Path, traces: list[Trace]) -> None:
    """By fsspec, whose own memory stands for S3; one that is gone is one line."""
    add("memory://bucket/archive", [write(tmp_path / "t.jsonl", traces)])
    add("memory://bucket/archive", [write(tmp_path / "t.jsonl", traces[:5])])
    assert kept("memory://bucket/archive") == accounts(traces)
    by_id = read_requests("memory://bucket/archive").find([traces[0].trace_id])
    assert spans(by_id.values()) == spans(traces[:1])
    assert compact("memory://bucket/archive", 0).recovered == 0
    assert kept("memory://bucket/archive") == accounts(traces)
    with pytest.raises(ArchiveError, match="memory://gone is not an archive\n"):
        read_requests("memory://gone")
    with contextlib.redirect_stderr(io.StringIO()) as err:
        assert main(["report", "memory://gone"]) == 2
    assert err.getvalue().startswith("lambda-latency: memory://gone is not an archive\n")


class NoCredentialsError(Exception):
    """As botocore has it: no OSError."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError("The specified bucket does not exist"), "The specified bucket does not exist"),
        (PermissionError("Access Denied"), "Access Denied"),
        (OSError("ExpiredToken: The provided token has expired."), "ExpiredToken: The provided token has expired."),
        (OSError(errno.EIO, "The bucket is in this region: eu-west-1"), "The bucket is in this region: eu-west-1"),
        (NoCredentialsError("Unable to locate credentials"), "NoCredentialsError: Unable to locate credentials"),
    ],
)
def test_what_a_bucket_refuses_is_one_line(
    tmp_path: Path,
    traces: list[Trace],
    error: Exception,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Gone, no right, an expired token, another region, no credentials: status 1, and what was there is there."""
    where = f"memory://{tmp_path.name}"
    add(where, [write(tmp_path / "1.jsonl", traces[:20])])

    def put_file(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("fsspec.implementations.memory.MemoryFileSystem.put_file", put_file)
        assert main(["archive", "add", write(tmp_path / "2.jsonl", traces), "--archive", where, "-q"]) == 1
        out, err = capsys.readouterr()
        assert (out, err.splitlines()[0]) == ("", f"lambda-latency: {where} cannot be written: {said}")
        patched.setattr("fsspec.implementations.memory.MemoryFileSystem.get_file", put_file)
        status = main(["report", where])
        out, err = capsys.readouterr()
        gone = isinstance(error, FileNotFoundError)  # as an archive that was never made
        assert (out, status) == ("", 2 if gone else 1)
        message = f"{where} is not an archive" if gone else f"{where} cannot be read: {said}"
        assert err.splitlines()[0] == f"lambda-latency: {message}"
    assert kept(where) == accounts(traces[:20])


def test_a_scheme_whose_package_is_missing_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    """s3fs is not part of the extra."""
    if find_spec("s3fs") is not None:
        pytest.skip("s3fs is installed")
    assert main(["report", "s3://bucket/archive"]) == 1
    assert capsys.readouterr().err.startswith(
        "lambda-latency: s3://bucket/archive needs a package that is not installed"
    )


def test_names_of_files_are_never_used_twice(tmp_path: Path, traces: list[Trace]) -> None:
    """They begin with the time, so that compaction knows what is new."""
    archive = tmp_path / "archive"
    add(str(archive), [write(tmp_path / "t.jsonl", traces)])
    names = [path.name.partition("-")[0] for path in archive.rglob("*-*") if path.is_file()]
    assert {abs(int(name, 16) - time.time()) < 3600 for name in names} == {True}


def own_code_services(accounts: Iterable[Breakdown]) -> set[str]:
    return {cell.caller for a in accounts for cell, _ in a.edges if cell.component.category == "own code"}


def test_an_archive_of_a_release_without_callers_is_read_compacted_and_queried(
    tmp_path: Path, traces: list[Trace]
) -> None:
    """Parts and calls are the same; only the caller of an edge is unknown."""
    archive = tmp_path / "archive"
    add(str(archive), [write(tmp_path / "t.jsonl", traces)])
    for path in archive.rglob("*.parquet"):
        pq.write_table(pq.read_table(path, partitioning=None).drop_columns(["callers", "call_callers"]), path)
    more = [Trace([moved(span, f"aa{t.trace_id[2:]}", 1) for span in t.spans]) for t in traces[:3]]
    add(str(archive), [write(tmp_path / "more.jsonl", more)])
    expected = accounts([*traces, *more])
    for _ in range(2):
        archived = kept(archive)
        for a, b in zip(archived, expected, strict=True):
            assert (a.components, a.calls, a.wall_ns) == (b.components, b.calls, b.wall_ns)
        assert own_code_services(archived) == own_code_services(expected)
        assert query(str(archive), "select sum(ns) from parts").rows == [(sum(a.wall_ns for a in expected),)]
        compact(str(archive), settled_s=0)


@pytest.mark.parametrize("option", [[], ["--theirs", "payments*"], ["--ours", "payments*"]])
def test_a_report_on_an_archive_owns_what_one_on_its_file_does(
    tmp_path: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Owners are judged when it is read: the same verdict, parts, and exit status."""
    file, archive = write(tmp_path / "t.jsonl", hundred()), tmp_path / "archive"
    add(str(archive), [file])
    results = []
    for source in (str(archive), file):
        status = main(["report", source, "--format", "json", *option])
        report = json.loads(capsys.readouterr().out)
        results.append((status, report["verdict"], report["classes"], report["buckets"]))
    assert results[0] == results[1]
    assert main(["report", file, "--against", str(archive), "--fail-if", "slower > 1%", *option]) == 0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("owned", ["", "theirs", "ours", "file"])
def test_a_report_on_an_archive_of_drawn_traces_is_that_on_their_file(
    tmp_path: Path, seed: int, owned: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever traces came, and however owners are named: verdict, parts, comparison, gates, exit status."""
    monkeypatch.chdir(tmp_path)
    draw = random.Random(seed)  # noqa: S311 - repeatable
    traces = draw.sample([*hundred(), *load(), *mixed()], draw.randint(1, 120))
    file = write(tmp_path / "t.jsonl", [*{t.trace_id: t for t in traces}.values()])
    add("archive", [file])
    if owned == "file":
        Path("lambda-latency.toml").write_text('theirs = ["payments*"]\nours = ["DynamoDB*"]')
    option = [f"--{owned}", "payments*"] if owned in ("theirs", "ours") else []
    results = []
    for source in ("archive", file):
        gates = ["--fail-if", "p95 > 500ms", "--fail-if", "slower > 5%"]
        status = main(["report", source, "--against", "archive", *gates, "--format", "json", *option])
        report = json.loads(capsys.readouterr().out)
        results.append((status, *(report[key] for key in ("verdict", "classes", "beside", "buckets", "gates", "map"))))
    assert results[0] == results[1]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_report_without_a_baseline_has_the_verdict_of_the_file(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the scores of its suspects."""
    monkeypatch.chdir(tmp_path)
    traces = random.Random(seed).sample([*hundred(), *load(), *mixed()], 120)  # noqa: S311 - repeatable
    file = write(tmp_path / "t.jsonl", [*{t.trace_id: t for t in traces}.values()])
    add("archive", [file])
    verdicts = []
    for source in ("archive", file):
        main(["report", source, "--format", "json"])
        verdicts.append(json.loads(capsys.readouterr().out)["verdict"])
    assert verdicts[0] == verdicts[1]


def test_a_remote_archive_says_what_it_cannot_give_to_another_party(capsys: pytest.CaptureFixture[str]) -> None:
    """Its spans are not read: a service that recorded its own code cannot become one call."""
    where = "memory://bucket/owned"
    add(where, [write(Path(tempfile.mkdtemp(), "t.jsonl"), hundred())])
    assert main(["report", where, "--theirs", "payments*"]) == 1
    assert capsys.readouterr().err == (
        f"lambda-latency: the accounts of {where} divide the time inside of payments, and --theirs makes it one call\n"
        "  copy the archive to a folder, whose spans the report reads, and name that\n"
    )
    assert main(["report", where, "--theirs", "DynamoDB*"]) == 0


def test_names_sort_by_time_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two versions of a trace that were added in one second, the later one counts."""
    second = 1_795_824_000
    instants = [second * 1_000_000_000 + offset for offset in (5, 70, 900, 12_000, 999_999_999)]
    clock = iter(instants)
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    names = [new_name() for _ in instants]
    assert names == sorted(names)
    assert {written_s(f"spans/{name}.jsonl.gz") for name in names} == {second}


@pytest.mark.parametrize("letters", range(12))
def test_a_long_route_is_shortened_between_letters(letters: int) -> None:
    """A folder whose name is half a letter stops DuckDB from reading the archive."""
    cut = in_path("GET /" + "x" * letters + "\u4e2d\u6587" * 40).partition("~")[0]
    whole = "x" * letters + "\u4e2d\u6587" * 40
    assert whole.startswith(unquote(cut, errors="strict").removeprefix("GET /"))
    assert 140 <= len(cut) <= 150
