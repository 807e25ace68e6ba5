"""Answers that are none of AWS: a web page, and a page that comes again and again."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lambda_latency.cli import main
from lambda_latency.fetch import FetchError, answers


class _Portal(BaseHTTPRequestHandler):
    """Answers each request as a network that asks to sign in."""

    def do_POST(self) -> None:
        page = b"<html><body>Sign in</body></html>"
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
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
