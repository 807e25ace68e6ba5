"""What the sandbox counts of a handler, in a process of its own, which it changes."""

import json
import os
import subprocess
import sys
from pathlib import Path

HANDLER = """\
import threading


def handler(event, context):
    threads = [threading.Thread(target=work) for _ in range(event)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return "localhost".encode("idna")


def work():
    return [number for number in range(10)]
"""
CALLS = """\
import importlib, os, sys
from lambda_latency.local.sandbox import bootstrap, counting
counting.install(bootstrap.AfterImport, os.pathsep.join(("app.handler", *sys.argv[1:])))
handler = importlib.import_module("app").handler
handler(0, None)
handler(2, None)
"""


def test_threads_and_modules_are_counted(tmp_path: Path) -> None:
    """The threads that execute something; a codec of names for connections belongs to no handler."""
    (tmp_path / "app.py").write_text(HANDLER)
    path = os.pathsep.join((str(tmp_path), *sys.path))
    env = {**os.environ, "PYTHONPATH": path, "AWS_LAMBDA_FUNCTION_NAME": "Function", "_X_AMZN_TRACE_ID": "Root=1-2-3"}
    command = [sys.executable, "-c", CALLS, str(tmp_path / "counts"), str(tmp_path)]
    subprocess.run(command, env=env, check=True)
    records = [json.loads(line) for line in (tmp_path / "counts").read_text().splitlines()]
    assert [(record["trace"], record["threads"], record["modules"]) for record in records] == [
        ("", 1, ["app"]),
        ("Root=1-2-3", 1, []),
        ("Root=1-2-3", 3, []),
    ]
