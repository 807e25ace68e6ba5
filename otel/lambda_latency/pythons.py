"""Finds the Python version that a function needs among the installed ones."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["OLDEST", "Version", "nearest_python", "pythons", "version_of"]

Version = tuple[int, int]

OLDEST: Version = (3, 10)  # of the kit and of AWS's runtime client
NAME = re.compile(r"python(\d+)\.(\d+)")
# Interpreters of version managers that are not on the PATH. Their shims are, but fail if no version is selected, and
# start slowly: they come last.
SHIMS = "shims"
MANAGED = (
    ".pyenv/versions/*/bin/python3.[0-9]*",
    ".local/share/uv/python/*/bin/python3.[0-9]*",
    ".asdf/installs/python/*/bin/python3.[0-9]*",
)
ASK = "import sys; print(*sys.version_info[:2])"


def version_of(runtime: str) -> Version | None:
    """The version of a Lambda runtime such as `python3.12`; None for runtimes that are not Python 3."""
    match = NAME.fullmatch(runtime)
    return (int(match[1]), int(match[2])) if match and match[1] == "3" else None


@functools.cache
def pythons() -> Mapping[Version, Path]:
    """An interpreter for each version from `OLDEST` on: the current one, those on the PATH, managed ones, shims."""
    by_version: dict[Version, Path] = {sys.version_info[:2]: Path(sys.executable)}
    for candidate in _candidates():
        match = NAME.fullmatch(candidate.name)
        version = (int(match[1]), int(match[2])) if match else None
        if version is not None and version >= OLDEST and version not in by_version and _answers(candidate, version):
            by_version[version] = candidate
    return dict(sorted(by_version.items()))


def nearest_python(version: Version, interpreters: Mapping[Version, Path]) -> Version:
    """The wanted version if it is installed, else the next newer one, else the newest."""
    newer = [installed for installed in sorted(interpreters) if installed >= version]
    return newer[0] if newer else max(interpreters)


def _candidates() -> Iterable[Path]:
    names = (f"python3.{minor}" for minor in range(OLDEST[1], 20))
    on_path = [Path(path) for path in map(shutil.which, names) if path is not None]
    yield from (path for path in on_path if path.parent.name != SHIMS)
    for pattern in MANAGED:
        yield from sorted(Path.home().glob(pattern))
    yield from (path for path in on_path if path.parent.name == SHIMS)


def _answers(python: Path, version: Version) -> bool:
    try:
        answer = subprocess.run([python, "-I", "-c", ASK], capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.split() == [str(part) for part in version]
