"""The time that redaction takes: of hostile texts of 8 kB, and of a function that has such texts, near its deadline.

Without `--deadlines`: texts of random fragments, each read once. One that took more than the limit is read up to
eight times more, and its least time counts, because a busy machine's caches are shared.
Usual time: 4 minutes for 20,000 texts.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from random import Random
from statistics import median, quantiles
from time import thread_time

from lab.redaction.deadlines import near_deadlines
from lab.redaction.hostile import hostile_text, known_texts
from lambda_latency.redaction import Redaction

LENGTH = 8192
MOST_MS = 20
REPEATED = 9
READ = Redaction(None, 4096).text


def main(parser: ArgumentParser) -> int:
    """Print the times; the status is 1 if a text takes longer than the limit."""
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--length", type=int, default=LENGTH, help="characters of a text")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--deadlines", type=int, metavar="N", help="invocations near a deadline instead")
    parser.add_argument("--share", type=float, default=1.0, help="of a processor that the function has")
    parser.add_argument("--left-ms", type=int, action="append", help="before the deadline at the answer")
    parser.add_argument("--bare", action="store_true", help="the same function without the kit, to compare")
    options = parser.parse_args()
    if options.deadlines:
        left_ms = options.left_ms or [100, 300, 1000]
        return near_deadlines(options.deadlines, options.share, left_ms, options.seed, bare=options.bare)
    rng = Random(options.seed)  # noqa: S311 - what is drawn protects nothing
    known = known_texts(options.length)
    texts = (known[n] if n < len(known) else hostile_text(rng, options.length) for n in range(options.texts))
    return report(times(texts), options.length)


def times(texts: Iterator[str]) -> list[tuple[float, str]]:
    """Return the milliseconds of a processor that each text takes."""
    measured: list[tuple[float, str]] = []
    for number, text in enumerate(texts, 1):
        measured.append((least_ms(text), text))
        if number % 2000 == 0:
            print(f"{number:,} texts, slowest {max(measured)[0]:.1f} ms", file=sys.stderr, flush=True)
    return measured


def least_ms(text: str) -> float:
    """Return the processor time of a text, the least of several if it seems to be over the limit."""
    least = float("inf")
    for _ in range(REPEATED):
        begin = thread_time()
        READ(text)
        least = min(least, (thread_time() - begin) * 1000)
        if least <= MOST_MS:
            break
    return least


def report(measured: list[tuple[float, str]], length: int) -> int:
    """Print the distribution and the slowest texts."""
    all_ms = [ms for ms, _ in measured]
    slow = sum(ms > MOST_MS for ms in all_ms)
    print(
        f"{len(all_ms):,} texts of {length:,} characters, ms of a processor: median {median(all_ms):.1f}, "
        f"99th percentile {quantiles(all_ms, n=100)[98]:.1f}, most {max(all_ms):.1f}; over {MOST_MS} ms: {slow}"
    )
    for ms, text in sorted(measured, reverse=True)[:5]:
        print(f"{ms:6.1f} ms  {text[:100]!r}")
    return 1 if slow else 0
