"""Which of its cases a program runs: those whose name has a pattern in it, or a sample of them."""

import argparse
import random
import re
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

Case = TypeVar("Case")


def add_sampling(parser: argparse.ArgumentParser, cases: str) -> None:
    """Add --only, --sample and --seed; `cases` names the cases, such as `handlers`."""
    parser.add_argument("--only", default="", metavar="PATTERN", help=f"only {cases} whose name has this in it")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="only so many, drawn with --seed")
    parser.add_argument("--seed", type=int, default=int(time.time()) // 86400, help="of the sample; the day if not set")


def sampled(
    cases: Sequence[Case],
    name: Callable[[Case], str],
    options: argparse.Namespace,
    parser: argparse.ArgumentParser,
) -> list[Case]:
    """The cases that the options ask for, in their order. A pattern that no name has is an error."""
    matching = [case for case in cases if re.search(options.only, name(case))]
    if not matching:
        parser.error(f"no name has {options.only!r} in it")
    if not 0 < options.sample < len(matching):
        return matching
    print(f"a sample of {options.sample} of {len(matching)}, seed {options.seed}")
    chosen = random.Random(options.seed).sample(range(len(matching)), options.sample)  # noqa: S311 - repeatable
    return [matching[index] for index in sorted(chosen)]
