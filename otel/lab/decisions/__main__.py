"""Random pairs of files: do text, Markdown, JSON, the page and the gate of a comparison ever disagree?

Of each drawn system there are six files: one is slower by a shift, one in a tail, one in a group of requests, one
everywhere alike, and two are not; each is compared with each. Of some pairs the decision on files must be that on
archives, of a live page, of an alarm, and of an assistant's answer.

Usual time: 1 minute, with --pairs 2000 --sets 100 10 minutes.
"""

import itertools
import random
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lab.decisions.drawn_files import KINDS, Files
from lab.decisions.outputs import contradictions, outputs
from lab.judging.answer import comparison, gate, read
from lab.judging.command import Score, done, finish, parsed

LIMITS = (1, 5, 20, 100)
PAIRS, SETS = 120, 6
PAIRS_A_SYSTEM = len(KINDS) * (len(KINDS) - 1)
FAILED = 3
DRAWS = 20  # of the bounds, which no decision depends on


class PairReport(NamedTuple):
    """What was said of a pair: the answer, the gate's status, and where outputs disagree."""

    pair: str
    answer: str
    status: int
    wrong: tuple[str, ...]


def main(parser: ArgumentParser) -> int:
    """Draw, compare, print the table. Status 1 if any outputs disagree."""
    parser.add_argument("--pairs", type=int, default=PAIRS, metavar="N", help=f"pairs of files ({PAIRS})")
    parser.add_argument("--sets", type=int, default=SETS, metavar="N", help=f"pairs by each way to a report ({SETS})")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="other files than those of 0")
    options = parsed(parser)
    first_seed = options.seed * 1_000_000
    systems = [Files(first_seed + number) for number in range(-(-options.pairs // PAIRS_A_SYSTEM))]
    sets = [Files(first_seed + number) for number in range(options.sets)]
    results = list(_reported(done(judged, systems, "systems", {**options.thresholds, "DRAWS": DRAWS})))
    of_sets = list(_reported(done(ways, sets, "sets", options.thresholds)))
    return finish(table(results, of_sets), [said._asdict() for said in results], options)


def _reported(results: Iterable[tuple[Files, list[PairReport]]]) -> Iterator[PairReport]:
    """Yield what was said of each pair, and print where outputs disagree."""
    for files, reports in results:
        for said in reports:
            for text in said.wrong:
                print(f"\n{files.seed} {said.pair}: {text}", flush=True)
            yield said


def judged(files: Files) -> list[PairReport]:
    """Write the files, compare each with each, and hold all outputs against each other."""
    draw = random.Random(files.seed)  # noqa: S311 - repeatable
    with tempfile.TemporaryDirectory(prefix="decisions-") as folder:
        requests = {kind: read(path) for kind, path in files.write(Path(folder))}
    reports = []
    for old, new in itertools.permutations(KINDS, 2):
        said = outputs(requests[new], requests[old], f"slower > {draw.choice(LIMITS)}%")
        answer, status = comparison(said.values).answer, gate(said.values).status
        reports.append(PairReport(f"{new} against {old}", answer, status, tuple(contradictions(said))))
    return reports


def ways(files: Files) -> list[PairReport]:
    """Decide by each way to a report."""
    from lab.decisions.sources import decisions  # with live pages and archives, which other pairs do not need

    with tempfile.TemporaryDirectory(prefix="decisions-") as folder:
        paths = dict(files.write(Path(folder)))
        new = KINDS[1 + files.seed % (len(KINDS) - 1)]
        said = decisions(paths["plain"], paths[new])
    of_files = said["file"]
    wrong = [f"{way}: {said[way]}, file: {of_files}" for way in ("archive", "live", "alarm") if said[way] != of_files]
    if said["sentence"] not in said["assistant"]:
        wrong.append(f"assistant: {said['assistant']}, file: {said['sentence']}")
    return [PairReport(f"{new} against plain", of_files["answer"], 0, tuple(wrong))]


def table(results: Sequence[PairReport], of_sets: Sequence[PairReport]) -> list[Score]:
    """How often outputs disagree, and the answers."""
    scores = [
        Score("pairs: outputs disagree", sum(bool(said.wrong) for said in results), len(results), most=0),
        Score("sets: ways to a report disagree", sum(bool(said.wrong) for said in of_sets), len(of_sets), most=0),
    ]
    answers = sorted({said.answer for said in results})
    scores += [Score(f"pairs: {name}", sum(s.answer == name for s in results), len(results)) for name in answers]
    return [*scores, Score("pairs: the gate fails", sum(s.status == FAILED for s in results), len(results))]
