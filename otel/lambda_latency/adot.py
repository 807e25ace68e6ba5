"""Reads `layers.toml`, the one table of AWS's layers: releases, their numbers by region, their packages."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["COLLECTOR", "LISTED", "PYTHON", "CollectorLayers", "Layers", "Release", "read_layers"]

LISTED = Path(__file__).with_name("layers.toml")
SAME = {  # of each release one version
    "opentelemetry": ("opentelemetry-api", "opentelemetry-sdk", "opentelemetry-proto",
                      "opentelemetry-exporter-otlp-proto-common", "opentelemetry-exporter-otlp-proto-http"),
    "instrumentation": ("opentelemetry-instrumentation", "opentelemetry-semantic-conventions"),
    "propagator-aws-xray": ("opentelemetry-propagator-aws-xray",),
    "sdk-extension-aws": ("opentelemetry-sdk-extension-aws",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Release:
    """A release of a layer: its packages' versions by name, and its number in the regions where a source tells it.

    `published`, `megabytes` (unzipped) and `pythons` are empty or 0 where nobody tells them.
    """

    version: str
    packages: Mapping[str, str]
    source: str
    read: str
    published: str = ""
    megabytes: int = 0
    pythons: tuple[str, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)
    numbers_source: str = ""
    numbers_read: str = ""


@dataclass(frozen=True, slots=True)
class Layers:
    """The releases of a layer, oldest first, and AWS's account in each region."""

    name: str
    accounts: Mapping[str, str]
    releases: tuple[Release, ...]

    def newest(self, region: str) -> Release | None:
        """The newest release whose number in a region is known."""
        return next((release for release in reversed(self.releases) if region in release.numbers), None)

    def release(self, region: str, number: int) -> Release | None:
        """The release of a layer's number in a region; None if no source tells it."""
        return next((release for release in self.releases if release.numbers.get(region) == number), None)

    def shared(self, regions: Iterable[str]) -> Release | None:
        """The newest release whose number is known in each of some regions."""
        region_names = set(regions)
        return next((release for release in reversed(self.releases) if region_names <= set(release.numbers)), None)

    def arn(self, region: str, number: int) -> str:
        """The ARN of a layer's version. Raises `KeyError` for a region whose account is not known."""
        partition = "aws-cn" if region.startswith("cn-") else "aws"
        return f"arn:{partition}:lambda:{region}:{self.accounts[region]}:layer:{self.name}:{number}"

    @property
    def default_account(self) -> str:
        """The account of the regions that need not be enabled."""
        return self.accounts["us-east-1"]

    @property
    def default_regions(self) -> tuple[str, ...]:
        """The regions that need not be enabled."""
        return tuple(region for region, account in self.accounts.items() if account == self.default_account)


@dataclass(frozen=True, slots=True)
class CollectorLayers:
    """AWS's layers with the collector: one for each processor, of the same version and number in all regions."""

    version: str
    number: int
    account: str
    regions: tuple[str, ...]
    published: str
    source: str
    read: str

    @property
    def parts(self) -> tuple[int, ...]:
        """The version as numbers."""
        return tuple(map(int, self.version.split(".")))

    def name(self, processor: str) -> str:
        """The layer's name for `arm64` or `amd64`."""
        return f"aws-otel-collector-{processor}-ver-{self.version.replace('.', '-')}"


def read_layers(path: Path) -> tuple[Layers, CollectorLayers]:
    """The table in a file. Raises `KeyError` or `ValueError` for a number or a release without a source."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    table = tomllib.loads(path.read_text("utf-8"))
    python, collector = table["python"], table["collector"]
    layers = Layers(python["name"], python["accounts"], tuple(map(_release, python["releases"])))
    dated = {key: str(collector[key]) for key in ("published", "read")}
    return layers, CollectorLayers(**{**collector, **dated, "regions": tuple(collector["regions"])})


def _release(row: Mapping[str, Any]) -> Release:
    numbers = dict(row.get("numbers", {}))
    origin = {"numbers_source": numbers.pop("source"), "numbers_read": str(numbers.pop("read"))} if numbers else {}
    for source in (row["source"], *([origin["numbers_source"]] if origin else ())):
        if not source.startswith("https://"):
            raise ValueError(f"ADOT {row['version']} needs a source with an address, got {source!r}")
    packages = {name: row[key] for key, names in SAME.items() for name in names}
    return Release(
        row["version"], packages, row["source"], str(row["read"]), str(row.get("published", "")),
        row.get("megabytes", 0), tuple(row.get("pythons", ())), numbers, **origin,
    )  # fmt: skip


PYTHON, COLLECTOR = read_layers(LISTED)
