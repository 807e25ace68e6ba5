"""The model of spans, rows and traces: readers of each format, a writer of OTLP/JSON, and the critical path."""

from lambda_latency.trace.files.blocks import count_lines, is_compressed, unpack
from lambda_latency.trace.files.index import LineIndex
from lambda_latency.trace.files.sources import Source, find_sources
from lambda_latency.trace.files.spill import Extents, Spill, partition_of, read_spilled
from lambda_latency.trace.model.attributes import Attributes
from lambda_latency.trace.model.compact_span import CompactSpan, CompactTraces
from lambda_latency.trace.model.keys import LAPTOP, OUTCOMES, THROTTLES
from lambda_latency.trace.model.platform import (
    CONNECTING,
    DURABLE_EXECUTION,
    FUNCTION,
    GATEWAY,
    OUTER,
    REPLAY,
    RUNTIME_SCOPES,
    SERVICE,
    STATE_MACHINE,
    is_platform_phase,
)
from lambda_latency.trace.model.problem import NO_TRACES, Problem
from lambda_latency.trace.model.request import (
    DEFAULT_VIEW,
    EXECUTION_ROUTE,
    RUNNING,
    View,
    function_of,
    is_error,
    route_of,
    status_code_of,
    without_ids,
)
from lambda_latency.trace.model.signature import (
    ATTEMPTS,
    CONTAINER,
    GAVE_UP,
    REQUEST_ROOT,
    SERVES,
    TIMED_OUT,
    Signature,
)
from lambda_latency.trace.model.span import AttributedSpan, Event, Link, Scope, Span, SpanKind, Status
from lambda_latency.trace.paths.chains import CHAIN, WAIT, join_traces
from lambda_latency.trace.paths.joining import TracesByExecution, join_executions, joined_ids, note_executions
from lambda_latency.trace.paths.path import CriticalPath, Section, TimedSpan, critical_path, walk
from lambda_latency.trace.paths.reparenting import ABSENT
from lambda_latency.trace.paths.skew import service_of, service_of_resource
from lambda_latency.trace.paths.tree import Tree
from lambda_latency.trace.readers.documents import is_by_line
from lambda_latency.trace.readers.formats import KNOWN, Reader, spans_of
from lambda_latency.trace.readers.otlp_writer import dump_line, to_otlp
from lambda_latency.trace.reading import (
    LoadedTraces,
    find_attributes,
    find_spans,
    find_traces,
    read_compact_spans,
    read_spans,
    read_trace,
    read_traces,
    trace_id_of,
    traces_of,
)
from lambda_latency.trace.redaction import redact
from lambda_latency.trace.trace import Trace

__all__ = [
    "ABSENT",
    "ATTEMPTS",
    "CHAIN",
    "CONNECTING",
    "CONTAINER",
    "DEFAULT_VIEW",
    "DURABLE_EXECUTION",
    "EXECUTION_ROUTE",
    "FUNCTION",
    "GATEWAY",
    "GAVE_UP",
    "KNOWN",
    "LAPTOP",
    "NO_TRACES",
    "OUTCOMES",
    "OUTER",
    "REPLAY",
    "REQUEST_ROOT",
    "RUNNING",
    "RUNTIME_SCOPES",
    "SERVES",
    "SERVICE",
    "STATE_MACHINE",
    "THROTTLES",
    "TIMED_OUT",
    "WAIT",
    "AttributedSpan",
    "Attributes",
    "CompactSpan",
    "CompactTraces",
    "CriticalPath",
    "Event",
    "Extents",
    "LineIndex",
    "Link",
    "LoadedTraces",
    "Problem",
    "Reader",
    "Scope",
    "Section",
    "Signature",
    "Source",
    "Span",
    "SpanKind",
    "Spill",
    "Status",
    "TimedSpan",
    "Trace",
    "TracesByExecution",
    "Tree",
    "View",
    "count_lines",
    "critical_path",
    "dump_line",
    "find_attributes",
    "find_sources",
    "find_spans",
    "find_traces",
    "function_of",
    "is_by_line",
    "is_compressed",
    "is_error",
    "is_platform_phase",
    "join_executions",
    "join_traces",
    "joined_ids",
    "note_executions",
    "partition_of",
    "read_compact_spans",
    "read_spans",
    "read_spilled",
    "read_trace",
    "read_traces",
    "redact",
    "route_of",
    "service_of",
    "service_of_resource",
    "spans_of",
    "status_code_of",
    "to_otlp",
    "trace_id_of",
    "traces_of",
    "unpack",
    "walk",
    "without_ids",
]
