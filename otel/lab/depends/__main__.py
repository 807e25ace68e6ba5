"""Systems where slow requests depend on an attribute: is it named first, and is none named where none decides?

In each system a cause hits the requests with one value (a tenant, a canary's version, a range of a number, two values
together, ...), and all requests have twenty other attributes. In the others a cause hits requests at random, in a
stretch of time, or in a period that returns.

Usual time: 40 seconds, with --whole 4 minutes.
"""

import itertools
import random
import tempfile
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lab.depends.injecting import KINDS, InjectedFault, draw_fault
from lab.judging.answer import Cell, report_on
from lab.judging.command import NONE_NAMED, VALUE_FIRST, Score, done, finish, parsed
from lab.systems.drawing import draw_system
from lab.systems.running import Cause, Load, draw_causes, run

TIMES, NONE = 5, 60  # systems of each kind, and without an attribute, of the whole
LOAD, LONG = Load(requests=1_500), Load(requests=4_000)  # the long one has the rare customer
FELT = 0.7  # share of the requests with the value, or of 20 of them, that must feel the cause
ENOUGH = 20


class LabelledSystem(NamedTuple):
    """One that is drawn. `kind` is that of its fault, "" without one. `beside`: with a second cause."""

    seed: int
    kind: str
    beside: bool


class CorrelationReport(NamedTuple):
    """The causes in words, whether the first finding about the injected cause is right, and all findings."""

    causes: tuple[str, ...]
    right: bool
    wrong: int
    findings: tuple[str, ...]
    classes: int


def main(parser: ArgumentParser) -> int:
    """Draw, judge, print the table. Status 1 if a bound does not hold."""
    options = parsed(parser, "60 systems with an attribute and 60 without")
    results = list(done(judged, systems(options.seed, whole=options.whole), "systems", options.thresholds))
    for system, said in results:
        if (system.kind and not said.right) or said.wrong:
            print(f"{system}: {list(said.causes)}\n  " + "\n  ".join(said.findings or ("nothing named",)))
    cases = [{**system._asdict(), **said._asdict()} for system, said in results]
    return finish(table(results), cases, options)


def systems(seed: int, *, whole: bool) -> list[LabelledSystem]:
    """The systems of each kind, and those without an attribute."""
    times, none = (TIMES, NONE) if whole else (1, 12)
    numbers = itertools.count(10_000 * seed)
    injected = [LabelledSystem(next(numbers), kind, number % 2 == 1) for number in range(times) for kind in KINDS]
    return injected + [LabelledSystem(next(numbers), "", number % 2 == 1) for number in range(none)]


def judged(case: LabelledSystem) -> CorrelationReport:
    """Run the system, and report on it."""
    with tempfile.TemporaryDirectory(prefix="depends-") as folder:
        path = Path(folder, "traces.json")
        causes, fault = write(case, path)
        said = report_on(path)
    injected = [cause for cause in causes if cause.when == "labels"]
    other_causes = [cause for cause in causes if cause.when != "labels"]
    sentences: list[str] = []
    leading: list[Any] = []
    wrong = 0
    for group in (*said["classes"], *said["depends"]["found"]):
        is_class = "depends" in group
        findings = group["depends"] if is_class else [group]
        subject = group["label"] if is_class else ", ".join(group["routes"])
        sentences += [f"{subject}: {finding['sentence']}" for finding in findings]
        wrong += not all(fault.named(finding["values"]) for finding in findings)
        if not is_class or not _is_of_any(other_causes, group):
            leading += findings
    right = bool(leading) and fault.named(leading[0]["values"])
    return CorrelationReport(
        tuple(map(_described, (*injected, *other_causes))), right, wrong, tuple(sentences), len(said["classes"])
    )


def _is_of_any(causes: Sequence[Cause], group: Mapping[str, Any]) -> bool:
    cell = Cell(group["caller"], group["bucket"], group["name"])
    return any(cause.named(cell) for cause in causes)


def write(case: LabelledSystem, path: Path) -> tuple[list[Cause], InjectedFault]:
    """Write the traces of a system; it is drawn until enough requests feel its causes."""
    load = LONG if case.kind == "rare" else LOAD
    for seed in itertools.count(case.seed, 1_000_000):
        system = draw_system(seed)
        draw = random.Random(seed)  # noqa: S311 - repeatable
        fault = draw_fault(system, case.kind, load.requests, draw)
        causes = draw_causes(system, load, 1 + case.beside, draw, with_labels=bool(case.kind))
        added = run(system, load, causes, seed, path, fault.labelled)
        if fault.spreads:
            causes, added = causes[1:], added[1:]
        if all(_felt(cause, ms) for cause, ms in zip(causes, added, strict=True)):
            return causes, fault
    raise AssertionError


def _felt(cause: Cause, added: Sequence[float]) -> bool:
    felt = sum(ms >= cause.felt_ms for ms in added)
    return felt >= 8 and felt >= FELT * min(len(added), ENOUGH)


def _described(cause: Cause) -> str:
    caller, bucket, name = cause.cell
    return f"{cause.how}: {caller} -> {bucket} {name} +{cause.ms:.0f} ms, {cause.when} {cause.route}".strip()


def table(results: Sequence[tuple[LabelledSystem, CorrelationReport]]) -> list[Score]:
    """The scores, of each kind and together."""
    injected = [(system.kind, said) for system, said in results if system.kind]
    none = [said for system, said in results if not system.kind]
    return [
        *(_score_of(kind, injected) for kind in KINDS),
        Score("first and right", sum(said.right for _, said in injected), len(injected), least=VALUE_FIRST),
        Score("other findings there", sum(said.wrong for _, said in injected), len(injected)),
        Score("none to name: any named", sum(bool(said.wrong) for said in none), len(none),
              most=NONE_NAMED if len(none) >= NONE else 1),
    ]  # fmt: skip


def _score_of(kind: str, injected: Sequence[tuple[str, CorrelationReport]]) -> Score:
    right = [said.right for of, said in injected if of == kind]
    return Score(kind, sum(right), len(right))
