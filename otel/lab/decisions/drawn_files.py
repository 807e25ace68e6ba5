"""Draws files of one system that differ: a shift, a tail, a group of slow requests, a loaded machine, or nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.systems.drawing import draw_system
from lab.systems.running import NOISES, Cause, Labels, Load, run
from lab.systems.steps import System, cells_of, typical_ms

KINDS = ("plain", "equal", "shift", "tail", "group", "loaded")
LEAST, TIMES = 40, 6  # requests of a file, and how many times as many the largest has
SIGMAS = (0.1, 0.2, 0.3, 0.5)
SHIFTS, LONGER = (0.02, 0.05, 0.1, 0.3, 1.0), (1.0, 5.0, 30.0)  # times a typical request: of all requests, of few
# The shares of the requests that take longer, and by how much
SLOWER = {"shift": ((1.0, 1.0), SHIFTS), "tail": ((0.01, 0.06), LONGER), "group": ((0.03, 0.2), LONGER)}


@dataclass(frozen=True, slots=True)
class Files:
    """Files by their seed, which draws all of them: one of each kind, with the same noise."""

    seed: int

    def write(self, folder: Path) -> Iterator[tuple[str, Path]]:
        """Write the files; yields the kind and the path of each."""
        draw = random.Random(self.seed)  # noqa: S311 - repeatable
        system = draw_system(self.seed, draw.randint(2, 3))
        sigma, noise = draw.choice(SIGMAS), draw.choice(NOISES)
        for number, kind in enumerate(KINDS):
            load = Load(round(LEAST * TIMES ** (draw.random() ** 2)), sigma=sigma, noise=noise)
            causes = [_slower(system, kind, draw)] if kind in SLOWER else []
            labels = Labels(times=draw.uniform(1.02, 2.0) if kind == "loaded" else 1.0)
            path = folder / f"{kind}.json"
            run(system, load, causes, len(KINDS) * self.seed + number, path, lambda *_, labels=labels: labels)
            yield kind, path


def _slower(system: System, kind: str, draw: random.Random) -> Cause:
    """A cell that takes longer, on one route or on all that have it."""
    route, (shares, times) = draw.choice(system.routes), SLOWER[kind]
    ms = draw.choice(times) * typical_ms(route.operation.steps)
    cell = draw.choice(sorted(cells_of(route)))
    return Cause("slower", cell, ms, share=draw.uniform(*shares), route=route.name if draw.random() < 0.5 else "")
