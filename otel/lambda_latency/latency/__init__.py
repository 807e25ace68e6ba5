"""From traces to an answer: the parts that the time of requests goes to, and the owner of each."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lambda_latency.latency.accounts.account import (
    ABSENT_PARENT,
    CLIENT_TIMEOUTS,
    FLOW,
    LEFT_OUT,
    OPEN,
    RUNS_ON,
    SKEWED,
    Account,
    Kind,
    Operation,
)
from lambda_latency.latency.accounts.calls import Calls
from lambda_latency.latency.accounts.choice import ReportError, instant, of_route, of_time
from lambda_latency.latency.accounts.columns import Accounts
from lambda_latency.latency.accounts.hosts import Ground, told_by_name
from lambda_latency.latency.accounts.owners import NOBODY, USUAL, Owners, Terms
from lambda_latency.latency.accounts.part import Cell, Part
from lambda_latency.latency.accounts.totals import (
    UNKNOWN,
    PartTally,
    Share,
    Tally,
    Traffic,
    Unknown,
    at_rank,
    by_hour,
    by_route,
    percentile,
)
from lambda_latency.latency.depends.keys import is_asked
from lambda_latency.latency.depends.value import ABSENT, By, ByValue, Depends, Finding, OfChange, OfRoutes, Since, Value
from lambda_latency.latency.flame import Stack, sections_of, stacks_of
from lambda_latency.latency.judge.accounting import Judge, account, largest_part
from lambda_latency.latency.judge.advice import GONE_CALL, MANY_CALLS, NEW_CALL, SLOW_CALLER, advice
from lambda_latency.latency.judge.classes import Class, Classes, classes
from lambda_latency.latency.judge.cohorts import Cohorts, Compared, Slow, cohorts
from lambda_latency.latency.judge.diagnosis import Diagnosis, diagnose
from lambda_latency.latency.judge.log_lines import LogLines
from lambda_latency.latency.judge.services import Place
from lambda_latency.latency.judge.slowness import Whole
from lambda_latency.latency.judge.span_names import trace_name
from lambda_latency.latency.judge.thresholds import (
    COMPARABLE_REQUESTS,
    DOMINANT_PERCENT,
    ENOUGH_REQUESTS,
    ENOUGH_SLOW,
    LEAST_OF_ROUTE,
    TRUST_PERCENT,
)
from lambda_latency.latency.judge.timeouts import Failures, Frame, Timeout, timeout_of
from lambda_latency.latency.judge.verdict import Verdict, share, verdict
from lambda_latency.latency.loading.load import load
from lambda_latency.latency.loading.progress import SILENT, Progress
from lambda_latency.latency.own_code import OwnCode, PlaceTime, own_code_in, own_code_of
from lambda_latency.latency.report import Report, report_of
from lambda_latency.latency.waterfall import Bar, Waterfall, waterfall_of

if TYPE_CHECKING:
    from lambda_latency.latency.baseline.against import Against, Change, against
    from lambda_latency.latency.baseline.bootstrap import Estimate
    from lambda_latency.latency.baseline.causes import Cause
    from lambda_latency.latency.baseline.rates import Rate
    from lambda_latency.latency.baseline.routes import RouteChange
    from lambda_latency.latency.baseline.shapes import CallChange, ShapeChange, Shapes
    from lambda_latency.latency.baseline.slow import Fresh
    from lambda_latency.latency.gate import Gate, Judged, read_gate
    from lambda_latency.latency.map import call_map, map_values
    from lambda_latency.latency.what_if import WHAT_IF_PERCENT, Saving, savings

__all__ = [
    "ABSENT",
    "ABSENT_PARENT",
    "CLIENT_TIMEOUTS",
    "COMPARABLE_REQUESTS",
    "DOMINANT_PERCENT",
    "ENOUGH_REQUESTS",
    "ENOUGH_SLOW",
    "FLOW",
    "GONE_CALL",
    "LEAST_OF_ROUTE",
    "LEFT_OUT",
    "MANY_CALLS",
    "NEW_CALL",
    "NOBODY",
    "OPEN",
    "RUNS_ON",
    "SILENT",
    "SKEWED",
    "SLOW_CALLER",
    "TRUST_PERCENT",
    "UNKNOWN",
    "USUAL",
    "WHAT_IF_PERCENT",
    "Account",
    "Accounts",
    "Against",
    "Bar",
    "By",
    "ByValue",
    "CallChange",
    "Calls",
    "Cause",
    "Cell",
    "Change",
    "Class",
    "Classes",
    "Cohorts",
    "Compared",
    "Depends",
    "Diagnosis",
    "Estimate",
    "Failures",
    "Finding",
    "Frame",
    "Fresh",
    "Gate",
    "Ground",
    "Judge",
    "Judged",
    "Kind",
    "LogLines",
    "OfChange",
    "OfRoutes",
    "Operation",
    "OwnCode",
    "Owners",
    "Part",
    "PartTally",
    "Place",
    "PlaceTime",
    "Progress",
    "Rate",
    "Report",
    "ReportError",
    "RouteChange",
    "Saving",
    "ShapeChange",
    "Shapes",
    "Share",
    "Since",
    "Slow",
    "Stack",
    "Tally",
    "Terms",
    "Timeout",
    "Traffic",
    "Unknown",
    "Value",
    "Verdict",
    "Waterfall",
    "Whole",
    "account",
    "advice",
    "against",
    "at_rank",
    "by_hour",
    "by_route",
    "call_map",
    "classes",
    "cohorts",
    "diagnose",
    "instant",
    "is_asked",
    "largest_part",
    "load",
    "map_values",
    "of_route",
    "of_time",
    "own_code_in",
    "own_code_of",
    "percentile",
    "read_gate",
    "report_of",
    "savings",
    "sections_of",
    "share",
    "stacks_of",
    "timeout_of",
    "told_by_name",
    "trace_name",
    "verdict",
    "waterfall_of",
]

# Imported at the first use: a report without a baseline and a gate starts sooner.
LATER = {
    "Against": "baseline.against",
    "CallChange": "baseline.shapes",
    "Cause": "baseline.causes",
    "Change": "baseline.against",
    "Estimate": "baseline.bootstrap",
    "Gate": "gate",
    "Judged": "gate",
    "Rate": "baseline.rates",
    "Fresh": "baseline.slow",
    "RouteChange": "baseline.routes",
    "Saving": "what_if",
    "ShapeChange": "baseline.shapes",
    "Shapes": "baseline.shapes",
    "WHAT_IF_PERCENT": "what_if",
    "against": "baseline.against",
    "call_map": "map",
    "map_values": "map",
    "read_gate": "gate",
    "savings": "what_if",
}


def __getattr__(name: str) -> Any:
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{LATER[name]}"), name)
