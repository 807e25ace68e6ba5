"""SQLAlchemy: a statement has its span there, so that the driver makes no second one; and the wait for a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from opentelemetry.instrumentation.utils import suppress_instrumentation

from lambda_latency.runtime.drivers.opening import waiting
from lambda_latency.runtime.drivers.within import within
from lambda_latency.runtime.replace import replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer

__all__ = ["instrument"]


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Around what runs statements, of all dialects, and around the pool that waits."""

    def run(*_: object, **__: object) -> Any:
        return suppress_instrumentation()

    def get(pool: Any) -> Any:
        # It would make one more if it could.
        full = pool._max_overflow > -1 and pool.overflow() >= pool._max_overflow
        return waiting(tracer, {}, "", waits=full and pool._pool.empty())

    dialect = module.engine.default.DefaultDialect
    undo = [within(dialect, name, run) for name in ("do_execute", "do_executemany", "do_execute_no_params")]
    return [*undo, *once_an_engine(), within(module.pool.impl.QueuePool, "_do_get", get)]


def once_an_engine() -> list[Callable[[], object]]:
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
                original(self, tracer, engine, *args, **kwargs)

        return init

    return [replaced(EngineTracer, "__init__", around)]
