"""The cost of one explanation: X-Ray's traces, bytes scanned by Logs Insights, and the function's time."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from lambda_latency.prices import read_prices

if TYPE_CHECKING:
    from lambda_latency.alarm.evidence import Evidence

__all__ = ["cost_fact", "function_dollars"]

GIGABYTE = 1_000_000_000


def function_dollars(seconds: float, megabytes: int, region: str, processor: str) -> float:
    """The price in US dollars of a function's run, by seconds, memory, region and processor."""
    return float(read_prices(region).gb_second(processor) * Decimal(seconds) * megabytes / 1024)


def cost_fact(evidence: Evidence, own_dollars: float) -> str:
    """A sentence with the cost of a message in US dollars: traces scanned or read, gigabytes, the function."""
    prices = read_prices(evidence.region)
    dollars = evidence.traces * prices.traces_read_million / 1_000_000
    dollars += Decimal(evidence.billed) * prices.logs_scanned_gb / GIGABYTE
    scanned = f", {evidence.billed / GIGABYTE:,.2f} GB scanned" if evidence.billed else ""
    whole = float(dollars) + own_dollars
    return f"This message cost about ${whole:,.4f}: {evidence.traces:,} traces scanned or read{scanned}."
