"""The command, from a repository with two versions of an app to what it prints; the app runs in the local system."""

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.apps import HOME
from lambda_latency.cli.entry import main
from lambda_latency.diff import SessionRecorder, read_session
from lambda_latency.http import request
from lambda_latency.local import System, SystemOptions, read_app
from tests.diff.notes import APP, GET, SESSION, TWICE, write_notes
from tests.diff.test_commits import committed, git
from tests.local.app.conftest import needs_packages
from tests.sandbox.state import until


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository with one commit of an app, and its session; the current folder."""
    folder = tmp_path / "notes"
    write_notes(folder)
    (folder / "session.json").write_text(json.dumps(SESSION))
    git(folder, "init", "--quiet")
    committed(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(HOME))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    yield folder
    assert git(folder, "worktree", "list").count("\n") == 0


@needs_packages
def test_a_call_more_is_reported_with_its_line(notes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The request that makes it, and no other; events have a row of their own. The base is counted once."""
    (notes / "src" / "app.py").write_text(APP.replace(GET, TWICE))
    assert main(["diff", "main", "--quiet", "--format", "json"]) == 3
    values = json.loads(capsys.readouterr().out)
    assert values["sentence"].startswith(
        "GET /notes/{id} now makes 2 calls of DynamoDB GetItem Notes instead of 1 (src/app.py:17"
    )
    assert values["unchanged"] == ["POST /notes", "SQS -> Work"]
    assert {change["subject"] for change in values["changes"]} == {"GET /notes/{id}"}
    assert [judged["expression"] for judged in values["conditions"] if judged["failed"]] == ["calls > 0", "work > 1%"]
    assert re.fullmatch(r"the working tree \(\w{7}, 1 file not committed\)", values["head"])

    (notes / "src" / "app.py").write_text(APP)
    assert main(["diff", "main", "--quiet", "--format", "json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["changes"], values["not_compared"]) == ([], {})
    assert values["unchanged"] == ["POST /notes", "GET /notes/{id}", "SQS -> Work"]


@needs_packages
def test_a_version_that_does_not_start_is_named(notes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the local system's message; nothing was compared."""
    (notes / "template.yaml").write_text("Resources: []\n")
    assert main(["diff", "main", "--quiet"]) == 1
    assert capsys.readouterr().err.startswith("lambda-latency: head: ")


@needs_packages
def test_ctrl_c_leaves_no_process_and_no_folder(notes: Path, tmp_path: Path) -> None:
    """While both versions start: the base is counted in no earlier run."""
    (notes / "src" / "run.txt").write_text(uuid.uuid4().hex)
    committed(notes)
    command = [sys.executable, "-m", "lambda_latency", "diff", "main"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as diff:
        assert until(lambda: len(list(tmp_path.glob("lambda-latency-diff-*/*-1/emulator.log"))) == 2, 120)
        os.kill(diff.pid, signal.SIGINT)
        assert diff.wait(60) == 130
        assert until(lambda: not _of_session(diff.pid), 20)
    assert list(tmp_path.glob("lambda-latency-diff-*")) == []


def _of_session(leader: int) -> list[str]:
    """The command lines of the processes of a session, by its leader's id."""
    done = subprocess.run(["ps", "-A", "-o", "sid=,args="], check=True, capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if line.split()[0] == str(leader)]


def test_usage(notes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong ref, a wrong condition, a session that does not exist."""
    for arguments, mistake in {
        ("nothing",): "'nothing' is no branch, tag or commit of",
        ("main", "--session", "none.json"): "none.json is no session of requests: No such file or directory",
        ("main", "--fail-if", "p95 > 5ms"): "'p95 > 5ms': nothing is called 'p95'",
        ("main", "--format", "brief"): "must be text, markdown, json, or one of them and a file, got 'brief'",
        ("main", "--format", "json", "--format", "text"): "--format json and --format text both print",
    }.items():
        try:
            status = main(["diff", *arguments])
        except SystemExit as error:
            status = int(str(error.code))
        assert (status, mistake in capsys.readouterr().err) == (2, True)


@needs_packages
def test_serve_records_what_diff_sends(notes: Path, tmp_path: Path) -> None:
    """Requests to a running app, with their answers."""
    path = tmp_path / "recorded.json"
    options = SystemOptions(tmp_path / "out", cache=HOME / "lambda-latency", recorder=SessionRecorder(path))
    system = System(read_app(notes / "template.yaml", {}), options)
    try:
        answer = request("POST", f"{system.url}/notes", "", {"Authorization": "secret"})
        request("GET", f"{system.url}/notes/{json.loads(answer.body)['id']}")
        assert until(lambda: len(read_session(path)) == 2, 20)
    finally:
        system.close()
    assert json.loads(path.read_text()) == SESSION
