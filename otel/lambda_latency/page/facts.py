"""The requests of a page as columns, and their facts other than times: route, status, version, attributes.

Columns take a tenth of the size of a list of objects, in file and memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from lambda_latency.latency import Breakdowns, Component, Kind, Report, is_candidate
from lambda_latency.page.redacting import SpanRedaction
from lambda_latency.text import Style, clean
from lambda_latency.trace import Span, SpanKind, Trace

NumberOf: TypeAlias = Callable[[Component], int]  # the number of a part in the page
COLD_START, ERROR, TIMEOUT, THROTTLED = 1, 2, 4, 8  # bits of a request's flags


def columns(report: Report, number_of: NumberOf, lines: Mapping[str, int]) -> dict[str, object]:
    """One list per property, with one entry per request; the breakdowns must be in the order of their start.

    `buckets` is one text, `cell ns cell ns ...;...`, the largest part of a request first, and all edges of a part
    together: a browser parses a text many times faster than a list per request, and the page needs the parts of few
    requests at first. `cells` has the part and the caller of each edge. `start_ms` counts from 1970; `spans` is the
    index of its line of spans, or -1; `route` is an index into `routes`.
    """
    breakdowns = report.breakdowns
    by_number = list(breakdowns.kinds)
    kinds = [by_number[number] for number in breakdowns.kind_of]
    trace_ids = [breakdowns.trace_id(index) for index in range(len(breakdowns))]
    routes: dict[str, int] = {}
    return {
        "trace_id": trace_ids,
        "start_ms": [start_ns // 1_000_000 for start_ns in breakdowns.starts_ns],
        "wall_ns": list(breakdowns.walls_ns),
        "route": [routes.setdefault(kind.route, len(routes)) for kind in kinds],
        "status": [kind.status_code for kind in kinds],
        "flags": [
            _flags(kind) | THROTTLED * throttled for kind, throttled in zip(kinds, _throttled(breakdowns), strict=True)
        ],
        "buckets": ";".join(_categories(breakdowns)),
        "cells": [[number_of(edge.component), edge.caller] for edge in breakdowns.edges],
        "spans": [lines.get(trace_id, -1) for trace_id in trace_ids],
        "routes": list(routes),
    }


def _flags(kind: Kind) -> int:
    error = kind.error and not kind.timed_out  # a timeout does not also count as an error
    return COLD_START * kind.cold_start | ERROR * error | TIMEOUT * kind.timed_out


def _throttled(breakdowns: Breakdowns) -> Iterator[bool]:
    """Yield whether a call of the request was throttled."""
    throttles = {number for (_, calls), number in breakdowns.calls.items() if calls.throttles}
    for calls in breakdowns.calls_of_each():
        yield not throttles.isdisjoint(calls)


def _categories(breakdowns: Breakdowns) -> Iterator[str]:
    ranks = {component: rank for rank, component in enumerate(sorted(breakdowns.components))}
    rank_of = [ranks[edge.component] for edge in breakdowns.edges]
    for times in breakdowns.times_of_each():
        edges = list(times)
        sums: dict[int, int] = {}
        for edge, ns in edges:
            sums[rank_of[edge]] = sums.get(rank_of[edge], 0) - ns
        largest_first = sorted([(sums[rank_of[edge]], rank_of[edge], -ns, edge) for edge, ns in edges])
        yield " ".join(f"{edge} {-ns}" for _, _, ns, edge in largest_first)


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
# Attributes that are in the columns, or that describe infrastructure or a call rather than the request.
LEFT_OUT = (
    *("aws.", "cloud.", "code.", "container.", "deployment.version", "error.", "exception.", "faas.", "host."),
    *("http.", "k8s.", "lambda.", "messaging.", "net.", "network.", "os.", "otel.", "peer.", "process.", "rpc."),
    *("server.", "service.", "client.", "span.", "telemetry.", "thread.", "url.", "user_agent."),
)


def sample(report: Report) -> list[int]:
    """Return the indices of requests whose spans are read, in order: all, or the slow ones and evenly spaced others."""
    breakdowns = report.breakdowns
    if len(breakdowns) <= MOST_READ:
        return list(range(len(breakdowns)))
    slow_ids = {slow.breakdown.trace_id for slow in report.comparison.slow[: SAMPLED // 2]}
    slow = [index for index in range(len(breakdowns)) if breakdowns.trace_id(index) in slow_ids]
    count = SAMPLED - len(slow)
    return sorted({*slow, *(place * len(breakdowns) // count for place in range(count))})


def fact_text(text: str) -> str:
    """Return the text of the fact of a value in a sentence, `service.version = 37`; empty if it is no single value."""
    key, equals, value = text.partition(" = ")
    if not equals:
        return ""
    return next((f"{name} {value}" for name, keys in NAMED.items() if key in keys), text)


class Facts:
    """Collects the facts of requests from their traces."""

    def __init__(self, redaction: SpanRedaction) -> None:
        self._redaction = redaction
        self._facts: list[dict[str, str]] = []

    def add(self, trace: Trace | None) -> None:
        """Adds the next request; None if its spans are unavailable."""
        self._facts.append(_facts_of(trace, self._redaction) if trace is not None else {})

    def values(self, columns: Mapping[str, Sequence[object]], read: Sequence[int]) -> dict[str, object]:
        """`facts`: a name, the texts of its values, and the value's index for each request in `read`, or -1.

        Facts of a column have the column's name and its value for each text instead.
        """
        facts = _column_facts(columns)
        counts: dict[str, Counter[str]] = {}
        for texts in self._facts:
            for name, text in texts.items():
                counts.setdefault(name, Counter())[text] += 1
        unnamed = sorted(counts.keys() - NAMED.keys(), key=lambda name: (-counts[name].total(), name))
        for name in [*(name for name in NAMED if name in counts), *unnamed]:
            index_of = _frequent(counts[name])
            if index_of and len(facts) < MOST_ATTRIBUTES:
                facts.append(self._fact(name, index_of))
        return {"facts": facts, "read": None if len(read) == len(columns["status"]) else list(read)}

    def _fact(self, name: str, index_of: Mapping[str, int]) -> dict[str, object]:
        separator = " " if name in NAMED else " = "
        indices = [index_of.get(texts.get(name, ""), -1) for texts in self._facts]
        return {"name": name, "texts": [f"{name}{separator}{text}" for text in index_of], "of": indices}


def _column_facts(columns: Mapping[str, Sequence[object]]) -> list[dict[str, object]]:
    statuses = sorted({code for code in columns["status"] if isinstance(code, int)})
    status_texts = [f"status {code}" for code in statuses]
    return [
        {"name": "route", "texts": [_clean(str(route)) for route in columns["routes"]], "column": "route"},
        {"name": "cold", "texts": ["cold start"], "column": "flags", "values": [COLD_START]},
        {"name": "status", "texts": status_texts, "column": "status", "values": statuses},
        {"name": "error", "texts": ["error"], "column": "flags", "values": [ERROR]},
        {"name": "throttled", "texts": ["throttled"], "column": "flags", "values": [THROTTLED]},
    ]


def _frequent(counts: Counter[str]) -> dict[str, int]:
    """Return the most frequent texts of a fact, each with its index; none if each request has another text."""
    if counts.total() == len(counts):
        return {}
    largest = sorted(counts.items(), key=lambda text_count: (-text_count[1], text_count[0]))[:MOST_VALUES]
    return {text: index for index, (text, count) in enumerate(largest) if count >= LEAST_SEEN}


def _facts_of(trace: Trace, redaction: SpanRedaction) -> dict[str, str]:
    """Return the first value of each attribute: from the handler's span, the root span, INTERNAL spans, and others."""
    entries = list(filter(None, (trace.handler, trace.request_root)))
    by_kind = sorted(trace.spans, key=lambda span: span.kind is not SpanKind.INTERNAL)
    facts: dict[str, str] = {}
    for span in [*entries, *by_kind]:
        for name, value in span.attributes.items():
            # Of a call, what the semantic conventions do not name may tell requests apart, such as a shard.
            if isinstance(value, (str, bool, int)) and not name.startswith(LEFT_OUT) and is_candidate(name):
                facts.setdefault(_clean(name), _text(redaction.value(name, value)))
    for name, keys in NAMED.items():
        facts.pop(name, None)
        values = [value for span in entries for value in _values(span, keys)]
        if values:
            facts[name] = redaction.text(_text(values[0]))
    return facts


def _values(span: Span, keys: Sequence[str]) -> list[object]:
    """Return the values of these keys, in the order of the keys."""
    attributes = (*span.resource.items(), *span.attributes.items())
    return [value for key in keys for name, value in attributes if name == key and value not in ("", None)]


def _text(value: object) -> str:
    return _clean(str(value).lower() if isinstance(value, bool) else str(value))


def _clean(text: str) -> str:
    return clean(text if len(text) <= LONGEST else f"{text[:LONGEST]}...", STYLE)
