"""Cold starts and warm requests of all variants, in turns."""

import os
import random
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lab.cost import counting
from lab.cost.cell import VariantProcess
from lab.cost.places import Places
from lab.cost.variants import Variant
from lambda_latency.local.processes import Processes

Measured = dict[str, dict[str, list[float]]]
"""By variant and by measure: one value per round."""


WARM_UP, WARM_PER_ROUND = 30, 20
ONE_PROCESSOR = ("taskset", "--cpu-list", str(min(os.sched_getaffinity(0)))) if shutil.which("taskset") else ()
SET = 40  # warm turns per set of environments
COUNTED = 40  # warm requests under cachegrind: an initial difference is divided by this number


def instructions(
    variants: Sequence[Variant], processes: Processes, places: Places, tell: Callable[[str], None]
) -> Measured:
    """Millions of instructions of a cold start, thousands of a warm request."""
    measured: Measured = defaultdict(dict)
    addresses = places.addresses

    def counted(variant: Variant) -> None:
        interpreter_start = counting.first_interpreter(variant, addresses) if variant.interpreters > 1 else 0
        start = counting.count(variant, processes, addresses)
        mine = measured[variant.name]
        mine["cold_instructions_m"] = [(interpreter_start + start) / 1e6]
        # Python specializes its bytecode during the first requests: they are not warm yet. A full garbage collection
        # (25 million instructions) must not be among the counted requests of one variant alone.
        warm_up = [*[number % 2 == 0 for number in range(WARM_UP)], None]
        warmed = counting.count(variant, processes, addresses, warm_up)
        for sampled, name in ((True, "sampled"), (False, "unsampled")):
            more = counting.count(variant, processes, addresses, [*warm_up, *[sampled] * COUNTED])
            mine[f"{name}_instructions_k"] = [(more - warmed) / COUNTED / 1e3]
        tell(f"instructions of {variant.name}: {len(measured)} of {len(variants)} variants")

    with ThreadPoolExecutor(os.cpu_count()) as workers:
        list(workers.map(counted, variants))
    return measured


def cold(
    variants: Sequence[Variant], processes: Processes, places: Places, rounds: int, tell: Callable[[str], None]
) -> Measured:
    """Milliseconds from the start of a process to its first response."""
    measured: Measured = defaultdict(lambda: defaultdict(list))
    for number, turns in taking_turns(variants, rounds + 1):
        tell(f"cold starts, round {number} of {rounds}")
        for variant in turns:
            received_before = places.received
            cell = VariantProcess(variant, processes, places.addresses)
            try:
                run = cell.invoke()
                if variant.traces and places.received == received_before:
                    raise SystemExit(f"{variant.name} delivered no spans: nothing to compare\n{cell.why}")
                if number:  # the first round writes the bytecode and fills the caches
                    took_ns = run.responded_ns - cell.environment.started_ns
                    measured[variant.name]["cold_ms"].append(took_ns / 1e6)
            finally:
                cell.close()
    return measured


def warm(
    variants: Sequence[Variant], processes: Processes, places: Places, rounds: int, tell: Callable[[str], None]
) -> Measured:
    """Microseconds until a warm response, and of CPU time of all threads until the environment freezes.

    There are several sets of environments, each with a hash seed of its own: two processes of the same code differ by
    more than the turns of one process show. The processes of a set run on one processor, because a function of 512 MB
    has less than one: with two, the scheduler moves threads between them, and the spread is twice as large.
    """
    measured: Measured = defaultdict(lambda: defaultdict(list))
    sets = max(1, rounds // SET)
    for number in range(sets):
        cells: list[VariantProcess] = []
        try:
            tell(f"warm requests, set {number + 1} of {sets}")
            for variant in variants:
                seeded = {"PYTHONHASHSEED": str(number + 1)}
                cells.append(VariantProcess(variant, processes, places.addresses, ONE_PROCESSOR, seeded))
                for warming in range(WARM_UP):
                    cells[-1].invoke(sampled=warming % 2 == 0)
            for _, turns in taking_turns(cells, rounds // sets):
                for cell in turns:
                    for sampled, name in ((True, "sampled"), (False, "unsampled")):
                        cpu_before_ns = cell.box.cpu_ns()
                        run = cell.invoke(sampled=sampled)
                        mine = measured[cell.variant.name]
                        mine[f"{name}_response_us"].append((run.responded_ns - run.started_ns) / 1e3)
                        mine[f"{name}_cpu_us"].append((cell.box.cpu_ns() - cpu_before_ns) / 1e3)
            for cell in cells:
                measured[cell.variant.name]["warm_memory_mb"].append(cell.box.peak_kb() / 1024)
        finally:
            for cell in cells:
                cell.close()
    return measured


def taking_turns(items: Sequence[Any], rounds: int) -> Iterator[tuple[int, Sequence[Any]]]:
    """The items of each round in random order: a delivery that waits for an answer slows the next variant."""
    order = random.Random(1)  # noqa: S311 - an order, no secret
    for number in range(rounds):
        yield number, order.sample(items, len(items))
