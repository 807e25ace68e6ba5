"""Systems that become slow at a time: is the time told, what begins there, and nothing where nothing changes?

A cause begins at a time for all requests, for some, with a version, on a new instance, or it ends again; or all steps
take longer and longer. In the others a cause hits requests at random or in a period, and a version begins at a time.

Usual time: 30 seconds, with --whole 3 minutes.
"""

import itertools
import random
import tempfile
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from lab.judging.answer import Cell, report_on
from lab.judging.command import BEGIN_NAMED, BEGIN_TOLD, NOT_BEGUN, Score, done, finish, parsed
from lab.systems.drawing import draw_system
from lab.systems.recording import SERVER
from lab.systems.running import T0, Cause, Labels, Load, draw_causes, run

BEGIN = ("all", "some", "ends", "version", "instance")
KINDS = (*BEGIN, "drift")
TIMES, DRIFTS, NONE = 8, 10, 60
LOAD = Load(requests=1_500)
NEAR = 1 / 40  # of the time of the file
SOME, NEW = 0.15, 0.3  # shares of the requests that are hit, and that a new instance takes
RISE = 1.5  # of a drift, over the whole run
ENOUGH = 20  # requests that feel it


class ChangingSystem(NamedTuple):
    """One that is drawn. `kind` is one of `KINDS`, or "" if nothing changes."""

    seed: int
    kind: str


class Injected(NamedTuple):
    """The share of the run at which a cause begins and ends, and the cause; None for a drift."""

    begin: float
    end: float
    cause: Cause | None


class ChangeReport(NamedTuple):
    """The injected change, whether the start is right and what begins there, and what the report says."""

    begin: float
    cell: str
    told: bool
    named: bool
    said: tuple[str, ...]


def main(parser: ArgumentParser) -> int:
    """Draw, judge, print the table. Status 1 if a bound does not hold."""
    options = parsed(parser, "50 systems that change and 60 that do not")
    results = list(done(judged, systems(options.seed, whole=options.whole), "systems", options.thresholds))
    for system, said in results:
        if (system.kind and not (said.told and said.named)) or (not system.kind and said.said):
            print(f"{system}: {said.begin:.3f} {said.cell}\n  " + "\n  ".join(said.said or ("nothing told",)))
    return finish(table(results), [{**system._asdict(), **said._asdict()} for system, said in results], options)


def systems(seed: int, *, whole: bool) -> list[ChangingSystem]:
    """The systems of each kind, and those without a change."""
    numbers = itertools.count(10_000 * seed + 5_000)
    times, drifts, none = (TIMES, DRIFTS, NONE) if whole else (2, 2, 12)
    kinds = [*BEGIN * times, *["drift"] * drifts, *[""] * none]
    return [ChangingSystem(next(numbers), kind) for kind in kinds]


def judged(case: ChangingSystem) -> ChangeReport:
    """Run the system, and report on it."""
    with tempfile.TemporaryDirectory(prefix="since-") as folder:
        path = Path(folder, "traces.json")
        injected = write(case, path)
        said = report_on(path)
    changes = [(group, group["since"]) for group in said["classes"] if group["since"] is not None]
    changes.sort(key=lambda pair: not _is_of(injected.cause, pair[0]))
    findings = changes + [(since, since) for since in said["depends"]["since"]]
    sentences = tuple(f"{group.get('label', '')} {since['kind']} {_share(since['from']):.3f} {since['sentence']}"
                      for group, since in findings)  # fmt: skip
    if case.kind == "drift":
        is_right = bool(findings) and all(since["kind"] == "drift" for _, since in findings)
        return ChangeReport(injected.begin, "", is_right, is_right, sentences)
    near = [pair for pair in findings[:1] if _is_near(pair[1], injected, ends=case.kind == "ends")]
    attribute = {"version": "service.version", "instance": "k8s.pod.name"}.get(case.kind)
    named = attribute is None or any(attribute in _attributes(*pair) for pair in near)
    cell = injected.cause.cell if injected.cause is not None else ""
    return ChangeReport(injected.begin, str(cell), bool(near), named, sentences)


def _is_near(since: Mapping[str, Any], injected: Injected, *, ends: bool) -> bool:
    """Whether a finding begins where the cause does, and ends there if that is asked."""
    if since["kind"] == "drift" or abs(_share(since["from"]) - injected.begin) > NEAR:
        return False
    return not ends or (since["to"] is not None and abs(_share(since["to"]) - injected.end) <= 2 * NEAR)


