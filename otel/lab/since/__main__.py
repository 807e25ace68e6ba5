"""Systems that become slow at a time: is the time told, what begins there, and nothing where nothing changes?

A cause begins at a time for all requests, for some, with a version, on a new instance, or it ends again; or all steps
take longer and longer. In the others a cause hits requests at random or in a period, and a version begins at a time.

Usual time: 30 seconds, with --whole 3 minutes.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from lab.judging.answer import Cell, report_on
from lab.judging.command import BEGIN_NAMED, BEGIN_TOLD, NOT_BEGUN, Score, add_options, done, finish, parsed
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


class System(NamedTuple):
    """One that is drawn. `kind` is one of `KINDS`, or "" if nothing changes."""

    seed: int
    kind: str


class Planted(NamedTuple):
    """The share of the run at which a cause begins and ends, and the cause; None for a drift."""

    begin: float
    end: float
    cause: Cause | None


class Found(NamedTuple):
    """What was planted, whether the start is right and what begins there, and what the report says."""

    begin: float
    cell: str
    told: bool
    named: bool
    said: tuple[str, ...]


def main() -> int:
    """Draw, judge, print the table. Status 1 if a bound does not hold."""
    parser = argparse.ArgumentParser("python -m lab since", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="other systems than those of 0")
    parser.add_argument("--whole", action="store_true", help="50 systems that change and 60 that do not")
    add_options(parser)
    options = parsed(parser)
    found = list(done(judged, systems(options.seed, whole=options.whole), "systems", options.thresholds))
    for system, said in found:
        if (system.kind and not (said.told and said.named)) or (not system.kind and said.said):
            print(f"{system}: {said.begin:.3f} {said.cell}\n  " + "\n  ".join(said.said or ("nothing told",)))
    return finish(table(found), [{**system._asdict(), **said._asdict()} for system, said in found], options)


def systems(seed: int, *, whole: bool) -> list[System]:
    """The systems of each kind, and those without a change."""
    numbers = itertools.count(10_000 * seed + 5_000)
    times, drifts, none = (TIMES, DRIFTS, NONE) if whole else (2, 2, 12)
    kinds = [*BEGIN * times, *["drift"] * drifts, *[""] * none]
    return [System(next(numbers), kind) for kind in kinds]


def judged(one: System) -> Found:
    """Run the system, and report on it."""
    with tempfile.TemporaryDirectory(prefix="since-") as folder:
        path = Path(folder, "traces.json")
        planted = write(one, path)
        said = report_on(path)
    told = [(each, each["since"]) for each in said["classes"] if each["since"] is not None]
    told.sort(key=lambda pair: not _is_of(planted.cause, pair[0]))
    every = [(each, since) for each, since in told] + [(since, since) for since in said["depends"]["since"]]
    sentences = tuple(f"{each.get('label', '')} {since['kind']} {_share(since['from']):.3f} {since['sentence']}"
                      for each, since in every)  # fmt: skip
    cell = planted.cause.cell if planted.cause is not None else ""
    if one.kind == "drift":
        is_right = bool(every) and all(since["kind"] == "drift" for _, since in every)
        return Found(planted.begin, "", is_right, is_right, sentences)
    near = [(each, since) for each, since in every[:1]
            if since["kind"] != "drift" and abs(_share(since["from"]) - planted.begin) <= NEAR]  # fmt: skip
    if one.kind == "ends":
        near = [(each, since) for each, since in near
                if since["to"] is not None and abs(_share(since["to"]) - planted.end) <= 2 * NEAR]  # fmt: skip
    names = [(value["attribute"], value["value"]) for _, since in near for value in since["values"][:1]]
    names += [(value["attribute"], value["value"]) for each, _ in near
              for finding in each.get("depends", [])[:1] for value in finding["values"]]  # fmt: skip
    wanted = {"version": "service.version", "instance": "k8s.pod.name"}.get(one.kind)
    named = any(name == wanted for name, _ in names) if wanted else True
    return Found(planted.begin, str(cell), bool(near), named, sentences)


def _is_of(cause: Cause | None, one: Mapping[str, Any]) -> bool:
    return cause is not None and cause.named(Cell(one["caller"], one["bucket"], one["name"]))


def _share(instant: str) -> float:
    begun = datetime.fromisoformat(instant.replace("Z", "+00:00")) - datetime.fromtimestamp(T0 / 1e9, timezone.utc)
    return begun.total_seconds() * 1000 / (LOAD.requests * LOAD.gap_ms)


def write(one: System, path: Path) -> Planted:
    """Write the traces of a system; it is drawn until enough requests feel its cause."""
    for attempt in itertools.count():
        seed = one.seed + 1_000_000 * attempt
        draw = random.Random(seed)  # noqa: S311 - repeatable
        system = draw_system(seed)
        begin = draw.uniform(0.1, 0.85)
        end = min(begin + draw.uniform(0.1, 0.3), 0.95) if one.kind == "ends" else 1.0
        version = begin if one.kind == "version" else draw.uniform(0.1, 0.9) if not one.kind else 2.0
        labelled = _Labelled(one.kind, begin, end, version, system.entry)
        causes = [] if one.kind == "drift" else draw_causes(system, LOAD, 1, draw, with_labels=bool(one.kind))
        if not one.kind and causes[0].how == "queue":
            continue
        causes = [replace(cause, when=draw.choice(("random", "period"))) if not one.kind else cause for cause in causes]
        added = run(system, LOAD, causes, seed, path, labelled)
        if all(sum(ms >= cause.felt_ms for ms in its) >= ENOUGH for cause, its in zip(causes, added, strict=True)):
            return Planted(begin, end, causes[0] if causes else None)
    raise AssertionError


@dataclass(frozen=True, slots=True)
class _Labelled:
    """The labels of requests: what happens between two shares of the run, and the share at which a version begins."""

    kind: str
    begin: float
    end: float
    version: float
    entry: str

    def __call__(self, at: float, number: int, draw: random.Random) -> Labels:
        inside = self.begin <= at < self.end
        new = inside and self.kind == "instance" and draw.random() < NEW
        some = inside and self.kind == "some" and draw.random() < SOME
        hit = new or some or (inside and self.kind in ("all", "ends", "version"))
        pod = 9 if new else draw.randrange(4)
        resource = {
            "k8s.pod.name": f"{self.entry}-{pod}",
            "service.version": "3.1" if at >= self.version else "3.0",
        }
        root: dict[str, object] = {"tenant.id": f"tenant-{draw.randrange(9)}", "app.sequence": number}
        times = 1 + RISE * at if self.kind == "drift" else 1.0
        return Labels({(self.entry, SERVER): root}, {self.entry: resource}, hit, times)


def table(found: Sequence[tuple[System, Found]]) -> list[Score]:
    """The scores, of each kind and together."""
    begun = [(system.kind, said) for system, said in found if system.kind in BEGIN]
    named = [(kind, said) for kind, said in begun if kind in ("version", "instance")]
    drift = [said for system, said in found if system.kind == "drift"]
    none = [said for system, said in found if not system.kind]
    each = [
        Score(kind, sum(said.told for of, said in begun if of == kind), sum(of == kind for of, _ in begun))
        for kind in BEGIN
    ]
    return [
        *each,
        Score("start told", sum(said.told for _, said in begun), len(begun), least=BEGIN_TOLD),
        Score("version or instance told", sum(said.named for _, said in named), len(named), least=BEGIN_NAMED),
        Score("drift told as drift", sum(said.told for said in drift), len(drift), least=BEGIN_TOLD),
        Score("no change: any told", sum(bool(said.said) for said in none), len(none), most=NOT_BEGUN),
    ]


if __name__ == "__main__":
    sys.exit(main())
