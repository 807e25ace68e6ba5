"""What a month of tracing costs: X-Ray or Transaction Search, the time that it adds to Lambda, alarms.

Requests are assumed to be spread evenly over a month of 30 days: bursts use less of the reservoir. A gigabyte is 10^9
bytes. Added times were measured on a whole processor (docs/explanation/costs.md); a function with less than 1,769 MB
has a share of one, and takes proportionally longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from lambda_latency.prices.listed import MOST, Prices, amount, check_keys, read_toml, table_of

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
ONE_PROCESSOR_MB = Decimal(1769)
MONTH_S = 30 * 24 * 3600
MILLION, BILLION = Decimal(10**6), Decimal(10**9)
RATES = tuple(map(Decimal, ("0", "0.01", "0.05", "0.1", "0.25", "0.5", "1")))
COLUMNS = ("rate", "traced", "X-Ray", "Tr. Search", "Lambda", "CloudWatch", "total")
TABLES = ("as_of", "free", "regions", "sources", "usage")


@dataclass(frozen=True, slots=True)
class AddedTime:
    """The time that a tracer adds on a whole processor: ms per cold start, us per sampled and unsampled request."""

    cold_ms: Decimal
    sampled_us: Decimal
    unsampled_us: Decimal


# docs/cost.json, of 2026-11-28: cold_ms, sampled_cpu_us (exporting included), unsampled_cpu_us, each over bare.
ADDED = {
    "kit": AddedTime(Decimal("13.8"), Decimal("1059.6"), Decimal("326.7")),
    "adot": AddedTime(Decimal("217.1"), Decimal("1495.1"), Decimal("1109.2")),
    "adot-fast": AddedTime(Decimal("46.7"), Decimal("844.3"), Decimal("622.5")),
    "xray-sdk": AddedTime(Decimal("16.2"), Decimal("445.4"), Decimal("345.6")),
    "powertools": AddedTime(Decimal("23.8"), Decimal("527.7"), Decimal("403.3")),
}
CHOICES: Mapping[str, Sequence[object]] = {
    "processor": ("arm64", "x86_64"),
    "tracer": tuple(ADDED),
    "transaction_search": (True, False),
}
LARGEST = {"rate": Decimal(1), "cold": Decimal(1), "indexed_percent": Decimal(100)}


@dataclass(frozen=True, slots=True)
class Usage:
    """A month's usage. `rate`: traced share of requests beyond `reservoir` a second; `cold`: share of cold starts."""

    requests: Decimal = Decimal(1_000_000)
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
        reserved = min(self.requests, self.reservoir * MONTH_S)
        return reserved + self.rate * (self.requests - reserved)

    @property
    def prices(self) -> tuple[str, ...]:
        """The names of the prices that this usage needs."""
        names = ["spans_gb", "spans_indexed_million"] if self.transaction_search else ["traces_recorded_million"]
        if self.traces_read:
            names.append("traces_read_million")
        names.append(f"lambda_gb_second_{self.processor}")
        return (*names, *(["alarm_metric"] if self.alarm_metrics else []))


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


def read_usage(path: Path) -> dict[str, Any]:
    """The values of the table `usage` in a file of details. Raises OSError, and ValueError for an invalid file."""
    document = read_toml(path)
    check_keys(path, "the file", document, TABLES)
    table = table_of(document, "usage")
    check_keys(path, "[usage]", table, Usage.__dataclass_fields__)
    return {key: _usage_value(path, key, value) for key, value in table.items()}


def _usage_value(path: Path, key: str, value: object) -> object:
    if key not in CHOICES:
        return amount(value, f"{path}: {key}", LARGEST.get(key, MOST))
    if value not in CHOICES[key]:
        choices = " or ".join(str(choice).lower() for choice in CHOICES[key])
        raise ValueError(f"{path}: {key} must be {choices}, got {value!r:.40}")
    return value


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
    gb_seconds = _added_gb_seconds(usage)
    metrics = max(Decimal(0), usage.alarm_metrics - prices.free_alarm_metrics)
    return Bill(usage, usage.traced, gb_seconds, xray, search, gb_seconds * prices.gb_second(usage.processor),
                metrics * prices.alarm_metric)  # fmt: skip


