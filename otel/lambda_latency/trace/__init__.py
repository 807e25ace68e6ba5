"""The model of spans, rows and traces: readers of each format, a writer of OTLP/JSON, and the critical path."""

from lambda_latency.trace.files.blocks import count_lines, is_compressed
from lambda_latency.trace.files.index import LineIndex
from lambda_latency.trace.files.sources import Source, find_sources
from lambda_latency.trace.files.spill import Extents, Spill, spilled
from lambda_latency.trace.model.attributes import Attributes
from lambda_latency.trace.model.keys import CLIENT_TIMEOUT, LAPTOP, OUTCOMES, THROTTLES
from lambda_latency.trace.model.platform import (
    CONNECTING,
    FUNCTION,
    GATEWAY,
    OUTER,
    RUNTIME_SCOPE,
    RUNTIME_SCOPES,
    SERVICE,
    STATE_MACHINE,
    is_platform_phase,
)
from lambda_latency.trace.model.problem import NO_TRACES, Problem
from lambda_latency.trace.model.request import PLAIN, View, function_of, is_error, route_of, status_code_of, without_ids
from lambda_latency.trace.model.row import Row, Rows
from lambda_latency.trace.model.shape import ATTEMPTS, CONTAINER, GAVE_UP, OUTERMOST, SERVES, TIMED_OUT, Shape
from lambda_latency.trace.model.span import Event, Link, Scope, Span, SpanKind, Status
from lambda_latency.trace.paths.chains import CHAIN, WAIT, joined
from lambda_latency.trace.paths.moves import ABSENT
from lambda_latency.trace.paths.path import CriticalPath, Section, Stretch, critical_path, walk
from lambda_latency.trace.paths.skew import service_of
from lambda_latency.trace.paths.tree import Tree
from lambda_latency.trace.readers.documents import is_by_line
from lambda_latency.trace.readers.formats import KNOWN, Reader, spans_of
from lambda_latency.trace.readers.otlp_writer import dump_line, to_otlp
from lambda_latency.trace.reading import (
    Reading,
    find_spans,
    find_traces,
    read_rows,
    read_spans,
    read_trace,
    read_traces,
    trace_id_of,
    traces_of,
)
from lambda_latency.trace.redaction import redacted
from lambda_latency.trace.trace import Trace

__all__ = [
    "ABSENT",
    "ATTEMPTS",
    "CHAIN",
    "CLIENT_TIMEOUT",
    "CONNECTING",
    "CONTAINER",
    "FUNCTION",
    "GATEWAY",
    "GAVE_UP",
    "KNOWN",
    "LAPTOP",
    "NO_TRACES",
    "OUTCOMES",
    "OUTER",
    "OUTERMOST",
    "PLAIN",
    "RUNTIME_SCOPE",
    "RUNTIME_SCOPES",
    "SERVES",
    "SERVICE",
    "STATE_MACHINE",
    "THROTTLES",
    "TIMED_OUT",
    "WAIT",
    "Attributes",
    "CriticalPath",
    "Event",
    "Extents",
    "LineIndex",
    "Link",
    "Problem",
    "Reader",
    "Reading",
    "Row",
    "Rows",
    "Scope",
    "Section",
    "Shape",
    "Source",
    "Span",
    "SpanKind",
    "Spill",
    "Status",
    "Stretch",
    "Trace",
    "Tree",
    "View",
    "count_lines",
    "critical_path",
    "dump_line",
    "find_sources",
    "find_spans",
    "find_traces",
    "function_of",
    "is_by_line",
    "is_compressed",
    "is_error",
    "is_platform_phase",
    "joined",
    "read_rows",
    "read_spans",
    "read_trace",
    "read_traces",
    "redacted",
    "route_of",
    "service_of",
    "spans_of",
    "spilled",
    "status_code_of",
    "to_otlp",
    "trace_id_of",
    "traces_of",
    "walk",
    "without_ids",
]
