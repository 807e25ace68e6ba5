"""Pairs of runs without a fault between them: how often does a comparison call the second one slower, or a gate fail?

Pairs are two runs of a drawn system (neighbouring pairs share a run) whose times vary independently, with a load that
drifts, or with bursts in which all takes longer; halves of Nezha's minutes without a fault (see `lab judged`); and two
runs of the demo, on a quiet machine or beside two busy loops.

Usual time: 1 minute, with --whole 6 minutes, and with --demo 10 minutes more.
"""

import contextlib
import random
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from lab.judged.nezha import BASELINES, Nezha
from lab.judging.answer import comparison, gate, read, report
from lab.judging.command import SLOWER, Score, done, finish, parsed
from lab.progress import Progress
from lab.systems.drawing import draw_system
from lab.systems.running import NOISES, Load, run
from lambda_latency.latency import Breakdowns

GATE, FAILED = "slower > 5%", 3  # the condition of a gate, and the exit status of one that fails
REQUESTS_A_RUN, PAIRS_A_SYSTEM = 400, 5
SIZES = (1, 3, 8)  # of the blocks of requests that halves are made of
BUSY = (sys.executable, "-c", "while True: pass")
BUSY_LOOPS = 2


class Runs(NamedTuple):
    """A system by its seed, and the noise of its runs."""

    noise: str
    seed: int


class Said(NamedTuple):
    """The answer of a comparison, and the status of the gate."""

    answer: str
    status: int


class Halves(NamedTuple):
    """A minute of Nezha, and the number of a way to divide it."""

    minute: str
    number: int


def main(parser: ArgumentParser) -> int:
    """Compare, count, print the table. Status 1 if the bound does not hold."""
    parser.add_argument("--nezha", type=Path, metavar="FOLDER", help="halves of Nezha's minutes too, from this copy")
    parser.add_argument("--demo", type=int, default=0, metavar="N", help="N pairs of the demo, and N beside busy loops")
    options = parsed(parser, "100 pairs of each kind, in place of 10")
    pairs = 100 if options.whole else 10
    said: dict[str, list[Said]] = {}
    for noise in NOISES:
        cases = [Runs(noise, 1000 * options.seed + number) for number in range(pairs // PAIRS_A_SYSTEM)]
        said[noise] = [a for _, answers in done(answers_of, cases, noise, options.thresholds) for a in answers]
    if options.nezha is not None:
        minutes = sorted({*BASELINES.values()})
        ways = [Halves(minutes[number % len(minutes)], number) for number in range(pairs)]
        halved = done(partial(answer_of_halves, Nezha(options.nezha)), ways, "halves", options.thresholds)
        said["halves of Nezha's minutes"] = [answer for _, answer in halved]
    if options.demo:
        said["the demo"] = list(demo_answers(options.demo, options.seed))
        with busy():
            said["the demo beside busy loops"] = list(demo_answers(options.demo, options.seed + 1))
    return finish(table(said), [], options)


def answers_of(system_runs: Runs) -> list[Said]:
    """The answers to each run of a system, compared with the one before it."""
    system, load = draw_system(system_runs.seed), Load(REQUESTS_A_RUN, noise=system_runs.noise)
    runs = []
    with tempfile.TemporaryDirectory(prefix="pairs-") as folder:
        path = Path(folder, "traces.json")
        for number in range(PAIRS_A_SYSTEM + 1):
            run(system, load, (), 100 * system_runs.seed + number, path)
            runs.append(read(path))
    return [_answer(current, baseline) for baseline, current in pairwise(runs)]


def answer_of_halves(nezha: Nezha, half: Halves) -> Said:
    """The answer to one half of a minute, compared with the other."""
    accounts = _minute(nezha, half.minute)
    order = sorted(range(len(accounts)), key=accounts.starts_ns.__getitem__)
    baseline, current = halves(order, half.number)
    return _answer(accounts.take(current), accounts.take(baseline))


@cache  # a process compares many halves of one minute
def _minute(nezha: Nezha, minute: str) -> Breakdowns:
    with tempfile.TemporaryDirectory(prefix="pairs-") as folder:
        path = Path(folder, "minute.json")
        nezha.write([minute], path)
        return read(path)


def halves(order: Sequence[int], number: int) -> tuple[list[int], list[int]]:
    """Two halves of some requests: the first and the last ones, or every second block after they were mixed."""
    if number < len({*BASELINES.values()}):
        return list(order[: len(order) // 2]), list(order[len(order) // 2 :])
    size = SIZES[number % len(SIZES)]
    blocks = [order[start : start + size] for start in range(0, len(order), size)]
    random.Random(number).shuffle(blocks)  # noqa: S311 - repeatable
    middle = len(blocks) // 2
    return [i for block in blocks[:middle] for i in block], [i for block in blocks[middle:] for i in block]


def demo_answers(pairs: int, seed: int) -> Iterator[Said]:
    """The answers to pairs of the demo, one after the other: two systems at once would disturb each other."""
    from lab.judging.demo import demo  # with all of the laptop's system, which other kinds of pairs do not need

    progress = Progress("demo", pairs)
    for number in range(pairs):
        first_seed = 1000 * seed + 2 * number
        yield _answer(demo(first_seed + 1), demo(first_seed))
        progress.step()


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Two processes that never wait."""
    loops = [subprocess.Popen(BUSY) for _ in range(BUSY_LOOPS)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def _answer(current: Breakdowns, baseline: Breakdowns) -> Said:
    answer = report(current, baseline, [GATE])
    return Said(comparison(answer).answer, gate(answer).status)


def table(said: dict[str, list[Said]]) -> list[Score]:
    """How often each kind of pair got each answer; the bound is on all together."""
    rows = []
    for kind, of_kind in said.items():
        counted = Counter(a.answer for a in of_kind)
        answers = ("slower", *sorted({*counted} - {"slower"}))
        rows += [Score(f"{kind}: {name}", counted[name], len(of_kind)) for name in answers]
        rows.append(Score(f"{kind}: the gate fails", sum(a.status == FAILED for a in of_kind), len(of_kind)))
    pooled = [a for of_pairs in said.values() for a in of_pairs]
    return [*rows, Score("all pairs: slower", sum(a.answer == "slower" for a in pooled), len(pooled), most=SLOWER)]
