"""The steps of a new connection in asyncio as spans below the call: DNS lookup, TCP connect, TLS handshake.

It replaces methods of asyncio's base loop classes; loops of uvloop do not have them. Imported on asyncio's import.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from opentelemetry.trace import Tracer
from opentelemetry.util.types import AttributeValue

from lambda_latency.runtime.drivers.connections import (
    OPENING,
    Opening,
    StepSpan,
    host,
    in_a_call,
    is_literal,
    peer_of,
    tls_peer,
)  # fmt: skip
from lambda_latency.runtime.replace import replaced

MOST_NAMES = 256


# A connection that starts TLS as soon as its socket is connected
SECURING: ContextVar[Opening | None] = ContextVar("lambda_latency_securing", default=None)


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Instrument the imported module, asyncio or `anyio.streams.tls`; returns the functions that undo it."""
    if module.__name__ != "asyncio":
        return [watch_anyio(module, tracer)]
    base, selecting = module.base_events.BaseEventLoop, module.selector_events.BaseSelectorEventLoop
    names: dict[object, str] = {}  # of hosts, by looked-up address
    return [
        replaced(base, "getaddrinfo", functools.partial(looking_up, tracer, names)),
        replaced(selecting, "sock_connect", functools.partial(connecting, tracer, names)),
        replaced(base, "create_connection", functools.partial(creating, tracer)),
        replaced(base, "start_tls", functools.partial(securing, tracer)),
    ]


def watch_anyio(module: Any, tracer: Tracer) -> Callable[[], object]:
    """Watch the handshake that anyio makes itself, on any loop; returns the function that undoes it."""

    def around(original: Any) -> Callable[..., Any]:
        async def wrap(kind: Any, *args: Any, **kwargs: Any) -> Any:
            if not in_a_call():
                return await original(kind, *args, **kwargs)
            with StepSpan(tracer, "tls", tls_peer(kwargs.get("hostname"))) as step:
                stream = await original(kind, *args, **kwargs)
                step.agreed(stream.extra(module.TLSAttribute.ssl_object))  # noqa: S610 - no SQL
            return stream

        return wrap

    return replaced(module.TLSStream, "wrap", around)


def looking_up(tracer: Tracer, names: dict[object, str], original: Callable[..., Any]) -> Callable[..., Any]:
    async def getaddrinfo(self: object, host: Any, port: Any, **kwargs: Any) -> Any:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if not isinstance(name, str) or is_literal(name) or not in_a_call():
            return await original(self, host, port, **kwargs)
        with StepSpan(tracer, "dns", peer(name, port)):
            addresses = await original(self, host, port, **kwargs)
        if len(names) > MOST_NAMES:
            names.clear()
        names.update({address[0]: name for *_, address in addresses})
        return addresses

    return getaddrinfo


def connecting(tracer: Tracer, names: dict[object, str], original: Callable[..., Any]) -> Callable[..., Any]:
    async def sock_connect(self: object, sock: Any, address: Any) -> Any:
        if not isinstance(address, tuple) or not in_a_call():
            return await original(self, sock, address)
        opening = OPENING.get()
        target = opening.peer if opening is not None else peer(names.get(address[0], address[0]), address[1])
        with StepSpan(tracer, "tcp", target):
            await original(self, sock, address)
        securing = SECURING.get()
        if securing is not None:
            if securing.step is None:  # of several sockets that race, the first one counts
                securing.begin("tls")
        elif opening is not None:
            opening.begin("handshake")
        return None

    return sock_connect


def creating(tracer: Tracer, original: Callable[..., Any]) -> Callable[..., Any]:
    async def create_connection(self: object, *args: Any, **kwargs: Any) -> Any:
        if not kwargs.get("ssl") or not in_a_call():
            return await original(self, *args, **kwargs)
        name = kwargs.get("server_hostname") or kwargs.get("host") or (args[1:2] or [""])[0]
        securing = Opening(tracer, tls_peer(name))
        if kwargs.get("sock") is not None:
            securing.begin("tls")
        token = SECURING.set(securing)
        try:
            with securing:
                transport, protocol = await original(self, *args, **kwargs)
                agreed(securing.step, transport)
        finally:
            SECURING.reset(token)
        talk()
        return transport, protocol

    return create_connection


def securing(tracer: Tracer, original: Callable[..., Any]) -> Callable[..., Any]:
    async def start_tls(self: object, *args: Any, **kwargs: Any) -> Any:
        if not in_a_call():
            return await original(self, *args, **kwargs)
        opening = OPENING.get()
        if opening is not None:
            opening.end()
        with StepSpan(tracer, "tls", tls_peer(kwargs.get("server_hostname"))) as step:
            transport = await original(self, *args, **kwargs)
            agreed(step, transport)
        talk()
        return transport

    return start_tls


@functools.lru_cache(maxsize=64)
def peer(name: str, port: object) -> dict[str, AttributeValue]:
    """Return the attributes for host and port; without the port if a lookup has none, or the name of a service."""
    return peer_of(name, port)[0] if isinstance(port, int) else host(name)


def agreed(step: StepSpan | None, transport: Any) -> None:
    """Record the version of TLS on its span."""
    secured = transport.get_extra_info("ssl_object") if transport is not None else None
    if step is not None and secured is not None:
        step.agreed(secured)


def talk() -> None:
    """Start the handshake of the driver's protocol, if a driver opens the connection."""
    opening = OPENING.get()
    if opening is not None:
        opening.begin("handshake")
