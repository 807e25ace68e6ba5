"""The values of a template's parameters: from the command line, samconfig.toml, the default, or a placeholder."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lambda_latency.local.app.read.source import Source, TemplateError
from lambda_latency.local.errors import UsageError
from lambda_latency.template import ACCOUNT, nearest, placeholder

__all__ = ["ACCOUNT", "REGION", "as_text", "chosen_values", "parameter_values", "texts"]

REGION = "us-east-1"
NAME = re.compile(r"[A-Za-z0-9]+")
UNUSED = ("Parameters", "Metadata", "Rules")  # sections that name parameters and use none of their values


def parameter_values(
    source: Source, given: Mapping[str, str | None], folder: Path | None
) -> tuple[dict[str, str], list[str]]:
    """Each declared parameter's value, and a line for each placeholder that the template uses.

    `folder` has the samconfig.toml of the values; a nested template has none. A given value is None if the emulator
    passes it later: it gets a placeholder without a line.
    Raises `UsageError` for a parameter that is not declared or a value that is not allowed, and `TemplateError` if the
    declaration allows no placeholder.
    """
    declared: dict[str, Any] = source.raw.get("Parameters") or {}
    nodes = source.root.get("Parameters")
    environment, configured, chosen = _chosen(source, given, folder)
    values: dict[str, str] = {}
    used = set(
        NAME.findall(json.dumps({key: one for key, one in source.raw.items() if key not in UNUSED}, default=str))
    )
    notes = []
    if configured and environment != "default":
        notes.append(f"samconfig.toml has no environment 'default': parameters are those of {environment!r}")
    for name, one in declared.items():
        kind = str(one.get("Type", "String")) if isinstance(one, dict) else "String"
        looked_up = kind.startswith("AWS::SSM::Parameter::Value")
        if name in chosen:
            values[name] = chosen[name]
        elif isinstance(one, dict) and "Default" in one and not looked_up and name not in given:
            values[name] = as_text(one["Default"])
        else:
            node = nodes.get(name) if nodes is not None else None
            stand_in = placeholder(name, node) if node is not None else None
            if stand_in is None:
                todo = f"add --parameter {name}=VALUE"
                raise TemplateError([source.finding(("Parameters", name), f"parameter {name} has no Default", todo)])
            values[name] = stand_in
            if name in given or name not in used:
                continue
            why = "is in Parameter Store, which is not read" if looked_up else "has no Default"
            notes.append(f"parameter {name} {why}: its value is {stand_in!r} (--parameter {name}=VALUE)")
    return values, notes


def chosen_values(source: Source, given: Mapping[str, str | None], folder: Path | None) -> dict[str, str]:
    """The given values, and those of samconfig.toml: without defaults and placeholders."""
    return _chosen(source, given, folder)[2]


def _chosen(
    source: Source, given: Mapping[str, str | None], folder: Path | None
) -> tuple[str, dict[str, str], dict[str, str]]:
    declared: dict[str, Any] = source.raw.get("Parameters") or {}
    known = {name: value for name, value in given.items() if value is not None}
    for name, value in known.items():
        _check(name, value, declared, source.path)
    environment, overrides = _samconfig_overrides(folder) if folder is not None else ("default", {})
    configured = {name: value for name, value in overrides.items() if name in declared}
    return environment, configured, configured | known


def _samconfig_overrides(folder: Path) -> tuple[str, dict[str, str]]:
    """The `parameter_overrides` of `sam deploy` in a folder's samconfig.toml, with the name of their environment: of
    `default`, or without that, of the first one that has some.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        text = (folder / "samconfig.toml").read_text(encoding="utf-8")
        read: Any = tomlkit.parse(text).unwrap()
    except (OSError, UnicodeDecodeError, TOMLKitError):
        return "default", {}
    found = {name: _overrides(one) for name, one in read.items() if isinstance(one, dict)}
    first = next((name for name, one in found.items() if one), "default")
    name = "default" if "default" in found else first
    return name, found.get(name, {})


def _overrides(environment: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for command in ("global", "deploy"):
        written = environment.get(command, {}).get("parameters", {}).get("parameter_overrides", [])
        parts = shlex.split(written) if isinstance(written, str) else [str(part) for part in written]
        for part in parts:
            name, equals, value = part.partition("=")
            if equals:
                found[name] = value.strip("\"'")
    return found


def _check(name: str, value: str, declared: Mapping[str, Any], path: Path) -> None:
    if name not in declared:
        raise UsageError(f"{path} has no parameter {name}", nearest(name, list(declared), "it has no parameters"))
    allowed = declared[name].get("AllowedValues")
    if allowed and value not in map(as_text, allowed):
        what = f"{name} must be one of {', '.join(map(as_text, allowed))}, got {value!r}"
        raise UsageError(what, f"{path} allows no other value")


def as_text(value: Any) -> str:
    """A value as CloudFormation writes it: lists with commas, booleans in lower case."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def texts(value: Any) -> Any:
    """A value with its booleans as text."""
    if isinstance(value, dict):
        return {name: texts(one) for name, one in value.items()}
    if isinstance(value, list):
        return [texts(one) for one in value]
    return as_text(value) if isinstance(value, bool) else value
