"""The Python modules of a folder, and their names."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

COMMON = ("__init__", "command", "errors", "part")  # names that may be borne by any number of files


def python_files(*folders: Path) -> list[Path]:
    """The Python files below these folders, in order."""
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def folders(kit: Path) -> dict[str, int]:
    """The number of Python files directly in each folder of the kit."""
    return dict(sorted(Counter(path.parent.relative_to(kit).as_posix() for path in python_files(kit)).items()))


def base_names(files: Iterable[Path], limit: int) -> dict[str, int]:
    """The names that more files than `limit` bear, with the number of files."""
    counts = Counter(path.stem for path in files)
    return {name: count for name, count in sorted(counts.items()) if count > limit and name not in COMMON}
