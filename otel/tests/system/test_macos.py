"""The demo without what only Linux has. It was not yet run on macOS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.local import warden
from lambda_latency.trace import GATEWAY, read_traces
from tests.system.conftest import ROOT

# Runs at the start of each Python process, as `sitecustomize`. It records which of the missing parts was asked for.
ELSEWHERE = """
import builtins, errno, io, multiprocessing, os, socket, sys, time

def asked(name):
    descriptor = OPEN({record!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, name.encode() + b"\\n")
    os.close(descriptor)

class NoNativeClient:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "runtime_client":
            asked("runtime client")
            raise ModuleNotFoundError(name)

def without_proc(function):
    def refused(path=".", *args, **options):
        if str(path).startswith("/proc"):
            asked("/proc")
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        return function(path, *args, **options)
    return refused

def as_on_macos(function):
    def killpg(group, number):
        try:
            function(group, number)
        except ProcessLookupError:
            raise PermissionError(errno.EPERM, "Operation not permitted") from None
    return killpg

OPEN, RECEIVE = os.open, socket.socket.setsockopt

def setsockopt(self, *what):
    if what[:2] == (socket.SOL_SOCKET, socket.SO_RCVBUF):
        asked("receive buffer")
        raise OSError(errno.ENOBUFS, "No buffer space available")
    return RECEIVE(self, *what)

sys.meta_path.insert(0, NoNativeClient)
builtins.open = io.open = without_proc(builtins.open)
for name in ("open", "listdir", "scandir", "stat"):
    setattr(os, name, without_proc(getattr(os, name)))
os.killpg = as_on_macos(os.killpg)
socket.socket.setsockopt = setsockopt
for module, names in ((os, ("waitid", "sched_getaffinity")), (time, ("CLOCK_BOOTTIME", "pthread_getcpuclockid"))):
    for name in names:
        delattr(module, name)
multiprocessing.set_start_method("spawn")
"""
REQUESTS = 6


def test_the_demo_runs_without_what_only_linux_has(tmp_path: Path) -> None:
    """Neither the runtime client's native part, nor /proc, `waitid` or large buffers; processes by spawn."""
    record = tmp_path / "asked.txt"
    (tmp_path / "sitecustomize.py").write_text(ELSEWHERE.format(record=str(record)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    arguments = f"demo --requests {REQUESTS} --no-page --collector none --out".split()
    command = [sys.executable, "-m", "lambda_latency", *arguments, str(tmp_path / "out")]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert {*record.read_text().splitlines()} == {"runtime client", "/proc", "receive buffer"}
    reading = read_traces(tmp_path / "out" / "traces.jsonl")
    assert (len(reading.traces), reading.problems) == (REQUESTS, ())
    assert [[span.origin for span in trace.tops] for trace in reading.traces] == [[GATEWAY]] * REQUESTS
    names = {span.name for trace in reading.traces for span in trace.spans}
    assert "POST /orders" in names
    assert not [name for name in names if "runtime/invocation" in name]  # the client's own calls are none of them


def test_the_warden_goes_on_after_a_group_of_zombies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For which macOS has another error than Linux: the folder that comes after it is removed all the same."""
    folder = tmp_path / "folder"
    folder.mkdir()

    def refused(group: int, number: int) -> None:
        raise PermissionError(group, number)

    monkeypatch.setattr(os, "killpg", refused)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "stdin", ["+4711\n", f"folder {folder}\n"])
    warden.main()
    assert not folder.exists()
