"""Pairs of runs without a fault between them: how often does a comparison call the second one slower, or a gate fail?

Pairs are two runs of a drawn system (neighbouring pairs share a run) whose times vary independently, with a load that
drifts, or with bursts in which all takes longer; halves of Nezha's minutes without a fault (see `lab judged`); and two
runs of the demo, on a quiet machine or beside two busy loops.

Usual time: 1 minute, with --whole 6 minutes, and with --demo 10 minutes more.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from lab.judged.nezha import BASELINES, Nezha
from lab.judging.answer import comparison, gate, read, report
from lab.judging.command import SLOWER, Score, add_options, done, finish, parsed
from lab.systems.drawing import draw_system
from lab.systems.running import NOISES, Load, run
from lambda_latency.latency import Accounts

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


def main() -> int:
    """Compare, count, print the table. Status 1 if the bound does not hold."""
    parser = argparse.ArgumentParser("python -m lab pairs", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="other systems than those of 0")
    parser.add_argument("--whole", action="store_true", help="100 pairs of each kind, in place of 10")
    parser.add_argument("--nezha", type=Path, metavar="FOLDER", help="halves of Nezha's minutes too, from this copy")
    parser.add_argument("--demo", type=int, default=0, metavar="N", help="N pairs of the demo, and N beside busy loops")
    add_options(parser)
    options = parsed(parser)
    pairs = 100 if options.whole else 10
    said: dict[str, list[Said]] = {}
    for noise in NOISES:
        cases = [Runs(noise, 1000 * options.seed + number) for number in range(pairs // PAIRS_A_SYSTEM)]
        said[noise] = [one for _, found in done(answers_of, cases, noise, options.thresholds) for one in found]
    if options.nezha is not None:
        minutes = sorted({*BASELINES.values()})
        ways = [Halves(minutes[number % len(minutes)], number) for number in range(pairs)]
        halved = done(partial(answer_of_halves, Nezha(options.nezha)), ways, "halves", options.thresholds)
        said["halves of Nezha's minutes"] = [one for _, one in halved]
    if options.demo:
        said["the demo"] = list(demo_answers(options.demo, options.seed))
        with busy():
            said["the demo beside busy loops"] = list(demo_answers(options.demo, options.seed + 1))
    return finish(table(said), [], options)


def answers_of(one: Runs) -> list[Said]:
    """The answers to each run of a system, compared with the one before it."""
    system, load = draw_system(one.seed), Load(REQUESTS_A_RUN, noise=one.noise)
    runs = []
    with tempfile.TemporaryDirectory(prefix="pairs-") as folder:
        path = Path(folder, "traces.json")
        for number in range(PAIRS_A_SYSTEM + 1):
            run(system, load, (), 100 * one.seed + number, path)
            runs.append(read(path))
    return [_answer(now, then) for then, now in pairwise(runs)]


def answer_of_halves(nezha: Nezha, one: Halves) -> Said:
    """The answer to one half of a minute, compared with the other."""
    accounts = _minute(nezha, one.minute)
    order = sorted(range(len(accounts)), key=accounts.starts_ns.__getitem__)
    then, now = halves(order, one.number)
    return _answer(accounts.take(now), accounts.take(then))


@cache  # a process compares many halves of one minute
def _minute(nezha: Nezha, minute: str) -> Accounts:
    with tempfile.TemporaryDirectory(prefix="pairs-") as folder:
        path = Path(folder, "minute.json")
        nezha.write([minute], path)
        return read(path)


def halves(order: Sequence[int], number: int) -> tuple[list[int], list[int]]:
    """Two halves of some requests: the first and the last ones, or every second block after they were mixed."""
    if number < len({*BASELINES.values()}):
        return list(order[: len(order) // 2]), list(order[len(order) // 2 :])
    size = SIZES[number % len(SIZES)]
    blocks = [order[at : at + size] for at in range(0, len(order), size)]
    random.Random(number).shuffle(blocks)  # noqa: S311 - repeatable
    middle = len(blocks) // 2
    return [one for block in blocks[:middle] for one in block], [one for block in blocks[middle:] for one in block]


def demo_answers(pairs: int, seed: int) -> Iterator[Said]:
    """The answers to pairs of the demo, one after the other: two systems at once would disturb each other."""
    from lab.judging.demo import demo  # with all of the laptop's system, which other kinds of pairs do not need

    for number in range(pairs):
        first = 1000 * seed + 2 * number
        yield _answer(demo(first + 1), demo(first))
        print(f"\rdemo: {number + 1} of {pairs}", end="\n" if number + 1 == pairs else "", file=sys.stderr, flush=True)


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Two processes that never wait."""
    loops = [subprocess.Popen(BUSY) for _ in range(BUSY_LOOPS)]
    try:
        yield
    finally:
        for one in loops:
            one.kill()
            one.wait()


def _answer(now: Accounts, then: Accounts) -> Said:
    found = report(now, then, [GATE])
    return Said(comparison(found).answer, gate(found).status)


def table(said: dict[str, list[Said]]) -> list[Score]:
    """How often each kind of pair got each answer; the bound is on all together."""
    rows = []
    for kind, each in said.items():
        counted = Counter(one.answer for one in each)
        answers = ("slower", *sorted({*counted} - {"slower"}))
        rows += [Score(f"{kind}: {one}", counted[one], len(each)) for one in answers]
        rows.append(Score(f"{kind}: the gate fails", sum(one.status == FAILED for one in each), len(each)))
    every = [one for each in said.values() for one in each]
    return [*rows, Score("all pairs: slower", sum(one.answer == "slower" for one in every), len(every), most=SLOWER)]


if __name__ == "__main__":
    sys.exit(main())
