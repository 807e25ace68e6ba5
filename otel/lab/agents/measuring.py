"""What the server costs: instructions of its start by valgrind, and the processor time of a first verdict."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

__all__ = ["first_verdict", "start_instructions"]

DISCOVER = {"jsonrpc": "2.0", "id": 1, "method": "server/discover"}
TURNS = 7


def start_instructions(root: Path) -> int | None:
    """Instructions until `server/discover` is answered, beyond those of `python -c pass`; None without valgrind."""
    if shutil.which("valgrind") is None:
        return None
    server = ["-m", "lambda_latency", "mcp", "--root", str(root)]
    _run([sys.executable, *server], DISCOVER)  # writes the bytecode
    nothing, started = (_counted(one) for one in (["-c", "pass"], server))
    return started - nothing


def first_verdict(traces: Path) -> tuple[float, float]:
    """Seconds of processor time of the server's first verdict, and of `report --quiet`; medians, measured in turns."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "why_slow", "arguments": {"source": traces.name}}}  # fmt: skip
    server = [sys.executable, "-m", "lambda_latency", "mcp", "--root", str(traces.parent)]
    report = [sys.executable, "-m", "lambda_latency", "report", "--quiet", str(traces)]
    turns = [(_run(server, call), _run(report, None)) for _ in range(TURNS)]
    return median(one for one, _ in turns), median(one for _, one in turns)


def _run(command: list[str], message: object) -> float:
    before = os.times()
    text = json.dumps(message) + "\n" if message is not None else ""
    subprocess.run(command, input=text, capture_output=True, text=True, check=True, env=_env())
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _counted(arguments: list[str]) -> int:
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, *arguments]
    done = subprocess.run(
        command, input=json.dumps(DISCOVER) + "\n", capture_output=True, text=True, check=True, env=_env()
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found is not None
    return int(found[1])


def _env() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
