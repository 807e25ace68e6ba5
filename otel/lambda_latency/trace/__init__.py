"""Traces as values: read, written, and walked along their critical path. Standard library only, but for `lean`."""

from lambda_latency.trace.attributes import Attributes
from lambda_latency.trace.otlp import dump_line, to_otlp
from lambda_latency.trace.path import CriticalPath, Section, critical_path
from lambda_latency.trace.problem import Problem
from lambda_latency.trace.reading import (
    Reading,
    find_traces,
    read_spans,
    read_trace,
    read_traces,
    spans_in,
    trace_id_of,
    traces_of,
)
from lambda_latency.trace.sources import Source, find_sources
from lambda_latency.trace.span import Event, Link, Scope, Span, SpanKind, Status
from lambda_latency.trace.trace import Trace
from lambda_latency.trace.waiting import Waiting, waiting

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
