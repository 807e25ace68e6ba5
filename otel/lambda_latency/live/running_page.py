"""A running page: its server, its stream, and the methods by which a sender or a local system feeds it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from lambda_latency.live.bounds import Bounds
from lambda_latency.live.inbox import Inbox
from lambda_latency.live.log_store import LogStore
from lambda_latency.live.page_server import Parts, Tabs, serve_page

if TYPE_CHECKING:
    from lambda_latency.latency import AnalysisOptions
    from lambda_latency.live.stream import Stream

DEFAULT_BOUNDS = Bounds()
# For a trace whose end is never reported, although `end` is called for others: a function may run for so long
ENDLESS_S = 30.0


class RunningPage:
    """Serves a page from construction until `close`. `address` is the page's URL, with its token.

    Nothing is read before somebody opens the page: until then only the newest lines are held. `options` returns the
    user's ownership settings, `command` reports on the same traces, `receiver_state` returns numbers of the receiver
    for the page. `knows_ends`: `end` is called for each request. `redacts`: secrets are removed from all that it shows.
    Raises `OSError` if the port is taken.
    """

    def __init__(
        self,
        options: Callable[[], AnalysisOptions],
        *,
        port: int = 0,
        command: str = "lambda-latency live",
        bounds: Bounds = DEFAULT_BOUNDS,
        knows_ends: bool = False,
        receiver_state: Callable[[], dict[str, object]] = dict,
        redacts: bool = True,
    ) -> None:
        self._options, self._command, self._bounds = options, command, bounds
        self._knows_ends, self._receiver_state, self._redacts = knows_ends, receiver_state, redacts
        self._inbox, self._logs = Inbox(bounds.inbox, bounds.bytes), LogStore(bounds)
        self._making = threading.Lock()
        self._parts: Parts | None = None
        self._stream: Stream | None = None
        self._tabs = Tabs(bounds.tabs)
        self._server, self.address = serve_page(self._made, port, self._tabs)

    def add(self, line: bytes) -> bool:
        """Add an export request as a line of OTLP/JSON; False if there is no room for it now."""
        return self._inbox.add(line)

    def end(self, trace_id: str) -> None:
        """Report that a request has ended and that its spans were added."""
        if self._stream is not None:
            self._stream.end(trace_id)

    def log(self, trace_id: str, function: str, line: str) -> None:
        """Add a line that a function printed during an invocation."""
        self._logs.add(trace_id, function, line)

    def mark(self, text: str) -> None:
        """Mark the present moment in the list of requests."""
        if self._stream is not None:
            self._stream.mark(text)

    def close(self) -> None:
        """Send the end to the pages, and stop."""
        with self._making:
            if self._parts is not None:
                self._parts.stream.close()
                self._tabs.wait()
        self._server.close()

    def _made(self) -> Parts:
        """Return the parts of the page, which the first request makes."""
        with self._making:
            if self._parts is None:
                from lambda_latency.live.reporting import Reporting
                from lambda_latency.live.stream import Stream, Waits
                from lambda_latency.page import SpanRedaction

                redaction = SpanRedaction(keeps=not self._redacts)
                waits = Waits(ENDLESS_S, ENDLESS_S) if self._knows_ends else Waits()
                stream = Stream(self._inbox, self._logs, self._bounds, self._options(), waits, redaction)
                self._parts = Parts(stream, Reporting(stream, self._command, redaction), self._state)
                self._stream = stream
                stream.start()
            return self._parts

    def _state(self) -> dict[str, object]:
        assert self._stream is not None
        return {**self._stream.state(), **self._receiver_state()}
