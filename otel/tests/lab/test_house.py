"""`lab house` on a made-up checkout: its whole table, and a run that fails."""

import sys
from pathlib import Path

import pytest

from lab.house.__main__ import ROOT, ask, measure, table
from lab.house.budget import over_budget
from lab.house.names import FIGURES, counted

LOCAL = '''"""A system that answers."""
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from lambda_latency.trace.path import first


class SystemOptions:
    def __init__(self, out):
        self.out = out


def read_app(template, parameters):
    return template


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        first([1])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class System:
    def __init__(self, app, options):
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever).start()

    def close(self):
        from lambda_latency.local.end import end

        end(self._server)
'''
BOOTSTRAP = '''"""The handler."""
import os
from importlib import import_module

from lambda_latency.runtime.deliver import send

module, _, name = os.environ["LAMBDA_LATENCY_HANDLER"].rpartition(".")
real = getattr(import_module(module), name)


def handler(event, context):
    try:
        return real(event, context)
    finally:
        send()
'''
CLI = '''"""The command."""


def main(arguments):
    from lambda_latency.trace.path import first
    from lambda_latency.trace import shape

    # The file is not read.
    assert arguments[0] == "report"
    return first([0])
'''
FILES = {
    "otel/lambda_latency/__init__.py": "",
    "otel/lambda_latency/cli/__init__.py": CLI,
    "otel/lambda_latency/local/__init__.py": LOCAL,
    "otel/lambda_latency/local/end.py": "def end(server):\n    server.shutdown()\n    server.server_close()\n",
    "otel/lambda_latency/runtime/__init__.py": "",
    "otel/lambda_latency/runtime/bootstrap.py": BOOTSTRAP,
    "otel/lambda_latency/runtime/deliver.py": "def send():\n    pass\n",
    "otel/lambda_latency/trace/__init__.py": "",
    "otel/lambda_latency/trace/path.py": "def first(values):\n    return values[0]\n",
    "otel/lambda_latency/trace/shape.py": "from lambda_latency.trace import tree\n\n\nclass Shape:\n    pass\n",
    "otel/lambda_latency/trace/tree.py": "from lambda_latency.trace import shape\n",
    **{f"otel/lambda_latency/wide/{name}/report.py": "" for name in "abcd"},
    **{f"otel/lambda_latency/wide/{name}/errors.py": "" for name in "abcd"},
    **{f"otel/lambda_latency/wide/m{number}.py": "" for number in range(27)},
}
TABLE = """\
modules in .                                                                         1
modules in cli                                                                       1
modules in local                                                                     2
modules in runtime                                                                   3
modules in trace                                                                     4
modules in wide                                                                   27 !
modules in wide/a                                                                    2
modules in wide/b                                                                    2
modules in wide/c                                                                    2
modules in wide/d                                                                    2
modules/floors/arrows/circles of the kit                                    11/2/7/1 !
  circle lambda_latency.trace.shape, lambda_latency.trace.tree                       !
modules/floors/arrows/circles of cli                                           1/1/0/0
modules/floors/arrows/circles of local                                         2/2/1/0
modules/floors/arrows/circles of runtime                                       3/2/1/0
modules/floors/arrows/circles of trace                                       4/1/2/1 !
files named report.py                                                              4 !
modules in which a report calls a function                                           2
  the same with those in which it runs the body of a class                           3
modules in which a warm event calls a function                                       2
modules in which a request through the local system calls a function                 2
! above 26 modules a folder or 3 files a name, or a circle"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose Python is that of the tests."""
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_checkout_is_a_table(checkout: Path) -> None:
    """Folders and names above the limits and circles are marked; what runs at the end of a trip does not count."""
    assert table(measure(checkout, checkout / "traces.jsonl")) == TABLE


def test_a_run_that_fails_ends_the_program(checkout: Path) -> None:
    """With the run, the checkout and the reason."""
    (checkout / "otel/lambda_latency/cli/__init__.py").write_text("def main(arguments):\n    return 1\n")
    traces = checkout / "traces.jsonl"
    with pytest.raises(SystemExit) as stopped:
        ask(checkout, "report", str(traces))
    assert str(stopped.value) == (
        f"lab house: report of {checkout} failed:\nlambda-latency report {traces} ended with 1\n"
    )


def test_no_part_is_over_its_budget() -> None:
    """A change that needs more lines raises the figure in otel/lab/house/budget.py, and says why."""
    assert list(over_budget(ROOT)) == []


def test_growth_and_a_new_subpackage_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the lines and the figure."""
    kit = tmp_path / "otel" / "lambda_latency"
    for subpackage in ("old", "new"):
        (kit / subpackage).mkdir(parents=True)
        (kit / subpackage / "__init__.py").write_text("a = 1\n" * 3)
    monkeypatch.setattr("lab.house.budget.BUDGET", {"otel/lambda_latency/old": 2, "tests": 1})
    assert list(over_budget(tmp_path)) == [
        "otel/lambda_latency/new has no figure in otel/lab/house/budget.py",
        "otel/lambda_latency/old has 3 lines, its figure is 2: delete elsewhere in it, or raise it and say why",
    ]


def test_figures_of_names_are_lowered_when_they_have_fallen() -> None:
    """The rows of otel/lab/house/names.py, by which `make check` judges, are what the parts have."""
    assert {part: figures for part, figures in FIGURES.items() if figures != counted(ROOT / part)[0]} == {}
