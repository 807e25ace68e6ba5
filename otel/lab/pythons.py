"""Runs the tests of what meets Lambda's own Python (sandbox, runtime, artifact) on every Python that answers here.

Lambda runs 3.13, where the runtime client polls from another thread than on 3.11: one version is not enough. A
`python3.13` on the PATH may be a stub that only prints a message, so each is asked to run something. CI takes the
oldest and the newest that answer.

Usual time: 10 minutes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from lab.locks import environment

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
TESTS = ("otel/tests/sandbox", "otel/tests/runtime", "otel/tests/artifact")
# 2,000 texts, each with what redaction leaves of it, are not read differently by another Python. What is: tracebacks,
# loggers, and the SDK's spans.
REDACTION = ROOT / "otel" / "tests" / "runtime" / "redact"
ON_EACH = ("test_face.py", "test_leaks.py", "test_spans.py")


def main() -> int:
    """Make an environment for each of the other Pythons and run the tests in it. 0 if all passed."""
    argparse.ArgumentParser("python -m lab pythons", description=__doc__).parse_args()
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    # The whole test suite has just run on our own.
    found = {version: find(version) for version in VERSIONS if version != own}
    missing = [version for version, python in found.items() if python is None]
    pythons = [(version, python) for version, python in found.items() if python is not None]
    if os.environ.get("CI") and len(pythons) > 2:
        pythons = [pythons[0], pythons[-1]]
    ran, failed = [own], list[str]()
    for version, python in pythons:
        print(f"== Python {version}", flush=True)
        prepared = environment(ROOT / "build" / f"python{version}", ROOT / "requirements" / "dev.txt", python)
        command = [str(prepared), "-m", "pytest", "--quiet", "-n", "2", "--dist", "loadgroup", *TESTS, *left_out()]
        source = {**os.environ, "PYTHONPATH": str(ROOT / "otel")}
        passed = subprocess.run(command, cwd=ROOT, env=source, check=False).returncode == 0
        (ran if passed else failed).append(version)
    passed_on = ", ".join(sorted(ran, key=VERSIONS.index))
    print(f"The tests of the sandbox, the runtime and the artifact passed on Python {passed_on}.")
    if missing:
        print(f"They did not run on Python {', '.join(missing)}: none that answers was found here.")
    if failed:
        print(f"They FAILED on Python {', '.join(failed)}.")
    if os.environ.get("CI") and len(ran) < 2:
        print("CI wants at least two versions.")
        return 1
    return 1 if failed else 0


def left_out() -> list[str]:
    """Arguments of pytest: the tables of redaction, which the whole test suite has just run on our own Python."""
    tables = [path for path in sorted(REDACTION.glob("test_*.py")) if path.name not in ON_EACH]
    return [f"--ignore={path.relative_to(ROOT)}" for path in tables]


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


if __name__ == "__main__":
    raise SystemExit(main())