def _added_gb_seconds(usage: Usage) -> Decimal:
    """The GB-seconds that tracing adds to billed time, init included (billed since August 2025)."""
    added = ADDED[usage.tracer]
    seconds = (
        usage.requests * usage.cold * added.cold_ms / 1000
        + (usage.traced * added.sampled_us + (usage.requests - usage.traced) * added.unsampled_us) / MILLION
    )
    return seconds * max(usage.memory_mb, ONE_PROCESSOR_MB) / 1024  # less memory takes longer


def over_rates(usage: Usage, prices: Prices) -> Sequence[Bill]:
    """The bills for rates from 0 to 1, including the requested rate."""
    rates = sorted({*RATES, usage.rate})
    return [bill(replace(usage, rate=rate), prices) for rate in rates]


def dollars(amount: Decimal) -> Decimal:
    """An amount rounded to cents."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def bills_as_text(usage: Usage, prices: Prices, *, assumed: bool = False) -> str:
    """The bill, a table by sampling rate, and what both rest on. `assumed`: some values were not read but assumed."""
    month, bills = bill(usage, prices), over_rates(usage, prices)
    start = "With what is assumed, tracing costs" if assumed else "Tracing costs"
    size = f"{usage.memory_mb:f} MB on {usage.processor}"
    foreign = prices.foreign(*usage.prices)
    missing = f" Of {prices.region} the list lacks {foreign}: use --details FILE." if foreign else ""
    lines = [
        f"{start} ${dollars(month.total):,} a month: {month.traced:,.0f} of {usage.requests:,.0f} requests are traced.",
        *_table(month, bills),
        "",
        f"Traced: {usage.reservoir:f} a second, and the rate of the rest.",
        f"A request: {usage.spans:.1f} spans of {usage.span_bytes:,f} bytes; {usage.cold * 100:.1f} % are cold starts.",
        f"Lambda: {month.gb_seconds:,.1f} GB-s added by {usage.tracer}, at {size}.",
        f"Prices: {prices.source(*usage.prices)}.{missing}",
    ]
    return "\n".join(lines)


def _table(month: Bill, bills: Sequence[Bill]) -> list[str]:
    """A row for each rate, or one row if the reservoir covers all requests at any rate."""
    if len({bill.traced for bill in bills}) == 1:
        effect = f"The reservoir of {month.usage.reservoir:f} a second covers all requests: the rate has no effect."
        rows = [COLUMNS, ("any", *_row(month)[1:])]
    else:
        effect = f"100 % would cost ${dollars(bills[-1].total):,}."
        rows = [COLUMNS, *map(_row, bills)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return [effect, "", *lines]


def _row(bill: Bill) -> tuple[str, ...]:
    amounts = (bill.xray, bill.transaction_search, bill.lambda_, bill.cloudwatch, bill.total)
    return (percent(bill.usage.rate), f"{bill.traced:,.0f}", *(f"{dollars(amount):,}" for amount in amounts))


def percent(share: Decimal) -> str:
    """A share as `5 %`."""
    return f"{(share * 100).normalize():f} %"


def bills_as_json(usage: Usage, prices: Prices) -> dict[str, object]:
    """The bill, the bills by rate, the usage, and the prices with their origins, as JSON values."""
    return {
        "schema": 2,
        "bill": _values(bill(usage, prices)),
        "rates": [_values(rate_bill) for rate_bill in over_rates(usage, prices)],
        "usage": {
            name: float(member) if isinstance(member, Decimal) else member
            for name in usage.__dataclass_fields__
            for member in [getattr(usage, name)]
        },
        "region": prices.region,
        "prices": {name: _price(prices, name) for name in usage.prices},
    }


def _price(prices: Prices, name: str) -> dict[str, object]:
    origin = prices.origins[name]
    usd = float(getattr(prices, name))
    return {"dollars": usd, "region": origin.region, "date": origin.date, "source": origin.source}


def _values(bill: Bill) -> dict[str, object]:
    names = ("xray", "transaction_search", "lambda_", "cloudwatch", "total")
    return {
        "rate": float(bill.usage.rate),
        "traced": round(float(bill.traced), 3),
        "gb_seconds": round(float(bill.gb_seconds), 3),
        "dollars": {name.rstrip("_"): float(dollars(getattr(bill, name))) for name in names},
    }
