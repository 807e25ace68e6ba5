"""Bills as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from lambda_latency.doctor.cost import Bill, dollars, priced

if TYPE_CHECKING:
    from lambda_latency.prices import Prices

COLUMNS = ("rate", "traced", "X-Ray", "Tr. Search", "Lambda", "CloudWatch", "total")


def bills_as_text(bill: Bill, table: Sequence[Bill], prices: Prices) -> str:
    """The bill, a table by sampling rate, and the assumptions."""
    usage = bill.usage
    same = len({one.traced for one in table}) == 1  # the reservoir covers all requests at any rate
    rows = [COLUMNS, *([("any", *_row(bill)[1:])] if same else map(_row, table))]
    widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS))]
    names = priced(usage)
    foreign = prices.foreign(*names)
    missing = f" Of {prices.region} the list lacks {foreign}: use --prices FILE." if foreign else ""
    traced = f"{bill.traced:,.0f} of {usage.requests:,.0f}"
    lines = [
        f"Tracing costs ${dollars(bill.total):,} a month: {traced} requests are traced.",
        f"The reservoir of {usage.reservoir:f} a second covers all requests: the rate has no effect."
        if same
        else f"100 % would cost ${dollars(table[-1].total):,}.",
        "",
        *("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows),
        "",
        f"Traced: {usage.reservoir:f} a second, and the rate of the rest.",
        f"A request: {usage.spans:.1f} spans of {usage.span_bytes:,f} bytes; {usage.cold * 100:.1f} % are cold starts.",
        f"Lambda: {bill.gb_seconds:,.1f} GB-s added by {usage.tracer}, at {usage.memory_mb:f} MB on {usage.processor}.",
        f"Prices: {prices.source(*names)}.{missing}",
    ]
    return "\n".join(lines)


def _row(bill: Bill) -> tuple[str, ...]:
    parts = (bill.xray, bill.transaction_search, bill.lambda_, bill.cloudwatch, bill.total)
    rate = f"{(bill.usage.rate * 100).normalize():f} %"
    return (rate, f"{bill.traced:,.0f}", *(f"{dollars(part):,}" for part in parts))


def bills_as_json(
    bill: Bill, table: Sequence[Bill], prices: Prices, explanations: Mapping[str, object] | None = None
) -> str:
    """A JSON document: the bill, the bills by rate, the usage, the prices with their origins.

    `explanations`: the cost of alarms that explain themselves, if it was asked for.
    """
    usage = bill.usage
    document = {
        "schema": 2,
        "bill": _values(bill),
        "rates": [_values(one) for one in table],
        "usage": {
            name: float(value) if isinstance(value, Decimal) else value
            for name in usage.__dataclass_fields__
            for value in [getattr(usage, name)]
        },
        "region": prices.region,
        "prices": prices_as_json(prices, priced(usage)),
        **({"explanations": explanations} if explanations is not None else {}),
    }
    return json.dumps(document, indent=2)


def prices_as_json(prices: Prices, names: Sequence[str]) -> dict[str, dict[str, object]]:
    """Some prices as JSON values: dollars, region, date and source by name."""
    return {
        name: {"dollars": float(getattr(prices, name)), "region": one.region, "date": one.date, "source": one.source}
        for name in names
        for one in [prices.origins[name]]
    }


def _values(bill: Bill) -> dict[str, object]:
    return {
        "rate": float(bill.usage.rate),
        "traced": round(float(bill.traced), 3),
        "gb_seconds": round(float(bill.gb_seconds), 3),
        "dollars": {
            "xray": float(dollars(bill.xray)),
            "transaction_search": float(dollars(bill.transaction_search)),
            "lambda": float(dollars(bill.lambda_)),
            "cloudwatch": float(dollars(bill.cloudwatch)),
            "total": float(dollars(bill.total)),
        },
    }
