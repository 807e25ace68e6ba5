"""sqlite3: statements, by subclasses of its two classes, whose methods cannot be replaced.

Upstream's instrumentation returns wrappers of connections, which sqlite3's `backup` refuses, and misses
`Connection.execute`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from opentelemetry.trace import Tracer

from lambda_latency.runtime.drivers.call import call
from lambda_latency.runtime.replace import replaced

RUN = ("execute", "executemany", "executescript")
FACTORY = 5  # the position of the argument of `connect`


def instrument(module: Any, tracer: Tracer) -> list[Callable[[], object]]:
    """Wrap `connect`, under its two names in the package."""
    classes = TracedClasses(module, tracer)
    return [replaced(owner, "connect", classes.connecting) for owner in (module, module.dbapi2)]


class TracedClasses:
    """Creates one subclass for each class of connections and cursors, the user's classes included."""

    def __init__(self, module: Any, tracer: Tracer) -> None:
        self._module, self._tracer = module, tracer
        self._made: dict[type, type] = {}

    def connecting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def connect(*args: Any, **kwargs: Any) -> Any:
            kind = args[FACTORY] if len(args) > FACTORY else kwargs.get("factory", self._module.Connection)
            if not (isinstance(kind, type) and issubclass(kind, self._module.Connection)):
                return original(*args, **kwargs)
            subclass = self._made.get(kind) or self._made.setdefault(kind, self._connections(kind))
            if len(args) > FACTORY:
                args = (*args[:FACTORY], subclass, *args[FACTORY + 1 :])
            else:
                kwargs["factory"] = subclass
            connection = original(*args, **kwargs)
            path = str(args[0] if args else kwargs.get("database", ""))
            connection.traced_name = path.rpartition("/")[2] or path
            return connection

        return connect

    def _connections(self, kind: Any) -> type:
        @functools.wraps(kind.cursor)
        def cursor(connection: Any, *args: Any, **kwargs: Any) -> Any:
            made = args[0] if args else kwargs.get("factory", self._module.Cursor)
            if not (isinstance(made, type) and issubclass(made, self._module.Cursor)):
                return kind.cursor(connection, *args, **kwargs)
            return kind.cursor(connection, self._made.get(made) or self._made.setdefault(made, self._cursors(made)))

        base = self._module.Connection
        # These methods create a cursor in C. A method that a user's class overrides stays as it is.
        short = {name: by_cursor(getattr(base, name)) for name in RUN if getattr(kind, name) is getattr(base, name)}
        return alike(kind, {"cursor": cursor, "traced_name": "", **short})

    def _cursors(self, kind: Any) -> type:
        return alike(kind, {name: self._traced(getattr(kind, name)) for name in RUN})

    def _traced(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def run(cursor: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
            words = statement.split(None, 1) if isinstance(statement, str) else ()
            attributes = {
                "db.system": "sqlite",
                "db.name": cursor.connection.traced_name,
                "db.statement": str(statement),
            }
            with call(self._tracer, words[0] if words else "sqlite", attributes):
                return original(cursor, statement, *args, **kwargs)

        return run


def by_cursor(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of a connection, such as `execute`, that uses a cursor."""

    @functools.wraps(original)
    def run(connection: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(connection.cursor(), original.__name__)(*args, **kwargs)

    return run


def alike(kind: type, more: dict[str, Any]) -> type:
    """Return a subclass with the name and module of its base."""
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return type(kind.__name__, (kind,), {**names, **more})
