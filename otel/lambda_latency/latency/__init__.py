"""From traces to an answer: where the time of requests goes, and whose it is."""

from lambda_latency.latency.account import Account, account, largest_part
from lambda_latency.latency.cohorts import Cohorts, Compared, Slow, cohorts
from lambda_latency.latency.part import Part
from lambda_latency.latency.report import Report, report_of
from lambda_latency.latency.timeouts import Frame, Timeout, timeout_of
from lambda_latency.latency.totals import Tally, Totals, percentile
from lambda_latency.latency.verdict import Verdict, verdict

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
