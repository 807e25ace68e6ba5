"""Traces as values: read, written, and walked along their critical path. Standard library only."""

from otel.trace.attributes import Attributes
from otel.trace.otlp import dump_line, to_otlp
from otel.trace.path import CriticalPath, Section, critical_path
from otel.trace.problem import Problem
from otel.trace.reading import Reading, read_spans, read_trace, read_traces, traces_of
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
    "Span",
    "SpanKind",
    "Status",
    "Trace",
    "Waiting",
    "critical_path",
    "dump_line",
    "read_spans",
    "read_trace",
    "read_traces",
    "to_otlp",
    "traces_of",
    "waiting",
]
