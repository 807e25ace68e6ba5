"""Tries the project as somebody new would, in four ways, each from nothing in a folder whose name has a space.

From a clone to the demo; from the wheel to an app that is served and tested; from the wheel to a verdict; and
an app of somebody else's that is adopted. Prints each command with its time, and how large the environments are. A
command that no page says is a guess: status 1. --write keeps the figures in docs/newcomer.json
and in a page; README quotes them.

Usual time: 10 minutes, most of it pip.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from lab.commands import ROOT

DOCUMENT = ROOT / "docs" / "newcomer.json"
PAGE = ROOT / "docs" / "explanation" / "first-tries.md"
TABLES = "<!-- tables -->\n"  # what follows is written by this program
CLONE = "git clone https://github.com/OWNER/lambda-latency"  # the placeholder is the owner's to decide
EXTRAS = ("", "adopt", "archive", "doctor", "fetch", "formats", "local", "testing")
ENVIRONMENT = "python3 -m venv venv && . venv/bin/activate"
ORDER = (
    'curl -s http://127.0.0.1:3000/orders -d \'{"customer": "me", "items": [{"sku": "tea", "quantity": 1, '
    '"unit_price": 350}], "payment_method": "card-ok"}\''
)


@dataclass(frozen=True, slots=True)
class TypedStep:
    """A command as a page says it. `until`: it goes on, and the next one is typed when it has printed this."""

    command: str
    page: str
    until: str = ""


WAYS = {
    "a clone, to the demo": (
        TypedStep(CLONE, "README.md"),
        TypedStep("cd lambda-latency", "README.md"),
        TypedStep("make demo", "README.md"),
    ),
    "the wheel, to an app that is served and tested": (
        TypedStep(ENVIRONMENT, "README.md"),
        TypedStep("pip install './lambda_latency-0.1.0-py3-none-any.whl[local,testing]'", "README.md"),
        TypedStep("lambda-latency init shop", "README.md"),
        TypedStep("cd shop", "README.md"),
        TypedStep("lambda-latency demo", "README.md"),
        TypedStep("lambda-latency serve", "README.md", until="is up"),
        TypedStep(ORDER, "docs/tutorial/trace-your-function.md"),
        TypedStep("pytest", "otel/lambda_latency/example/starter/README.md"),
    ),
    "the wheel, to a verdict": (
        TypedStep(ENVIRONMENT, "README.md"),
        TypedStep("pip install './lambda_latency-0.1.0-py3-none-any.whl'", "README.md"),
        TypedStep("lambda-latency demo", "README.md"),
    ),
    "an app of somebody else's, adopted": (
        TypedStep(ENVIRONMENT, "README.md"),
        TypedStep("pip install './lambda_latency-0.1.0-py3-none-any.whl'", "README.md"),
        TypedStep("cd app", ""),
        TypedStep("lambda-latency adopt --vendor --region eu-west-1", "docs/how-to/adopt.md"),
        TypedStep("lambda-latency adopt --vendor --region eu-west-1 --write", "docs/how-to/adopt.md"),
        TypedStep("lambda-latency adopt --check", "docs/how-to/adopt.md"),
        TypedStep("lambda-latency doctor", "docs/reference/doctor.md"),
        TypedStep("lambda-latency adopt --undo", "docs/how-to/adopt.md"),
    ),
}


def main(parser: argparse.ArgumentParser) -> int:
    """0 if every way was gone to its end without a guess."""
    parser.add_argument("--way", choices=range(1, len(WAYS) + 1), type=int, help="this way only")
    parser.add_argument("--extras", action="store_true", help="only the sizes of the extras")
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.relative_to(ROOT)}")
    options = parser.parse_args()
    guessed = list(guesses())
    print(*(f"a guess: {guess}" for guess in guessed), sep="\n", end="\n" if guessed else "")
    figures = json.loads(DOCUMENT.read_text("utf-8")) if DOCUMENT.exists() else {}
    figures |= {"date": f"{datetime.now(timezone.utc):%Y-%m-%d}", "machine": _machine()}
    _measure(figures, options)
    if options.write:
        DOCUMENT.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        head = PAGE.read_text("utf-8").partition(TABLES)[0]
        PAGE.write_text(head + TABLES + markdown(figures), "utf-8")
    return 1 if guessed else 0


def _measure(figures: dict[str, Any], options: argparse.Namespace) -> None:
    """Go the ways and make the environments that the options name, and replace their figures."""
    with tempfile.TemporaryDirectory(prefix="lambda latency ") as made:
        wheel = _wheel(Path(made))
        ways = [] if options.extras else [name for number, name in enumerate(WAYS, 1) if options.way in (None, number)]
        for name in ways:
            figures.setdefault("ways", {})[name] = _go(name, Path(made, name), wheel)
        figures["ways"] = {name: figures["ways"][name] for name in WAYS if name in figures.get("ways", {})}
        if options.way is None:
            figures["extras_mb"] = _extras(Path(made, "extras"), wheel)


def guesses() -> Iterable[str]:
    """The commands of the ways that the page of each does not have. The folder of one's own app needs no page."""
    for steps in WAYS.values():
        for step in steps:
            if step.page and step.command not in (ROOT / step.page).read_text("utf-8"):
                yield f"{step.command} ({step.page})"


