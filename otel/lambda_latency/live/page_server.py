"""The server of the page, on 127.0.0.1: it answers to the page's own address alone, and only to GET.

Other users of the machine reach 127.0.0.1 too, so the address holds a token. Other sites in the same browser are
refused by the name of the host, by the origin, and by what the browser says of the asking site.
"""

from __future__ import annotations

import hmac
import secrets
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from lambda_latency.http import Handler, Server
from lambda_latency.live.tabs import Tabs, told_to

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambda_latency.live.reporting import Reporting
    from lambda_latency.live.running_verdict import Verdicts, Window
    from lambda_latency.live.stream import Stream

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HTML = {"Content-Type": "text/html; charset=utf-8"}
JSON = {"Content-Type": "application/json"}
WAIT_S = 10.0  # for a page that does not read; it connects again and gets what is kept
IDLE_S = 60.0  # for the next request of a connection
LARGEST = 2**53


class Parts:
    """What the page is made of. Made at the first request for it: `demo` and `serve` pay nothing for an unseen page."""

    def __init__(
        self, stream: Stream, verdicts: Verdicts, reporting: Reporting, state: Callable[[], dict[str, object]]
    ):
        self.stream, self.verdicts, self.reporting, self.state = stream, verdicts, reporting, state


def serve_page(parts: Callable[[], Parts], port: int, most_tabs: int) -> tuple[Server, str]:
    """The server of a page on a port (0: any free one), and the page's address."""
    token = secrets.token_urlsafe(18)
    handler = type("PageHandler", (_Page,), {"token": token, "parts": staticmethod(parts), "tabs": Tabs(most_tabs)})
    server = Server(handler, port)
    handler.own = {f"{host}:{server.port}" for host in ("127.0.0.1", "localhost")}  # type: ignore[attr-defined]
    return server, f"http://{server.address}/{token}/"


class _Page(Handler):
    timeout = IDLE_S
    token: str
    own: set[str]
    parts: Callable[[], Parts]
    tabs: Tabs

    def do_GET(self) -> None:
        if not self._may_ask():
            return None
        path, _, query = self.path.partition("?")
        if path == "/favicon.ico":
            return self.answer(204)
        _, token, *rest = path.split("/")
        if not hmac.compare_digest(token.encode(), self.token.encode()) or len(rest) not in (1, 2):
            return self._say(403, "Open the address that lambda-latency printed: it holds a token of this run.")
        values = {name: found[-1] for name, found in parse_qs(query).items()}
        try:
            return self._routed(rest, values)
        except ValueError as error:
            return self._say(400, str(error))

    def _may_ask(self) -> bool:
        """Whether the page itself asks, or a person who typed its address."""
        if self.headers.get("Host") not in self.own:  # a foreign name may resolve to this machine
            self._say(421, "This page answers to 127.0.0.1 only.")
            return False
        origin = self.headers.get("Origin")
        asking = self.headers.get("Sec-Fetch-Site", "none")
        if (origin is not None and origin not in {f"http://{one}" for one in self.own}) or asking not in (
            "none",
            "same-origin",
        ):
            self._say(403, "Another site asked.")
            return False
        return True

    def _routed(self, rest: list[str], values: Mapping[str, str]) -> None:
        name = rest[0]
        if rest == [""]:
            from lambda_latency.live.live_page import document_of

            page = document_of()
            return self.answer(200, page.body, {**HTML, "Content-Security-Policy": page.policy, **HEADERS})
        parts = self.parts()
        if rest == ["events"]:
            return self._events(parts, values)
        if name == "request" and len(rest) == 2:
            return self._json(parts.reporting.request(rest[1]))
        if rest == ["report"]:
            page_text = parts.reporting.page(_window(values))
            if page_text is None:
                return self._say(404, "No request is kept yet.")
            return self.answer(200, page_text.encode(), {**HTML, **HEADERS, "X-Frame-Options": "DENY"})
        if rest == ["compare"]:
            return self._json(parts.reporting.compared(_window(values), _number(values, "mark")))
        if rest == ["save"]:
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
        window = _window(values)
        given = self.headers.get("Last-Event-ID") or values.get("last", "0")
        at = int(given) if given.isdigit() and int(given) < LARGEST else 0
        with self.tabs.place() as free:
            if not free:
                text = f"{self.tabs.most} pages are open, the most that are served: close one."
                return self.answer(503, f"{text}\n".encode(), {"Retry-After": "5", **HEADERS})
            self.connection.settimeout(WAIT_S)
            self.close_connection = True
            self.send_response_only(200)
            for key, value in {"Content-Type": "text/event-stream", "Connection": "close", **HEADERS}.items():
                self.send_header(key, value)
            self.end_headers()
            parts.verdicts.add(window)
            try:
                for some in told_to(parts.stream, parts.verdicts, window, at, self._state):
                    self.wfile.write(some)
                    self.wfile.flush()
            except OSError:  # the page is gone, or does not read
                return None
            finally:
                parts.verdicts.remove(window)
        return None

    def _state(self) -> dict[str, object]:
        return {**self.parts().state(), "tabs": self.tabs.count, "tabs_refused": self.tabs.refused}


def _window(values: Mapping[str, str]) -> Window:
    from lambda_latency.live.running_verdict import Window

    return Window(_number(values, "minutes", 15), _number(values, "after"))


def _number(values: Mapping[str, str], name: str, default: int = 0) -> int:
    """A whole number of the query. Raises `ValueError`."""
    text = values.get(name, str(default))
    if not text.isdigit() or len(text) > 15:
        raise ValueError(f"{name} must be a whole number")
    return int(text)
