"""The path of the example app's files, and a smaller app as a new project."""

from __future__ import annotations

import shutil
from pathlib import Path

from lambda_latency.files import unwritable, writable_by

__all__ = ["FILES", "ProjectError", "example_folder", "recorded_traces", "write_project"]

# The files that pyproject.toml includes in the wheel; a test compares the two.
FILES = (
    "collector.yaml",
    "compose.collector.yaml",
    "compose.yaml",
    "events/create-order.json",
    "explain.yaml",
    "functions",
    "observability.yaml",
    "samconfig.toml",
    "template.yaml",
)
HERE = Path(__file__).parent
STARTER = HERE / "starter"  # the app that `init` writes
SHARED = ("collector.yaml", "events/create-order.json")  # files of a project that are those of the example
REQUIREMENTS = "functions/requirements.txt"
HIDDEN = {"gitignore": ".gitignore"}  # under its own name it would apply to this repository


class ProjectError(Exception):
    """A project cannot be written; the message says what to do."""

    exit_status = 1


def recorded_traces() -> tuple[Path, str]:
    """Return the traces of a run of the demo on the example, and the day of the run (`lab recorded` writes them)."""
    (path,) = HERE.glob("recorded-*.jsonl.gz")
    return path, path.name.removeprefix("recorded-").removesuffix(".jsonl.gz")


def example_folder() -> Path:
    """Return the folder of the example's template: in the installed kit, else the top level of the checkout."""
    installed = HERE / "app"
    return installed if installed.is_dir() else HERE.parents[2]


def write_project(folder: Path) -> list[str]:
    """Write a small traced app into a new or empty folder, and return the file names.

    Raises `ProjectError` if the folder is not empty or a file cannot be written; then no file is left.
    """
    is_new = not folder.exists()
    try:
        if not is_new and next(folder.iterdir(), None) is not None:
            raise ProjectError(f"{folder} is not empty: name a new folder")
        sources = _sources()
        try:
            for name, source in sorted(sources.items()):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
            (folder / REQUIREMENTS).write_text(_pinned(example_folder() / REQUIREMENTS), "utf-8")
        except OSError:
            _remove(folder, is_new)
            raise
    except OSError as error:
        raise ProjectError(f"{unwritable(folder, error)}\n  {writable_by(error)}".rstrip()) from error
    return sorted([*sources, REQUIREMENTS])


def _sources() -> dict[str, Path]:
    """Return the files to copy, by their path in the project."""
    sources = {name: example_folder() / name for name in SHARED}
    for path in STARTER.rglob("*"):
        name = path.relative_to(STARTER).as_posix()
        if path.is_file() and "__pycache__" not in path.parts:
            sources[HIDDEN.get(name, name)] = path
    return sources


def _pinned(lock: Path) -> str:
    """Return the packages of a lock without their hashes."""
    lines = lock.read_text("utf-8").splitlines()
    return "".join(f"{line.split()[0]}\n" for line in lines if "==" in line)


def _remove(folder: Path, whole: bool) -> None:
    for path in [folder] if whole else folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
