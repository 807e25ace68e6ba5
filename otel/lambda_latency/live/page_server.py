"""The server of the page, on 127.0.0.1: it answers to the page's own address alone, and only to GET.

Other users of the machine reach 127.0.0.1 too, so the address has a token. Other sites in the same browser are refused
by the name of the host, by the origin, and by what the browser says about the requesting site.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs

import msgspec

from lambda_latency.http import Handler, Server
from lambda_latency.version import VERSION

if TYPE_CHECKING:
    from lambda_latency.live.reporting import Reporting, Window
    from lambda_latency.live.stream import Stream, Update

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HTML = {"Content-Type": "text/html; charset=utf-8"}
JSON = {"Content-Type": "application/json"}
# For a page that does not read; it connects again and gets the retained rows
WAIT_S = 10.0
IDLE_S = 60.0  # for the next request of a connection
LARGEST = 2**53
END_S = 1.0
TOKEN_BYTES, TOKEN = 18, re.compile(r"[\w-]{24}", re.ASCII)
MOST_OPEN = 200  # connections
BEAT_S = 15.0  # without rows: a page notices a server that is gone
STATE_S = 1.0


class Parts:
    """The parts of a page. The first request makes them: `demo` and `serve` spend no time for an unseen page."""

    def __init__(self, stream: Stream, reporting: Reporting, state: Callable[[], dict[str, object]]):
        self.stream, self.reporting, self.state = stream, reporting, state


def serve_page(parts: Callable[[], Parts], port: int, tabs: Tabs) -> tuple[Server, str]:
    """Start the server of a page on a port (0: any free one), and return it with the page's address."""
    token = retained_token(port) if port else secrets.token_urlsafe(TOKEN_BYTES)
    handler = type("PageHandler", (_Page,), {"token": token, "parts": staticmethod(parts), "tabs": tabs})
    server = Server(handler, port, MOST_OPEN)
    handler.hosts = {f"{host}:{server.port}" for host in ("127.0.0.1", "localhost")}  # type: ignore[attr-defined]
    return server, f"http://{server.address}/{token}/"


