"""Systems where slow requests depend on an attribute: is it named first, and is none named where none decides?

In each system a cause hits the requests with one value (a tenant, a canary's version, a range of a number, two values
together, ...), and all requests have twenty other attributes. In the others a cause hits requests at random, in a
stretch of time, or in a period that returns.

Usual time: 40 seconds, with --whole 4 minutes.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lab.depends.planting import KINDS, Plant, draw_plant
from lab.judging.answer import Cell, report_on
from lab.judging.command import NONE_NAMED, VALUE_FIRST, Score, add_options, done, finish, parsed
from lab.systems.drawing import draw_system
from lab.systems.running import Cause, Load, draw_causes, run

TIMES, NONE = 5, 60  # systems of each kind, and without an attribute, of the whole
LOAD, LONG = Load(requests=1_500), Load(requests=4_000)  # the long one has the rare customer
FELT = 0.7  # share of the requests with the value, or of 20 of them, that must feel the cause
ENOUGH = 20


class System(NamedTuple):
    """One that is drawn. `kind` is that of its plant, "" without one. `beside`: with a second cause."""

    seed: int
    kind: str
    beside: bool


class Found(NamedTuple):
    """The causes in words, whether the first finding about the planted cause is right, and all findings."""

    causes: tuple[str, ...]
    right: bool
    wrong: int
    findings: tuple[str, ...]
    classes: int


def main() -> int:
    """Draw, judge, print the table. Status 1 if a bound does not hold."""
    parser = argparse.ArgumentParser("python -m lab depends", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="other systems than those of 0")
    parser.add_argument("--whole", action="store_true", help="60 systems with an attribute and 60 without")
    add_options(parser)
    options = parsed(parser)
    found = list(done(judged, systems(options.seed, whole=options.whole), "systems", options.thresholds))
    for system, said in found:
        if (system.kind and not said.right) or said.wrong:
            print(f"{system}: {list(said.causes)}\n  " + "\n  ".join(said.findings or ("nothing named",)))
    each = [{**system._asdict(), **said._asdict()} for system, said in found]
    return finish(table(found), each, options)


def systems(seed: int, *, whole: bool) -> list[System]:
    """The systems of each kind, and those without an attribute."""
    times, none = (TIMES, NONE) if whole else (1, 12)
    numbers = itertools.count(10_000 * seed)
    planted = [System(next(numbers), kind, at % 2 == 1) for at in range(times) for kind in KINDS]
    return planted + [System(next(numbers), "", at % 2 == 1) for at in range(none)]


def judged(one: System) -> Found:
    """Run the system, and report on it."""
    with tempfile.TemporaryDirectory(prefix="depends-") as folder:
        path = Path(folder, "traces.json")
        causes, plant = write(one, path)
        said = report_on(path)
    planted = [cause for cause in causes if cause.when == "labels"]
    others = [cause for cause in causes if cause.when != "labels"]
    told: list[str] = []
    first: list[Any] = []
    wrong = 0
    for each in (*said["classes"], *said["depends"]["found"]):
        findings = each.get("depends", [each])
        of = each["label"] if "depends" in each else ", ".join(each["routes"])
        told += [f"{of}: {finding['sentence']}" for finding in findings]
        wrong += any(not plant.named(finding["values"]) for finding in findings)
        if "depends" not in each or not any(cause.named(_cell(each)) for cause in others):
            first += findings
    right = bool(first) and plant.named(first[0]["values"])
    return Found(tuple(map(_told, (*planted, *others))), right, wrong, tuple(told), len(said["classes"]))


def _cell(one: Mapping[str, Any]) -> Cell:
    return Cell(one["caller"], one["bucket"], one["name"])


def write(one: System, path: Path) -> tuple[list[Cause], Plant]:
    """Write the traces of a system; it is drawn until enough requests feel its causes."""
    load = LONG if one.kind == "rare" else LOAD
    for attempt in itertools.count():
        seed = one.seed + 1_000_000 * attempt
        system = draw_system(seed)
        draw = random.Random(seed)  # noqa: S311 - repeatable
        plant = draw_plant(system, one.kind, load.requests, draw)
        causes = draw_causes(system, load, 1 + one.beside, draw, with_labels=bool(one.kind))
        added = run(system, load, causes, seed, path, plant.labelled)
        if plant.spreads:
            causes, added = causes[1:], added[1:]
        if all(_felt(cause, ms) for cause, ms in zip(causes, added, strict=True)):
            return causes, plant
    raise AssertionError


def _felt(cause: Cause, added: Sequence[float]) -> bool:
    felt = sum(ms >= cause.felt_ms for ms in added)
    return felt >= 8 and felt >= FELT * min(len(added), ENOUGH)


def _told(cause: Cause) -> str:
    caller, bucket, name = cause.cell
    return f"{cause.how}: {caller} -> {bucket} {name} +{cause.ms:.0f} ms, {cause.when} {cause.route}".strip()


def table(found: Sequence[tuple[System, Found]]) -> list[Score]:
    """The scores, of each kind and together."""
    planted = [(system.kind, said) for system, said in found if system.kind]
    none = [said for system, said in found if not system.kind]
    return [
        *(
            Score(kind, sum(said.right for of, said in planted if of == kind), sum(of == kind for of, _ in planted))
            for kind in KINDS
        ),
        Score("first and right", sum(said.right for _, said in planted), len(planted), least=VALUE_FIRST),
        Score("other findings there", sum(said.wrong for _, said in planted), len(planted)),
        Score("none to name: any named", sum(bool(said.wrong) for said in none), len(none),
              most=NONE_NAMED if len(none) >= NONE else 1),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
