"""The cost of a fetch: calls and dollars. Traces are counted, not fetched.

X-Ray charges for traces retrieved and traces scanned, beyond a free monthly number of both together. Listing scans
every trace in the time range, whether it matches or not. Counting therefore has a price too: a long range is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambda_latency.fetch.asked import iso
from lambda_latency.fetch.batches import AT_ONCE
from lambda_latency.fetch.insights import MOST_ROWS
from lambda_latency.fetch.scanning import billed, ingested
from lambda_latency.fetch.search import GROUP, Search
from lambda_latency.fetch.summaries import pages
from lambda_latency.fetch.windows import Window, windows
from lambda_latency.prices import read_prices

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_latency.fetch.asked import Asked

HOUR_S, SAMPLE_S = 3600, 60
PAGE = 100  # observed traces per page; AWS does not document it
FEW = 10_000  # up to this many traces are counted exactly, for half a cent


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
        """The price in US dollars in a region, without the free monthly number of traces."""
        return float((self.traces + self.scanned) * read_prices(region).traces_read_million / 1_000_000)

    def text(self, asked: Asked, region: str) -> str:
        """The output of `--dry-run`."""
        about = "" if self.exact else "about "
        how = "" if self.exact else " (one minute of each hour was counted)"
        traces = f"{about}{self.traces:,} traces match" if asked.expression else f"{about}{self.traces:,} traces"
        prices = read_prices(region)
        dollars = self.dollars(region)
        money = f"${dollars:,.4f}" if dollars < 0.01 else f"${dollars:,.2f}"
        return (
            f"Dry run, nothing was fetched: X-Ray in {region}, {iso(asked.since_ns)} to {iso(asked.until_ns)}.\n"
            f"{traces[0].upper()}{traces[1:]}{how}.\n"
            f"Calls: {about}{self.summary_calls:,} GetTraceSummaries and {self.batch_calls:,} BatchGetTraces.\n"
            f"X-Ray charges {about}{money}: {about}{self.scanned:,} traces scanned and {self.traces:,} retrieved, at "
            f"${prices.traces_read_million:.2f} a million\n({prices.source('traces_read_million')}); "
            f"the first {prices.free_traces_read:,f} of a month are free.\n"
            f"This dry run took {self.spent_calls:,} calls and scanned {self.spent_scanned:,} traces.\n"
        )


def estimate(xray: Any, asked: Asked) -> Estimate:
    """Counts one minute of each hour, or everything where that is cheap."""
    hours = windows(asked.since_ns, asked.until_ns, HOUR_S)
    spent_calls = spent_scanned = 0
    factor = 1.0
    exact = len(hours) < 2 or hours[0].end_s - hours[-1].start_s <= HOUR_S + 1
    found = scanned = calls = 0
    if not exact:
        found, scanned, calls = _count(xray, map(_minute, hours), asked.expression)
        spent_calls, spent_scanned = calls, scanned
        seconds = sum(hour.end_s - hour.start_s for hour in hours)
        factor = seconds / sum(one.end_s - one.start_s for one in map(_minute, hours))
        exact = scanned * factor <= FEW
    cut = windows(asked.since_ns, asked.until_ns)
    if exact:
        factor = 1.0
        found, scanned, calls = _count(xray, cut, asked.expression)
        spent_calls, spent_scanned = spent_calls + calls, spent_scanned + scanned
    else:
        calls = max(len(cut), -(-round(scanned * factor) // PAGE))
    traces = round(found * factor)
    if asked.most is not None:
        traces = min(traces, asked.most)
    return Estimate(traces, round(scanned * factor), calls, -(-traces // AT_ONCE), exact, spent_calls, spent_scanned)


def search_text(cloudwatch: Any, asked: Asked, region: str) -> str:
    """The output of `--dry-run` where Transaction Search is on. Raises boto3's error if CloudWatch does not answer."""
    start_s, end_s = asked.since_ns // 10**9, -(-asked.until_ns // 10**9)
    return (
        f"Dry run, nothing was fetched: {Search.name} in {region}, {iso(asked.since_ns)} to {iso(asked.until_ns)}.\n"
        f"The traces are in the log group {GROUP}, which ingested "
        f"{billed(ingested(cloudwatch, GROUP, start_s, end_s), region)} in these hours.\n"
        f"Logs Insights charges for what it scans, in brackets ({read_prices(region).source('logs_scanned_gb')}): "
        f"all of it once,\nand again each time that a query finds over {MOST_ROWS:,} traces.\n"
    )


def _minute(hour: Window) -> Window:
    """The window in the middle of another."""
    middle = (hour.start_s + hour.end_s - SAMPLE_S) // 2
    return Window(max(hour.start_s, middle), min(hour.end_s, middle + SAMPLE_S))


def _count(xray: Any, cut: Iterable[Window], expression: str | None) -> tuple[int, int, int]:
    """Matching traces, scanned traces, calls."""
    found = scanned = calls = 0
    for window in cut:
        for page in pages(xray, window, expression):
            found, scanned, calls = found + len(page.ids), scanned + page.scanned, calls + 1
    return found, scanned, calls
