"""Settings of a project: `lambda-latency.toml`, else `[tool.lambda-latency]` of `pyproject.toml`. Options beat them."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NAMES", "Settings", "read_settings"]

OWN = "lambda-latency.toml"
PROJECT = "pyproject.toml"
NAMES = ("ours", "theirs")


class Settings(NamedTuple):
    """Patterns of services and callees that are `ours`, and that are `theirs`."""

    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()


def read_settings(folder: Path) -> Settings:
    """The settings of a folder, or none. Raises `ValueError` that says what is wrong with them, and where."""
    own, project = folder / OWN, folder / PROJECT
    if own.is_file():
        return _settings(_read(own), own)
    if project.is_file():
        tool = _read(project).get("tool")
        found = tool.get("lambda-latency") if isinstance(tool, dict) else None
        return _settings(found, project) if isinstance(found, dict) else Settings()
    return Settings()


def _read(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error


def _settings(told: Mapping[str, Any], path: Path) -> Settings:
    for name in told:
        if name not in NAMES:
            near = difflib.get_close_matches(name, NAMES, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(NAMES)}"
            raise ValueError(f"{path.name}: nothing is called {name!r}; {hint}")
    return Settings(*(_patterns(told.get(name, []), name, path) for name in NAMES))


def _patterns(value: object, name: str, path: Path) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(one, str) and one for one in found):
        raise ValueError(f'{path.name}: {name} must be a list of patterns, such as ["payments*"], got {value!r:.60}')
    return tuple(found)
