"""From traces to an answer: the components that the time of requests goes to, and the owner of each."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lambda_latency.latency.analysis.advice import (
    APART,
    GONE_CALL,
    LOOKUP,
    MANY_CALLS,
    NEW_CALL,
    OTHER_ANSWER,
    SLOW_CALLER,
    advice,
)
from lambda_latency.latency.analysis.analyzer import Analyzer, breakdown_of, largest_component
from lambda_latency.latency.analysis.attribution import trace_name
from lambda_latency.latency.analysis.cause_groups import CauseGroup, cause_groups
from lambda_latency.latency.analysis.diagnosis import Concurrent, Diagnosis, diagnose
from lambda_latency.latency.analysis.services import Place
from lambda_latency.latency.analysis.slowness import Whole
from lambda_latency.latency.analysis.thresholds import COMPARABLE_REQUESTS, ENOUGH_REQUESTS, ENOUGH_SLOW, TRUST_PERCENT
from lambda_latency.latency.analysis.timeouts import Failures, Frame, Timeout, timeout_of
from lambda_latency.latency.analysis.typical_and_slow import (
    ComponentDifference,
    SlowRequest,
    TypicalAndSlow,
    typical_and_slow,
)
from lambda_latency.latency.breakdowns.breakdown import Breakdown, Calls, Flaw, Kind, Operation
from lambda_latency.latency.breakdowns.choice import ReportError, instant, instant_of, of_route, of_time
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import OF_A_SERVICE, Component, Edge
from lambda_latency.latency.breakdowns.owners import DEFAULT_OPTIONS, NOBODY, AnalysisOptions, Owners, owner_by_name
from lambda_latency.latency.breakdowns.totals import (
    UNKNOWN,
    ComponentTally,
    Saving,
    Share,
    Tally,
    Traffic,
    Unknown,
    at_rank,
    by_hour,
    by_route,
    percentile,
    savings,
)
from lambda_latency.latency.correlation.association import (
    ABSENT,
    Association,
    By,
    ByValue,
    ChangeAssociation,
    Correlations,
    ReadSpans,
    Since,
    Value,
)
from lambda_latency.latency.executions import are_executions, names_of, noun_of
from lambda_latency.latency.loading.load import load
from lambda_latency.latency.loading.progress import SILENT, Progress
from lambda_latency.latency.own_code import OwnCode, PlaceTime, own_code_in, own_code_of, typical_ids
from lambda_latency.latency.report import Report, report_of
from lambda_latency.latency.waterfall import Bar, Stack, Waterfall, sections_of, stacks_of, waterfall_of

if TYPE_CHECKING:
    from lambda_latency.latency.baseline.against import Against, EdgeChange, Rate, against
    from lambda_latency.latency.baseline.call_graphs import CallChange, CallGraphChanges, ErrorOutcome, OperationChange
    from lambda_latency.latency.baseline.causes import Cause
    from lambda_latency.latency.baseline.decision import Decision, Slowdown
    from lambda_latency.latency.baseline.new_groups import NewGroup
    from lambda_latency.latency.baseline.periods import ChangeEstimate
    from lambda_latency.latency.baseline.routes import RouteChange
    from lambda_latency.latency.correlation.attribute_sets import is_candidate, is_read
    from lambda_latency.latency.gate import Condition, Gate, Judged, examples, read_gate
    from lambda_latency.latency.loading.spilling import WorkerPool, processors, watched
    from lambda_latency.latency.map import call_map, map_values

__all__ = [
    "ABSENT",
    "APART",
    "COMPARABLE_REQUESTS",
    "DEFAULT_OPTIONS",
    "ENOUGH_REQUESTS",
    "ENOUGH_SLOW",
    "GONE_CALL",
    "LOOKUP",
    "MANY_CALLS",
    "NEW_CALL",
    "NOBODY",
    "OF_A_SERVICE",
    "OTHER_ANSWER",
    "SILENT",
    "SLOW_CALLER",
    "TRUST_PERCENT",
    "UNKNOWN",
    "Against",
    "AnalysisOptions",
    "Analyzer",
    "Association",
    "Bar",
    "Breakdown",
    "Breakdowns",
    "By",
    "ByValue",
    "CallChange",
    "CallGraphChanges",
    "Calls",
    "Cause",
    "CauseGroup",
    "ChangeAssociation",
    "ChangeEstimate",
    "Component",
    "ComponentDifference",
    "ComponentTally",
    "Concurrent",
    "Condition",
    "Correlations",
    "Decision",
    "Diagnosis",
    "Edge",
    "EdgeChange",
    "ErrorOutcome",
    "Failures",
    "Flaw",
    "Frame",
    "Gate",
    "Judged",
    "Kind",
    "NewGroup",
    "Operation",
    "OperationChange",
    "OwnCode",
    "Owners",
    "Place",
    "PlaceTime",
    "Progress",
    "Rate",
    "ReadSpans",
    "Report",
    "ReportError",
    "RouteChange",
    "Saving",
    "Share",
    "Since",
    "SlowRequest",
    "Slowdown",
    "Stack",
    "Tally",
    "Timeout",
    "Traffic",
    "TypicalAndSlow",
    "Unknown",
    "Value",
    "Waterfall",
    "Whole",
    "WorkerPool",
    "advice",
    "against",
    "are_executions",
    "at_rank",
    "breakdown_of",
    "by_hour",
    "by_route",
    "call_map",
    "cause_groups",
    "diagnose",
    "examples",
    "instant",
    "instant_of",
    "is_candidate",
    "is_read",
    "largest_component",
    "load",
    "map_values",
    "names_of",
    "noun_of",
    "of_route",
    "of_time",
    "own_code_in",
    "own_code_of",
    "owner_by_name",
    "percentile",
    "processors",
    "read_gate",
    "report_of",
    "savings",
    "sections_of",
    "stacks_of",
    "timeout_of",
    "trace_name",
    "typical_and_slow",
    "typical_ids",
    "watched",
    "waterfall_of",
]

# Imported at the first use: a report without a baseline and a gate starts sooner.
LATER = {
    "baseline.against": ("Against", "EdgeChange", "Rate", "against"),
    "baseline.causes": ("Cause",),
    "baseline.new_groups": ("NewGroup",),
    "baseline.call_graphs": ("CallChange", "OperationChange", "CallGraphChanges", "ErrorOutcome"),
    "baseline.decision": ("Decision", "Slowdown"),
    "baseline.periods": ("ChangeEstimate",),
    "baseline.routes": ("RouteChange",),
    "correlation.attribute_sets": ("is_candidate", "is_read"),
    "gate": ("Condition", "Gate", "Judged", "examples", "read_gate"),
    "loading.spilling": ("WorkerPool", "processors", "watched"),
    "map": ("call_map", "map_values"),
}


def __getattr__(name: str) -> Any:
    for module, names in LATER.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
