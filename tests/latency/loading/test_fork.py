"""Work in a forked process: the result is the same from there or from here, and no process remains."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from lab.generate import realistic
from lambda_latency.cli.report import Request, run_report
from lambda_latency.latency.loading import fork as module
from lambda_latency.latency.loading.fork import beside
from lambda_latency.text import Style
from tests.latency.system import THEIRS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no process is forked elsewhere")


@pytest.fixture(autouse=True)
def forked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process ids of all forks, on a machine with two processors and without threads of earlier tests."""
    pids: list[int] = []
    fork = os.fork

    def counted() -> int:
        pid = fork()
        pids.append(pid)
        return pid

    monkeypatch.setattr(module, "processors", lambda: 2)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(os, "fork", counted)
    return pids


def test_much_work_is_done_once_in_another_process(forked: list[int]) -> None:
    """Other work is done once in this process, when its result is requested."""
    with beside(os.getpid, much=True) as there:
        assert [there(), there()] == forked * 2
    asked: list[int] = []
    with beside(lambda: asked.append(1), much=False) as here:
        assert asked == []
        here()
        here()
    assert asked == [1]


def test_no_process_is_forked_if_that_is_unsafe(monkeypatch: pytest.MonkeyPatch, forked: list[int]) -> None:
    """With other threads, with one processor, on another system."""
    for name, value in (("threading.active_count", lambda: 2), ("sys.platform", "darwin")):
        with monkeypatch.context() as patch:
            patch.setattr(name, value)
            with beside(os.getpid, much=True) as pid:
                assert pid() == os.getpid()
    monkeypatch.setattr(module, "processors", lambda: 1)
    with beside(os.getpid, much=True) as pid:
        assert pid() == os.getpid()
    assert forked == []


def test_if_no_process_can_be_forked_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file descriptor stays open."""

    def full() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", full)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with beside(os.getpid, much=True) as pid:
        assert pid() == os.getpid()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_an_error_in_the_fork_is_raised_here() -> None:
    """With its own type; after a killed fork the work is repeated here."""
    here = os.getpid()

    def fail() -> None:
        raise ValueError("of the work")

    def end() -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return 7

    with beside(fail, much=True) as failing, pytest.raises(ValueError, match="of the work"):
        failing()
    with beside(end, much=True) as ending:
        assert ending() == 7


def test_a_fork_ends_with_its_block(forked: list[int]) -> None:
    """With or without an error in the block."""
    with pytest.raises(KeyError), beside(signal.pause, much=True):
        raise KeyError
    with beside(signal.pause, much=True):
        pass
    assert len(forked) == 2
    for pid in forked:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, 0)


def test_the_report_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]) -> None:
    """Equal byte for byte, with and without a fork."""
    path = tmp_path / "t.jsonl"
    path.write_text("".join(realistic(30)))
    reports = []
    for many in (31, 30):
        monkeypatch.setattr("lambda_latency.cli.report.MANY", many)
        out = io.StringIO()
        run_report(Request([path], json="-", terms=THEIRS), Style(), out)
        reports.append(out.getvalue())
    assert len(forked) == 1
    assert reports[0] == reports[1]
    assert '"payments.example.com"' in reports[0]
