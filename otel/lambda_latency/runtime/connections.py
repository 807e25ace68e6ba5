"""A new connection in its parts: the lookup of the name, TCP's connect and TLS's handshake as spans below the call.

Functions are replaced that are called for a new connection only: on one that is used again nothing of this runs. What
has no span of its own, as a call of `http.client` by hand has none, gets none of these.
"""

from __future__ import annotations

import functools
import socket
import threading
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import Span as RecordingSpan
from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span

from lambda_latency.runtime.harmless import warn

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue

    from lambda_latency.runtime.imports import ImportHook

__all__ = ["Connections", "Step"]


class Connections:
    """Put on by `start` (urllib3's and ssl's functions when they are first imported), taken off by `stop`."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._local = Local()
        self._undo: list[Callable[[], None]] = []

    def start(self, hook: ImportHook) -> None:
        """Watch new connections from here on."""
        self._replace(socket, "getaddrinfo", self._looking_up)
        self._replace(socket, "create_connection", self._connecting)
        hook.when("ssl", lambda module: self._replace(module.SSLContext, "wrap_socket", self._securing))
        hook.when(
            "urllib3.util.connection", lambda module: self._replace(module, "create_connection", self._connecting)
        )
        # Around the above: urllib3 loads the file of trusted certificates here, which takes longer than the handshake.
        hook.when("urllib3.connection", lambda module: self._replace(module, "ssl_wrap_socket", self._securing))

    def stop(self) -> None:
        """Leave what is still ours as it was."""
        while self._undo:
            self._undo.pop()()

    def _connecting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        local = self._local

        def create_connection(address: Any, *args: Any, **kwargs: Any) -> Any:
            if local.peer is not None or not in_a_call():
                return original(address, *args, **kwargs)
            local.peer, literal = peer_of(*address[:2])
            if literal:  # there is nothing to look up
                local.tcp = Step(self._tracer, "tcp", local.peer)
            try:
                connection = original(address, *args, **kwargs)
            except BaseException as error:
                end(local.tcp, error)
                raise
            else:
                end(local.tcp)
                return connection
            finally:
                local.peer = local.tcp = None

        return create_connection

    def _looking_up(self, original: Callable[..., Any]) -> Callable[..., Any]:
        local = self._local

        def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
            if local.peer is None or local.tcp is not None:
                return original(*args, **kwargs)
            dns = Step(self._tracer, "dns", local.peer)
            try:
                found = original(*args, **kwargs)
            except BaseException as error:
                dns.end(error)
                raise
            dns.end()
            local.tcp = Step(self._tracer, "tcp", local.peer)
            return found

        return getaddrinfo

    def _securing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        local = self._local

        def wrap_socket(*args: Any, **kwargs: Any) -> Any:
            if local.secures or not in_a_call():
                return original(*args, **kwargs)
            name = kwargs.get("server_hostname")
            tls = Step(self._tracer, "tls", host(name) if isinstance(name, str) else {})
            local.secures = True
            try:
                secured = original(*args, **kwargs)
            except BaseException as error:
                tls.end(error)
                raise
            else:
                tls.end(version=secured)
                return secured
            finally:
                local.secures = False

        return wrap_socket

    def _replace(
        self, owner: type | ModuleType, name: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]
    ) -> None:
        original = owner.__dict__[name]
        ours = functools.wraps(original)(around(original))

        def undo() -> None:
            if owner.__dict__[name] is ours:  # else somebody has wrapped it since
                setattr(owner, name, original)

        setattr(owner, name, ours)
        self._undo.append(undo)


class Local(threading.local):
    """Of each thread: whom it connects to, the span of that if it has come so far, and whether it is in a handshake."""

    peer: dict[str, AttributeValue] | None = None
    tcp: Step | None = None
    secures = False


class Step:
    """A span of one step. Neither its begin nor its end raises."""

    def __init__(self, tracer: Tracer, name: str, attributes: dict[str, AttributeValue]) -> None:
        self._span: Span | None = None
        try:
            self._span = tracer.start_span(name, None, SpanKind.INTERNAL, attributes)
        except Exception as error:  # noqa: BLE001 - whatever it is, the connection is made
            warn(f"the step {name!r} of a connection is not traced ({type(error).__name__}: {error})")

    def end(self, error: BaseException | None = None, version: object = None) -> None:
        """It has ended, with an error or not. `version`: a socket that knows which TLS was agreed on."""
        if self._span is None:
            return
        if error is not None:
            self._span.set_attribute("error.type", type(error).__qualname__)
            self._span.set_status(Status(StatusCode.ERROR, str(error)))
        elif version is not None:
            agreed = str(getattr(version, "version", str)() or "")  # `TLSv1.3`; a handshake may be put off
            if agreed:
                self._span.set_attribute("tls.protocol.version", agreed.removeprefix("TLSv"))
        self._span.end()


def in_a_call() -> bool:
    """Whether this is done for a call that is recorded."""
    span = get_current_span()
    return isinstance(span, RecordingSpan) and span.kind is SpanKind.CLIENT and span.is_recording()


def end(step: Step | None, error: BaseException | None = None) -> None:
    """End a step, if it has begun."""
    if step is not None:
        step.end(error)


@functools.lru_cache(maxsize=64)  # a function calls few hosts, again and again
def peer_of(name: object, port: int) -> tuple[dict[str, AttributeValue], bool]:
    """Host and port, and whether the host is an address and not a name."""
    text = str(name).strip("[]")
    return {**host(text), "server.port": port}, is_literal(text)


def host(name: str) -> dict[str, AttributeValue]:
    """Twice: X-Ray's exporter leaves the first out, and in the words of client spans would name the step after it."""
    return {"server.address": name, "lambda.connect.host": name}


def is_literal(address: str) -> bool:
    """Is it an address and not a name?"""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, address)
        except OSError:
            continue
        return True
    return False
