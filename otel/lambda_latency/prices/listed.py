"""Public list prices by region, each with its publication and date; a user's own file can override them.

Lambda's free tier is left out: the functions themselves use it, not the overhead of tracing.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

LISTED = Path(__file__).with_name("prices.toml")
USUAL = "us-east-1"
MOST = Decimal(10**15)  # a sum keeps no more digits
# What each price is of.
PRICED = {
    "traces_recorded_million": "traces recorded",
    "traces_read_million": "traces read",
    "spans_gb": "spans",
    "spans_indexed_million": "indexed spans",
    "logs_scanned_gb": "Logs Insights",
    "alarm_metric": "alarms",
    "lambda_gb_second_x86_64": "Lambda",
    "lambda_gb_second_arm64": "Lambda",
    "lambda_requests_million": "invocations",
    "s3_writes_thousand": "S3 writes",
    "s3_reads_thousand": "S3 reads",
    "s3_gb_month": "S3 storage",
    "sns_requests_million": "SNS",
    "sns_mails_million": "mail",
    "service_events_million": "events",
}
FREE = ("traces_recorded", "traces_read", "spans_indexed_percent", "alarm_metrics")


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a price: its region, its date, and the publication that has it."""

    region: str
    date: str
    source: str
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in US dollars for a region, and free monthly quantities.

    `origins` has the origin of each price by its name; a price that is not listed for the region is of us-east-1.
    """

    region: str
    traces_recorded_million: Decimal
    traces_read_million: Decimal
    spans_gb: Decimal
    spans_indexed_million: Decimal
    logs_scanned_gb: Decimal
    alarm_metric: Decimal
    lambda_gb_second_x86_64: Decimal
    lambda_gb_second_arm64: Decimal
    lambda_requests_million: Decimal
    s3_writes_thousand: Decimal
    s3_reads_thousand: Decimal
    s3_gb_month: Decimal
    sns_requests_million: Decimal
    sns_mails_million: Decimal
    service_events_million: Decimal
    free_traces_recorded: Decimal
    free_traces_read: Decimal
    free_spans_indexed_percent: Decimal
    free_alarm_metrics: Decimal
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def gb_second(self, processor: str) -> Decimal:
        """The price of a GB-second of Lambda on `arm64` or `x86_64`."""
        return self.lambda_gb_second_arm64 if processor == "arm64" else self.lambda_gb_second_x86_64

    def source(self, *names: str) -> str:
        """The origins of some prices: `public list prices of us-east-1, 2026-07 to 2026-09-19`.

        If a price is of another region than the requested one, the text says which.
        """
        groups: dict[tuple[bool, str], list[str]] = {}
        for name in names:
            origin = self.origins[name]
            groups.setdefault((origin.listed, origin.region), []).append(name)
        texts = []
        for listed, region in sorted(groups, key=lambda origin: (origin[0], origin[1] != self.region)):
            priced = groups[listed, region]
            text = f"public list prices of {region}" if listed else "your prices"
            dates = sorted({self.origins[name].date for name in priced} - {""})
            text += f", {dates[0]}" if dates else ""
            text += f" to {dates[-1]}" if len(dates) > 1 else ""
            texts.append(f"{text} ({_of(priced)})" if len(groups) > 1 else text)
        return "; ".join(texts)

    def foreign(self, *names: str) -> str:
        """The prices, among some, that are not listed for the region: `traces recorded and spans`; empty if none."""
        return _of(name for name in names if self.origins[name].region != self.region)


@cache
def _listed() -> dict[str, Any]:
    """Return the list of the package, which a page that changes needs for each report."""
    return read_toml(LISTED)


def read_prices(region: str = USUAL, overrides: Path | None = None) -> Prices:
    """The prices for a region; `overrides` is a TOML file that overrides the list.

    Raises OSError for an unreadable file, ValueError for an invalid one.
    """
    listed = _listed()
    own_document = read_toml(overrides) if overrides is not None else {}
    amounts: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    # A listed price of the region is better than an own one of us-east-1.
    for source_region in (USUAL, region):
        for document, path in ((listed, LISTED), (own_document, overrides)):
            table = table_of(document, "regions", source_region)
            check_keys(path, f"[regions.{source_region}]", table, PRICED)
            for name, price in table.items():
                amounts[name], origins[name] = _priced(document, name, price, source_region, path)
    free = {**table_of(listed, "free"), **table_of(own_document, "free")}
    check_keys(overrides, "[free]", free, FREE)
    amounts |= {f"free_{name}": amount(price, f"{overrides}: {name}") for name, price in free.items()}
    return Prices(region, **amounts, origins=origins)


def _priced(
    document: Mapping[str, Any], name: str, price: Any, region: str, path: Path | None
) -> tuple[Decimal, Origin]:
    """The price of a key and its origin; the value is a table with `usd`, `date` and `source`, or a number."""
    details = price if isinstance(price, dict) else {"usd": price}
    source = str(details.get("source", ""))
    origin = Origin(
        region,
        str(details.get("date", document.get("as_of", ""))),
        str(table_of(document, "sources").get(source, source or path)),
        listed=path is LISTED,
    )
    return amount(details.get("usd"), f"{path}: {name}"), origin


def amount(value: object, name: str, largest: Decimal = MOST) -> Decimal:
    """A number between 0 and `largest`. Raises ValueError for anything else, with the name of what it is."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or value < 0:
        raise ValueError(f"{name} must be a number, 0 or more, got {value!r:.40}")
    if value > largest:
        raise ValueError(f"{name} must be {largest} or less, got {value}")
    return Decimal(value)


def check_keys(path: Path | None, table: str, keys: Iterable[str], allowed: Collection[str]) -> None:
    """Raises ValueError for a key that a table does not have."""
    unknown = next((key for key in keys if key not in allowed), None)
    if unknown is not None:
        raise ValueError(f"{path}: unknown key {unknown!r}; the keys of {table} are {', '.join(allowed)}")


def _of(names: Iterable[str]) -> str:
    """The names of prices in words: `spans, traces read and Lambda`."""
    words = list(dict.fromkeys(PRICED[name] for name in names))
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def table_of(document: Mapping[str, Any], *path: str) -> dict[str, Any]:
    """The table of a document below some keys; empty if there is none. Raises ValueError for anything else."""
    table: Any = document
    for key in path:
        table = table.get(key, {})
        if not isinstance(table, dict):
            raise ValueError(f"{key} must be a table, got {table!r:.40}")
    return dict(table)


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML document. Raises OSError, and ValueError for an invalid one."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        return document
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