def retained_token(port: int) -> str:
    """Return the token of the page on a port that the user chose: an open tab finds the page again after a restart.

    It is in a file that only this user may read; without such a file, or where it cannot be written, it is a new one.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lambda-latency"
    path, token = cache / f"page-{port}.token", secrets.token_urlsafe(TOKEN_BYTES)
    with suppress(OSError):
        status = path.lstat()
        is_private = stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
        text = path.read_text(encoding="ascii", errors="replace") if is_private else ""
        if TOKEN.fullmatch(text):
            return text
    with suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token)
    return token


class _Page(Handler):
    timeout = IDLE_S
    token: str
    hosts: set[str]
    parts: Callable[[], Parts]
    tabs: Tabs

    def do_GET(self) -> None:
        if not self._may_ask():
            return None
        path, _, query = self.path.partition("?")
        if path == "/favicon.ico":
            return self.answer(204)
        _, token, *names = path.split("/")
        if not hmac.compare_digest(token.encode(), self.token.encode()) or len(names) not in (1, 2):
            return self._say(403, "Open the address that lambda-latency printed: it holds a token of this run.")
        values = {name: texts[-1] for name, texts in parse_qs(query).items()}
        try:
            return self._routed(names, values)
        except ValueError as error:
            return self._say(400, str(error))

    def _may_ask(self) -> bool:
        """Return whether the page itself asks, or a person who typed its address; answer others with a refusal."""
        if self.headers.get("Host") not in self.hosts:  # a foreign name may resolve to this machine
            self._say(421, "This page answers to 127.0.0.1 only.")
            return False
        origin = self.headers.get("Origin")
        site = self.headers.get("Sec-Fetch-Site", "none")
        is_foreign = origin is not None and origin not in {f"http://{host}" for host in self.hosts}
        if is_foreign or site not in ("none", "same-origin"):
            self._say(403, "Another site asked.")
            return False
        return True

    def _routed(self, names: list[str], values: Mapping[str, str]) -> None:
        name = names[0]
        if names == [""]:
            page = document_of()
            return self.answer(200, page.body, {**HTML, "Content-Security-Policy": page.policy, **HEADERS})
        parts = self.parts()
        if names == ["events"]:
            return self._events(parts, values)
        if names == ["rows"]:
            rows = parts.stream.after(0, 0.0).rows
            return self._json(b"[%s]" % b",".join(rows))
        if names == ["verdict"]:
            return self._json(parts.reporting.verdict(_window(values)))
        if name == "request" and len(names) == 2:
            return self._json(parts.reporting.request(names[1]))
        if names == ["report"]:
            page_text = parts.reporting.page(_window(values))
            if page_text is None:
                return self._say(404, "No request is kept yet.")
            return self.answer(200, page_text.encode(), {**HTML, **HEADERS, "X-Frame-Options": "DENY"})
        if names == ["compare"]:
            return self._json(parts.reporting.compared(_window(values), _number(values, "mark")))
        if names == ["save"]:
            return self._save(parts, values)
        return self._say(404, "There is no such page.")

    def _say(self, status: int, text: str) -> None:
        self.answer(status, f"{text}\n".encode(), {"Content-Type": "text/plain; charset=utf-8", **HEADERS})

    def _json(self, body: bytes | None) -> None:
        if body is None:
            return self._say(404, "This request is no longer kept.")
        return self.answer(200, body, {**JSON, **HEADERS})

    def _save(self, parts: Parts, values: Mapping[str, str]) -> None:
        body = b"".join(parts.reporting.saved(_window(values)))
        name = time.strftime("live-%Y%m%dT%H%M%SZ.jsonl", time.gmtime())
        headers = {"Content-Type": "application/x-ndjson", "Content-Disposition": f'attachment; filename="{name}"'}
        self.answer(200, body, {**headers, **HEADERS})

    def _events(self, parts: Parts, values: Mapping[str, str]) -> None:
        text = self.headers.get("Last-Event-ID") or values.get("last", "0")
        number = int(text) if text.isdigit() and int(text) < LARGEST else 0
        with self.tabs.place() as free:
            if not free:
                refusal = f"{self.tabs.limit} pages are open, the most that are served: close one."
                return self.answer(503, f"{refusal}\n".encode(), {"Retry-After": "5", **HEADERS})
            self.connection.settimeout(WAIT_S)
            self.close_connection = True
            self.send_response_only(200)
            for key, value in {"Content-Type": "text/event-stream", "Connection": "close", **HEADERS}.items():
                self.send_header(key, value)
            self.end_headers()
            with suppress(OSError):  # the page is gone, or does not read
                for events in page_events(parts.stream, number, self._state):
                    self.wfile.write(events)
                    self.wfile.flush()
        return None

    def _state(self) -> dict[str, object]:
        return {**self.parts().state(), "tabs": self.tabs.count, "tabs_refused": self.tabs.refused}


def _window(values: Mapping[str, str]) -> Window:
    from lambda_latency.live.reporting import Window

    return Window(_number(values, "minutes", 15), _number(values, "after"))


def _number(values: Mapping[str, str], name: str, default: int = 0) -> int:
    """Return a whole number of the query. Raises `ValueError`."""
    text = values.get(name, str(default))
    if not text.isdigit() or len(text) > 15:
        raise ValueError(f"{name} must be a whole number")
    return int(text)


class Tabs:
    """The number of connected pages. Thread-safe."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = self.refused = 0
        self._lock = threading.Condition()

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Yield whether there is a place for another page, and hold it for the duration of the block."""
        with self._lock:
            free = self.count < self.limit
            self.count += free
            self.refused += not free
        try:
            yield free
        finally:
            with self._lock:
                self.count -= free
                self._lock.notify_all()

    def wait(self) -> None:
        """Wait until the end has been sent to each page, but only one second for a page that does not read."""
        with self._lock:
            self._lock.wait_for(lambda: self.count == 0, END_S)


def page_events(stream: Stream, number: int, state: Callable[[], dict[str, object]]) -> Iterator[bytes]:
    """Yield the events for a page, from the row with a number on, until the stream is closed."""
    sent_state = b""
    state_s = sent_s = 0.0
    if number > stream.last:  # a number of another server
        number = 0
    yield b"retry: 1000\n\n"
    while not stream.closed:
        update = stream.after(number, STATE_S)
        events = [*_row_events(update)]
        number = update.number
        now_s = time.monotonic()
        if now_s - state_s >= STATE_S:
            state_s, encoded = now_s, msgspec.json.encode(state())
            if encoded != sent_state:
                sent_state = encoded
                events.append(b"event: state\ndata: %s\n\n" % encoded)
        if not events and now_s - sent_s >= BEAT_S:
            events.append(b": alive\n\n")
        if events:
            sent_s = now_s
            yield b"".join(events)
    yield b"event: end\ndata: {}\n\n"


def _row_events(update: Update) -> Iterator[bytes]:
    if update.lost:
        yield b"event: lost\ndata: {}\n\n"
    if update.rows:
        yield b"id: %d\ndata: [%s]\n\n" % (update.number, b",".join(update.rows))


class Document(NamedTuple):
    """The page as bytes, and its content security policy."""

    body: bytes
    policy: str


@cache
def document_of() -> Document:
    """Build the page, which holds no data."""
    # Slow imports, for a page that somebody opens
    from lambda_latency.latency import Breakdowns, report_of
    from lambda_latency.page import live_page, page_values

    nothing = report_of(Breakdowns(), lambda _: {}, sources=["live"])
    values, _ = page_values(nothing, lambda _: {}, command="", version=VERSION, is_live=True)
    text, policy = live_page(values)
    return Document(text.encode(), f"{policy}; frame-ancestors 'none'")
