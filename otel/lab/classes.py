"""Systems with planted causes: are they the classes of slow requests of a report, and is nothing blamed in others?

The systems are drawn: services in parallel and one after the other, queues, retries, wrong clocks, and routes whose
durations differ twenty-fold. In `wide` ones, without a cause, times vary widely.

Usual time: 20 seconds, with --whole 2 minutes.
"""

import itertools
import random
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lab.judging.answer import Cell, classes, read, report
from lab.judging.command import (
    BLAMED,
    PLANTED_ALL,
    PLANTED_FIRST,
    WIDE_BLAMED,
    Score,
    done,
    finish,
    parsed,
)
from lab.systems.drawing import draw_system
from lab.systems.running import Cause, Load, all_visible, draw_causes, run

LOAD = Load()
CAUSE_COUNTS = (*[1] * 5, 2, 2, 3)  # causes of systems; two systems of ten have none
SIGMAS = (0.2, 0.35, 0.5, 0.65, 0.8)


class CauseSystem(NamedTuple):
    """One that is drawn: with a number of causes, or without one and with noise of this width."""

    seed: int
    causes: int
    sigma: float | None = None


class ClassReport(NamedTuple):
    """The causes of a system, and the cells that a report blames."""

    causes: tuple[Cause, ...]
    classes: tuple[Cell, ...]

    @property
    def named(self) -> list[bool]:
        """For each cause: whether a class is it."""
        return [any(cause.named(cell) for cell in self.classes) for cause in self.causes]

    @property
    def is_first_named(self) -> bool:
        """Whether the first class is the first cause."""
        return bool(self.classes) and self.causes[0].named(self.classes[0])

    @property
    def wrong(self) -> list[Cell]:
        """The classes that are no cause."""
        return [cell for cell in self.classes if not any(cause.named(cell) for cause in self.causes)]


def main(parser: ArgumentParser) -> int:
    """Draw, judge, print the table. Status 1 if a bound does not hold."""
    options = parsed(parser, "80 systems and 100 wide ones, in place of 10 and 10")
    results = list(done(judged, systems(options.seed, whole=options.whole), "systems", options.thresholds))
    for system, said in results:
        if not all(said.named) or said.wrong:
            print(f"{system}: {[described(cause) for cause in said.causes]}\n  named: {[*map(tuple, said.classes)]}")
    cases = [{**system._asdict(), "causes": [described(cause) for cause in said.causes], "named": said.classes}
            for system, said in results]  # fmt: skip
    return finish(table(results), cases, options)


def systems(seed: int, *, whole: bool) -> list[CauseSystem]:
    """The systems with causes, those without, and the wide ones."""
    times, wide = (8, 20) if whole else (1, 2)
    numbers = itertools.count(10_000 * seed)
    injected = [CauseSystem(next(numbers), causes) for _ in range(times) for causes in (*CAUSE_COUNTS, 0, 0)]
    return injected + [CauseSystem(next(numbers), 0, sigma) for sigma in SIGMAS for _ in range(wide)]


def judged(case: CauseSystem) -> ClassReport:
    """Run the system, and report on it."""
    with tempfile.TemporaryDirectory(prefix="classes-") as folder:
        path = Path(folder, "traces.json")
        causes = write(case, path)
        return ClassReport(tuple(causes), tuple(classes(report(read(path)))))


def write(case: CauseSystem, path: Path) -> list[Cause]:
    """Write the traces of a system; it is drawn until its requests feel each of its causes."""
    load = LOAD if case.sigma is None else Load(sigma=case.sigma, noise="independent")
    for seed in itertools.count(case.seed, 1_000_000):
        system = draw_system(seed)
        causes = draw_causes(system, load, case.causes, random.Random(seed))  # noqa: S311 - repeatable
        if all_visible(causes, run(system, load, causes, seed, path)):
            return causes
    raise AssertionError


def described(cause: Cause) -> str:
    """The cause in words."""
    caller, bucket, name = cause.cell
    where = f" on {cause.route}" if cause.route else ""
    return f"{cause.how}: {caller} -> {bucket} {name} +{cause.ms:.0f} ms, {cause.when}{where}"


def table(results: Sequence[tuple[CauseSystem, ClassReport]]) -> list[Score]:
    """The scores by number of causes."""
    single = [said for system, said in results if system.causes == 1]
    several = [said for system, said in results if system.causes > 1]
    return [
        Score("one cause: named first", sum(said.is_first_named for said in single), len(single), least=PLANTED_FIRST),
        Score("two or three causes: all named", sum(all(said.named) for said in several), len(several),
              least=PLANTED_ALL),
        *_totals([*single, *several]),
        *_without_causes(results),
    ]  # fmt: skip


def _totals(reported: Sequence[ClassReport]) -> Iterator[Score]:
    class_count = sum(len(said.classes) for said in reported)
    yield Score("causes named", sum(sum(said.named) for said in reported), sum(len(said.causes) for said in reported))
    yield Score("classes that are no cause", sum(len(said.wrong) for said in reported), class_count)


def _without_causes(results: Sequence[tuple[CauseSystem, ClassReport]]) -> Iterator[Score]:
    none = [said for system, said in results if not system.causes and system.sigma is None]
    wide = [said for system, said in results if system.sigma is not None]
    yield Score("nothing wrong: something blamed", sum(bool(said.classes) for said in none), len(none), most=BLAMED)
    yield Score("wide noise: classes", sum(len(said.classes) for said in wide), len(wide), most=WIDE_BLAMED)
