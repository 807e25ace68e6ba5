"""Databases: connections that record statements as subsegments."""

from __future__ import annotations

from typing import Any

from lambda_latency.bridge.recorder import xray_recorder


class Traced:
    """The base of wrappers: all but the wrapped methods is that of `__wrapped__`."""

    __wrapped__: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __enter__(self) -> Any:
        self.__wrapped__.__enter__()
        return self

    def __exit__(self, *error: object) -> Any:
        return self.__wrapped__.__exit__(*error)


class XRayTracedConn(Traced):
    """A connection. `meta` describes the database: `name`, `url`, `user`, `database_type`."""

    def __init__(self, conn: Any, meta: dict[str, Any] | None = None) -> None:
        self.__wrapped__ = conn
        self._xray_meta = meta or {}

    def cursor(self, *args: Any, **kwargs: Any) -> XRayTracedCursor:
        """A cursor that records statements as subsegments."""
        return XRayTracedCursor(self.__wrapped__.cursor(*args, **kwargs), self._xray_meta)


class XRayTracedCursor(Traced):
    """A cursor. Its subsegments are named after the connection's `name`, or the method."""

    def __init__(self, cursor: Any, meta: dict[str, Any] | None = None) -> None:
        self.__wrapped__ = cursor
        self._xray_meta = {"database_type": type(cursor).__module__.partition(".")[0], **(meta or {})}

    def __iter__(self) -> Any:
        return iter(self.__wrapped__)

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        """Executes and records a statement."""
        return self._recorded("execute", query, *args, **kwargs)

    def executemany(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        """Executes and records a statement with many parameter sets."""
        return self._recorded("executemany", query, *args, **kwargs)

    def callproc(self, proc: Any, args: Any) -> Any:
        """Calls and records a stored procedure."""
        return self._recorded("callproc", proc, args)

    def _recorded(self, method: str, *args: Any, **kwargs: Any) -> Any:
        with xray_recorder.in_subsegment(self._xray_meta.get("name") or method, namespace="remote") as subsegment:
            if subsegment is not None:
                subsegment.set_sql({key: value for key, value in self._xray_meta.items() if key != "name"})
            return getattr(self.__wrapped__, method)(*args, **kwargs)
