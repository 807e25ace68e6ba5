"""Traces as values: read, written, and walked along their critical path. Standard library only, but for `lean`."""

from otel.trace.attributes import Attributes
from otel.trace.otlp import dump_line, to_otlp
from otel.trace.path import CriticalPath, Section, critical_path
from otel.trace.problem import Problem
from otel.trace.reading import (
    Reading,
    find_traces,
    read_spans,
    read_trace,
    read_traces,
    spans_in,
    trace_id_of,
    traces_of,
)
from otel.trace.sources import Source, find_sources
from otel.trace.span import Event, Link, Scope, Span, SpanKind, Status
from otel.trace.trace import Trace
from otel.trace.waiting import Waiting, waiting

__all__ = [
    "Attributes",
    "CriticalPath",
    "Event",
    "Link",
    "Problem",
    "Reading",
    "Scope",
    "Section",
    "Source",
    "Span",
    "SpanKind",
    "Status",
    "Trace",
    "Waiting",
    "critical_path",
    "dump_line",
    "find_sources",
    "find_traces",
    "read_spans",
    "read_trace",
    "read_traces",
    "spans_in",
    "to_otlp",
    "trace_id_of",
    "traces_of",
    "waiting",
]
