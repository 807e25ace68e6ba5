"""`lambda-latency serve` as a person runs it, in a process of its own."""

import gc
import http.client
import json
import queue
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.serve.system import System, SystemOptions
from tests.system.conftest import ROOT, order
from tests.system.processes import Footprint, own_temporary

REQUESTS, AT_ONCE = 1000, 16
REQUESTS_IN_A_ROW = 20
PAGE = r"^Page: (http://127\.0\.0\.1:\d+/[\w-]+/)$"


class Served:
    """The command, up, and the lines that it has printed."""

    def __init__(self, arguments: list[str], cwd: Path, env: dict[str, str]) -> None:
        command = [sys.executable, "-u", "-m", "lambda_latency", "serve", "--port", "0", *arguments]
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._new: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self.wait_for(r"is up at (http://\S+),").group(1)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first line from now on that matches."""
        while True:
            line = self._new.get(timeout=60)
            if match := re.search(pattern, line):
                return match

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        with closing(http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)) as connection:
            connection.request(method, path, json.dumps(body) if body else None)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        status = self.process.wait(30)
        self._reader.join(5)
        return status

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip())
                self._new.put(line.rstrip())


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts the command; whatever a test leaves is ended after it. The demo's traces are as they were."""
    started: list[Served] = []
    demo = tmp_path / "out" / "traces.jsonl"
    demo.parent.mkdir()
    demo.write_text("of the demo")

    def start(*arguments: str, cwd: Path = ROOT) -> Served:
        env = own_temporary(tmp_path / f"temporary-{len(started)}")
        started.append(Served([*arguments, "--out", str(tmp_path / "out")], cwd, env))
        return started[-1]

    yield start
    for served in started:
        if served.process.poll() is None:
            served.end(signal.SIGKILL)
    assert demo.read_text() == "of the demo"


def test_a_thousand_requests_at_once_are_all_answered_and_nothing_is_left(serve: Serve) -> None:
    """16 callers; every answer is right; after Ctrl-C no process, port or folder is left, and the status is 130."""
    served = serve("--parameter", "SampleRate=0.05")
    made = [order() for _ in range(REQUESTS // 4)]

    def life(one: dict[str, Any]) -> list[tuple[int, Any]]:
        path = f"/orders/{one['order_id']}"
        return [
            served.call("POST", "/orders", one),
            served.call("GET", path),
            served.call("POST", f"{path}/cancel"),
            served.call("GET", f"/orders?customer={one['customer']}"),
        ]

    with ThreadPoolExecutor(AT_ONCE) as callers:
        lives = list(callers.map(life, made))
    # 200 in place of 201 or 202: on a busy machine a call to the table was repeated, and found what its first one did.
    statuses = [Counter(status for status, _ in answers) for answers in zip(*lives, strict=True)]
    assert [one[200] + one[first] for one, first in zip(statuses, (201, 0, 202, 0), strict=True)] == [len(made)] * 4
    for one, (created, found, cancelled, listed) in zip(made, lives, strict=True):
        assert created[1]["order_id"] == one["order_id"]
        assert found[1] == created[1]
        assert cancelled[1] == {**created[1], "status": "cancelled", "refund_id": cancelled[1]["refund_id"]}
        assert listed[1] == {"orders": [cancelled[1]], "next": None}
    footprint = Footprint(served.process.pid)
    assert len(footprint.pids) > 10
    assert served.end(signal.SIGINT) == 130
    assert footprint.left() == {"processes": [], "ports": [], "folders": []}
    assert len([line for line in served.lines if re.match(r"(GET|POST) /orders", line)]) == REQUESTS


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_nothing_is_left_when_the_command_is_killed(serve: Serve, number: signal.Signals, status: int) -> None:
    """Also in the middle of requests."""
    served = serve()
    served.call("POST", "/orders", order())
    served.call("GET", "/orders/none")
    footprint = Footprint(served.process.pid)
    with ThreadPoolExecutor(4) as callers:
        under_way = [callers.submit(served.call, "POST", "/orders", order()) for _ in range(8)]
        assert served.end(number) == status
        errors = [error for one in under_way if (error := one.exception()) is not None]
    assert [error for error in errors if not isinstance(error, OSError | http.client.HTTPException)] == []
    assert footprint.left() == {"processes": [], "ports": [], "folders": []}


EVENT = json.dumps({"pathParameters": None, "queryStringParameters": {"customer": "none"}})


def invoke(out: Path, function: str) -> subprocess.CompletedProcess[str]:
    """Runs `lambda-latency invoke` at the root, with an event from standard input."""
    command = [sys.executable, "-m", "lambda_latency", "invoke", function, "-", "--out", str(out)]
    return subprocess.run(command, cwd=ROOT, input=EVENT, capture_output=True, text=True, check=False, timeout=120)


class Loaded:
    """Stands for what is in memory before a request comes: whatever is collected looks at it again and again."""


def is_looked_at(one: object) -> bool:
    """Whether the garbage collector goes through it."""
    return any(other is one for other in gc.get_objects())


def test_what_is_loaded_before_the_first_request_is_collected_after_the_last(tmp_path: Path) -> None:
    """Else a collection in the middle of a load held up every answer, and reports named Lambda's overhead."""
    loaded = Loaded()
    system = System(read_app(Path("template.yaml"), {}), SystemOptions(tmp_path))
    try:
        during = is_looked_at(loaded)
    finally:
        system.close()
    assert (during, is_looked_at(loaded)) == (False, True)


def test_each_request_is_traced_and_printed_as_it_ends(serve: Serve) -> None:
    """Route, status, milliseconds, and the part that took longest; the template's rule would trace one a second."""
    served = serve()
    served.call("GET", "/orders/none")
    served.wait_for(r"^GET /orders/\{id\} +404 +[\d,]+\.\d ms  cold start [\d,]+\.\d ms$")
    for _ in range(REQUESTS_IN_A_ROW):
        served.call("GET", "/nothing")
    for _ in range(REQUESTS_IN_A_ROW):
        served.wait_for(r"^GET /nothing +403 +[\d,]+\.\d ms")
    assert not any("not sampled" in line for line in served.lines)


def test_a_rule_that_is_given_counts_and_without_a_page_no_address_is_printed(serve: Serve) -> None:
    """--parameter, --page off"""
    served = serve("--page", "off", "--parameter", "TracesPerSecond=0", "--parameter", "SampleRate=0")
    for _ in range(REQUESTS_IN_A_ROW):
        served.call("GET", "/orders/none")
    for _ in range(REQUESTS_IN_A_ROW):
        served.wait_for(r"^GET /orders/\{id\} +404")
    assert sum("not sampled" in line for line in served.lines) == REQUESTS_IN_A_ROW
    assert not [line for line in served.lines if line.startswith("Page: ")]
