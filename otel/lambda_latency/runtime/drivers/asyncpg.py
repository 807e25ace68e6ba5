"""asyncpg: connections, and the wait for one of a pool."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import INVALID_SPAN

from lambda_latency.runtime.drivers.opening import opening, waiting
from lambda_latency.runtime.drivers.within import within

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer, TracerProvider

__all__ = ["Suppressible", "instrument"]


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Around `connect`, which the package and the pools know by two names, and around a pool's `acquire`."""

    def connect(dsn: Any = None, **given: Any) -> Any:
        parts = urlsplit(dsn or "")
        host, port = given.get("host") or parts.hostname, given.get("port") or parts.port or 5432
        name = given.get("database") or parts.path.lstrip("/")
        host, port = (one[0] if isinstance(one, list | tuple) else one for one in (host, port))
        return opening(tracer, {"db.system": "postgresql", "db.name": str(name)}, host, port)

    def acquire(pool: Any, *_: object, **__: object) -> Any:
        queue = getattr(pool, "_queue", None)
        known = getattr(pool, "_connect_kwargs", None) or {}
        about = {"db.system": "postgresql", "db.name": str(known.get("database") or "")}
        return waiting(tracer, about, known.get("host"), waits=queue is not None and queue.empty())

    return [
        within(module.connection, "connect", connect),
        within(module, "connect", connect),
        within(module.pool.Pool, "_acquire", acquire),
    ]


class Suppressible:
    """A provider of tracers that upstream's instrumentation of asyncpg, alone of all, needs to be switched off with."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer: Any = None

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        """As the provider's own."""
        self._tracer = self._provider.get_tracer(*args, **kwargs)
        return self

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        """As the tracer's own; inside of a call that has its span already, none."""
        if not is_instrumentation_enabled():
            return nullcontext(INVALID_SPAN)
        return self._tracer.start_as_current_span(*args, **kwargs)
