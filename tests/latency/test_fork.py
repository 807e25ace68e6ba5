"""Work in a forked process: the same answer, from there or from here, and nobody left."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from bench.generate import realistic
from lambda_latency.cli.report import Request, run_report
from lambda_latency.latency import fork as module
from lambda_latency.latency.fork import beside
from lambda_latency.text import Style
from tests.latency.system import THEIRS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no process is forked elsewhere")


@pytest.fixture(autouse=True)
def forked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that are forked: there are two processors, and no thread that a test before has left."""
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


def test_it_is_done_in_another_process_once(forked: list[int]) -> None:
    """Only where it is much; else here, and when it is asked for."""
    with beside(os.getpid, much=True) as there:
        assert [there(), there()] == forked * 2
    asked: list[int] = []
    with beside(lambda: asked.append(1), much=False) as here:
        assert asked == []
        here()
        here()
    assert asked == [1]


def test_no_process_is_forked_where_that_may_go_wrong(monkeypatch: pytest.MonkeyPatch, forked: list[int]) -> None:
    """Beside other threads, with one processor, on another system."""
    for name, value in (("threading.active_count", lambda: 2), ("sys.platform", "darwin")):
        with monkeypatch.context() as patch:
            patch.setattr(name, value)
            with beside(os.getpid, much=True) as pid:
                assert pid() == os.getpid()
    monkeypatch.setattr(module, "processors", lambda: 1)
    with beside(os.getpid, much=True) as pid:
        assert pid() == os.getpid()
    assert forked == []


def test_where_there_is_no_room_for_a_process_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is left open."""

    def full() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", full)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with beside(os.getpid, much=True) as pid:
        assert pid() == os.getpid()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_fails_there_fails_here() -> None:
    """With its own error; and who is killed there is not missed."""
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


def test_who_is_not_waited_for_is_ended(forked: list[int]) -> None:
    """Whatever comes up in between."""
    with pytest.raises(KeyError), beside(signal.pause, much=True):
        raise KeyError
    with beside(signal.pause, much=True):
        pass
    assert len(forked) == 2
    for pid in forked:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, 0)


def test_the_report_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]) -> None:
    """To the byte, whoever draws its map."""
    path = tmp_path / "t.jsonl"
    path.write_text("".join(realistic(30)))
    told = []
    for many in (31, 30):
        monkeypatch.setattr("lambda_latency.cli.report.MANY", many)
        out = io.StringIO()
        run_report(Request([path], json="-", terms=THEIRS), Style(), out)
        told.append(out.getvalue())
    assert len(forked) == 1
    assert told[0] == told[1]
    assert '"payments.example.com"' in told[0]
