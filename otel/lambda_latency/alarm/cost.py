"""What one explanation costs: traces that X-Ray charges for, what Logs Insights scanned, and the function's time."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from lambda_latency.prices import read_prices

if TYPE_CHECKING:
    from lambda_latency.alarm.evidence import Evidence

__all__ = ["cost_fact", "function_dollars"]

GIGABYTE = 1_000_000_000


def function_dollars(seconds: float, megabytes: int, region: str, processor: str) -> float:
    """Of so many seconds of a function of that memory, in dollars."""
    return float(read_prices(region).gb_second(processor) * Decimal(seconds) * megabytes / 1024)


def cost_fact(evidence: Evidence, own_dollars: float) -> str:
    """What a message cost in dollars, and for what: traces that were scanned or read, gigabytes, the function."""
    prices = read_prices(evidence.region)
    dollars = evidence.traces * prices.traces_read_million / 1_000_000
    dollars += Decimal(evidence.billed) * prices.logs_scanned_gb / GIGABYTE
    scanned = f", {evidence.billed / GIGABYTE:,.2f} GB scanned" if evidence.billed else ""
    whole = float(dollars) + own_dollars
    return f"This message cost about ${whole:,.4f}: {evidence.traces:,} traces scanned or read{scanned}."
