"""The results as a document and as a table: the difference to bare, and as a multiple of the X-Ray SDK's difference."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from lab.cost.measuring import Measured
from lab.cost.variants import BARE, XRAY

COLUMNS = {
    "cold_instructions_m": "cold start, M instructions",
    "sampled_response_us": "warm: the client waits, us",
    "sampled_instructions_k": "warm: all, k instructions",
    "unsampled_instructions_k": "unsampled, k instructions",
    "warm_memory_mb": "memory, MB",
}


def figures(measured: Measured) -> dict[str, Any]:
    """The figures by variant and measure.

    `value` is the median, `over_bare` the median of the differences within a round, `of_bare` and `of_xray` are ratios.
    A figure is absent if its reference was not measured.
    """
    by_variant: dict[str, Any] = {}
    for name, measures in measured.items():
        by_variant[name] = {}
        for measure, values in measures.items():
            figure: dict[str, float] = {"value": median(values)}
            bare = measured.get(BARE, {}).get(measure)
            if bare is not None:
                figure["over_bare"] = median(mine - its for mine, its in zip(values, bare, strict=True))
                figure["of_bare"] = figure["value"] / median(bare)
                xray = measured.get(XRAY, {}).get(measure)
                if xray is not None and (over := median(mine - its for mine, its in zip(xray, bare, strict=True))):
                    figure["of_xray"] = figure["over_bare"] / over
            by_variant[name][measure] = figure
    return by_variant


def cell(figure: Mapping[str, float] | None) -> str:
    """The text of one figure."""
    if figure is None:
        return "-"
    times = f" ({figure['of_xray']:.2f}x)" if "of_xray" in figure else ""
    return f"{figure['over_bare']:+,.1f}{times}"


def markdown(document: Mapping[str, Any]) -> str:
    """The table of docs/explanation/costs.md: differences to bare, and multiples of the X-Ray SDK's."""
    titles = " | ".join(COLUMNS.values())
    lines = [f"| over the bare handler | {titles} |", "|---|" + "---|" * len(COLUMNS)]
    for name, its in document["variants"].items():
        if name != BARE:
            cells = (cell(its.get(column)) for column in COLUMNS)
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
