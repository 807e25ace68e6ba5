"""Settings of a project: a file of the folder or of the nearest parent, then variables; options override both."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_latency.cli.arguments import gate, ms, region
from lambda_latency.cli.exit_statuses import USAGE
from lambda_latency.cli.messages import warn
from lambda_latency.spelling import did_you_mean
from lambda_latency.variables import COMMAND, PREFIX, unread_variable, variable_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambda_latency.latency import Gate

OWN = "lambda-latency.toml"
PROJECT = "pyproject.toml"
BEGINNINGS = ("root", "lambda")
COLOURS = ("auto", "always", "never")


class SettingsError(ValueError):
    """A setting is wrong; the message names its source, and what to do."""

    exit_status = USAGE

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}\n  correct it: docs/reference/settings.md lists the settings")


class Settings(NamedTuple):
    """The settings of a project. An option of the same name (with `-` for `_`) overrides a setting.

    `ours` and `theirs` are patterns of services and callees, `slow` is in nanoseconds (milliseconds in the file),
    `fail_if` has the gates, `from_` says where a request begins, `color` when to colour, and `ignore` has the rules
    that the doctor skips, `region` is AWS's for commands that call it.
    """

    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    slow: int | None = None
    fail_if: tuple[Gate, ...] = ()
    from_: str = "root"
    color: str = "auto"
    ignore: tuple[str, ...] = ()
    region: str | None = None


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that hold in the current folder; without `--quiet`, a parent's file is named on stderr."""
    return read_settings(Path.cwd(), note=(lambda _: None) if options.quiet else warn)


def read_settings(
    folder: Path, *, environ: Mapping[str, str] = os.environ, note: Callable[[str], object] = lambda _: None
) -> Settings:
    """The settings that hold in a folder; the defaults if there are none.

    The file is the folder's own or that of its nearest parent, up to the repository's root; `note` is told of a
    parent's, and of a variable that nothing reads. Variables (`LAMBDA_LATENCY_THEIRS`) override the file. Raises
    `SettingsError`.
    """
    folder = folder.resolve()
    found: dict[str, Any] = {}
    for one in (folder, *folder.parents):
        told = _told(one)
        if told is not None:
            shown = os.path.relpath(told[0], folder)
            if one != folder:
                note(f"settings of {shown}")
            found = _converted(told[1], shown)
            break
        if (one / ".git").exists():
            break
    for known in COMMAND:
        variable = variable_of(known.setting)
        value = environ.get(variable)
        if value:
            values = [part.strip() for part in value.split(known.separator)] if known.separator else value
            found |= _converted({known.setting: values}, variable)
    for name in environ:
        todo = unread_variable(name) if name.startswith(PREFIX) else None
        if todo is not None:
            note(f"nothing reads the variable {name}\n  {todo}")
    return Settings(**found)


def _told(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The file of settings in a folder and what it says; None if the folder has none."""
    own, project = folder / OWN, folder / PROJECT
    if own.is_file():
        return own, _read(own)
    if project.is_file():
        tool = _read(project).get("tool")
        found = tool.get("lambda-latency") if isinstance(tool, dict) else None
        return (project, found) if isinstance(found, dict) else None
    return None


def _read(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path.name} cannot be read: {error}") from error


def _converted(told: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The fields of `Settings` that a source sets."""
    found: dict[str, Any] = {}
    for name, value in told.items():
        read = READ.get(name)
        if name == "tool" and source.endswith(OWN):
            raise SettingsError(f"{source}: settings have no table here: remove the line [tool.lambda-latency]")
        if read is None:
            hint = did_you_mean(name, READ, f"known are {', '.join(READ)}")
            raise SettingsError(f"{source}: there is no setting {name!r}; {hint}")
        field = "from_" if name == "from" else name.replace("-", "_")
        try:
            found[field] = read(value)
        except (ValueError, argparse.ArgumentTypeError) as error:
            raise SettingsError(f"{source}: {name} {error}") from None
    return found


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
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"must be milliseconds, got {value!r:.60}")
    return ms(str(value))


def _region(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a region of AWS, such as eu-west-1, got {value!r:.60}")
    return region(value)


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
    "region": _region,
}
