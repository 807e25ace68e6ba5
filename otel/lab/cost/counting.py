"""Instructions in user space, counted by cachegrind: stable to a tenth of a percent, even on a busy machine."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.cost.cell import VariantProcess, command, variables
from lab.cost.variants import ROOT, WRAPPER, Variant
from lambda_latency.local.processes import Processes

VALGRIND = shutil.which("valgrind")
CACHEGRIND = (VALGRIND or "valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
# Under cachegrind all takes fifty times as long. A delivery must not reach its limit: fewer instructions would be
# counted. Nor must a request be slow enough to be sampled, in the kit of this checkout, which can.
PATIENT = {"LAMBDA_LATENCY_FIRST_FLUSH_MS": "60000", "LAMBDA_LATENCY_FLUSH_MS": "60000"}
UNSAMPLED = {"LAMBDA_LATENCY_PROFILE_AFTER_MS": "900000"}


def patient(variant: Variant) -> dict[str, str]:
    """The variables that a variant needs under cachegrind."""
    return {**PATIENT, **(UNSAMPLED if variant.wrapper == WRAPPER else {})}


def count(
    variant: Variant, processes: Processes, places: Mapping[str, str], requests: Sequence[bool | None] = ()
) -> int:
    """The instructions from the start of the process until the spans of its last request are delivered.

    That is a cold start with a sampled request, and one request for each of `requests`: whether it is sampled, or None
    for a garbage collection.
    """
    cell = VariantProcess(variant, processes, places, under=CACHEGRIND, more=patient(variant))
    try:
        cell.invoke()
        for sampled in requests:
            cell.invoke(sampled=sampled is not False, asks="collect" if sampled is None else "")
        cell.leave()
    finally:
        cell.close()
    return instructions_in(variant.name, cell.why)


def until_response(variant: Variant, processes: Processes, places: Mapping[str, str]) -> int:
    """The instructions from the start of the process until it has sent its first response, and no further."""
    cell = VariantProcess(variant, processes, places, under=CACHEGRIND, more=patient(variant))
    try:
        cell.last()
    finally:
        cell.close()
    return instructions_in(variant.name, cell.why)


def first_interpreter(variant: Variant, places: Mapping[str, str]) -> int:
    """The instructions of the first interpreter until it executes the second one, which alone cachegrind counts."""
    python = command(variant)[-2]
    code = (
        "import os, sys; os.execl = lambda *_: os._exit(0); sys.argv = ['opentelemetry-instrument', '/bin/true'];"
        "from opentelemetry.instrumentation.auto_instrumentation import run; run()"
    )
    return counted_process(variant.name, [python, "-c", code], variables(variant, places))


def counted_process(name: str, process: Sequence[str | Path], environment: Mapping[str, str]) -> int:
    """The instructions of a process that ends by itself."""
    ran = subprocess.run(
        [*CACHEGRIND, *process], env=dict(environment), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if ran.returncode != 0:
        raise SystemExit(f"{name} failed under cachegrind:\n{ran.stderr[-3000:]}")
    return instructions_in(name, ran.stderr)


def instructions_in(name: str, output: str) -> int:
    """The number in cachegrind's output."""
    counts = re.findall(r"I\s+refs:\s+([\d,]+)", output)
    if not counts:
        raise SystemExit(f"cachegrind counted nothing of {name}:\n{output}")
    return int(counts[-1].replace(",", ""))