def markdown(figures: dict[str, Any]) -> str:
    """The figures as sections of a page."""
    parts = [f"\nMeasured on {figures['date']}: {figures['machine']}.\n"]
    for name, way in figures.get("ways", {}).items():
        seconds = sum(command["seconds"] for command in way["commands"])
        parts.append(f"\n## From {name}\n\n| command | seconds | of a processor |\n|---|---|---|\n")
        for command in way["commands"]:
            used = "it goes on" if command["processor_s"] is None else command["processor_s"]
            parts.append(f"| `{command['command'].replace('|', chr(92) + '|')}` | {command['seconds']} | {used} |\n")
        parts.append(f"\n{seconds:,.0f} s in all; {way['mb']:,} MB stand in the folder afterwards.\n")
    parts.append("\n## Sizes\n\n| an environment with | MB |\n|---|---|\n")
    parts += [
        f"| {f'`[{extra}]`' if extra else 'the command alone'} | {size:,} |\n"
        for extra, size in figures.get("extras_mb", {}).items()
    ]
    return "".join(parts)


def _go(name: str, home: Path, wheel: Path) -> dict[str, Any]:
    """Go one way: seconds of each command, and megabytes of what stands in the folder afterwards."""
    home.mkdir()
    shutil.copy2(wheel, home)
    shutil.copytree(ROOT / "otel" / "tests" / "adopt" / "orders", home / "app")
    print(f"{name}:")
    runs: list[dict[str, Any]] = []
    shell = subprocess.Popen(
        ["bash", "--noprofile", "--norc"], cwd=home, env=_environ(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        for step in WAYS[name]:
            began = time.monotonic()
            used = _type(shell, step)
            runs.append({"command": step.command, "seconds": round(time.monotonic() - began, 1), "processor_s": used})
            print(f"  {runs[-1]['seconds']:7.1f} s  {used or 0:7.1f} s  {step.command}", flush=True)
    finally:
        os.killpg(shell.pid, signal.SIGTERM)
        shell.communicate()
    megabytes = _megabytes(home)
    print(f"  {sum(run['seconds'] for run in runs):7.1f} s and {megabytes} MB in all")
    return {"commands": runs, "mb": megabytes}


def _type(shell: subprocess.Popen[str], step: TypedStep) -> float | None:
    """Type a command; returns its seconds of processor time at its end, or None when what it prints has come.

    Exits if it fails.
    """
    assert shell.stdin is not None
    assert shell.stdout is not None
    command = step.command.replace(CLONE, f"git clone --quiet '{ROOT}' lambda-latency")
    end = "end of the command: "
    processor_before_s = _processor_s(shell.pid)
    # The mark is printed where the prompt would be; a command that goes on gets its prompt in the background.
    shell.stdin.write(f"{command} &\n" if step.until else f"{command}\necho; echo '{end}'$?\n")
    shell.stdin.flush()
    printed = []
    for line in shell.stdout:
        printed.append(line)
        if step.until and step.until in line:
            return None
        if line.startswith(end):
            if line.removeprefix(end).strip() not in ("0", "4"):
                break
            return round(_processor_s(shell.pid) - processor_before_s, 1)
    raise SystemExit(f"{step.command} failed:\n{''.join(printed[-30:])}")


def _processor_s(pid: int) -> float:
    """The processor time of a shell and of its commands that have ended (`utime` to `cstime` of /proc/PID/stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _extras(folder: Path, wheel: Path) -> dict[str, int]:
    """The megabytes of an environment with each extra, by its name; empty for the command alone. As pip does, uv
    compiles the modules.
    """
    uv = Path(sys.executable).with_name("uv")
    sizes = {}
    for extra in EXTRAS:
        place = folder / (extra or "alone")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, place], check=True)
        package = f"{wheel}[{extra}]" if extra else str(wheel)
        install: list[str | Path] = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python"]
        subprocess.run([*install, place / "bin" / "python", package], check=True)
        sizes[extra] = _megabytes(place)
        print(f"  {sizes[extra]:5} MB  {f'[{extra}]' if extra else 'the command alone'}")
    return sizes


def _wheel(folder: Path) -> Path:
    build: list[str | Path] = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def _megabytes(folder: Path) -> int:
    files = (path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return round(sum(files) / 1e6)


def _environ() -> dict[str, str]:
    """The variables of a person who has not activated anything."""
    own_folder = str(Path(sys.executable).parent)
    path = os.pathsep.join(directory for directory in os.environ["PATH"].split(os.pathsep) if directory != own_folder)
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "MAKE"))
    } | {"PATH": path}


def _machine() -> str:
    load = f"load {os.getloadavg()[0]:.0f}"  # what else ran at the same time
    return f"{os.cpu_count()} processors, {platform.machine()}, Linux, Python {platform.python_version()}, {load}"
