"""`lambda-latency serve` as a person runs it, in a process of its own."""

import gc
import http.client
import json
import os
import queue
import re
import shutil
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
from tests.live.shop import Listener, ask
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


def test_a_port_that_is_taken_is_said_so(tmp_path: Path) -> None:
    """One line that says what and what to do; status 1."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "lambda_latency", "serve", "--port", str(port), "--out", str(tmp_path / "out")]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert (ended.returncode, ended.stdout, ended.stderr.splitlines()) == (
        1,
        "",
        [
            f"lambda-latency: port {port} of 127.0.0.1 cannot be used: Address already in use",
            "  stop the program that listens there, or choose another port with --port (0: any free port)",
        ],
    )


EVENT = json.dumps({"pathParameters": None, "queryStringParameters": {"customer": "none"}})


def invoke(out: Path, function: str) -> subprocess.CompletedProcess[str]:
    """Runs `lambda-latency invoke` at the root, with an event from standard input."""
    command = [sys.executable, "-m", "lambda_latency", "invoke", function, "-", "--out", str(out)]
    return subprocess.run(command, cwd=ROOT, input=EVENT, capture_output=True, text=True, check=False, timeout=120)


def test_a_function_of_the_example_is_invoked(serve: Serve, tmp_path: Path) -> None:
    """By the running `serve`, which prints a line for it; without one, by a system that is started for it."""
    served = serve()
    ended = invoke(tmp_path / "out", "ListOrders")
    assert (ended.returncode, json.loads(ended.stdout)["statusCode"], ended.stderr) == (0, 200, "")
    served.wait_for(r"^invoke -> ListOrders +ok +[\d,]+\.\d ms  \w")
    assert served.end(signal.SIGINT) == 130
    ended = invoke(tmp_path / "out", "ListOrders")
    assert (ended.returncode, json.loads(ended.stdout)["statusCode"], ended.stderr) == (0, 200, "")
    traces = tmp_path / "out" / "invoked.jsonl"
    written = traces.read_bytes()
    assert b"DynamoDB.Query" in written
    unknown = invoke(tmp_path / "out", "ListOrder")
    said = "lambda-latency: template.yaml has no function 'ListOrder'\n  did you mean 'ListOrders'?\n"
    assert (unknown.returncode, unknown.stdout, unknown.stderr) == (2, "", said)
    assert traces.read_bytes() == written


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


def with_faults(serve: Serve, folder: Path, rule: dict[str, str]) -> Served:
    """The command with a plan of this one rule."""
    plan = folder / "plan.json"
    plan.write_text(json.dumps({"rules": [rule]}))
    return serve("--faults", str(plan))


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


def test_a_timeout_is_printed_and_has_its_row_and_its_stack(serve: Serve, tmp_path: Path) -> None:
    """With the call and the line that were running shortly before the kill, when `serve` knows that it has ended."""
    served = with_faults(serve, tmp_path, {"at": "function", "kind": "timeout"})
    address = served.wait_for(PAGE).group(1)
    with closing(Listener(address)) as page:
        assert served.call("GET", "/orders/none")[0] == 502
        served.wait_for(
            r"^GET /orders/\{id\} .*  timed out in DynamoDB GetItem OrdersTable at functions/table\.py:\d+$"
        )
        [row] = page.rows(1)
        assert (row["route"], row["timeout"], row["cold"]) == ("GET /orders/{id}", True, True)
        assert row["what"] == "timed out in DynamoDB GetItem OrdersTable"
        assert row["where"].startswith("functions/table.py:")
        told = json.loads(ask(address, f"request/{row['id']}")[2])
        assert told["timeout"]["limit_ns"] == 6_000_000_000
        assert any("functions/table.py" in frame["file"] for frame in told["timeout"]["frames"])
        assert served.end(signal.SIGINT) == 130
        assert page.until("end") == {}


def test_what_a_function_logs_is_printed_and_is_beside_its_spans(serve: Serve, tmp_path: Path) -> None:
    """With its name, where the requests are. The fault is planned: --faults."""
    served = with_faults(serve, tmp_path, {"at": "provider", "kind": "status"})
    address = served.wait_for(PAGE).group(1)
    with closing(Listener(address)) as page:
        assert served.call("POST", "/orders", order())[0] == 502
        served.wait_for("^CreateOrder: .*payments API broken")
        [row] = page.rows(1)
        told = json.loads(ask(address, f"request/{row['id']}")[2])
    assert any(name == "CreateOrder" and "payments API broken" in text for name, text in told["logs"])


def test_changed_code_is_used_and_marked_before_the_next_request(serve: Serve, tmp_path: Path) -> None:
    """A copy of the project; its function is edited while it is served, first well, then badly, then well again."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "functions", project / "functions")
    for name in ("template.yaml", "observability.yaml", "explain.yaml"):
        shutil.copy(ROOT / name, project)
    served = serve(cwd=project)
    address = served.wait_for(PAGE).group(1)
    source = project / "functions" / "orders.py"
    original = source.read_text()
    with closing(Listener(address)) as page:
        for _ in range(3):
            served.call("GET", "/orders/none")
        rows = page.rows(3)
        source.write_text(original.replace('"not_found"', '"nowhere"'))
        assert served.call("GET", "/orders/none")[1]["error"] == "nowhere"
        rows += page.rows(2)
        assert [row.get("mark", row.get("status")) for row in rows] == [404, 404, 404, "code changed", 404]
        assert len({row["id"] for row in rows}) == 5
    source.write_text("this is no Python")
    assert served.call("GET", "/orders/none") == (502, {"message": "Internal server error"})
    served.wait_for("GetOrder: .*Runtime.UserCodeSyntaxError: Syntax error in module 'functions.orders'")
    source.write_text(original)
    assert served.call("GET", "/orders/none")[1]["error"] == "not_found"
