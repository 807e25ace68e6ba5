"""Instructions, counted by cachegrind: user space, and the same to a tenth of a percent on the busiest machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from bench.cost.cell import Cell, command, variables
from bench.cost.variants import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.cost.variants import Variant
    from lambda_latency.local.processes import Processes

__all__ = ["VALGRIND", "count", "counted_process", "first_interpreter"]

VALGRIND = shutil.which("valgrind")
CACHEGRIND = (VALGRIND or "valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
# Fifty times slower than it will run, a delivery must not run into its limit: what is counted would be less.
PATIENT = {"LAMBDA_LATENCY_FIRST_FLUSH_MS": "60000", "LAMBDA_LATENCY_FLUSH_MS": "60000"}


def count(
    variant: Variant, processes: Processes, places: Mapping[str, str], requests: Sequence[bool | None] = ()
) -> int:
    """From the start of the process until the spans of its last request are out.

    That is a cold start with a sampled request, and further ones after it: for each of `requests`, whether it is
    sampled; None stands for one that collects the garbage.
    """
    cell = Cell(variant, processes, places, under=CACHEGRIND, more=PATIENT)
    try:
        cell.invoke()
        for sampled in requests:
            cell.invoke(sampled=sampled is not False, asks="collect" if sampled is None else "")
        cell.leave()
    finally:
        cell.close()
    return told(variant.name, cell.why)


def first_interpreter(variant: Variant, places: Mapping[str, str]) -> int:
    """What the first of two interpreters does before it makes room for the second; cachegrind sees only the latter."""
    python = command(variant)[-2]
    code = (
        "import os, sys; os.execl = lambda *_: os._exit(0); sys.argv = ['opentelemetry-instrument', '/bin/true'];"
        "from opentelemetry.instrumentation.auto_instrumentation import run; run()"
    )
    return counted_process(variant.name, [python, "-c", code], variables(variant, places))


def counted_process(name: str, process: Sequence[str | Path], environment: Mapping[str, str]) -> int:
    """A process of its own that ends by itself."""
    ran = subprocess.run(
        [*CACHEGRIND, *process], env=dict(environment), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if ran.returncode != 0:
        raise SystemExit(f"{name} failed under cachegrind:\n{ran.stderr[-3000:]}")
    return told(name, ran.stderr)


def told(name: str, output: str) -> int:
    """Cachegrind's number."""
    found = re.findall(r"I\s+refs:\s+([\d,]+)", output)
    if not found:
        raise SystemExit(f"cachegrind counted nothing of {name}:\n{output}")
    return int(found[-1].replace(",", ""))
