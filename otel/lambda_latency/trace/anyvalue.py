"""OTLP's AnyValue, there and back: how attributes are written in OTLP/JSON."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping
from typing import Any

from lambda_latency.trace.attributes import Attributes, Value

__all__ = ["read_attributes", "read_int", "write_attributes"]

NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def read_attributes(pairs: object) -> dict[str, Value]:
    """A list of `{"key": ..., "value": AnyValue}` as a mapping; of a key that stands twice the last one counts."""
    if pairs is None:
        return {}
    if not isinstance(pairs, list):
        raise ValueError(f"attributes must be a list of keys and values, got {_seen(pairs)}")
    found: dict[str, Value] = {}
    for pair in pairs:
        if not isinstance(pair, dict) or not isinstance(pair.get("key"), str):
            raise ValueError(f"an attribute must have a key, got {_seen(pair)}")
        found[pair["key"]] = _read(pair.get("value"))
    return found


def read_int(value: object, name: str) -> int:
    """A whole number that JSON carries as a number or, above 2^53, as text."""
    if isinstance(value, bool):
        raise ValueError(f"{name} must be a whole number, got {value}")
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            pass
    raise ValueError(f"{name} must be a whole number, got {_seen(value)}")


def write_attributes(attributes: Mapping[str, object]) -> list[dict[str, object]]:
    """A mapping as OTLP/JSON's list of keys and AnyValues."""
    return [{"key": key, "value": _write(value)} for key, value in attributes.items()]


def _read(value: object) -> Value:
    if value is None or value == {}:
        return None
    if not isinstance(value, dict):
        raise ValueError(f'a value must be like {{"stringValue": "..."}}, got {_seen(value)}')
    for kind, inner in value.items():
        reader = READERS.get(kind)
        if reader is not None:
            return reader(inner)
    return None  # a kind of value that OTLP has not yet: the span is worth more than one attribute


def _read_string(inner: object) -> Value:
    return inner if isinstance(inner, str) else str(inner)


def _read_bool(inner: object) -> Value:
    if isinstance(inner, bool):
        return inner
    raise ValueError(f"boolValue must be true or false, got {_seen(inner)}")


def _read_double(inner: object) -> Value:
    if isinstance(inner, (int, float)) and not isinstance(inner, bool):
        return float(inner)
    if isinstance(inner, str):
        return NOT_FINITE[inner] if inner in NOT_FINITE else float(inner)
    raise ValueError(f"doubleValue must be a number, got {_seen(inner)}")


def _read_bytes(inner: object) -> Value:
    try:
        return base64.b64decode(str(inner), validate=True)
    except ValueError:
        raise ValueError(f"bytesValue must be base64, got {_seen(inner)}") from None


def _read_array(inner: object) -> Value:
    values = inner.get("values") if isinstance(inner, dict) else None
    if values is not None and not isinstance(values, list):
        raise ValueError(f"arrayValue must hold a list of values, got {_seen(values)}")
    return tuple(_read(value) for value in values or ())


def _read_kvlist(inner: object) -> Value:
    values = inner.get("values") if isinstance(inner, dict) else None
    return Attributes(read_attributes(values))


READERS = {
    "stringValue": _read_string,
    "boolValue": _read_bool,
    "intValue": lambda inner: read_int(inner, "intValue"),
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


def _seen(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
