"""A page while it happens: its server, its stream, and what a sender or a local system hands to it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from lambda_latency.live.bounds import Bounds
from lambda_latency.live.inbox import Inbox
from lambda_latency.live.log_store import LogStore
from lambda_latency.live.page_server import Parts, serve_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.latency import Terms
    from lambda_latency.live.stream import Stream

USUAL = Bounds()
ENDLESS_S = 30.0  # for a trace whose end nobody tells, although ends are told: a function may run for so long


class RunningPage:
    """Serves a page from construction until `close`. `address` is the page's URL, with its token.

    Nothing is read before somebody opens the page: until then only the newest lines are held. `terms` gives the user's
    terms, `command` is the one that reports on the same traces, `told` gives numbers of the receiver for the page.
    `knows_ends`: `end` is called for each request.
    Raises `OSError` if the port is taken.
    """

    def __init__(
        self,
        terms: Callable[[], Terms],
        *,
        port: int = 0,
        command: str = "lambda-latency live",
        bounds: Bounds = USUAL,
        knows_ends: bool = False,
        told: Callable[[], dict[str, object]] = dict,
    ) -> None:
        self._terms, self._command, self._bounds, self._knows_ends, self._told = (
            terms,
            command,
            bounds,
            knows_ends,
            told,
        )
        self._inbox, self._logs = Inbox(bounds.inbox, bounds.bytes), LogStore(bounds)
        self._making = threading.Lock()
        self._parts: Parts | None = None
        self._stream: Stream | None = None
        self._server, self.address = serve_page(self._made, port, bounds.tabs)

    def add(self, line: bytes) -> bool:
        """An export request as a line of OTLP/JSON; False if there is no room for it now."""
        return self._inbox.add(line)

    def end(self, trace_id: str) -> None:
        """A request has ended, and its spans were added."""
        if self._stream is not None:
            self._stream.end(trace_id)

    def log(self, trace_id: str, function: str, line: str) -> None:
        """A line that a function printed during an invocation."""
        self._logs.add(trace_id, function, line)

    def mark(self, text: str) -> None:
        """Mark the present moment in the list of requests."""
        if self._stream is not None:
            self._stream.mark(text)

    def close(self) -> None:
        """Tell the pages that this is the end, and stop."""
        with self._making:
            if self._parts is not None:
                self._parts.stream.close()
                self._parts.verdicts.close()
        self._server.close()

    def _made(self) -> Parts:
        """The parts of the page, made at the first request for them."""
        with self._making:
            if self._parts is None:
                from lambda_latency.live.reporting import Reporting
                from lambda_latency.live.running_verdict import Verdicts
                from lambda_latency.live.stream import Stream, Waits

                waits = Waits(ENDLESS_S, ENDLESS_S) if self._knows_ends else Waits()
                stream = Stream(self._inbox, self._logs, self._bounds, self._terms(), waits)
                verdicts = Verdicts(stream)
                self._parts = Parts(stream, verdicts, Reporting(stream, self._command), self._state)
                self._stream = stream
                stream.start()
                verdicts.start()
            return self._parts

    def _state(self) -> dict[str, object]:
        assert self._stream is not None
        return {**self._stream.state(), **self._told()}
