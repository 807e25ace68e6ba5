"""The monthly cost of tracing: X-Ray or Transaction Search, added Lambda time, alarms.

Requests are assumed to be spread evenly over a month of 30 days: bursts use less of the reservoir. A gigabyte is 10^9
bytes. Added times were measured on a whole processor (docs/explanation/costs.md); a function with less than 1,769 MB
has a share of one, and takes proportionally longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from lambda_latency.doctor.facts import ONE_PROCESSOR_MB

if TYPE_CHECKING:
    from lambda_latency.prices import Prices

MONTH_S = 30 * 24 * 3600
MILLION, BILLION = Decimal(10**6), Decimal(10**9)
RATES = tuple(map(Decimal, ("0", "0.01", "0.05", "0.1", "0.25", "0.5", "1")))
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Added:
    """The time that a tracer adds on a whole processor: ms per cold start, us per sampled and unsampled request."""

    cold_ms: Decimal
    sampled_us: Decimal
    unsampled_us: Decimal


# docs/cost.json, of 2026-11-28: cold_ms, sampled_cpu_us (exporting included), unsampled_cpu_us, each over bare.
ADDED = {
    "kit": Added(Decimal("13.8"), Decimal("1059.6"), Decimal("326.7")),
    "adot": Added(Decimal("217.1"), Decimal("1495.1"), Decimal("1109.2")),
    "adot-fast": Added(Decimal("46.7"), Decimal("844.3"), Decimal("622.5")),
    "xray-sdk": Added(Decimal("16.2"), Decimal("445.4"), Decimal("345.6")),
    "powertools": Added(Decimal("23.8"), Decimal("527.7"), Decimal("403.3")),
}


@dataclass(frozen=True, slots=True)
class Usage:
    """A month's usage. `rate`: traced share of requests beyond `reservoir` a second; `cold`: share of cold starts."""

    requests: Decimal
    rate: Decimal = Decimal("0.05")
    reservoir: Decimal = Decimal(1)
    spans: Decimal = Decimal(8)
    span_bytes: Decimal = Decimal(1500)
    cold: Decimal = Decimal("0.01")
    memory_mb: Decimal = Decimal(512)
    processor: str = "arm64"
    tracer: str = "kit"
    transaction_search: bool = False
    indexed_percent: Decimal = Decimal(1)
    alarm_metrics: Decimal = Decimal(0)
    traces_read: Decimal = Decimal(0)

    @property
    def traced(self) -> Decimal:
        """The number of traced requests."""
        kept = min(self.requests, self.reservoir * MONTH_S)
        return kept + self.rate * (self.requests - kept)


@dataclass(frozen=True, slots=True)
class Bill:
    """The cost of a month in US dollars, not rounded; traced requests; GB-seconds that tracing adds to Lambda."""

    usage: Usage
    traced: Decimal
    gb_seconds: Decimal
    xray: Decimal
    transaction_search: Decimal
    lambda_: Decimal
    cloudwatch: Decimal

    @property
    def total(self) -> Decimal:
        """The sum."""
        return self.xray + self.transaction_search + self.lambda_ + self.cloudwatch


def bill(usage: Usage, prices: Prices) -> Bill:
    """The bill of a month."""
    recorded = Decimal(0) if usage.transaction_search else max(Decimal(0), usage.traced - prices.free_traces_recorded)
    read = max(Decimal(0), usage.traces_read - prices.free_traces_read)
    xray = (recorded * prices.traces_recorded_million + read * prices.traces_read_million) / MILLION
    search = Decimal(0)
    if usage.transaction_search:
        spans = usage.traced * usage.spans
        indexed = spans * max(Decimal(0), usage.indexed_percent - prices.free_spans_indexed_percent) / 100
        search = spans * usage.span_bytes / BILLION * prices.spans_gb + indexed / MILLION * prices.spans_indexed_million
    gb_seconds = added_gb_seconds(usage)
    metrics = max(Decimal(0), usage.alarm_metrics - prices.free_alarm_metrics)
    return Bill(usage, usage.traced, gb_seconds, xray, search, gb_seconds * prices.gb_second(usage.processor),
                metrics * prices.alarm_metric)  # fmt: skip


def priced(usage: Usage) -> tuple[str, ...]:
    """The names of the prices that a usage needs."""
    names = ["spans_gb", "spans_indexed_million"] if usage.transaction_search else ["traces_recorded_million"]
    if usage.traces_read:
        names.append("traces_read_million")
    names.append(f"lambda_gb_second_{usage.processor}")
    return (*names, *(["alarm_metric"] if usage.alarm_metrics else []))


def added_gb_seconds(usage: Usage) -> Decimal:
    """The GB-seconds that tracing adds to billed time, init included (billed since August 2025)."""
    added = ADDED[usage.tracer]
    seconds = (
        usage.requests * usage.cold * added.cold_ms / 1000
        + (usage.traced * added.sampled_us + (usage.requests - usage.traced) * added.unsampled_us) / MILLION
    )
    share = min(Decimal(1), usage.memory_mb / ONE_PROCESSOR_MB)
    return seconds / share * usage.memory_mb / 1024


def over_rates(usage: Usage, prices: Prices) -> Sequence[Bill]:
    """The bills for rates from 0 to 1, including the requested rate."""
    rates = sorted({*RATES, usage.rate})
    return [bill(replace(usage, rate=rate), prices) for rate in rates]


def dollars(amount: Decimal) -> Decimal:
    """An amount rounded to cents."""
    return amount.quantize(CENT, ROUND_HALF_UP)
