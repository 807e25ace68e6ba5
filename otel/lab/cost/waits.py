"""The client's wait with the kit and with the X-Ray SDK, in several sets of new environments."""

from collections.abc import Iterator
from operator import sub, truediv
from pathlib import Path
from statistics import median

from lab.cost.measuring import SET, Measured
from lab.cost.variants import BARE, XRAY

MOVED = Path(__file__).with_name("moved")  # the beginning of PYTHONPATH: each process has a memory layout of its own
MEASURES = {"sampled_response_us": "sampled", "unsampled_response_us": "not sampled"}


def table(measured: Measured) -> str:
    """A row for each set: its median wait over bare in microseconds, and as a multiple of the X-Ray SDK's."""
    return "\n".join(line for measure, title in MEASURES.items() for line in _lines(measured, measure, title))


def _lines(measured: Measured, measure: str, title: str) -> Iterator[str]:
    compared = [name for name in measured if name != BARE]
    sets = {name: medians(its[measure]) for name, its in measured.items()}
    over = {name: list(map(sub, sets[name], sets[BARE])) for name in compared}
    times = {name: list(map(truediv, over[name], over[XRAY])) for name in compared}
    yield f"{title + ', us':16}{BARE:>10}" + "".join(f"{name:>20}" for name in compared)
    for number, bare in enumerate(sets[BARE]):
        cells = [f"{over[name][number]:+,.0f} ({times[name][number]:.2f}x)" for name in compared]
        yield f"{f'set {number + 1}':16}{bare:>10,.0f}" + "".join(f"{cell:>20}" for cell in cells)
    cells = [f"{median(over[name]):+,.0f} ({median(times[name]):.2f}x)" for name in compared]
    yield f"{'median of sets':16}{median(sets[BARE]):>10,.0f}" + "".join(f"{cell:>20}" for cell in cells)


def medians(values: list[float]) -> list[float]:
    """The median of each set."""
    return [median(values[start : start + SET]) for start in range(0, len(values), SET)]
