"""The extension's thread by itself, beside an Extensions API that is one end of a pair of sockets."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from lambda_latency.runtime.delivery import extension
from lambda_latency.runtime.delivery.extension import Extension
from tests.sandbox.state import until

if TYPE_CHECKING:
    from collections.abc import Iterator

REGISTERED = b"HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: one\r\nContent-Length: 2\r\n\r\n{}"
EVENT = b"HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" + b'{"eventType":"INVOKE"}'


class Watched:
    """A socket that remembers at which of its reads no response was out yet."""

    def __init__(self, real: socket.socket) -> None:
        self.real = real
        self.out = threading.Event()
        self.early: list[tuple[object, ...]] = []

    def connect(self, _: object) -> None:
        """It is connected."""

    def recv(self, *args: int) -> bytes:
        if not self.out.is_set():
            self.early.append(args)
        return self.real.recv(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Watched, socket.socket]]:
    """The extension's end, and the API's."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    watched = Watched(ours)
    monkeypatch.setattr(extension, "socket", lambda: watched)
    with ours, theirs:
        yield watched, theirs


def registered(watched: Watched, api: socket.socket, step: Any) -> Extension:
    """One that has asked for its first event."""
    one = Extension("localhost:1", step)
    assert b"/register" in api.recv(65536)
    api.sendall(REGISTERED)
    assert b"/event/next" in api.recv(65536)
    watched.early.clear()
    return one


def test_the_event_is_read_when_the_response_is_out(ends: tuple[Watched, socket.socket]) -> None:
    """The thread takes no time from the handler: until then it waits for nothing but the release."""
    watched, api = ends
    stepped = threading.Event()
    one = registered(watched, api, lambda _: stepped.set())
    api.sendall(EVENT)
    watched.out.set()
    one.release()
    assert stepped.wait(10)
    assert b"/event/next" in api.recv(65536)
    assert watched.early == []


def test_the_spans_of_an_invocation_whose_event_never_comes_leave_all_the_same(
    ends: tuple[Watched, socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    """The API goes away: that is told, what has ended is delivered, and the next invocations do without it."""
    watched, api = ends
    stepped = threading.Event()
    one = registered(watched, api, lambda _: stepped.set())
    api.close()
    one.release()
    assert until(lambda: "Lambda's Extensions API failed (RemoteDisconnected" in caplog.text)
    assert stepped.is_set()
    assert not one.alive
