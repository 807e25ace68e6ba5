"""Settings of a project: `lambda-latency.toml`, or `[tool.lambda-latency]` of pyproject.toml; options override them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_latency.cli.arguments import gate, ms
from lambda_latency.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambda_latency.latency import Gate

__all__ = ["BEGINNINGS", "COLOURS", "Settings", "read_settings"]

OWN = "lambda-latency.toml"
PROJECT = "pyproject.toml"
BEGINNINGS = ("root", "lambda")
COLOURS = ("auto", "always", "never")


class Settings(NamedTuple):
    """The settings of a project. An option of the same name (with `-` for `_`) overrides a setting.

    `ours` and `theirs` are patterns of services and callees, `slow` is in nanoseconds (milliseconds in the file),
    `fail_if` has the gates, `from_` says where a request begins, `color` when to colour, and `ignore` has the rules
    that the doctor skips.
    """

    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    slow: int | None = None
    fail_if: tuple[Gate, ...] = ()
    from_: str = "root"
    color: str = "auto"
    ignore: tuple[str, ...] = ()


def read_settings(folder: Path) -> Settings:
    """The settings of a folder; the defaults if it has none. Raises `ValueError` with the file and the setting."""
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
    found: dict[str, Any] = {}
    for name, value in told.items():
        read = READ.get(name)
        if read is None:
            hint = did_you_mean(name, READ, f"known are {', '.join(READ)}")
            raise ValueError(f"{path.name}: there is no setting {name!r}; {hint}")
        field = "from_" if name == "from" else name.replace("-", "_")
        try:
            found[field] = read(value)
        except (ValueError, argparse.ArgumentTypeError) as error:
            raise ValueError(f"{path.name}: {name} {error}") from None
    return Settings(**found)


def _patterns(value: object) -> tuple[str, ...]:
    return _texts(value, 'must be a list of patterns, such as ["payments*"]')


def _rules(value: object) -> tuple[str, ...]:
    return _texts(value, 'must be a list of rules, such as ["layer-old"]')


def _gates(value: object) -> tuple[Gate, ...]:
    return tuple(gate(one) for one in _texts(value, 'must be a list of conditions, such as ["p95 > 800ms"]'))


def _texts(value: object, wanted: str) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(one, str) and one for one in found):
        raise ValueError(f"{wanted}, got {value!r:.60}")
    return tuple(found)


def _ms(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"must be milliseconds, got {value!r:.60}")
    return ms(str(value))


def _one_of(*known: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}, got {value!r:.60}")
        return str(value)

    return read


# The function that converts the value of each setting; it raises ValueError for an invalid value.
READ: dict[str, Callable[[object], Any]] = {
    "ours": _patterns,
    "theirs": _patterns,
    "slow": _ms,
    "fail-if": _gates,
    "from": _one_of(*BEGINNINGS),
    "color": _one_of(*COLOURS),
    "ignore": _rules,
}
