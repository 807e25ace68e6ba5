"""Answers that are none of AWS: a web page, and a page that comes again and again."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lambda_latency.cli import main
from lambda_latency.fetch import FetchError, answers


class _Portal(BaseHTTPRequestHandler):
    """Answers each request as a network that asks to sign in, in the way that a test chooses."""

    answer = (200, "text/html; charset=utf-8", b"<html><body>Sign in</body></html>")

    def do_POST(self) -> None:
        status, content_type, page = self.answer
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def _portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Portal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("_portal")
@pytest.mark.parametrize(
    "command",
    [
        ["report", "--xray", "--since", "1h", "--quiet"],
        ["report", "--alarm", "slow"],
        ["doctor", "--account"],
        ["cost", "--account"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_web_page_in_place_of_aws_is_named(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """It is no empty account."""
    assert main(command) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("lambda-latency: a web page answers ")
    assert len(printed.err.splitlines()) == 2


@pytest.mark.usefixtures("_portal")
@pytest.mark.parametrize(
    "answer",
    [
        (200, "TEXT/HTML", b"<!DOCTYPE html>\n<html>Sign in</html>"),
        (200, "application/xhtml+xml", b"<?xml version='1.0'?>\n<!DOCTYPE html><html>Sign in</html>"),
        (200, "text/plain", b"  <HTML>Sign in"),
        (200, "", b"Sign in"),
        (403, "text/html", b"<html>Blocked</html>"),
        (407, "text/html", b"<html>Sign in</html>"),
        (511, "text/html", b"<html>Sign in</html>"),
    ],
    ids=lambda answer: f"{answer[0]} {answer[1]}",
)
@pytest.mark.parametrize("command", ["doctor", "cost"])
def test_a_web_page_is_known_by_what_it_is(
    answer: tuple[int, str, bytes], command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever its Content-Type and its status say."""
    monkeypatch.setattr(_Portal, "answer", answer)
    assert main([command, "--account"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("lambda-latency: a web page answers ")


def test_a_page_that_comes_again_ends_the_search() -> None:
    """With what came before it."""
    tokens: list[str] = []

    def call(NextToken: str = "") -> dict[str, Any]:  # noqa: N803 - AWS's name
        tokens.append(NextToken)
        return {"TraceSummaries": [], "NextToken": "b" if NextToken == "a" else "a"}

    pages = answers(call, {})
    assert len([next(pages) for _ in range(3)]) == 3
    with pytest.raises(FetchError, match="AWS returns the same page again and again"):
        next(pages)
    assert tokens == ["", "a", "b"]
