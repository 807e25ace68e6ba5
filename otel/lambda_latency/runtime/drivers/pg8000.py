"""pg8000: connections and statements, in both of its APIs. Upstream has no instrumentation for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry.trace import Tracer
from opentelemetry.util.types import AttributeValue

from lambda_latency.runtime.drivers.call import call, within
from lambda_latency.runtime.drivers.opening import opening

ATTRIBUTES: WeakKeyDictionary[object, Mapping[str, AttributeValue]] = WeakKeyDictionary()
METHODS = (("Cursor", "execute"), ("Connection", "run"), ("PreparedStatement", "run"))


def core(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap the opening of connections. The default database has the name of the user."""

    def opened(
        connection: Any, user: Any = "", host: Any = "localhost", database: Any = None, port: Any = 5432,
        *_: object, **__: object,
    ) -> Any:  # fmt: skip
        name = database or user
        text = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
        attributes = {"db.system": "postgresql", "db.name": text}
        ATTRIBUTES[connection] = {**attributes, "net.peer.name": str(host), "net.peer.port": port}
        return opening(tracer, attributes, host, port)

    return [within(module.CoreConnection, "__init__", opened)]


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap the statements of one of the APIs."""

    def run(owner: Any, statement: Any = "", *_: object, **kwargs: Any) -> Any:
        connection = getattr(owner, "_c", None) or getattr(owner, "con", None) or owner
        text = str(statement or kwargs.get("operation") or kwargs.get("sql") or "")
        words = text.split(None, 1)
        attributes = {**ATTRIBUTES.get(connection, {}), "db.statement": text}
        return call(tracer, words[0] if words else "postgresql", attributes)

    classes = [(vars(module).get(kind), method) for kind, method in METHODS]
    return [within(kind, method, run) for kind, method in classes if kind is not None and method in vars(kind)]
