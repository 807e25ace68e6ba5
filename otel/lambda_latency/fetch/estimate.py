"""The cost of a fetch: calls and dollars. Traces are counted, not fetched.

X-Ray charges for traces retrieved and traces scanned, beyond a free monthly number of both together. Listing scans
every trace in the time range, whether it matches or not. Counting therefore has a price too: a long range is sampled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lambda_latency.fetch.search import GROUP, MOST_ROWS, Search
from lambda_latency.fetch.selection import Selection
from lambda_latency.fetch.stores import AT_ONCE, TimeWindow, pages, windows
from lambda_latency.fetch.traffic import billed, ingested
from lambda_latency.prices import read_prices

HOUR_S, SAMPLE_S = 3600, 60
PAGE = 100  # traces per page, as observed
FEW = 10_000  # traces that are counted exactly


@dataclass(frozen=True, slots=True)
class Estimate:
    """Matching traces and scanned traces, counted or estimated; the calls for them; the cost of the estimate itself."""

    traces: int
    scanned: int
    summary_calls: int
    batch_calls: int
    exact: bool
    spent_calls: int
    spent_scanned: int

    def dollars(self, region: str) -> float:
        """Return the price in US dollars in a region, without the free monthly number of traces."""
        return float((self.traces + self.scanned) * read_prices(region).traces_read_million / 1_000_000)

    def text(self, selection: Selection, region: str) -> str:
        """Return the output of `--dry-run`."""
        about = "" if self.exact else "about "
        how = "" if self.exact else " (one minute of each hour was counted)"
        traces = f"{about}{self.traces:,} traces" + (" match" if selection.expression else "")
        prices = read_prices(region)
        dollars = self.dollars(region)
        money = f"${dollars:,.4f}" if dollars < 0.01 else f"${dollars:,.2f}"
        return (
            f"Dry run, nothing was fetched: X-Ray in {region}, {selection.period}.\n"
            f"{traces[0].upper()}{traces[1:]}{how}.\n"
            f"Calls: {about}{self.summary_calls:,} GetTraceSummaries and {self.batch_calls:,} BatchGetTraces.\n"
            f"X-Ray charges {about}{money}: {about}{self.scanned:,} traces scanned and {self.traces:,} retrieved, at "
            f"${prices.traces_read_million:.2f} a million\n({prices.source('traces_read_million')}); "
            f"the first {prices.free_traces_read:,f} of a month are free.\n"
            f"This dry run took {self.spent_calls:,} calls and scanned {self.spent_scanned:,} traces.\n"
        )


def estimate(xray: Any, selection: Selection) -> Estimate:
    """Count traces in one minute of each hour, or in the whole time where that is cheap."""
    hours = windows(selection.since_ns, selection.until_ns, HOUR_S)
    spent_calls = spent_scanned = 0
    factor = 1.0
    exact = len(hours) < 2 or hours[0].end_s - hours[-1].start_s <= HOUR_S + 1
    matching = scanned = calls = 0
    if not exact:
        matching, scanned, calls = _count(xray, map(_minute, hours), selection.expression)
        spent_calls, spent_scanned = calls, scanned
        seconds = sum(hour.end_s - hour.start_s for hour in hours)
        factor = seconds / sum(minute.end_s - minute.start_s for minute in map(_minute, hours))
        exact = scanned * factor <= FEW
    all_windows = windows(selection.since_ns, selection.until_ns)
    if exact:
        factor = 1.0
        matching, scanned, calls = _count(xray, all_windows, selection.expression)
        spent_calls, spent_scanned = spent_calls + calls, spent_scanned + scanned
    else:
        calls = max(len(all_windows), -(-round(scanned * factor) // PAGE))
    traces = round(matching * factor)
    if selection.most is not None:
        traces = min(traces, selection.most)
    return Estimate(traces, round(scanned * factor), calls, -(-traces // AT_ONCE), exact, spent_calls, spent_scanned)


def search_text(cloudwatch: Any, selection: Selection, region: str) -> str:
    """Return the output of `--dry-run` with Transaction Search. Raises boto3's error if CloudWatch does not answer."""
    start_s, end_s = selection.since_ns // 10**9, -(-selection.until_ns // 10**9)
    return (
        f"Dry run, nothing was fetched: {Search.name} in {region}, {selection.period}.\n"
        f"The traces are in the log group {GROUP}, which ingested "
        f"{billed(ingested(cloudwatch, GROUP, start_s, end_s), region)} in these hours.\n"
        f"Logs Insights charges for what it scans, in brackets ({read_prices(region).source('logs_scanned_gb')}): "
        f"all of it once,\nand again each time that a query finds over {MOST_ROWS:,} traces.\n"
    )


def _minute(hour: TimeWindow) -> TimeWindow:
    """Return the window in the middle of an hour."""
    middle = (hour.start_s + hour.end_s - SAMPLE_S) // 2
    return TimeWindow(max(hour.start_s, middle), min(hour.end_s, middle + SAMPLE_S))


def _count(xray: Any, sampled: Iterable[TimeWindow], expression: str | None) -> tuple[int, int, int]:
    """Return the numbers of matching traces, scanned traces and calls."""
    matching = scanned = calls = 0
    for window in sampled:
        for page in pages(xray, window, expression):
            matching, scanned, calls = matching + len(page.ids), scanned + page.scanned, calls + 1
    return matching, scanned, calls
