"""psycopg2, psycopg and its pools: connections, and the wait for one. libpq opens them in C, which shows no parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.drivers.opening import opening, waiting
from lambda_latency.runtime.drivers.within import within

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer

__all__ = ["instrument"]


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Of the module that has arrived: one of the three."""
    return {"psycopg2": psycopg2, "psycopg": psycopg, "psycopg_pool": pool}[module.__name__](module, tracer)


def psycopg2(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    def connect(dsn: Any = None, *_: object, **given: Any) -> Any:
        return opened(tracer, module.extensions.parse_dsn, dsn, given)

    return [within(module, "connect", connect)]


def psycopg(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    def connect(conninfo: Any = "", *_: object, **given: Any) -> Any:
        return opened(tracer, module.conninfo.conninfo_to_dict, conninfo, given)

    def method(_: object, *args: Any, **given: Any) -> Any:
        return connect(*args, **given)

    return [
        within(module, "connect", connect),
        within(module.Connection, "connect", method),
        within(module.AsyncConnection, "connect", method),
    ]


def opened(tracer: Tracer, parse: Callable[[Any], Any], dsn: Any, given: dict[str, Any]) -> Any:
    """By the connection string and what is given beside it; a string that is none is the library's to refuse."""
    try:
        known = {**(parse(dsn) if dsn else {}), **given}
    except Exception:  # noqa: BLE001 - the call itself says so
        known = given
    name = known.get("dbname") or known.get("database") or ""
    return opening(
        tracer, {"db.system": "postgresql", "db.name": str(name)}, known.get("host"), known.get("port", 5432)
    )


def pool(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """A client of a pool is made and waits where no connection is ready."""

    def wait(*_: object, **__: object) -> Any:
        return waiting(tracer, {"db.system": "postgresql"}, "", waits=True)

    return [within(getattr(module, where).WaitingClient, "wait", wait) for where in ("pool", "pool_async")]
