"""Converts spans of Zipkin's first version to its second: times are those of annotations, and kinds are their values.

https://github.com/openzipkin/zipkin-api/blob/master/zipkin-api.yaml describes the first version. One span has both
sides of a call: `cs` and `cr` are those of the client, `sr` and `ss` those of the server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["is_first_version", "second_version"]

SIDES = (("CLIENT", "cs", "cr"), ("SERVER", "sr", "ss"), ("PRODUCER", "ms", ""), ("CONSUMER", "mr", ""))
ADDRESSES = {"sa": "CLIENT", "ca": "SERVER", "ma": "PRODUCER"}  # of the other side of a call
CORE = {"cs", "cr", "sr", "ss", "ms", "mr", "ws", "wr"}


def is_first_version(item: Mapping[str, Any]) -> bool:
    """Whether a span has what the second version removed: binary annotations, and annotations of an endpoint."""
    notes = item.get("annotations")
    return "binaryAnnotations" in item or any(isinstance(one, dict) and "endpoint" in one for one in notes or ())


def second_version(item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The spans of the second version that a span stands for: one for each side that recorded it.

    Raises `KeyError`, `TypeError` or `AttributeError` for a span that does not have the form of the first version.
    """
    notes = item.get("annotations") or ()
    marks = {one["value"]: one for one in notes}
    common = {key: item[key] for key in ("traceId", "id", "parentId", "name") if item.get(key)}
    sides = [side for side in SIDES if side[1] in marks or (side[2] and side[2] in marks)]
    events = [{"timestamp": one["timestamp"], "value": one["value"]} for one in notes if one["value"] not in CORE]
    for kind, first_value, last_value in sides:
        first, last = marks.get(first_value), marks.get(last_value)
        mark = first or last or {}
        alone = len(sides) == 1
        start = first["timestamp"] if first else item.get("timestamp") if alone else None
        if start is None:  # only the end was recorded
            start = mark["timestamp"]
        duration = last["timestamp"] - start if last else item.get("duration") if alone else None
        endpoint = mark.get("endpoint") or {}
        yield {
            **common,
            "kind": kind,
            "timestamp": start,
            "duration": duration,
            "localEndpoint": endpoint,
            "remoteEndpoint": _other(item, kind),
            "tags": _tags(item, endpoint if not alone else None),
            "annotations": events if kind == sides[0][0] else (),
            "shared": kind == "SERVER" and len(sides) > 1,
        }
    if not sides:
        begin = item.get("timestamp") or min((one["timestamp"] for one in notes), default=None)
        if begin is None:
            raise KeyError("timestamp")
        yield {
            **common,
            "timestamp": begin,
            "duration": item.get("duration"),
            "localEndpoint": next((one["endpoint"] for one in (*_binary(item), *notes) if one.get("endpoint")), {}),
            "tags": _tags(item, None),
            "annotations": events,
        }


def _binary(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in item.get("binaryAnnotations") or () if isinstance(one, dict)]


def _other(item: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The address of the other side: the value of its binary annotation is true."""
    return next((one.get("endpoint") or {} for one in _binary(item) if ADDRESSES.get(one.get("key", "")) == kind), {})


def _tags(item: Mapping[str, Any], endpoint: Mapping[str, Any] | None) -> dict[str, Any]:
    """The binary annotations of an endpoint's service; of all (None) if one side recorded the span."""
    name = endpoint.get("serviceName") if endpoint is not None else None
    return {
        one["key"]: one.get("value")
        for one in _binary(item)
        if one["key"] not in (*ADDRESSES, "lc") and name in (None, (one.get("endpoint") or {}).get("serviceName"))
    }
