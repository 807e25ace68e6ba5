"""What refuses an archive's files is one line and a status, and costs nothing that was fetched or stored."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.archive import ArchiveError, open_archive
from lambda_latency.archive.places import Folder
from lambda_latency.cli import main
from lambda_latency.trace import Trace
from tests.archive.conftest import write
from tests.archive.test_archive import NoCredentialsError, accounts, kept
from tests.archive.test_hourly import archived, counted, filled, keys  # noqa: F401 - a fixture
from tests.disk import run_on_full_disk
from tests.fetch import test_fetch as fetching
from tests.fetch.account import sdk_segments
from tests.fetch.conftest import Start, environment, known_to, start  # noqa: F401 - a fixture

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
MOST_BYTES = 50_000  # of a file, where the disk is to be full


def test_a_disk_that_is_full_while_traces_are_fetched(start: Start, tmp_path: Path) -> None:  # noqa: F811
    """The same again, with room, has every trace once."""
    xray = start(sdk_segments)
    ids = fetching.filled(xray, 100)
    env = environment(tmp_path, **known_to(xray))
    command = [sys.executable, "-m", "lambda_latency", "fetch", "--archive", "kept", "--since", "7d"]

    full = run_on_full_disk(command, MOST_BYTES, cwd=tmp_path, env=env)
    assert (full.returncode, full.stdout) == (1, "")
    assert full.stderr.splitlines()[0] == "lambda-latency: kept/.fetched cannot be written: File too large"
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert counted(str(tmp_path / "kept")) == sorted(ids)
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [
        "accounts",
        "archive.version",
        "samples",
        "spans",
    ]


def test_a_disk_that_is_full_when_traces_are_added_keeps_what_was_fetched(
    start: Start,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its line says how it is added later."""
    xray, archive = start(sdk_segments), tmp_path / "kept"
    ids = fetching.filled(xray, 20)
    arguments = ["fetch", "--archive", str(archive), "--since", "7d", "-q"]
    open_archive(str(archive), make=True)
    monkeypatch.setenv("AWS_ENDPOINT_URL", xray.url)

    def put(*_: object) -> None:
        raise FULL

    with monkeypatch.context() as patched:
        patched.setattr(Folder, "put", put)
        assert main(arguments) == 1
    refusal, todo = capsys.readouterr().err.splitlines()
    assert refusal == f"lambda-latency: {archive} cannot be written: No space left on device"
    command = f"lambda-latency archive add {archive}/.fetched --archive {archive}"
    assert todo == f"  what was fetched is kept; add it later: {command}"
    assert main(command.split()[1:]) == 0
    assert counted(str(archive)) == sorted(ids)


@pytest.mark.parametrize("action", [["compact"], ["prune", "--older-than", "1d"]])
def test_upkeep_that_is_refused_loses_nothing(
    tmp_path: Path,
    traces: list[Trace],
    action: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A full disk, and files that may not be removed."""
    archive = str(tmp_path / "archive")
    for half in (traces[::2], traces[1::2]):
        main(["archive", "add", write(tmp_path / "t.jsonl", half), "--archive", archive, "-q"])
    capsys.readouterr()
    monkeypatch.setattr("lambda_latency.archive.adding.compact.__defaults__", (0,))

    def refused(*_: object) -> None:
        raise FULL if action == ["compact"] else PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patched:
        patched.setattr(Folder, "put" if action == ["compact"] else "remove", refused)
        assert main(["archive", *action, "--archive", archive]) == 1
    out, err = capsys.readouterr()
    why = "No space left on device" if action == ["compact"] else "Permission denied"
    assert (out, err.splitlines()[0]) == ("", f"lambda-latency: {archive} cannot be written: {why}")
    assert kept(archive) == accounts(traces)


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError("The specified bucket does not exist"),
        PermissionError("Access Denied"),
        OSError("ExpiredToken: The provided token has expired."),
        OSError(errno.EIO, "The bucket is in this region: eu-west-1"),
        NoCredentialsError("Unable to locate credentials"),
    ],
    ids=["gone", "denied", "expired", "region", "credentials"],
)
def test_an_hour_whose_bucket_refuses_is_archived_by_the_next_run(
    start: Start,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    """It raises, so that Lambda tells and tries again."""
    xray, where = start(sdk_segments), f"memory://hourly-{tmp_path.name}"
    archived(xray, where, -1)
    ids = filled(xray, 0)

    def put_file(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("fsspec.implementations.memory.MemoryFileSystem.put_file", put_file)
        with pytest.raises(ArchiveError, match="cannot be written: "):
            archived(xray, where)
    archived(xray, where)
    assert counted(where) == sorted(ids)
