"""Files of a public data set's copy: a checkout, or a git directory without one."""

import subprocess
from pathlib import Path


def text_of(folder: Path, name: str) -> str:
    """The text of a file. Raises `ValueError` if the folder has no such file."""
    path = folder / name
    return path.read_text(encoding="utf-8") if path.is_file() else git(folder, "show", f"HEAD:{name}")


def git(folder: Path, *arguments: str, said: str = "") -> str:
    """What git answers. Raises `ValueError` if the folder is no copy of the data set."""
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, input=said, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"{folder} must be a copy of the data set: {done.stderr.strip()}")
    return done.stdout
