"""SQLAlchemy: a statement has its span there, so that the driver makes no second one; and the wait for a connection.

What a dialect asks by itself (of a new connection, of one of the pool, at a transaction's end) is nobody's statement:
it is part of `connect`, or of what waits for it.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from opentelemetry.instrumentation.utils import suppress_instrumentation

from lambda_latency.runtime.drivers.opening import waiting
from lambda_latency.runtime.drivers.within import within
from lambda_latency.runtime.harmless import harmless
from lambda_latency.runtime.replace import replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer

__all__ = ["instrument"]

ITSELF = ("initialize", "set_isolation_level", "do_ping", "do_rollback")


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Around what runs statements, of all dialects, and around the pool that waits."""

    def get(pool: Any) -> Any:
        # It would make one more if it could.
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
    """Without spans of the driver's."""

    @functools.wraps(original)
    def run(*args: Any, **kwargs: Any) -> Any:
        with suppress_instrumentation():
            return original(*args, **kwargs)

    return run


def connecting(original: Callable[..., Any]) -> Callable[..., Any]:
    """The function for new connections that a dialect gives."""

    def on_connect_url(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        return None if found is None else quiet(found)

    return on_connect_url


def each_engine() -> list[Callable[[], object]]:
    """Upstream traces an asynchronous engine twice, and never ends the first of its two spans."""
    try:
        from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer
    except ImportError:  # said elsewhere
        return []
    seen: WeakSet[object] = WeakSet()

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        def init(self: Any, tracer: Any, engine: Any, *args: Any, **kwargs: Any) -> None:
            if engine not in seen:
                seen.add(engine)
                quieten(engine.dialect)
                original(self, tracer, engine, *args, **kwargs)

        return init

    return [replaced(EngineTracer, "__init__", around)]


@harmless("tracing a dialect of SQLAlchemy")
def quieten(dialect: Any) -> None:
    """What it does by itself, each kind of dialect in its own way."""
    for name in ITSELF:
        setattr(dialect, name, quiet(getattr(dialect, name)))
