"""The client's wait with the kit and with the X-Ray SDK, in several sets of new environments."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from lab.cost.measuring import SET, Measured
from lab.cost.variants import BARE, XRAY

MOVED = Path(__file__).with_name("moved")  # the beginning of PYTHONPATH: each process has a memory layout of its own
MEASURES = {"sampled_response_us": "sampled", "unsampled_response_us": "not sampled"}


def table(measured: Measured) -> str:
    """A row for each set: its median wait over bare in microseconds, and as a multiple of the X-Ray SDK's."""
    others = [name for name in measured if name != BARE]
    lines = []
    for measure, title in MEASURES.items():
        sets = {name: medians(its[measure]) for name, its in measured.items()}
        over = {name: [one - bare for one, bare in zip(sets[name], sets[BARE], strict=True)] for name in others}
        times = {name: [one / xray for one, xray in zip(over[name], over[XRAY], strict=True)] for name in others}
        lines.append(f"{title + ', us':16}{BARE:>10}" + "".join(f"{name:>20}" for name in others))
        for number, bare in enumerate(sets[BARE]):
            cells = [f"{over[name][number]:+,.0f} ({times[name][number]:.2f}x)" for name in others]
            lines.append(f"{f'set {number + 1}':16}{bare:>10,.0f}" + "".join(f"{one:>20}" for one in cells))
        cells = [f"{median(over[name]):+,.0f} ({median(times[name]):.2f}x)" for name in others]
        lines.append(f"{'median of sets':16}{median(sets[BARE]):>10,.0f}" + "".join(f"{one:>20}" for one in cells))
    return "\n".join(lines)


def medians(values: list[float]) -> list[float]:
    """The median of each set."""
    return [median(values[at : at + SET]) for at in range(0, len(values), SET)]
