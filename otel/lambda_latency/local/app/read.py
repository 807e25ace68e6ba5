"""Reads an app before it runs: its template, its nested templates, its functions and its APIs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lambda_latency.local.app.apis import Api, empty_api, function_url, read_apis
from lambda_latency.local.app.check import check
from lambda_latency.local.app.declared import Declared, Refused, declared_functions
from lambda_latency.local.app.direct import direct_routes, expanded
from lambda_latency.local.app.handlers import check_handlers
from lambda_latency.local.app.package import Packaged, package
from lambda_latency.local.app.parameters import as_text, parameter_values
from lambda_latency.local.app.plain import translated
from lambda_latency.local.app.samples import samples
from lambda_latency.local.app.source import Source, read_source
from lambda_latency.local.app.stack import Part
from lambda_latency.local.app.tokens import guards
from lambda_latency.local.app.unserved import unserved
from lambda_latency.local.sam import STACK

__all__ = ["App", "read_app"]


@dataclass(slots=True)
class App:
    """An app. `functions` are by key, with those of nested templates; `apis` have the prefix of their functions' keys;
    `notes` are lines for the user.
    """

    path: Path
    name: str
    part: Part
    functions: dict[str, Declared | Refused] = field(default_factory=dict)
    apis: list[tuple[str, Api]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """The folder of its template."""
        return self.path.resolve().parent

    def urls(self) -> Iterator[tuple[str, Api]]:
        """The function URLs, each with the key of its function."""
        for key, one in self.functions.items():
            if isinstance(one, Declared) and one.url:
                yield key, function_url(self.path, key, one.name)


def read_app(path: Path, given: Mapping[str, str], *, authorizers: bool = True) -> App:
    """Read a template and the files that it refers to. Without `authorizers`, every route is open.

    Raises `TemplateError` with all errors of the template, and `UsageError` for a parameter or value that it does not
    declare.
    """
    source = read_source(path)
    app = App(path, _stack_name(path), Part({}, {}))
    app.part = _read(app, source, given, "", authorizers)
    return app


def _read(app: App, source: Source, given: Mapping[str, str | None], prefix: str, authorizers: bool) -> Part:
    values, notes = parameter_values(source, given, None if prefix else app.root)
    check(source.path, source.root)
    packaged: Packaged = package(source, values)
    plain = translated(source, packaged.raw, values)
    direct = direct_routes(plain)
    plain = expanded(plain, authorizers=authorizers)
    without = [f"{one.route} is not served here: {one.why}" for one in direct if one.why]
    app.notes += [*source.notes, *notes, *packaged.notes, *without, *unserved(plain, prefix)]
    order = list(source.raw["Resources"])
    pseudo = {**STACK, "AWS::StackName": "-".join((app.name, *prefix.split("/")[:-1]))}
    declared = sorted(
        declared_functions(plain, packaged, pseudo | values, prefix), key=lambda one: _place(one.key, prefix, order)
    )
    found = {one.key: one for one in declared}
    check_handlers(source, declared, prefix)
    app.functions |= found
    apis = read_apis(source.path, packaged.raw, values, app.name, authorizers=authorizers)
    served = tuple(one for one in direct if not one.why)
    if isinstance(apis, str):
        app.notes.append(apis)
        apis = []
    elif served and not any(one.key in ("", served[0].api) for one in apis):
        apis.append(empty_api(source.path, app.name, is_http=all(one.is_http for one in served)))
    for api in apis:
        own = {key: one for key, one in plain["Resources"].items() if api.key in ("", key)}
        found_guards = guards({"Resources": own}) if authorizers else {}
        mine = tuple(one for one in served if api.key in ("", one.api))
        found_samples = samples({"Resources": own})
        app.apis.append((prefix, replace(api, guards=found_guards, direct=mine, samples=found_samples)))
        for name in sorted({one.name for one in found_guards.values()}):
            app.notes.append(f"{name}: tokens are read, their signatures are not verified")
    names = {key.removeprefix(prefix): one.name for key, one in found.items()}
    children = {}
    for name, child in packaged.children.items():
        passed = (packaged.raw["Resources"][name].get("Properties") or {}).get("Parameters") or {}
        wanted = child.raw.get("Parameters") or {}
        known = {key: _known(value, values) for key, value in passed.items() if key in wanted}
        children[name] = _read(app, child, known, f"{prefix}{name}/", authorizers)
    return Part(plain, names, children)


def _known(passed: Any, values: Mapping[str, str]) -> str | None:
    """The value that a nested template receives; None if only the emulator knows it, such as a resource's ARN."""
    if isinstance(passed, dict):
        return values.get(str(passed["Ref"])) if passed.keys() == {"Ref"} else None
    return as_text(passed)


def _place(key: str, prefix: str, order: list[str]) -> int:
    """A function's position in its template, because the translator changes the order."""
    logical = key.removeprefix(prefix)
    return order.index(logical) if logical in order else len(order)


def _stack_name(path: Path) -> str:
    """The name of the template's folder, changed to a valid name of a stack."""
    name = "".join(letter if letter.isalnum() else "-" for letter in path.resolve().parent.name).strip("-")
    return name if name[:1].isalpha() else f"app-{name}".rstrip("-")
