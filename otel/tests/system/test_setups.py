"""The other set-ups: the layer's own start-up, callers' tracing passed through, and no tracing at all."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.apps import CACHE, packages
from lambda_latency.local import warden
from lambda_latency.local.app.prepare.make import Builds
from lambda_latency.local.app.prepare.preparation import Preparation
from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.serve.system import LAYER
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.function import Function
from lambda_latency.local.sandbox.lambda_service import Sandbox
from lambda_latency.local.sandbox.variables import SandboxSettings
from lambda_latency.local.spans.segments import TracingHeader
from lambda_latency.pythons import pythons
from lambda_latency.trace import GATEWAY, read_traces
from tests.system.conftest import COLD, ROOT, TEMPLATE, Client, order, start_system
from tests.system.test_routes import CHARGE, PUT, UPDATE, handled


@pytest.fixture(scope="module")
def passed_through(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Tracing=PassThrough."""
    yield from start_system(tmp_path_factory.mktemp("through"), Tracing="PassThrough")


def test_the_layers_own_start_up_gives_one_joined_trace(layer: Client) -> None:
    """The same tree; its handler's span is named after the function."""
    reply = layer.call("POST", "/orders", order())
    assert reply.status == 201
    assert handled(layer.trace(reply, 10)) == ("CreateOrder SERVER", PUT, CHARGE, UPDATE)


def test_a_callers_sampling_decision_is_passed_through(passed_through: Client) -> None:
    """The function's spans join the caller's trace; gateway and Lambda record nothing of their own."""
    ids = "Root=1-6b064b70-260f9770082ee7238d6e5ac3;Parent=0b9a684f4976364c"
    reply = passed_through.call("POST", "/orders", order(), headers={"X-Amzn-Trace-Id": f"{ids};Sampled=1"})
    assert reply.trace_id == "6b064b70260f9770082ee7238d6e5ac3"
    trace = passed_through.trace(reply, 5)
    assert sorted(span.name for span in trace.spans if span.name not in COLD) == [
        "DynamoDB.PutItem",
        "DynamoDB.UpdateItem",
        "POST",
        "POST /charges",
        "POST /orders",
    ]
    unsampled = passed_through.call("POST", "/orders", order())
    assert unsampled.status == 201
    assert unsampled.trace_id not in passed_through.system.store.path.read_text()


@pytest.mark.parametrize(("tracing", "imported"), [("Off", False), ("Active", True)])
def test_without_tracing_no_module_of_opentelemetry_is_imported(tmp_path: Path, tracing: str, imported: bool) -> None:
    """Python itself lists what a function imports; with tracing on the same list has them."""
    lines: list[str] = []
    app = read_app(TEMPLATE, {"Tracing": tracing})
    builds = Builds(tmp_path, pythons(), lines.append)
    prepared = Preparation(packages(), ROOT, tmp_path, builds, "kit" if app.is_traced else "none", lines.append)
    (get,) = (function for function in app.declared if function.key == "GetOrder")
    function = prepared(get, {**get.variables, "ORDERS_TABLE": "orders"})
    assert isinstance(function, Function)
    extra = {"PYTHONPROFILEIMPORTTIME": "1"}
    with Processes() as processes:
        settings = SandboxSettings(task_root=ROOT, layer=LAYER, extra=extra)
        sandbox = Sandbox(
            [function], settings, processes, record=lambda _: None, log=lambda _, line: lines.append(line)
        )
        sandbox.prepare(1)
        sandbox.invoke("GetOrder", b'{"pathParameters": null}', TracingHeader.new(sampled=False))
        sandbox.close()
    modules = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    assert "functions.table" in modules
    assert any(module.split(".")[0] in ("opentelemetry", "lambda_latency") for module in modules) is imported


def test_the_layers_folder_is_the_one_that_stands_for_opt() -> None:
    """Its wrapper is where the template looks for it."""
    assert Path(LAYER / "otel-instrument").stat().st_mode & 0o111


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
lacking = {{os: ("waitid", "sched_getaffinity", "memfd_create"), time: ("CLOCK_BOOTTIME", "pthread_getcpuclockid")}}
for module, names in lacking.items():
    for name in names:
        delattr(module, name)
multiprocessing.set_start_method("spawn")
"""
REQUESTS = 6


def test_the_demo_runs_without_what_only_linux_has(tmp_path: Path) -> None:
    """Neither the runtime client's native part, nor /proc, `waitid` or large buffers; processes by spawn."""
    record = tmp_path / "asked.txt"
    (tmp_path / "sitecustomize.py").write_text(ELSEWHERE.format(record=str(record)))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    link_packages(tmp_path / "cache" / CACHE.name, tmp_path / "sitecustomize.py")
    arguments = f"demo --requests {REQUESTS} --page off --collector none --out".split()
    command = [sys.executable, "-m", "lambda_latency", *arguments, str(tmp_path / "out")]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert {*record.read_text().splitlines()} == {"runtime client", "/proc", "receive buffer"}
    reading = read_traces(tmp_path / "out" / "traces.jsonl")
    assert (len(reading.traces), reading.problems) == (REQUESTS, ())
    assert [[span.origin for span in trace.local_roots] for trace in reading.traces] == [[GATEWAY]] * REQUESTS
    names = {span.name for trace in reading.traces for span in trace.spans}
    assert "POST /orders" in names
    assert not [name for name in names if "runtime/invocation" in name]  # the client's own calls are none of them


def link_packages(folder: Path, start: Path) -> None:
    """Make a cache of packages of links to the one that is there, in which functions run a module at their start."""
    folder.mkdir(parents=True)
    for made in CACHE.iterdir():
        if not made.name.startswith("runtime-"):
            (folder / made.name).symlink_to(made)
            continue
        shutil.copytree(made, folder / made.name, symlinks=True, copy_function=os.symlink)
        (packages,) = (folder / made.name / "lib").glob("python*/site-packages")
        (packages / start.name).symlink_to(start)


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
