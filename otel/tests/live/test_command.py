"""`lambda-latency live` as a person runs it: what it prints, a port that is taken, a file beside the page, its end."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from lambda_latency.live import owner_of
from tests.live.shop import Listener, ask, line, request_spans

LIVE = [sys.executable, "-u", "-m", "lambda_latency", "live"]


@contextmanager
def running(cwd: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The command, and its two addresses."""
    process = subprocess.Popen(
        [*LIVE, "--otlp-port", "0", *arguments], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        page, spans = process.stdout.readline(), process.stdout.readline()
        try:
            yield process, page.split()[1], re.findall(r"http://[\d.:]+\d", spans)[0]
        finally:
            if process.poll() is None:
                process.kill()


def failed(cwd: Path, *arguments: str) -> tuple[int, str]:
    """Status and stderr of a command that ends by itself."""
    done = subprocess.run([*LIVE, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stderr


def test_it_prints_where_to_look_and_where_to_send(tmp_path: Path) -> None:
    """In lines that fit into 80 columns."""
    with running(tmp_path) as (process, page, spans):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{24}/", page)
        assert ask(page)[0] == 200
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stderr is not None
        out, err = process.stdout.read(), process.stderr.read()
        process.wait(20)
    assert (process.returncode, err) == (130, "")
    assert out.split() == [
        *("export", f"OTEL_EXPORTER_OTLP_ENDPOINT={spans}"),
        *("export", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"),
    ]
    assert max(map(len, (page, *out.splitlines()))) <= 80


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_nothing_is_left_at_its_end(tmp_path: Path, number: signal.Signals, status: int) -> None:
    """Both ports are free, though a page is open; the page is told of an end that can be told."""
    with running(tmp_path) as (process, page, spans), closing(Listener(page)) as listener:
        listener.until("state")
        process.send_signal(number)
        assert process.wait(20) == status
        if number is not signal.SIGKILL:
            assert listener.until("end") == {}
    for address in (page, spans):
        with pytest.raises(ConnectionRefusedError):
            ask(address)
    assert [*tmp_path.iterdir()] == []


def test_a_file_beside_the_page_is_one_that_report_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is continued, and never emptied."""
    from lambda_latency.cli import main

    file = tmp_path / "live.jsonl"
    for first in (0, 10):
        with running(tmp_path, "--out", str(file)) as (process, _, spans):
            body = line(*(request_spans(number) for number in range(first, first + 10)))
            assert ask(f"{spans}/", "v1/traces", method="POST", body=body, Content_Type="application/json")[0] == 200
            process.send_signal(signal.SIGINT)
            process.wait(20)
    assert main(["report", str(file), "--quiet"]) == 0
    assert "seen 20" in capsys.readouterr().out


def test_a_port_that_is_taken_is_said_with_its_owner_and_the_way_out(tmp_path: Path) -> None:
    """For the receiver and for the page."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        status, err = failed(tmp_path, "--otlp-port", str(port))
        assert (status, err.splitlines()) == (
            1,
            [
                f"lambda-latency: the port of OTLP over HTTP, {port}, is taken by {owner_of(port)}",
                (
                    "  stop it, or choose another port with --otlp-port, such as 4319, and set "
                    "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4319 for what sends"
                ),
            ],
        )
        assert re.search(r"\(process \d+\)\Z", owner_of(port))
        status, err = failed(tmp_path, "--otlp-port", "0", "--page", str(port))
        assert status == 1
        assert err.endswith("\n  stop it, or choose another port with --page\n")
    assert owner_of(port) == ""


def test_one_port_for_both_is_refused(tmp_path: Path) -> None:
    """As a mistake of usage."""
    status, err = failed(tmp_path, "--otlp-port", "4444", "--page", "4444")
    assert (status, err.splitlines()[0]) == (2, "lambda-latency: --page and --otlp-port are both 4444")


def test_a_file_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    """With the option."""
    status, err = failed(tmp_path, "--otlp-port", "0", "--out", "missing/live.jsonl")
    assert (status, err.splitlines()[-1]) == (1, "  choose another file with --out")
