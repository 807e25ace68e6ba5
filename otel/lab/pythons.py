"""Runs the tests of what meets Lambda's own Python (sandbox, artifact, parts of the runtime) on other Pythons.

The oldest and the newest that answer here, or all of them with --all. Lambda runs 3.13, where the runtime client polls
from another thread than on 3.11: one version is not enough. A `python3.13` on the PATH may be a stub that only prints a
message, so each is asked to run something.

Usual time: 3 minutes.
"""

import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

from lab.locks import environment

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
# Where another Python may differ: processes, threads, imports, stacks, asyncio, sockets, loggers and the SDK's spans.
# What reads texts, settings and events, and what goes over the wire, is the same for each, and has run on our own.
RUNTIME = (
    "coldstart", "deadline", "delivery/test_after_response.py", "delivery/test_outbox.py",
    "drivers/test_connections.py", "drivers/test_driver_steps.py", "drivers/test_http_client.py",
    "drivers/test_opening.py", "drivers/test_sqlite3.py", "test_leaks.py", "test_redacted_spans.py",
    "test_bootstrap.py", "test_imports.py", "test_invocation.py", "test_lean.py",
    "test_logs.py", "test_managed.py", "test_one_call.py", "test_own_telemetry.py", "test_restore.py",
    "test_startup.py", "test_threads.py", "test_users_function.py",
)  # fmt: skip
TESTS = ("otel/tests/sandbox", "otel/tests/artifact", *(f"otel/tests/runtime/{path}" for path in RUNTIME))


def main(parser: ArgumentParser) -> int:
    """Make an environment for each of the other Pythons and run the tests in it. 0 if all passed."""
    parser.add_argument("--all", action="store_true", help="not only on the oldest and the newest of them")
    options = parser.parse_args()
    own_version = f"{sys.version_info.major}.{sys.version_info.minor}"
    # The whole test suite has just run on our own.
    interpreters = {version: find(version) for version in VERSIONS if version != own_version}
    missing = [version for version, python in interpreters.items() if python is None]
    pythons = [(version, python) for version, python in interpreters.items() if python is not None]
    if len(pythons) > 2 and not options.all:
        pythons = [pythons[0], pythons[-1]]
    ran, failed = [own_version], list[str]()
    for version, python in pythons:
        (ran if _passes(version, python) else failed).append(version)
    return _tell(ran, missing, failed)


def _passes(version: str, python: str) -> bool:
    print(f"== Python {version}", flush=True)
    prepared = environment(ROOT / "build" / f"python{version}", ROOT / "requirements" / "dev.txt", python)
    command = [str(prepared), "-m", "pytest", "--quiet", "-n", "3", "--dist", "loadgroup", *TESTS]
    source = {**os.environ, "PYTHONPATH": str(ROOT / "otel")}
    return subprocess.run(command, cwd=ROOT, env=source, check=False).returncode == 0


def _tell(ran: list[str], missing: list[str], failed: list[str]) -> int:
    """Print on which versions the tests ran; returns the exit status."""
    passed_on = ", ".join(sorted(ran, key=VERSIONS.index))
    print(f"The tests of what meets Lambda's own Python passed on Python {passed_on}.")
    if missing:
        print(f"They did not run on Python {', '.join(missing)}: none that answers was found here.")
    if failed:
        print(f"They FAILED on Python {', '.join(failed)}.")
    if os.environ.get("CI") and len(ran) < 2:
        print("CI wants at least two versions.")
        return 1
    return 1 if failed else 0


def find(version: str) -> str | None:
    """A Python of that version which really runs: on the PATH, or one that pyenv has."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [
        shutil.which(f"python{version}"),
        *sorted(map(str, pyenv.glob(f"{version}.*/bin/python")), reverse=True),
    ]
    ask = f"import sys, venv, ssl; sys.exit('{version}' != '%d.%d' % sys.version_info[:2])"
    for candidate in filter(None, candidates):
        answer = subprocess.run([candidate, "-c", ask], capture_output=True, check=False)
        if answer.returncode == 0:
            return candidate
    return None
