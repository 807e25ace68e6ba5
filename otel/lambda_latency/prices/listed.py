"""Public list prices by region, with their date; a user's own file can override them.

Lambda's free tier is left out: the functions themselves use it, not the overhead of tracing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

__all__ = ["LISTED", "Prices", "read_prices"]

LISTED = Path(__file__).with_name("prices.toml")
USUAL = "us-east-1"


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in US dollars, and free monthly quantities. `region`: the region of the prices."""

    region: str
    as_of: str
    traces_recorded_million: Decimal
    traces_read_million: Decimal
    spans_gb: Decimal
    spans_indexed_million: Decimal
    logs_scanned_gb: Decimal
    lambda_gb_second_x86_64: Decimal
    lambda_gb_second_arm64: Decimal
    alarm_metric: Decimal
    free_traces_recorded: Decimal
    free_traces_read: Decimal
    free_spans_indexed_percent: Decimal
    free_alarm_metrics: Decimal

    @property
    def source(self) -> str:
        """`public list prices of us-east-1, July 2026`."""
        return f"public list prices of {self.region}, {self.as_of}"

    def gb_second(self, processor: str) -> Decimal:
        """The price of a GB-second of Lambda on `arm64` or `x86_64`."""
        return self.lambda_gb_second_arm64 if processor == "arm64" else self.lambda_gb_second_x86_64


def read_prices(region: str = USUAL, own: Path | None = None) -> Prices:
    """The prices of a region, or of us-east-1 if it is not listed; `own` is a TOML file that overrides the list.

    Raises OSError for an unreadable file, ValueError for an invalid one.
    """
    listed = _read(LISTED)
    given = _read(own) if own is not None else {}
    name = region if region in {**_table(listed, "regions"), **_table(given, "regions")} else USUAL
    found: dict[str, Any] = {**_table(listed, "regions", USUAL), **_table(listed, "regions", name)}
    found.update(_table(given, "regions", name))
    free = {**_table(listed, "free"), **_table(given, "free")}
    values = {**found, **{f"free_{key}": value for key, value in free.items()}}
    known = set(Prices.__dataclass_fields__) - {"region", "as_of"}
    for key, value in values.items():
        if key not in known:
            raise ValueError(
                f"{own}: unknown key {key.removeprefix('free_')!r}; the keys are {', '.join(sorted(known))}"
            )
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or value < 0:
            raise ValueError(f"{own}: {key.removeprefix('free_')} must be a number, 0 or more, got {value!r:.40}")
    amounts = {key: Decimal(value) for key, value in values.items()}
    return Prices(name, str(given.get("as_of", listed["as_of"])), **amounts)


def _table(document: Mapping[str, Any], *path: str) -> dict[str, Any]:
    found: Any = document
    for key in path:
        found = found.get(key, {})
        if not isinstance(found, dict):
            raise ValueError(f"{key} must be a table, got {found!r:.40}")
    return dict(found)


def _read(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        return found
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
