"""From traces to an answer: the parts that the time of requests goes to, and the owner of each."""

from lambda_latency.latency.account import Account
from lambda_latency.latency.accounts import Accounts
from lambda_latency.latency.advice import advice
from lambda_latency.latency.against import Against, Change, against
from lambda_latency.latency.bootstrap import Estimate
from lambda_latency.latency.calls import Calls
from lambda_latency.latency.choice import instant, of_route, of_time
from lambda_latency.latency.cohorts import Cohorts, Compared, Slow, cohorts
from lambda_latency.latency.errors import ReportError
from lambda_latency.latency.flame import Stack, sections_of, stacks_of
from lambda_latency.latency.fork import beside
from lambda_latency.latency.gate import Gate, Judged, read_gate
from lambda_latency.latency.judge import Judge, account, largest_part
from lambda_latency.latency.kind import ABSENT_PARENT, LEFT_OUT, OPEN, RUNS_ON, SKEWED, Kind
from lambda_latency.latency.loading import load
from lambda_latency.latency.map import call_map, map_values
from lambda_latency.latency.names import trace_name
from lambda_latency.latency.owners import NOBODY, USUAL, Owners, Terms
from lambda_latency.latency.part import Part
from lambda_latency.latency.progress import SILENT, Progress
from lambda_latency.latency.rates import Rate
from lambda_latency.latency.report import Report, report_of
from lambda_latency.latency.thresholds import (
    COMPARABLE_REQUESTS,
    DOMINANT_PERCENT,
    ENOUGH_REQUESTS,
    ENOUGH_SLOW,
    LEAST_OF_ROUTE,
    TRUST_PERCENT,
)
from lambda_latency.latency.timeouts import Frame, Timeout, timeout_of
from lambda_latency.latency.totals import PartTally, Tally, Totals, at_rank, percentile
from lambda_latency.latency.traffic import UNKNOWN, Share, Traffic, Unknown, by_hour, by_route
from lambda_latency.latency.verdict import Verdict, share, verdict
from lambda_latency.latency.waterfall import Bar, Waterfall, waterfall_of
from lambda_latency.latency.what_if import WHAT_IF_PERCENT, Saving, savings

__all__ = [
    "ABSENT_PARENT",
    "COMPARABLE_REQUESTS",
    "DOMINANT_PERCENT",
    "ENOUGH_REQUESTS",
    "ENOUGH_SLOW",
    "LEAST_OF_ROUTE",
    "LEFT_OUT",
    "NOBODY",
    "OPEN",
    "RUNS_ON",
    "SILENT",
    "SKEWED",
    "TRUST_PERCENT",
    "UNKNOWN",
    "USUAL",
    "WHAT_IF_PERCENT",
    "Account",
    "Accounts",
    "Against",
    "Bar",
    "Calls",
    "Change",
    "Cohorts",
    "Compared",
    "Estimate",
    "Frame",
    "Gate",
    "Judge",
    "Judged",
    "Kind",
    "Owners",
    "Part",
    "PartTally",
    "Progress",
    "Rate",
    "Report",
    "ReportError",
    "Saving",
    "Share",
    "Slow",
    "Stack",
    "Tally",
    "Terms",
    "Timeout",
    "Totals",
    "Traffic",
    "Unknown",
    "Verdict",
    "Waterfall",
    "account",
    "advice",
    "against",
    "at_rank",
    "beside",
    "by_hour",
    "by_route",
    "call_map",
    "cohorts",
    "instant",
    "largest_part",
    "load",
    "map_values",
    "of_route",
    "of_time",
    "percentile",
    "read_gate",
    "report_of",
    "savings",
    "sections_of",
    "share",
    "stacks_of",
    "timeout_of",
    "trace_name",
    "verdict",
    "waterfall_of",
]
