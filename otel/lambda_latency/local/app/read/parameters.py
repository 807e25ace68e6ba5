"""The values of a template's parameters: from the command line, samconfig.toml, the default, or a placeholder."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lambda_latency.local.app.read.definitions import mapping
from lambda_latency.local.app.read.source import SamFile, TemplateError
from lambda_latency.local.errors import UsageError
from lambda_latency.template import ACCOUNT, nearest, placeholder

__all__ = ["ACCOUNT", "REGION", "as_text", "chosen_values", "parameter_values", "texts", "walk"]

REGION = "us-east-1"
Arguments = Mapping[str, str | None]  # by the names of parameters
NAME = re.compile(r"[A-Za-z0-9]+")
# Sections that name parameters and use none of their values
UNUSED = ("Parameters", "Metadata", "Rules")
COMMANDS = ("global", "deploy")  # tables of samconfig.toml with the values of `sam deploy`


def parameter_values(source: SamFile, arguments: Arguments, folder: Path | None) -> tuple[dict[str, str], list[str]]:
    """Return each declared parameter's value, and a line for each placeholder that the template uses.

    `folder` has the samconfig.toml of the values; a nested template has none. A given value is None if the emulator
    passes it later: it gets a placeholder without a line.
    Raises `UsageError` for a parameter that is not declared or a value that is not allowed, and `TemplateError` if the
    declaration allows no placeholder.
    """
    declared: dict[str, Any] = source.raw.get("Parameters") or {}
    environment, configured, chosen = _chosen(source, arguments, folder)
    values: dict[str, str] = {}
    using = {key: section for key, section in source.raw.items() if key not in UNUSED}
    used = set(NAME.findall(json.dumps(using, default=str)))
    notes = []
    if configured and environment != "default":
        notes.append(f"samconfig.toml has no environment 'default': parameters are those of {environment!r}")
    for name, parameter in declared.items():
        declaration = parameter if isinstance(parameter, dict) else {}
        looked_up = str(declaration.get("Type", "String")).startswith("AWS::SSM::Parameter::Value")
        if name in chosen:
            values[name] = chosen[name]
        elif "Default" in declaration and not looked_up and name not in arguments:
            values[name] = as_text(declaration["Default"])
        else:
            values[name] = _placeholder(source, name)
            if name in used and name not in arguments:
                why = "is in Parameter Store, which is not read" if looked_up else "has no Default"
                notes.append(f"parameter {name} {why}: its value is {values[name]!r} (--parameter {name}=VALUE)")
    return values, notes


def _placeholder(source: SamFile, name: str) -> str:
    nodes = source.root.get("Parameters")
    node = nodes.get(name) if nodes is not None else None
    value = placeholder(name, node) if node is not None else None
    if value is None:
        todo = f"add --parameter {name}=VALUE"
        raise TemplateError([source.finding(("Parameters", name), f"parameter {name} has no Default", todo)])
    return value


def chosen_values(source: SamFile, arguments: Arguments, folder: Path | None) -> dict[str, str]:
    """Return the given values, and those of samconfig.toml: without defaults and placeholders."""
    return _chosen(source, arguments, folder)[2]


def _chosen(source: SamFile, arguments: Arguments, folder: Path | None) -> tuple[str, dict[str, str], dict[str, str]]:
    declared: dict[str, Any] = source.raw.get("Parameters") or {}
    early = {name: value for name, value in arguments.items() if value is not None}
    for name, value in early.items():
        _check(name, value, declared, source.path)
    environment, table = _environment(folder) if folder is not None else ("default", {})
    configured = {name: value for name, value in _overrides(table).items() if name in declared}
    return environment, configured, configured | early


def configured_stack_name(folder: Path) -> str:
    """Return the name of the stack in a folder's samconfig.toml; empty without one."""
    _, table = _environment(folder)
    names = (mapping(mapping(table.get(command)).get("parameters")).get("stack_name") for command in COMMANDS)
    return next((name for name in names if isinstance(name, str)), "")


def _environment(folder: Path) -> tuple[str, Mapping[str, Any]]:
    """Return the name and the table of an environment in a folder's samconfig.toml: of `default`, or without that, of
    the first one that has `parameter_overrides`.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        text = (folder / "samconfig.toml").read_text(encoding="utf-8")
        tables: Any = tomlkit.parse(text).unwrap()
    except (OSError, UnicodeDecodeError, TOMLKitError):
        return "default", {}
    environments = {name: table for name, table in tables.items() if isinstance(table, dict)}
    configured = next((name for name, table in environments.items() if _overrides(table)), "default")
    name = "default" if "default" in environments else configured
    return name, environments.get(name, {})


def _overrides(environment: Mapping[str, Any]) -> dict[str, str]:
    overrides: dict[str, str] = {}
    for command in COMMANDS:
        parameters = mapping(mapping(environment.get(command)).get("parameters"))
        for part in _words(parameters.get("parameter_overrides")):
            name, equals, value = part.partition("=")
            if equals:
                overrides[name] = value.strip("\"'")
    return overrides


def _words(written: Any) -> list[str]:
    """Return the words of a list or of a text, as in a shell; none of a value that the SAM CLI refuses."""
    if isinstance(written, list):
        return [str(part) for part in written]
    try:
        return shlex.split(written) if isinstance(written, str) else []
    except ValueError:  # a quote that is not closed
        return []


def _check(name: str, value: str, declared: Mapping[str, Any], path: Path) -> None:
    if name not in declared:
        raise UsageError(f"{path} has no parameter {name}", nearest(name, list(declared), "it has no parameters"))
    allowed = declared[name].get("AllowedValues")
    if allowed and value not in map(as_text, allowed):
        message = f"{name} must be one of {', '.join(map(as_text, allowed))}, got {value!r}"
        raise UsageError(message, f"{path} allows no other value")


def as_text(value: Any) -> str:
    """Return a value as CloudFormation writes it: lists with commas, booleans in lower case."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def texts(value: Any) -> Any:
    """Return a value with its booleans as text."""
    return walk(value, lambda part: as_text(part) if isinstance(part, bool) else part)


def walk(value: Any, changed: Callable[[Any], Any]) -> Any:
    """Return a copy of a value with `changed` applied to every part, the outer parts first."""
    value = changed(value)
    if isinstance(value, dict):
        return {name: walk(part, changed) for name, part in value.items()}
    return [walk(part, changed) for part in value] if isinstance(value, list) else value
