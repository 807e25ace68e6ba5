"""SQLAlchemy: a statement has its span here, so the driver creates none; and the wait for a connection.

The dialect's own statements (for a new connection, for one of the pool, at the end of a transaction) have no spans:
they are part of `connect`, or of the call that waits for them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import Tracer

from lambda_latency.runtime.drivers.call import within
from lambda_latency.runtime.drivers.opening import waiting
from lambda_latency.runtime.harmless import harmless
from lambda_latency.runtime.replace import replaced

ITSELF = ("initialize", "set_isolation_level", "do_ping", "do_rollback")


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap the methods of all dialects that run statements, and the wait of the pool."""

    def get(pool: Any) -> Any:
        # A pool that may grow opens a new connection instead of waiting.
        full = pool._max_overflow > -1 and pool.overflow() >= pool._max_overflow
        return waiting(tracer, {}, "", waits=full and pool._pool.empty())

    dialect = module.engine.default.DefaultDialect
    return [
        *(replaced(dialect, name, quiet) for name in ("do_execute", "do_executemany", "do_execute_no_params")),
        replaced(module.engine.interfaces.Dialect, "on_connect_url", connecting),
        *each_engine(),
        within(module.pool.impl.QueuePool, "_do_get", get),
    ]


def quiet(original: Callable[..., Any]) -> Callable[..., Any]:
    """Suppress the spans of the driver."""

    @functools.wraps(original)
    def run(*args: Any, **kwargs: Any) -> Any:
        with suppress_instrumentation():
            return original(*args, **kwargs)

    return run


def connecting(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the function of a dialect that opens connections."""

    def on_connect_url(*args: Any, **kwargs: Any) -> Any:
        connect = original(*args, **kwargs)
        return None if connect is None else quiet(connect)

    return on_connect_url


def each_engine() -> list[Callable[[], object]]:
    """Trace each engine once: upstream traces an asynchronous engine twice, and never ends the first span."""
    try:
        from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer
    except ImportError:  # logged elsewhere
        return []
    traced: WeakSet[object] = WeakSet()

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        def init(self: Any, tracer: Any, engine: Any, *args: Any, **kwargs: Any) -> None:
            if engine not in traced:
                traced.add(engine)
                quieten(engine.dialect)
                original(self, tracer, engine, *args, **kwargs)

        return init

    return [replaced(EngineTracer, "__init__", around)]


@harmless("tracing a dialect of SQLAlchemy")
def quieten(dialect: Any) -> None:
    """Suppress spans during a dialect's own statements, by the methods of its class."""
    for name in ITSELF:
        setattr(dialect, name, quiet(getattr(dialect, name)))
