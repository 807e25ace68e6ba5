"""Facts of requests other than times: route, status, version, instance, attributes with few values."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lambda_latency.page.columns import COLD_START, ERROR, THROTTLED
from lambda_latency.text import Style, clean
from lambda_latency.trace import SpanKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_latency.latency import Report
    from lambda_latency.trace import Span, Trace

MOST_READ = 2_000  # requests; up to this number the spans of all are read
SAMPLED = 1_000  # requests whose spans are read if there are more
MOST_VALUES = 24  # the most frequent values per attribute
LEAST_SEEN = 3  # requests; rarer values are dropped
MOST_ATTRIBUTES = 24
LONGEST = 60  # characters of a value
STYLE = Style()
NAMED = {
    "version": ("service.version", "faas.version", "container.image.tag", "deployment.version"),
    "instance": ("faas.instance", "service.instance.id", "host.id", "k8s.pod.name", "host.name"),
    "function": ("faas.name",),
    "region": ("cloud.region",),
}
# Attributes that are in the columns, or that describe infrastructure rather than the request.
LEFT_OUT = (
    *("aws.", "cloud.", "code.", "container.", "db.", "deployment.version", "error.", "exception.", "faas.", "host."),
    *("http.", "k8s.", "lambda.", "messaging.", "net.", "network.", "os.", "otel.", "peer.", "process.", "rpc."),
    *("server.", "service.", "client.", "span.", "telemetry.", "thread.", "url.", "user_agent."),
)


def sample(report: Report) -> list[int]:
    """The indices of requests whose spans are read, in order: all, or the slow ones and evenly spaced others."""
    every = report.accounts
    if len(every) <= MOST_READ:
        return list(range(len(every)))
    slow_ids = {one.account.trace_id for one in report.cohorts.slow[: SAMPLED // 2]}
    slow = [at for at in range(len(every)) if every.trace_id(at) in slow_ids]
    others = SAMPLED - len(slow)
    return sorted({*slow, *(at * len(every) // others for at in range(others))})


def fact_text(told: str) -> str:
    """The text of the fact of a value as sentences tell it, `service.version = 37`; empty if it is no single value."""
    key, equals, value = told.partition(" = ")
    name = next((name for name, keys in NAMED.items() if key in keys), None)
    return "" if not equals else told if name is None else f"{name} {value}"


class Facts:
    """Collects the facts of requests from their traces."""

    def __init__(self) -> None:
        self._told: list[dict[str, str]] = []

    def add(self, trace: Trace | None) -> None:
        """Adds the next request; None if its spans are unavailable."""
        self._told.append(_told(trace) if trace is not None else {})

    def values(self, columns: Mapping[str, Sequence[object]], read: Sequence[int]) -> dict[str, object]:
        """`facts`: a name, the texts of its values, and the value's index for each request in `read`, or -1.

        Facts of a column have the column's name and its value for each text instead.
        """
        routes = [str(one) for one in columns["routes"]]
        statuses = sorted({code for code in columns["status"] if isinstance(code, int)})
        found: list[dict[str, object]] = [
            {"name": "route", "texts": [_clean(route) for route in routes], "column": "route"},
            {"name": "cold", "texts": ["cold start"], "column": "flags", "values": [COLD_START]},
            {
                "name": "status",
                "texts": [f"status {code}" for code in statuses],
                "column": "status",
                "values": statuses,
            },
            {"name": "error", "texts": ["error"], "column": "flags", "values": [ERROR]},
            {"name": "throttled", "texts": ["throttled"], "column": "flags", "values": [THROTTLED]},
        ]
        counts: dict[str, Counter[str]] = {}
        for told in self._told:
            for name, value in told.items():
                counts.setdefault(name, Counter())[value] += 1
        named = [name for name in NAMED if name in counts]
        others = sorted((name for name in counts if name not in NAMED), key=lambda one: (-counts[one].total(), one))
        for name in [*named, *others]:
            kept = sorted(counts[name].items(), key=lambda one: (-one[1], one[0]))[:MOST_VALUES]
            values = {value: at for at, (value, times) in enumerate(kept) if times >= LEAST_SEEN}
            if values and len(found) < MOST_ATTRIBUTES and counts[name].total() > len(counts[name]):
                texts = [f"{name} {value}" if name in NAMED else f"{name} = {value}" for value in values]
                of = [values.get(told.get(name, ""), -1) for told in self._told]
                found.append({"name": name, "texts": texts, "of": of})
        return {"facts": found, "read": None if len(read) == len(columns["status"]) else list(read)}


def _told(trace: Trace) -> dict[str, str]:
    """The first value of each attribute: from the handler's span, the outermost span, and INTERNAL spans."""
    first = [span for span in (trace.handler, trace.outermost) if span is not None]
    spans = [*first, *(span for span in trace.spans if span.kind is SpanKind.INTERNAL)]
    told: dict[str, str] = {}
    for span in spans:
        for name, value in span.attributes.items():
            if isinstance(value, (str, bool, int)) and not name.startswith(LEFT_OUT):
                told.setdefault(_clean(name), _text(value))
    for name, keys in NAMED.items():
        told.pop(name, None)
        value = next((found for span in first if (found := _first(span, keys)) is not None), None)
        if value is not None:
            told[name] = _text(value)
    return told


def _first(span: Span, keys: Sequence[str]) -> object:
    every = (*span.resource.items(), *span.attributes.items())
    return next((value for key in keys for name, value in every if name == key and value not in ("", None)), None)


def _text(value: object) -> str:
    return _clean(str(value).lower() if isinstance(value, bool) else str(value))


def _clean(text: str) -> str:
    return clean(text if len(text) <= LONGEST else f"{text[:LONGEST]}...", STYLE)
