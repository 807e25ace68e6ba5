"""Systems with planted causes: are they the classes of slow requests of a report, and is nothing blamed in others?

The systems are drawn: services in parallel and one after the other, queues, retries, wrong clocks, and routes whose
durations differ twenty-fold. In `wide` ones, without a cause, times vary widely.

Usual time: 20 seconds, with --whole 2 minutes.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lab.judging.answer import Cell, classes, read, report
from lab.judging.command import (
    BLAMED,
    PLANTED_ALL,
    PLANTED_FIRST,
    WIDE_BLAMED,
    Score,
    add_options,
    done,
    finish,
    parsed,
)
from lab.systems.drawing import draw_system
from lab.systems.running import Cause, Load, all_visible, draw_causes, run

LOAD = Load()
PLANTS = (*[1] * 5, 2, 2, 3)  # causes of systems; two systems of ten have none
SIGMAS = (0.2, 0.35, 0.5, 0.65, 0.8)


class System(NamedTuple):
    """One that is drawn: with a number of causes, or without one and with noise of this width."""

    seed: int
    causes: int
    sigma: float | None = None


class Found(NamedTuple):
    """The causes of a system, and the cells that a report blames."""

    causes: tuple[Cause, ...]
    classes: tuple[Cell, ...]

    @property
    def named(self) -> list[bool]:
        """For each cause: whether a class is it."""
        return [any(cause.named(cell) for cell in self.classes) for cause in self.causes]

    @property
    def wrong(self) -> list[Cell]:
        """The classes that are no cause."""
        return [cell for cell in self.classes if not any(cause.named(cell) for cause in self.causes)]


def main() -> int:
    """Draw, judge, print the table. Status 1 if a bound does not hold."""
    parser = argparse.ArgumentParser("python -m lab classes", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="other systems than those of 0")
    parser.add_argument("--whole", action="store_true", help="80 systems and 100 wide ones, in place of 10 and 10")
    add_options(parser)
    options = parsed(parser)
    found = list(done(judged, systems(options.seed, whole=options.whole), "systems", options.thresholds))
    for system, said in found:
        if not all(said.named) or said.wrong:
            print(f"{system}: {[told(cause) for cause in said.causes]}\n  named: {[*map(tuple, said.classes)]}")
    each = [{**system._asdict(), "causes": [told(cause) for cause in said.causes], "named": said.classes}
            for system, said in found]  # fmt: skip
    return finish(table(found), each, options)


def systems(seed: int, *, whole: bool) -> list[System]:
    """The systems with causes, those without, and the wide ones."""
    times, wide = (8, 20) if whole else (1, 2)
    numbers = itertools.count(10_000 * seed)
    planted = [System(next(numbers), causes) for _ in range(times) for causes in (*PLANTS, 0, 0)]
    return planted + [System(next(numbers), 0, sigma) for sigma in SIGMAS for _ in range(wide)]


def judged(one: System) -> Found:
    """Run the system, and report on it."""
    with tempfile.TemporaryDirectory(prefix="classes-") as folder:
        path = Path(folder, "traces.json")
        causes = write(one, path)
        return Found(tuple(causes), tuple(classes(report(read(path)))))


def write(one: System, path: Path) -> list[Cause]:
    """Write the traces of a system; it is drawn until its requests feel each of its causes."""
    load = LOAD if one.sigma is None else Load(sigma=one.sigma, noise="independent")
    for attempt in itertools.count():
        seed = one.seed + 1_000_000 * attempt
        system = draw_system(seed)
        causes = draw_causes(system, load, one.causes, random.Random(seed))  # noqa: S311 - repeatable
        if all_visible(causes, run(system, load, causes, seed, path)):
            return causes
    raise AssertionError


def told(cause: Cause) -> str:
    """The cause in words."""
    caller, bucket, name = cause.cell
    where = f" on {cause.route}" if cause.route else ""
    return f"{cause.how}: {caller} -> {bucket} {name} +{cause.ms:.0f} ms, {cause.when}{where}"


def table(found: Sequence[tuple[System, Found]]) -> list[Score]:
    """The scores by number of causes."""
    one = [said for system, said in found if system.causes == 1]
    several = [said for system, said in found if system.causes > 1]
    none = [said for system, said in found if not system.causes and system.sigma is None]
    wide = [said for system, said in found if system.sigma is not None]
    told_all = [*one, *several]
    return [
        Score("one cause: named first", sum(any(map(said.causes[0].named, said.classes[:1])) for said in one), len(one),
              least=PLANTED_FIRST),
        Score("two or three causes: all named", sum(all(said.named) for said in several), len(several),
              least=PLANTED_ALL),
        Score("causes named", sum(sum(said.named) for said in told_all), sum(len(said.causes) for said in told_all)),
        Score("classes that are no cause", sum(len(said.wrong) for said in told_all),
              sum(len(said.classes) for said in told_all)),
        Score("nothing wrong: something blamed", sum(bool(said.classes) for said in none), len(none), most=BLAMED),
        Score("wide noise: classes", sum(len(said.classes) for said in wide), len(wide), most=WIDE_BLAMED),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
