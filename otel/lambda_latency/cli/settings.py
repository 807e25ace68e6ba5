"""Settings of a project: a file of the folder or of the nearest parent, then variables; options override both."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from lambda_latency.cli.arguments import gate, ms, region
from lambda_latency.cli.exit_statuses import USAGE
from lambda_latency.cli.messages import warn
from lambda_latency.documentation import page_address
from lambda_latency.spelling import did_you_mean
from lambda_latency.variables import COMMAND, PREFIX, unread_variable, variable_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambda_latency.latency import AnalysisOptions, Gate

OWN_FILE = "lambda-latency.toml"
PROJECT_FILE = "pyproject.toml"


class SettingsError(ValueError):
    """A setting is wrong; the message names its source, and what to do."""

    exit_status = USAGE

    def __init__(self, message: str) -> None:
        super().__init__(f"{message}\n  correct it: {page_address('reference/settings')} lists the settings")


class ProjectSettings(NamedTuple):
    """The settings of a project. An option of the same name (with `-` for `_`) overrides a setting.

    `ours` and `theirs` are patterns of services and callees, `slow` is in nanoseconds (milliseconds in the file),
    `fail_if` has the gates, `from_` says where a request begins, `color` when to colour, and `ignore` has the rules
    that the doctor skips; `region` is AWS's for commands that call it. `clock_skew` says whether clock differences
    between services are corrected, `instrument` how the local system traces functions that do not start OpenTelemetry
    themselves (None: as `kit`), and `authorizers` whether it asks the Lambda authorizers.
    """

    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    slow: int | None = None
    fail_if: tuple[Gate, ...] = ()
    from_: str = "root"
    color: str = "auto"
    ignore: tuple[str, ...] = ()
    region: str | None = None
    clock_skew: str = "correct"
    instrument: Literal["kit", "layer", "none"] | None = None
    authorizers: str = "on"


def settings_of(options: argparse.Namespace) -> ProjectSettings:
    """Return the settings that hold in the current folder; without `--quiet`, a parent's file is named on stderr."""
    is_quiet = getattr(options, "quiet", False)
    return read_settings(Path.cwd(), note=(lambda _: None) if is_quiet else warn)


def add_settings(options: argparse.Namespace) -> None:
    """Make each setting the default of its option."""
    for name, value in settings_of(options)._asdict().items():
        if getattr(options, name, None) is None:
            setattr(options, name, value)


def analysis_options_of(options: argparse.Namespace) -> AnalysisOptions:
    """Return the ownership settings of a report with these options, after `add_settings`."""
    from lambda_latency.latency import AnalysisOptions, Owners
    from lambda_latency.trace import View

    view = View(skew=options.clock_skew == "correct", from_lambda=options.from_ == "lambda")
    return AnalysisOptions(view, Owners(tuple(options.ours), tuple(options.theirs)))


def read_settings(
    folder: Path, *, environ: Mapping[str, str] = os.environ, note: Callable[[str], object] = lambda _: None
) -> ProjectSettings:
    """Return the settings that hold in a folder; the defaults if there are none.

    The file is the folder's own or that of its nearest parent, up to the repository's root; `note` reports a parent's,
    and a variable that nothing reads. Variables (`LAMBDA_LATENCY_THEIRS`) override the file. Raises `SettingsError`.
    """
    fields = _file_settings(folder.resolve(), note) | _variable_settings(environ)
    for name in environ:
        todo = unread_variable(name) if name.startswith(PREFIX) else None
        if todo is not None:
            note(f"nothing reads the variable {name}\n  {todo}")
    return ProjectSettings(**fields)


def _file_settings(folder: Path, note: Callable[[str], object]) -> dict[str, Any]:
    for candidate in (folder, *folder.parents):
        path, table = _table_in(candidate)
        if table is not None:
            shown = os.path.relpath(path, folder)
            if candidate != folder:
                note(f"settings of {shown}")
            return _converted(table, shown)
        if (candidate / ".git").exists():
            break
    return {}


def _variable_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for setting in COMMAND:
        variable = variable_of(setting.setting)
        value = environ.get(variable)
        if value:
            values = [part.strip() for part in value.split(setting.separator)] if setting.separator else value
            fields |= _converted({setting.setting: values}, variable)
    return fields


def _table_in(folder: Path) -> tuple[Path, dict[str, Any] | None]:
    """Return the file of settings in a folder and its settings; None if it has none."""
    own_file, project_file = folder / OWN_FILE, folder / PROJECT_FILE
    if own_file.is_file():
        return own_file, _read(own_file)
    if not project_file.is_file():
        return project_file, None
    tool = _read(project_file).get("tool")
    table = tool.get("lambda-latency") if isinstance(tool, dict) else None
    return project_file, table if isinstance(table, dict) else None


def _read(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return document
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path.name} cannot be read: {error}") from error


def _converted(table: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return the fields of `Settings` that a source sets."""
    fields: dict[str, Any] = {}
    for name, value in table.items():
        convert = READ.get(name)
        if name == "tool" and source.endswith(OWN_FILE):
            raise SettingsError(f"{source}: settings have no table here: remove the line [tool.lambda-latency]")
        if convert is None:
            hint = did_you_mean(name, READ, f"known are {', '.join(READ)}")
            raise SettingsError(f"{source}: there is no setting {name!r}; {hint}")
        field = "from_" if name == "from" else name.replace("-", "_")
        try:
            fields[field] = convert(value)
        except (ValueError, argparse.ArgumentTypeError) as error:
            raise SettingsError(f"{source}: {name} {error}") from None
    return fields


def _gates(value: object) -> tuple[Gate, ...]:
    return tuple(map(gate, _list_of("conditions", "p95 > 800ms")(value)))


def _list_of(kind: str, example: str) -> Callable[[object], tuple[str, ...]]:
    def read(value: object) -> tuple[str, ...]:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
            raise ValueError(f'must be a list of {kind}, such as ["{example}"], got {value!r:.60}')
        return tuple(texts)

    return read


def _ms(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"must be milliseconds, got {value!r:.60}")
    return ms(str(value))


def _region(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a region of AWS, such as eu-west-1, got {value!r:.60}")
    return region(value)


def _one_of(*names: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in names:
            raise ValueError(f"must be one of {', '.join(names)}, got {value!r:.60}")
        return str(value)

    return read


# The function that converts the value of each setting; it raises ValueError for an invalid value.
READ: dict[str, Callable[[object], Any]] = {
    "ours": _list_of("patterns", "payments*"),
    "theirs": _list_of("patterns", "payments*"),
    "slow": _ms,
    "fail-if": _gates,
    "from": _one_of("root", "lambda"),
    "color": _one_of("auto", "always", "never"),
    "ignore": _list_of("rules", "layer-old"),
    "region": _region,
    "clock-skew": _one_of("correct", "keep"),
    "instrument": _one_of("kit", "layer", "none"),
    "authorizers": _one_of("on", "off"),
}
