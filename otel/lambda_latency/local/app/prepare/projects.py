"""The dependencies in a pyproject.toml, of any tool or of Poetry, and in a Pipfile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def dependencies(project: Path) -> list[str]:
    """The dependencies of a pyproject.toml or a Pipfile, as requirements; empty if it cannot be read."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        read: Any = tomlkit.parse(project.read_text(encoding="utf-8")).unwrap()
    except (OSError, UnicodeDecodeError, TOMLKitError):
        return []
    if project.name == "Pipfile":
        return [*_tables(read.get("packages", {}))]
    standard = [str(one) for one in read.get("project", {}).get("dependencies", [])]
    poetry = read.get("tool", {}).get("poetry", {}).get("dependencies", {})
    return standard or [*_tables({name: one for name, one in poetry.items() if name != "python"})]


def _tables(wanted: Mapping[str, Any]) -> Iterator[str]:
    for name, one in wanted.items():
        table = one if isinstance(one, dict) else {"version": one}
        if isinstance(table.get("version"), str) and not table.get("optional"):  # others are in a folder or in git
            extras = f"[{','.join(table['extras'])}]" if table.get("extras") else ""
            yield f"{name}{extras}{','.join(filter(None, map(_specifier, table['version'].split(','))))}"


def _specifier(version: str) -> str:
    """A version in Poetry's or Pipenv's form as a specifier: https://python-poetry.org/docs/dependency-specification"""
    version = version.strip()
    if version[:1] in "^~" and version[1:2] != "=":
        first = version[1:].strip()
        numbers = [int(part) for part in first.split(".") if part.isdigit()]
        if version[0] == "~":
            kept = 0 if len(numbers) < 2 else 1
        else:
            kept = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
        return f">={first},<{'.'.join(map(str, (*numbers[:kept], numbers[kept] + 1)))}"
    if version[:1].isdigit():
        return f"=={version}"
    return version.removeprefix("*")
