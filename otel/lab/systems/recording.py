"""Spans of many requests as a file of OTLP/JSON: a group of spans for each service."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from lab.generate import to_value

INTERNAL, SERVER, CLIENT = 1, 2, 3  # kinds of spans in OTLP
RUNTIME = "lambda_latency.runtime"
NOTHING: Mapping[str, object] = {}

_Group: TypeAlias = tuple[str, str, tuple[tuple[str, object], ...]]  # service, scope, other attributes of the resource


class Recording:
    """Spans by service, in the order in which they were added."""

    def __init__(self) -> None:
        self._spans: defaultdict[_Group, list[dict[str, Any]]] = defaultdict(list)

    def add(
        self,
        service: str,
        name: str,
        kind: int,
        ids: tuple[str, str, str],
        ns: tuple[int, int],
        attributes: Mapping[str, object] = NOTHING,
        *,
        events: Sequence[Mapping[str, object]] = (),
        scope: str = "app",
        resource: Mapping[str, object] = NOTHING,
    ) -> None:
        """Add a span. `ids` are those of the trace, the span and the parent ("": none), `ns` its start and its end."""
        trace_id, span_id, parent_id = ids
        start_ns, end_ns = ns
        self._spans[service, scope, tuple(resource.items())].append(
            {
                "traceId": trace_id,
                "spanId": span_id,
                "parentSpanId": parent_id,
                "name": name,
                "kind": kind,
                "startTimeUnixNano": str(start_ns),
                "endTimeUnixNano": str(end_ns),
                "attributes": _pairs(attributes),
                "events": list(events),
                "status": {},
            }
        )

    def write(self, path: Path) -> None:
        """Write all spans as one document."""
        groups = [
            {
                "resource": {"attributes": _pairs({"service.name": service, **dict(resource)})},
                "scopeSpans": [{"scope": {"name": scope}, "spans": spans}],
            }
            for (service, scope, resource), spans in self._spans.items()
        ]
        path.write_text(json.dumps({"resourceSpans": groups}, separators=(",", ":")), encoding="utf-8")


def _pairs(attributes: Mapping[str, object]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: object) -> dict[str, Any]:
    return {"doubleValue": value} if isinstance(value, float) else to_value(value)
