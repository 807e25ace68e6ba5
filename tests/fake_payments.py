"""A fake payments provider over real HTTP on the loopback, which keeps books and can be told to misbehave."""

import json
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Protocol

PATIENCE = 20  # seconds until a test that waits for something that never comes fails: no test is meant to see it


class Waitable(Protocol):
    """An Event or a Barrier."""

    def wait(self, timeout: float | None = None) -> object: ...


@dataclass(frozen=True, slots=True)
class Step:
    """What happens with one request, where it is not simply served."""

    books: bool = True  # the money moves, whatever the caller gets to hear of it
    wait: Waitable | None = None  # before anything is sent back
    answer: tuple[int, str] | None = None  # in place of the right one
    location: str = ""  # of a redirect
    ends: Literal["whole", "cut", "half"] = "whole"  # half: a part of the answer, and then nothing


@dataclass(slots=True)
class FakePayments:
    """The provider's books, and the next steps it is told to take."""

    url: str = ""
    steps: list[Step] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)  # path, idempotency key, body
    booked: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)  # answer by idempotency key
    released: threading.Event = field(default_factory=threading.Event)  # ends every step that hangs
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def charges(self) -> int:
        """How often money was taken."""
        return sum("charge_id" in body for _, body in self.booked.values())

    @property
    def refunds(self) -> int:
        """How often money was given back."""
        return sum("refund_id" in body for _, body in self.booked.values())

    def hang(self, *, books: bool = True, ends: Literal["whole", "half"] = "whole") -> None:
        """Never answer the next request, or only half way, while the test lasts."""
        self.steps.append(Step(books=books, wait=self.released if ends == "whole" else None, ends=ends))

    def begin(self) -> None:
        """Forget everything: a new test."""
        self.steps.clear()
        self.asked.clear()
        self.booked.clear()
        self.released = threading.Event()

    def take(self, path: str, key: str, body: dict[str, Any]) -> tuple[Step, tuple[int, str]]:
        """The step for this request, and what to answer."""
        with self.lock:
            self.asked.append((path, key, body))
            step = self.steps.pop(0) if self.steps else Step()
            status, right = self._book(path, key, body) if step.books else (500, {})
        return step, step.answer or (status, json.dumps(right))

    def _book(self, path: str, key: str, body: dict[str, Any]) -> tuple[int, dict[str, str]]:
        if key not in self.booked:
            if path == "/v1/refunds":
                self.booked[key] = 201, {"refund_id": f"re-{key}", "status": "succeeded"}
            elif body["payment_method"] == "card-declined":
                self.booked[key] = 402, {"error": "card_declined"}
            else:
                self.booked[key] = 201, {"charge_id": f"ch-{key}", "status": "succeeded"}
        return self.booked[key]


@contextmanager
def serve() -> Iterator[FakePayments]:
    """A fake provider that listens until the end of the block."""
    provider = FakePayments()

    class Handler(_Handler):
        fake = provider

    with _Server(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield provider
        finally:
            provider.released.set()
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # http.server's own looks the host's name up
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # else a caller that gave up


class _Handler(BaseHTTPRequestHandler):
    fake: FakePayments
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        released = self.fake.released
        step, (status, text) = self.fake.take(self.path, self.headers["Idempotency-Key"], body)
        if step.wait:
            step.wait.wait(PATIENCE)
        if step.ends == "cut":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        if step.location:
            self.send_header("Location", step.location)
        self.end_headers()
        self.wfile.write(text.encode() if step.ends == "whole" else text[:5].encode())
        self.wfile.flush()
        if step.ends == "half":
            released.wait(PATIENCE)
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
        """Nothing: the books say what was asked."""
