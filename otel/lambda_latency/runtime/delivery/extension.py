"""The threads that deliver after a response. On Lambda it is an internal extension, for which Lambda waits.

Lambda freezes the environment when the runtime and all extensions have asked for their next event. This extension asks
after the delivery of the invocation's spans; the caller has the response by then.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.client import HTTPException
from math import inf
from queue import SimpleQueue

# Before the import of the function, which may replace it, by one with a proxy
from socket import socket

from lambda_latency.runtime.delivery.transport import Reply, read_answer
from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.threads import started, unlisted

API = "/2020-01-01/extension"
NAME = "lambda-latency"
REGISTERED_WITHIN_S = 1.0  # the API is on the same machine and takes a millisecond


class Extension:
    """Registers at the end of init. Then `step` runs after each release, with the deadline of the invocation."""

    def __init__(self, api: str, step: Callable[[float], None]) -> None:
        self._api = api
        self._connection: socket | None = None
        self._step = step
        self._registered = threading.Event()
        self._released: SimpleQueue[None] = SimpleQueue()  # in C: a semaphore of `threading` is Python code
        self._alive = True
        started(self._run)

    @property
    def alive(self) -> bool:
        """Whether releases run `step`. Must be read before the runtime's first `next`, which ends registration."""
        return self._alive and (self._registered.is_set() or self._registered.wait(2 * REGISTERED_WITHIN_S))

    def release(self) -> None:
        """The response of an invocation has been sent."""
        self._released.put(None)

    def _run(self) -> None:
        try:
            try:
                identifier = self._register()
            finally:
                self._registered.set()
            while True:
                connection = self._ask("GET", "event/next", f"Lambda-Extension-Identifier: {identifier}")
                # The event is not read before the release: it arrives while the handler starts, and reading would take
                # the interpreter from the handler.
                self._released.get()
                deadline = inf
                try:
                    connection.settimeout(None)
                    deadline = deadline_in(self._answer(connection).body)
                finally:
                    self._step(deadline)
                    unlisted()
        except (OSError, HTTPException) as error:
            self._alive = False
            warn(
                f"Lambda's Extensions API failed ({type(error).__name__}: {error}); "
                "spans are delivered by the runtime's own thread"
            )
            while not self._released.empty():  # pragma: no branch - for a release in the meantime
                self._released.get()
                self._step(inf)
            unlisted()

    def _register(self) -> str:
        body = b'{"events": ["INVOKE"]}'
        header = f"Lambda-Extension-Name: {NAME}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        answer = self._answer(self._ask("POST", "register", header, body))
        return answer.header(b"lambda-extension-identifier").decode("ascii")

    def _ask(self, method: str, path: str, header: str, body: bytes = b"") -> socket:
        if self._connection is None:
            host, _, port = self._api.rpartition(":")
            self._connection = socket()
            self._connection.settimeout(REGISTERED_WITHIN_S)
            self._connection.connect((host, int(port)))
        head = f"{method} {API}/{path} HTTP/1.1\r\nHost: {self._api}\r\n{header}\r\n\r\n"
        self._connection.sendall(head.encode("ascii") + body)
        return self._connection

    def _answer(self, connection: socket) -> Reply:
        answer = read_answer(lambda: connection.recv(65536))
        if not answer.reusable:
            connection.close()
            self._connection = None
        if answer.status != 200:
            raise HTTPException(f"it answered {answer.status}")
        return answer


def deadline_in(event: bytes) -> float:
    """Return the deadline in an INVOKE event, in seconds since 1970; infinite if it has none."""
    milliseconds = event.partition(b'"deadlineMs"')[2].partition(b",")[0].strip(b" :}")
    return int(milliseconds) / 1000 if milliseconds.isdigit() else inf


class Background:
    """A thread that runs `step` after each release. Releases during a step count as one. There is no deadline."""

    alive = True

    def __init__(self, step: Callable[[float], None]) -> None:
        self._step = step
        self._released = threading.Event()
        started(self._run)

    def release(self) -> None:
        """A response has been sent."""
        self._released.set()

    def _run(self) -> None:
        while True:
            self._released.wait()
            self._released.clear()
            self._step(inf)
            unlisted()
