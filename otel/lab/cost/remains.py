"""The instructions of the kit's cold start beyond the bare handler's, module by module."""

import platform
import re
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab.cost.cell import VariantProcess
from lab.cost.counting import VALGRIND, patient
from lab.cost.variants import KIT, Variant
from lambda_latency.local.processes import Processes

MACHINE = platform.machine() == "x86_64"  # the marks are instructions of this architecture
PRICE = 3  # consecutive marks at the beginning

SETUP, FIRST, THREADS = "set-up", "first request", "threads"
PACKAGES = {
    SETUP: "set-up: settings, hooks, tracer",
    FIRST: "the first request's spans",
    THREADS: "registration, and delivery after the response",
    "lambda_latency": "lambda_latency.runtime",
    "opentelemetry.instrumentation.botocore": "instrumentation of botocore",
    "opentelemetry.instrumentation.requests": "instrumentation of requests",
    "opentelemetry.instrumentation": "what both share",
    "opentelemetry.util.http": "what both share",
    "opentelemetry.semconv": "semantic conventions",
    "opentelemetry.sdk": "SDK",
    "opentelemetry.propagators": "propagators",
    "opentelemetry": "API",
}
OTHERS = "all other modules: when and where they are imported"


def remains(kit: Variant, bare: Variant, processes: Processes, places: Mapping[str, str]) -> dict[str, float]:
    """Millions of instructions by module and by phase (`set-up`, `first request`, `threads`).

    Those of the bare handler are subtracted.
    """
    with_kit = observed(kit, "lambda_latency.runtime.bootstrap.handler", processes, places)
    without = observed(bare, bare.handler, processes, places)
    names = {*with_kit, *without}
    return {name: (with_kit.get(name, 0) - without.get(name, 0)) / 1e6 for name in sorted(names)}


def observed(variant: Variant, handler: str, processes: Processes, places: Mapping[str, str]) -> dict[str, int]:
    """The instructions of one process, by module and by phase."""
    with tempfile.TemporaryDirectory() as folder:
        log, marks = Path(folder, "log"), Path(folder, "marks")
        callgrind = (VALGRIND or "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log}")
        tell = {"OBSERVED": handler, "LAMBDA_LATENCY_HANDLER": variant.handler, "MARKS": str(marks)}
        watched = replace(variant, wrapper=None, handler="lab.cost.observed.handler")
        cell = VariantProcess(watched, processes, places, under=callgrind, more={**patient(variant), **tell})
        try:
            cell.invoke()
            cell.leave()
        finally:
            cell.close()
        return self_instructions(marks.read_text().splitlines(), log.read_text())


def self_instructions(marks: Sequence[str], log: str) -> dict[str, int]:
    """The instructions by module and by phase, without nested ones, from the marks and callgrind's counters."""
    # `events-1` are the counters of the main thread.
    counters = [int(number) for number in re.findall(r"^events-1: (\d+)", log, re.MULTILINE)]
    (total,) = map(int, re.findall(r"Collected : (\d+)", log))
    price = counters[1] - counters[0]
    instructions: dict[str, int] = defaultdict(int)
    stack = [THREADS]  # the main thread does nearly nothing outside the marks
    for previous, counter, mark in zip(counters[PRICE - 1 :], counters[PRICE:], marks[PRICE:], strict=False):
        instructions[stack[-1]] += counter - previous - price
        begins, _, name = mark.partition(" ")
        if begins == ">":
            stack.append(name)
        else:
            stack.pop()
    instructions[THREADS] += total - counters[len(marks) - 1]
    return dict(instructions)


def packages(modules: Mapping[str, float]) -> list[tuple[str, float, list[str]]]:
    """The packages, the most expensive first: name, millions of instructions, modules from the most expensive on."""
    names_by_package: dict[str, list[str]] = defaultdict(list)
    for name in modules:
        parts = name.split(".")
        prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        names_by_package[next((PACKAGES[prefix] for prefix in prefixes if prefix in PACKAGES), OTHERS)].append(name)
    table = [
        (package, sum(modules[name] for name in names), sorted(names, key=lambda name: -modules[name]))
        for package, names in names_by_package.items()
    ]
    return sorted(table, key=lambda row: -row[1])


def rows(document: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Package, millions of instructions, number of modules, the largest ones; the last row is garbage collection."""
    modules: Mapping[str, float] = document["remains"]
    table_rows = []
    for package, million, names in packages(modules):
        imported = [name for name in names if name not in (SETUP, FIRST, THREADS)]
        shown = imported[:2] if package != OTHERS else []
        largest = [f"{name.removeprefix('opentelemetry.')} {modules[name]:.1f}" for name in shown]
        table_rows.append((package, f"{million:.1f}", str(len(imported) or ""), ", ".join(largest)))
    whole = document["variants"][KIT]["cold_instructions_m"]["over_bare"]
    return [*table_rows, ("garbage collection", f"{whole - sum(modules.values()):.1f}", "", "")]


def markdown(document: Mapping[str, Any]) -> str:
    """The table of docs/explanation/costs.md."""
    titles = ("what remains of the kit's cold start", "M instructions", "modules", "the largest")
    lines = [f"| {' | '.join(row)} |" for row in (titles, *rows(document))]
    return "\n".join([lines[0], "|---|---|---|---|", *lines[1:]])
