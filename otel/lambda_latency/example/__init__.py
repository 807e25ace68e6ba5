"""The example app: the path of its files, and a new project made from them."""

from __future__ import annotations

import shutil
from pathlib import Path

from lambda_latency.files import unwritable, writable_by
from lambda_latency.installing import install_command

__all__ = ["FILES", "ProjectError", "example_folder", "write_project"]

# The files that pyproject.toml includes in the wheel; a test compares the two.
FILES = (
    "collector.yaml",
    "compose.collector.yaml",
    "compose.yaml",
    "events/create-order.json",
    "explain.yaml",
    "functions",
    "observability.yaml",
    "requirements/functions.txt",
    "samconfig.toml",
    "template.yaml",
)
HERE = Path(__file__).parent
STARTER = HERE / "starter"  # additional files of a project, for build and tests
README = "README.md"
INSTALL = "INSTALL_COMMAND"  # stands in the README for how this very installation is made once more
HIDDEN = {"gitignore": ".gitignore"}  # under its own name it would apply to this repository


class ProjectError(Exception):
    """A project cannot be written; the message says what to do."""

    exit_status = 1


def example_folder() -> Path:
    """The folder of the example's template: in the installed kit, else the top level of the checkout."""
    installed = HERE / "app"
    return installed if installed.is_dir() else HERE.parents[2]


def write_project(folder: Path) -> list[str]:
    """Writes the example with its build and test files into a new or empty folder; returns the file names.

    Raises `ProjectError` if the folder is not empty or a file cannot be written; then no file is left.
    """
    is_new = not folder.exists()
    try:
        if not is_new and next(folder.iterdir(), None) is not None:
            raise ProjectError(f"{folder} is not empty: name a new folder")
        files = {**_files(example_folder(), FILES), **_files(STARTER, [path.name for path in STARTER.iterdir()])}
        try:
            for name, source in sorted(files.items()):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
            readme = folder / README
            readme.write_text(readme.read_text("utf-8").replace(INSTALL, install_command("local,testing")), "utf-8")
        except OSError:
            _remove(folder, is_new)
            raise
    except OSError as error:
        raise ProjectError(f"{unwritable(folder, error)}\n  {writable_by(error)}".rstrip()) from error
    return sorted(files)


def _files(root: Path, names: list[str] | tuple[str, ...]) -> dict[str, Path]:
    """The files at and below `names`, by their path in the project."""
    found: dict[str, Path] = {}
    for name in names:
        path = root / name
        for file in [path] if path.is_file() else path.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                found[HIDDEN.get(name, str(file.relative_to(root)))] = file
    return found


def _remove(folder: Path, whole: bool) -> None:
    for path in [folder] if whole else folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
