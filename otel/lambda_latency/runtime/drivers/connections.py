"""The steps of a new connection as spans below the call: DNS lookup, TCP connect, TLS handshake.

The replaced functions run for new connections only; a reused connection costs nothing. A call without a span of its
own has no such spans either.
"""

from __future__ import annotations

import functools
import socket
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import Span as RecordingSpan
from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span

from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.replace import replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue

    from lambda_latency.runtime.imports import ImportHook

CLIENT, INTERNAL = SpanKind.CLIENT, SpanKind.INTERNAL  # Python 3.11 searches for a member each time


class Connections:
    """Replaces the functions that connect: `start` installs (ssl and urllib3 on their import), `undo` removes."""

    def __init__(self, tracer: Tracer, undo: list[Callable[[], object]]) -> None:
        self._tracer = tracer
        self._local = Local()
        self._undo = undo

    def start(self, hook: ImportHook) -> None:
        """Start to watch new connections."""
        self._replace(socket, "getaddrinfo", self._looking_up)
        self._replace(socket, "create_connection", self._connecting)
        hook.on_import("ssl", lambda module: self._replace(module.SSLContext, "wrap_socket", self._securing))
        hook.on_import(
            "urllib3.util.connection", lambda module: self._replace(module, "create_connection", self._connecting)
        )
        # Around `wrap_socket`: urllib3 loads the trusted certificates here, which takes longer than the handshake.
        hook.on_import("urllib3.connection", lambda module: self._replace(module, "ssl_wrap_socket", self._securing))

    def _replace(self, owner: Any, name: str, around: Callable[[Any], Callable[..., Any]]) -> None:
        self._undo.append(replaced(owner, name, around))

    def _connecting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        local = self._local

        def create_connection(address: Any, *args: Any, **kwargs: Any) -> Any:
            if local.peer is not None or not in_a_call():
                return original(address, *args, **kwargs)
            local.peer, literal = peer_of(*address[:2])
            if literal:  # no lookup precedes it
                local.tcp = StepSpan(self._tracer, "tcp", local.peer)
            opening = OPENING.get()
            token = OPENING.set(None)  # the socket's own connect is not a step of its own
            try:  # not by `with`: four calls more
                connected = original(address, *args, **kwargs)
            except BaseException as error:
                if local.tcp is not None:
                    local.tcp.end(error)
                raise
            else:
                if local.tcp is not None:
                    local.tcp.end()
            finally:
                local.peer = local.tcp = None
                OPENING.reset(token)
            if opening is not None:
                opening.begin("handshake")
            return connected

        return create_connection

    def _looking_up(self, original: Callable[..., Any]) -> Callable[..., Any]:
        local = self._local

        def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
            peer = local.peer
            if peer is None:
                opening = OPENING.get()  # a driver that connects without create_connection
                if opening is not None and args and not is_literal(str(args[0])):
                    peer = opening.peer
            if peer is None or local.tcp is not None:
                return original(*args, **kwargs)
            with StepSpan(self._tracer, "dns", peer):
                addresses = original(*args, **kwargs)
            if local.peer is not None:
                local.tcp = StepSpan(self._tracer, "tcp", peer)
            return addresses

        return getaddrinfo

    def _securing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        local = self._local

        def wrap_socket(*args: Any, **kwargs: Any) -> Any:
            # A postponed handshake is watched where it takes place.
            if local.secures or not in_a_call() or kwargs.get("do_handshake_on_connect") is False:
                return original(*args, **kwargs)
            name, opening = kwargs.get("server_hostname"), OPENING.get()
            if opening is not None:
                opening.end()
            local.secures = True
            try:
                with StepSpan(self._tracer, "tls", tls_peer(name)) as step:
                    secured = original(*args, **kwargs)
                    step.agreed(secured)
            finally:
                local.secures = False
            if opening is not None:
                opening.begin("handshake")
            return secured

        return wrap_socket


class Local(threading.local):
    """The state of a thread: the peer it connects to, the span of TCP's connect, whether it is in a handshake."""

    peer: dict[str, AttributeValue] | None = None
    tcp: StepSpan | None = None
    secures = False


class StepSpan:
    """The span of one step. Neither its start nor its end raises."""

    def __init__(self, tracer: Tracer, name: str, attributes: dict[str, AttributeValue]) -> None:
        self._span: Span | None = None
        try:
            self._span = tracer.start_span(name, None, INTERNAL, attributes)
        except Exception as error:  # noqa: BLE001 - the connection is made, whatever fails
            warn(f"the step {name!r} of a connection is not traced ({type(error).__name__}: {error})")

    def __enter__(self) -> StepSpan:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self.end(error)

    def agreed(self, secured: object) -> None:
        """Record the version of TLS."""
        version = str(getattr(secured, "version", str)() or "")
        if version and self._span is not None:
            self._span.set_attribute("tls.protocol.version", version.removeprefix("TLSv"))

    def end(self, error: BaseException | None = None) -> None:
        """End the span, with the error if there is one."""
        if self._span is None:
            return
        if error is not None:
            self._span.set_attribute("error.type", type(error).__qualname__)
            self._span.set_status(Status(StatusCode.ERROR, str(error)))
        self._span.end()


class Opening:
    """A connection to a database or a broker while it opens: its peer and its step, after TCP or TLS `handshake`."""

    def __init__(self, tracer: Tracer, peer: dict[str, AttributeValue]) -> None:
        self.peer, self._tracer = peer, tracer
        self.step: StepSpan | None = None

    def __enter__(self) -> Opening:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self.end(error)

    def begin(self, step: str) -> None:
        """End the current step and start the next one."""
        self.end()
        self.step = StepSpan(self._tracer, step, self.peer)

    def end(self, error: BaseException | None = None) -> None:
        """End the current step: the connection is open, has failed, or TLS follows."""
        if self.step is not None:
            self.step.end(error)
            self.step = None


OPENING: ContextVar[Opening | None] = ContextVar("lambda_latency_opening", default=None)


def tls_peer(name: object) -> dict[str, AttributeValue]:
    """As `host`, of the host of a TLS connection, which is no text if the caller names none."""
    return host(name) if isinstance(name, str) else {}


def in_a_call() -> bool:
    """Whether the current span is a recorded call."""
    span = get_current_span()
    return isinstance(span, RecordingSpan) and getattr(span, "kind", None) is CLIENT and span.is_recording()


@functools.lru_cache(maxsize=64)  # a function calls few different hosts
def peer_of(name: object, port: int) -> tuple[dict[str, AttributeValue], bool]:
    """Return the attributes for host and port, and whether the host is an IP address."""
    text = str(name).strip("[]")
    return {**host(text), "server.port": port}, is_literal(text)


def host(name: str) -> dict[str, AttributeValue]:
    """Return the host under two keys: X-Ray's exporter drops the first, and would name the step as client spans do."""
    return {"server.address": name, "lambda.connect.host": name}


def is_literal(address: str) -> bool:
    """Whether the text is an IP address, not a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, address)
        except OSError:
            continue
        return True
    return False
