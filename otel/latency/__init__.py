"""From traces to an answer: where the time of requests goes, and whose it is."""

from otel.latency.account import Account, account, largest_part
from otel.latency.cohorts import Cohorts, Compared, Slow, cohorts
from otel.latency.part import Part
from otel.latency.report import Report, report_of
from otel.latency.timeouts import Frame, Timeout, timeout_of
from otel.latency.totals import Tally, Totals, percentile
from otel.latency.verdict import Verdict, verdict

__all__ = [
    "Account",
    "Cohorts",
    "Compared",
    "Frame",
    "Part",
    "Report",
    "Slow",
    "Tally",
    "Timeout",
    "Totals",
    "Verdict",
    "account",
    "cohorts",
    "largest_part",
    "percentile",
    "report_of",
    "timeout_of",
    "verdict",
]
