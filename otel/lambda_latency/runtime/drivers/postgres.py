"""psycopg2, psycopg and its pools: connections, and the wait for a connection.

libpq opens connections in C. With psycopg it tells what it waits for; with psycopg2 the steps are not visible.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from selectors import EVENT_READ
from typing import Any

from opentelemetry.trace import Tracer

from lambda_latency.runtime.drivers.call import within
from lambda_latency.runtime.drivers.connections import OPENING, Opening
from lambda_latency.runtime.drivers.opening import opening, waiting
from lambda_latency.runtime.replace import replaced


def psycopg2(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    def connect(dsn: Any = None, *_: object, **options: Any) -> Any:
        return opened(tracer, module.extensions.parse_dsn, dsn, options)

    return [within(module, "connect", connect)]


def psycopg(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    def connect(conninfo: Any = "", *_: object, **options: Any) -> Any:
        return opened(tracer, module.conninfo.conninfo_to_dict, conninfo, options)

    def method(_: object, *args: Any, **options: Any) -> Any:
        return connect(*args, **options)

    return [
        within(module, "connect", connect),
        within(module.Connection, "connect", method),
        within(module.AsyncConnection, "connect", method),
        *attempts(module),
    ]


def attempts(module: Any) -> list[Callable[[], object]]:
    """Wrap the generator of each attempt to connect, which psycopg 3.1 has under three names."""

    def watched(original: Callable[..., Any]) -> Callable[..., Any]:
        def connect(*args: Any, **kwargs: Any) -> Any:
            steps, current = original(*args, **kwargs), OPENING.get()
            return steps if current is None else Attempt(steps, current)

        return connect

    original = module.generators.connect
    owners = (module.generators, module.connection, module.connection_async)
    return [replaced(owner, "connect", watched) for owner in owners if vars(owner).get("connect") is original]


class Attempt(Generator[Any, Any, Any]):
    """The steps of libpq: it waits for writing until TCP is connected, and for reading during the handshake."""

    def __init__(self, steps: Any, opening: Opening) -> None:
        self._steps, self._opening, self._connecting = steps, opening, True
        opening.begin("tcp")

    def send(self, value: Any) -> Any:
        """Return the next wait."""
        return self._run(self._steps.send, value)

    def throw(self, *error: Any) -> Any:
        """As the original generator."""
        return self._run(self._steps.throw, *error)

    def _run(self, step: Callable[..., Any], *args: Any) -> Any:
        try:
            waits = step(*args)
        except StopIteration:
            raise
        except BaseException as error:
            self._opening.end(error)
            raise
        if self._connecting and waits[1] == EVENT_READ:
            self._connecting = False
            self._opening.begin("handshake")
        return waits


def opened(tracer: Tracer, parse: Callable[[Any], Any], dsn: Any, options: dict[str, Any]) -> Any:
    """Return the opening for a connection string and keyword arguments. The library refuses an invalid string."""
    try:
        target = {**(parse(dsn) if dsn else {}), **options}
    except Exception:  # noqa: BLE001 - the call itself raises
        target = options
    name = target.get("dbname") or target.get("database") or ""
    return opening(
        tracer, {"db.system": "postgresql", "db.name": str(name)}, target.get("host"), target.get("port", 5432)
    )


def pool(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap the wait of a pool's client, which exists only if no connection is free."""

    def wait(*_: object, **__: object) -> Any:
        return waiting(tracer, {"db.system": "postgresql"}, "", waits=True)

    return [within(getattr(module, where).WaitingClient, "wait", wait) for where in ("pool", "pool_async")]
