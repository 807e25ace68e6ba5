"""Instructions of the same cold start and the same request, counted several times: medians and spreads.

A cold start and a warm request are counted until the response and in all, a cold start with and without garbage
collections. Collections come when enough objects are alive, so they move a cold start by millions.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from lab.cost import counting, driven
from lab.cost.variants import BARE, KIT, XRAY, Variant
from lambda_latency.local.processes import Processes

MEASURES = {
    "cold_until_m": "cold start until the response, M",
    "cold_m": "cold start in all, M",
    "cold_until_uncollected_m": "the same without collections, M",
    "cold_uncollected_m": "in all without collections, M",
    "warm_until_k": "warm request until the response, k",
    "warm_k": "warm request in all, k",
    "warm_until_uncollected_k": "warm request until the response without collections, k",
    "unsampled_k": "unsampled request in all, k",
}
UNCOLLECTED = Path(__file__).with_name("uncollected")
Runs = dict[str, dict[str, list[float]]]
"""By variant and measure: one value for each run."""


def once(
    variants: Sequence[Variant], processes: Processes, places: Mapping[str, str], tell: Callable[[str], None]
) -> Runs:
    """One run of all variants, two processes at a time."""
    counted: Runs = defaultdict(dict)

    def put(variant: Variant, measure: str, count: Callable[[], float]) -> None:
        counted[variant.name][measure] = [count()]
        tell(f"{variant.name}: {MEASURES[measure]} {counted[variant.name][measure][0]:,.1f}")

    with ThreadPoolExecutor(2) as workers:
        jobs = [
            workers.submit(put, variant, measure, count)
            for variant in variants
            for measure, count in counts(variant, processes, places).items()
        ]
        for job in jobs:
            job.result()
    return counted


def counts(variant: Variant, processes: Processes, places: Mapping[str, str]) -> dict[str, Callable[[], float]]:
    """How each measure of a variant is counted."""
    uncollected = replace(variant, path=(str(UNCOLLECTED),))
    request = driven.request
    return {
        "cold_until_m": lambda: counting.until_response(variant, processes, places) / 1e6,
        "cold_m": lambda: counting.count(variant, processes, places) / 1e6,
        "cold_until_uncollected_m": lambda: counting.until_response(uncollected, processes, places) / 1e6,
        "cold_uncollected_m": lambda: counting.count(uncollected, processes, places) / 1e6,
        "warm_until_k": lambda: request(variant, places),
        "warm_k": lambda: request(variant, places, after=True),
        "warm_until_uncollected_k": lambda: request(variant, places, collected=False),
        "unsampled_k": lambda: request(variant, places, after=True, sampled=False),
    }


def summary(runs: Runs) -> dict[str, dict[str, dict[str, float]]]:
    """By variant and measure: the median over bare, the spread, and the multiple of the X-Ray SDK's median."""
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for name, measures in runs.items():
        for measure, values in measures.items():
            over = [value - bare for value, bare in zip(values, runs[BARE][measure], strict=True)]
            xray = [value - bare for value, bare in zip(runs[XRAY][measure], runs[BARE][measure], strict=True)]
            figures.setdefault(name, {})[measure] = {
                "over_bare": median(over), "least": min(over), "most": max(over), "runs": len(over),
                "of_xray": median(over) / median(xray),
            }  # fmt: skip
    return figures


def markdown(document: Mapping[str, Any]) -> str:
    """The table of docs/explanation/costs.md: a row for each measure."""
    figures: Any = summary(document["runs"])
    names = [name for name in figures if name != BARE]
    lines = ["| over the bare handler, instructions | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for measure, title in MEASURES.items():
        cells = []
        for name in names:
            figure = figures[name][measure]
            spread = "" if name == XRAY else f" ({figure['of_xray']:.2f}x)"
            cells.append(f"{figure['over_bare']:,.1f}{spread}, {figure['least']:,.1f} to {figure['most']:,.1f}")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def chosen(variants: Sequence[Variant]) -> list[Variant]:
    """The variants that are counted."""
    return [variant for variant in variants if variant.name in (BARE, XRAY, KIT)]
