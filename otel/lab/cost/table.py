"""The results as a document and as a table: the difference to bare, and as a multiple of the X-Ray SDK's difference."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from lab.cost.measuring import Measured
from lab.cost.variants import BARE, XRAY


def figures(measured: Measured) -> dict[str, Any]:
    """The figures by variant and measure.

    `value` is the median, `over_bare` the median of the differences within a round, `of_bare` and `of_xray` are ratios.
    A figure is absent if its reference was not measured.
    """
    found: dict[str, Any] = {}
    for name, measures in measured.items():
        found[name] = {}
        for measure, values in measures.items():
            one: dict[str, float] = {"value": median(values)}
            bare = measured.get(BARE, {}).get(measure)
            if bare is not None:
                one["over_bare"] = median(mine - its for mine, its in zip(values, bare, strict=True))
                one["of_bare"] = one["value"] / median(bare)
                xray = measured.get(XRAY, {}).get(measure)
                if xray is not None and (over := median(mine - its for mine, its in zip(xray, bare, strict=True))):
                    one["of_xray"] = one["over_bare"] / over
            found[name][measure] = one
    return found


def cell(figure: Mapping[str, float] | None) -> str:
    """The text of one figure."""
    if figure is None:
        return "-"
    times = f" ({figure['of_xray']:.2f}x)" if "of_xray" in figure else ""
    return f"{figure['over_bare']:+,.1f}{times}"


def markdown(document: Mapping[str, Any]) -> str:
    """The table of docs/explanation/costs.md: differences to bare, and multiples of the X-Ray SDK's."""
    columns = [
        "cold_instructions_m",
        "sampled_response_us",
        "sampled_instructions_k",
        "unsampled_instructions_k",
        "warm_memory_mb",
    ]
    titles = [
        "cold start, M instructions",
        "warm: the client waits, us",
        "warm: all, k instructions",
        "unsampled, k instructions",
        "memory, MB",
    ]
    lines = ["| over the bare handler | " + " | ".join(titles) + " |", "|---|" + "---|" * len(columns)]
    for name, its in document["variants"].items():
        if name != BARE:
            cells = (cell(its.get(column)) for column in columns)
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
