"""The cost of a cold start: Lambda bills init, since August 2025 for every function."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from lambda_latency.prices import read_prices
from lambda_latency.text.words import wrap

if TYPE_CHECKING:
    from lambda_latency.latency import Tally
    from lambda_latency.text.style import Line, Style

__all__ = ["cold_cost", "cold_mean_ns", "cold_values"]

BILLION = Decimal(10**9)


def cold_mean_ns(tally: Tally) -> int:
    """The mean of the known cold start times, in nanoseconds; 0 without one."""
    known = [ns for part, one in tally.parts.items() if part.bucket == "cold start" for ns in one.each_ns]
    return sum(known) // max(len(known), 1)


def cold_cost(tally: Tally, style: Style) -> list[Line]:
    """A sentence about the price of a cold start, in GB-seconds and US dollars; empty if no time is known."""
    mean_ns = cold_mean_ns(tally)
    if not mean_ns:
        return []
    values = cold_values(mean_ns)
    money = Decimal(str(values["dollars_a_million"]))
    text = f"A cold start costs {values['gb_seconds']:.3f} GB-s and ${money:,.2f} a million for each GB of memory"
    return wrap(f"{text} (x86_64, {values['prices']}).", style.width)


def cold_values(mean_ns: int) -> dict[str, object]:
    """The cost of a cold start with 1 GB of memory, as JSON values; it is proportional to the memory."""
    prices = read_prices()
    gb_seconds = mean_ns / BILLION
    money = gb_seconds * prices.gb_second("x86_64") * 10**6
    return {
        "memory_mb": 1024,
        "gb_seconds": round(float(gb_seconds), 6),
        "dollars_a_million": round(float(money), 2),
        "prices": prices.source("lambda_gb_second_x86_64"),
    }
