"""The results as a document and as text: the difference to bare, and as a multiple of the X-Ray SDK's difference."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from lab.cost.variants import BARE, XRAY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.cost.measuring import Measured

__all__ = ["figures", "markdown", "text"]

MEASURES = {
    "cold_instructions_m": ("cold start", "M instr."),
    "cold_ms": ("cold start", "ms"),
    "modules": ("imported", "modules"),
    "imported_mb": ("imported", "MB"),
    "cold_memory_mb": ("memory, cold", "MB"),
    "warm_memory_mb": ("memory, warm", "MB"),
    "sampled_instructions_k": ("sampled, all", "k instr."),
    "sampled_cpu_us": ("sampled, all", "us CPU"),
    "sampled_response_us": ("sampled, wait", "us"),
    "unsampled_instructions_k": ("unsampled, all", "k instr."),
    "unsampled_cpu_us": ("unsampled, all", "us CPU"),
    "unsampled_response_us": ("unsampled, wait", "us"),
}
A_TABLE = 6  # measures per table


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


def text(variants: Mapping[str, Any]) -> str:
    """Tables of differences to bare, with multiples of the X-Ray SDK's in brackets; bare itself has its values."""
    measures = [measure for measure in MEASURES if any(measure in one for one in variants.values())]
    groups = [measures[at : at + A_TABLE] for at in range(0, len(measures), A_TABLE)]
    return "\n\n".join(one_table(variants, group) for group in groups)


def one_table(variants: Mapping[str, Any], measures: Sequence[str]) -> str:
    """The table of some measures."""
    lines = [f"{'':24}" + "".join(f"{MEASURES[measure][part]:>18}" for measure in measures) for part in (0, 1)]
    for name, its in variants.items():
        cells = [cell(its.get(measure), plain=name == BARE) for measure in measures]
        lines.append(f"{name:24}" + "".join(f"{one:>18}" for one in cells))
    return "\n".join(lines)


def cell(figure: Mapping[str, float] | None, *, plain: bool) -> str:
    """The text of one figure."""
    if figure is None:
        return "-"
    if plain or "over_bare" not in figure:
        return f"{figure['value']:,.1f}"
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
            cells = (cell(its.get(column), plain=False) for column in columns)
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