def _attributes(group: Mapping[str, Any], since: Mapping[str, Any]) -> set[str]:
    """The attributes that a finding and the first finding of its cause group name."""
    values = [*since["values"][:1], *(value for finding in group.get("depends", [])[:1] for value in finding["values"])]
    return {value["attribute"] for value in values}


def _is_of(cause: Cause | None, group: Mapping[str, Any]) -> bool:
    return cause is not None and cause.named(Cell(group["caller"], group["bucket"], group["name"]))


def _share(instant: str) -> float:
    elapsed = datetime.fromisoformat(instant.replace("Z", "+00:00")) - datetime.fromtimestamp(T0 / 1e9, timezone.utc)
    return elapsed.total_seconds() * 1000 / (LOAD.requests * LOAD.gap_ms)


def write(case: ChangingSystem, path: Path) -> Injected:
    """Write the traces of a system; it is drawn until enough requests feel its cause."""
    for seed in itertools.count(case.seed, 1_000_000):
        draw = random.Random(seed)  # noqa: S311 - repeatable
        system = draw_system(seed)
        begin = draw.uniform(0.1, 0.85)
        end = min(begin + draw.uniform(0.1, 0.3), 0.95) if case.kind == "ends" else 1.0
        version = begin if case.kind == "version" else 2.0
        if not case.kind:
            version = draw.uniform(0.1, 0.9)
        labelled = _Labelled(case.kind, begin, end, version, system.entry)
        causes = [] if case.kind == "drift" else draw_causes(system, LOAD, 1, draw, with_labels=bool(case.kind))
        if not case.kind:
            if causes[0].how == "queue":
                continue
            causes = [replace(cause, when=draw.choice(("random", "period"))) for cause in causes]
        added = run(system, LOAD, causes, seed, path, labelled)
        if all(map(_is_felt, causes, added)):
            return Injected(begin, end, causes[0] if causes else None)
    raise AssertionError


def _is_felt(cause: Cause, added: Sequence[float]) -> bool:
    return sum(ms >= cause.felt_ms for ms in added) >= ENOUGH


@dataclass(frozen=True, slots=True)
class _Labelled:
    """The labels of requests: what happens between two shares of the run, and the share at which a version begins."""

    kind: str
    begin: float
    end: float
    version: float
    entry: str

    def __call__(self, share: float, number: int, draw: random.Random) -> Labels:
        inside = self.begin <= share < self.end
        new = inside and self.kind == "instance" and draw.random() < NEW
        hit_by_chance = inside and self.kind == "some" and draw.random() < SOME
        hit = new or hit_by_chance or (inside and self.kind in ("all", "ends", "version"))
        pod = 9 if new else draw.randrange(4)
        resource = {
            "k8s.pod.name": f"{self.entry}-{pod}",
            "service.version": "3.1" if share >= self.version else "3.0",
        }
        root: dict[str, object] = {"tenant.id": f"tenant-{draw.randrange(9)}", "app.sequence": number}
        times = 1 + RISE * share if self.kind == "drift" else 1.0
        return Labels({(self.entry, SERVER): root}, {self.entry: resource}, hit, times)


def table(results: Sequence[tuple[ChangingSystem, ChangeReport]]) -> list[Score]:
    """The scores, of each kind and together."""
    of_kind: dict[str, list[ChangeReport]] = {kind: [] for kind in ("", *KINDS)}
    for system, said in results:
        of_kind[system.kind].append(said)
    changing = [said for kind in BEGIN for said in of_kind[kind]]
    named = [said.named for kind in ("version", "instance") for said in of_kind[kind]]
    drift, none = of_kind["drift"], of_kind[""]
    return [
        *(Score(kind, sum(said.told for said in of_kind[kind]), len(of_kind[kind])) for kind in BEGIN),
        Score("start told", sum(said.told for said in changing), len(changing), least=BEGIN_TOLD),
        Score("version or instance told", sum(named), len(named), least=BEGIN_NAMED),
        Score("drift told as drift", sum(said.told for said in drift), len(drift), least=BEGIN_TOLD),
        Score("no change: any told", sum(bool(said.said) for said in none), len(none), most=NOT_BEGUN),
    ]
