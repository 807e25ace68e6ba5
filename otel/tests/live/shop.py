"""Requests of a small shop as a sender exports them, and a page that listens as a browser does."""

import contextlib
import http.client
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from lambda_latency.trace import Event, Span, SpanKind, Status, to_otlp

MS = 1_000_000
PATIENCE = 20  # seconds until a test fails that waits for what never comes
TRACE = """Traceback (most recent call last):
  File "/srv/shop/app.py", line 12, in view
    pay(order)
  File "/usr/lib/python3.12/site-packages/payments/client.py", line 80, in pay
    raise Declined("no money")
"""


def stack() -> Event:
    """An exception as instrumentations record it."""
    told = {"exception.type": "Declined", "exception.message": "no money", "exception.stacktrace": TRACE}
    return Event("exception", time.time_ns(), told)


def request_spans(
    number: int, took_ms: int = 40, *, route: str = "/orders", status: int = 200, events: Sequence[Event] = ()
) -> list[Span]:
    """A request that ends now: a server's span, and a call that takes most of its time."""
    end = time.time_ns()
    start = end - took_ms * MS
    trace_id, resource = f"{number + 1:032x}", {"service.name": "shop"}
    failed = Status.ERROR if status >= 500 else Status.UNSET
    root = Span(
        trace_id=trace_id,
        span_id=f"{1:016x}",
        parent_id=None,
        name=f"GET {route}",
        kind=SpanKind.SERVER,
        start_ns=start,
        end_ns=end,
        status=failed,
        events=tuple(events),
        attributes={"http.route": route, "http.request.method": "GET", "http.response.status_code": status},
        resource=resource,
    )
    call = Span(
        trace_id=trace_id,
        span_id=f"{2:016x}",
        parent_id=root.span_id,
        name="GET",
        kind=SpanKind.CLIENT,
        start_ns=start + MS,
        end_ns=end - MS,
        attributes={"server.address": "payments.example.com", "http.request.method": "GET"},
        resource=resource,
    )
    return [root, call]


def line(*requests: Sequence[Span]) -> bytes:
    """An export request with the spans of some requests."""
    return json.dumps(to_otlp([span for spans in requests for span in spans]), separators=(",", ":")).encode()


def ask(
    address: str, path: str = "", *, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a request below an address; `_` in the name of a header is a dash."""
    parts = urlsplit(address)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)) as connection:
        target = path if path.startswith("/") else f"{parts.path}{path}"
        connection.request(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


class Listener:
    """Events of a page in the order in which they come."""

    def __init__(self, address: str, query: str = "", **headers: str) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
        self._connection.request("GET", f"{parts.path}events?{query}", headers=headers)
        self.answer = self._connection.getresponse()
        self.last = 0

    def events(self) -> Iterator[tuple[str, Any]]:
        """The name and the data of each event."""
        name, data, end = "rows", "", time.monotonic() + PATIENCE
        while text := self.answer.readline().decode():
            assert time.monotonic() < end, "the event does not come"
            text = text.rstrip("\n")
            if text.startswith("event: "):
                name = text[7:]
            elif text.startswith("id: "):
                self.last = int(text[4:])
            elif text.startswith("data: "):
                data = text[6:]
            elif not text and data:
                yield name, json.loads(data)
                name, data = "rows", ""

    def rows(self, count: int) -> list[dict[str, Any]]:
        """The next rows, as many as are asked for or a few more."""
        found: list[dict[str, Any]] = []
        for name, data in self.events():
            found += data if name == "rows" else []
            if len(found) >= count:
                break
        return found

    def until(self, wanted: str, *members: str) -> Any:
        """The next event of a name in which these members are true."""
        return next(data for name, data in self.events() if name == wanted and all(data.get(one) for one in members))

    def close(self) -> None:
        """Hang up."""
        self.answer.close()
        self._connection.close()
