"""Cases of a program, worked through by a process for each processor, with the progress on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from lab.judging.thresholds import replace_thresholds

__all__ = ["done"]

Case = TypeVar("Case")
Result = TypeVar("Result")


def done(
    work: Callable[[Case], Result], cases: Sequence[Case], what: str, thresholds: Mapping[str, float]
) -> Iterator[tuple[Case, Result]]:
    """Each case with its result, in order. `work` is a function of a module; `what` names the cases."""
    with ProcessPoolExecutor(os.cpu_count(), initializer=replace_thresholds, initargs=(thresholds,)) as processes:
        for number, (case, result) in enumerate(zip(cases, processes.map(work, cases), strict=True), 1):
            end = "\n" if number == len(cases) else ""
            print(f"\r{what}: {number} of {len(cases)}", end=end, file=sys.stderr, flush=True)
            yield case, result
