"""Reads and writes OTLP's AnyValue, the form that attribute values have in OTLP/JSON."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lambda_latency.trace.model.attributes import Attributes, Value

NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def read_value(value: object) -> Value:
    """The Python value of an AnyValue; None if it is not valid or of an unknown kind.

    It raises nothing: a span is retained even if one of its attributes cannot be read.
    """
    try:
        for kind, inner in value.items() if isinstance(value, dict) else ():
            reader = READERS.get(kind)
            if reader is not None:
                return reader(inner)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError):
        return None
    return None


def write_attributes(attributes: Mapping[str, object]) -> list[dict[str, object]]:
    """A mapping as OTLP/JSON's list of attributes: `{"key": ..., "value": AnyValue}`."""
    return [{"key": key, "value": _write(value)} for key, value in attributes.items()]


def _read_bool(inner: object) -> Value:
    return inner if isinstance(inner, bool) else None


def _read_int(inner: Any) -> Value:
    """An integer. OTLP/JSON writes it as text, because JSON numbers above 2^53 are not exact."""
    if isinstance(inner, bool):
        return None
    number = int(inner)
    return number if isinstance(inner, str) or number == inner else None


def _read_double(inner: Any) -> Value:
    if isinstance(inner, bool):
        return None
    return NOT_FINITE[inner] if inner in NOT_FINITE else float(inner)


def _read_bytes(inner: object) -> Value:
    return base64.b64decode(str(inner), validate=True)


def _read_array(inner: Any) -> Value:
    return tuple(read_value(value) for value in inner.get("values") or ())


def _read_kvlist(inner: Any) -> Value:
    return Attributes({pair["key"]: read_value(pair.get("value")) for pair in inner.get("values") or ()})


READERS: dict[str, Callable[[Any], Value]] = {
    "stringValue": str,
    "boolValue": _read_bool,
    "intValue": _read_int,
    "doubleValue": _read_double,
    "bytesValue": _read_bytes,
    "arrayValue": _read_array,
    "kvlistValue": _read_kvlist,
}


def _write(value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": _write_double(value)}
    if isinstance(value, bytes):
        return {"bytesValue": base64.b64encode(value).decode("ascii")}
    if isinstance(value, Mapping):
        return {"kvlistValue": {"values": write_attributes(value)}}
    if isinstance(value, Iterable):
        return {"arrayValue": {"values": [_write(item) for item in value]}}
    return {"stringValue": str(value)}


def _write_double(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
