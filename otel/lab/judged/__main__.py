"""Faults of the public data set Nezha: does a report name the right service first, with a baseline and without?

The data set is https://github.com/IntelligentDDS/Nezha: `git clone --bare` is enough. Half of its faults, `dev`,
serve to choose rules; the other half, `held`, is scored only when it is asked for, with the rules that are final.

Usual time: 2 minutes.
"""

import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from lab.judged.nezha import BASELINES, Fault, Nezha
from lab.judging.answer import classes, comparison, read, report, suspects
from lab.judging.command import (
    NEZHA_ASSERTED,
    NEZHA_BLAMED,
    NEZHA_FIRST,
    NEZHA_RIGHT,
    PLAIN_SECOND,
    Score,
    done,
    finish,
    parsed,
)
from lambda_latency.latency import Breakdowns

TOP = 3
SHOWN = 4  # causes of a fault that was missed


class FaultReport(NamedTuple):
    """What was said of a fault: the answer and the services that it names; `plain`: those of a report without baseline.

    Of a report without a class these are its candidates.
    """

    answer: str
    asserted: bool
    blames: bool
    services: tuple[str, ...]
    plain: tuple[str, ...]


def main(parser: ArgumentParser) -> int:
    """Judge the faults of one half, print the table. Status 1 if a bound does not hold."""
    parser.add_argument("--nezha", type=Path, required=True, metavar="FOLDER", help="a checkout, or a git directory")
    parser.add_argument("--half", choices=("dev", "held"), default="dev", help="the faults that are judged (dev)")
    options = parsed(parser)
    nezha = Nezha(options.nezha)
    faults = [fault for fault in nezha.faults() if fault.half == options.half]
    results = list(done(partial(judged, nezha), faults, "faults", options.thresholds))
    for fault, said in results:
        if said.services[:1] != (fault.service,):
            print(f"missed: {fault.time} {fault.service} {fault.kind}: {said.answer}, {said.services[:SHOWN]}")
    cases = [{"time": fault.time, "service": fault.service, "kind": fault.kind, **said._asdict()}
            for fault, said in results]  # fmt: skip
    return finish(table(results), cases, options)


def judged(nezha: Nezha, fault: Fault) -> FaultReport:
    """Convert the minutes of a fault, and judge them with the baseline of their day and without."""
    baseline, _ = _read(nezha, (BASELINES[fault.day],))
    current, entry = _read.__wrapped__(nezha, fault.minutes)
    plain = report(current)
    against = comparison(report(current, baseline))
    return FaultReport(
        against.answer,
        against.asserted,
        against.blames,
        _services([cause.service for cause in against.causes], entry),
        _services([*[cell.service for cell in classes(plain)], *suspects(plain)], entry),
    )


@cache  # a process judges many faults against one baseline
def _read(nezha: Nezha, minutes: tuple[str, ...]) -> tuple[Breakdowns, str]:
    with tempfile.TemporaryDirectory(prefix="judged-") as folder:
        path = Path(folder, "minutes.json")
        entry = nezha.write(minutes, path)
        return read(path), entry


def _services(named: Sequence[str], entry: str) -> tuple[str, ...]:
    """Each service once; the one that receives requests first has no name in a report."""
    return tuple(dict.fromkeys(name or entry for name in named))


def table(results: Sequence[tuple[Fault, FaultReport]]) -> list[Score]:
    """The scores of faults that take time, and of those that change what code returns."""
    slow = [(fault.service, said) for fault, said in results if fault.slows]
    code_faults = [(fault.service, said) for fault, said in results if not fault.slows]
    is_first = [said.services[:1] == (service,) for service, said in slow]
    sure = [right for right, (_, said) in zip(is_first, slow, strict=True) if said.asserted]
    blamed = [said.services[:1] == (service,) for service, said in code_faults if said.blames]
    return [
        Score("latency faults: right service first", sum(is_first), len(slow), NEZHA_FIRST),
        Score("latency faults: among the first three", _within(slow, TOP), len(slow)),
        Score("latency faults: asserted", len(sure), len(slow), NEZHA_ASSERTED),
        Score("latency faults: asserted, and right", sum(sure), len(sure), NEZHA_RIGHT),
        Score("without a baseline: first class or candidate", _plain(slow, 1), len(slow)),
        Score("without a baseline: first or second", _plain(slow, 2), len(slow), PLAIN_SECOND),
        Score("code faults: right service first", _within(code_faults, 1), len(code_faults)),
        Score("code faults: among the first three", _within(code_faults, TOP), len(code_faults)),
        Score("code faults: asserted", len(blamed), len(code_faults)),
        Score("code faults: asserted, and right", sum(blamed), len(blamed), NEZHA_BLAMED),
    ]


def _within(results: Sequence[tuple[str, FaultReport]], count: int) -> int:
    return sum(service in said.services[:count] for service, said in results)


def _plain(results: Sequence[tuple[str, FaultReport]], count: int) -> int:
    return sum(service in said.plain[:count] for service, said in results)
