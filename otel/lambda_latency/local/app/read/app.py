"""Reads an app before it runs: its template, its nested templates, its functions and its APIs."""

from __future__ import annotations

import contextlib
import importlib.util
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from lambda_latency.local.app.prepare.make import BUILT
from lambda_latency.local.app.read.apis import Api, Route, read_apis, unserved
from lambda_latency.local.app.read.bodies import expanded
from lambda_latency.local.app.read.decided import NOT_CREATED, decide, resolved, translated
from lambda_latency.local.app.read.declared import Declared, Refused, checked, declared_functions
from lambda_latency.local.app.read.definitions import Fields, mapping, of_type
from lambda_latency.local.app.read.inclusion import REPOSITORY, Packaged, package
from lambda_latency.local.app.read.parameters import (
    ACCOUNT,
    REGION,
    as_text,
    chosen_values,
    configured_stack_name,
    parameter_values,
)
from lambda_latency.local.app.read.source import SamFile, TemplateError, read_source
from lambda_latency.local.app.stack.resources import StackTemplate
from lambda_latency.local.errors import UsageError
from lambda_latency.template import Diagnostic, YamlNode, check_template

STACK_TEMPLATE = ".template.json"  # the end of CDK's templates
PACKAGE = ".serverless"  # the Serverless Framework's folder
# The address of the API that `lambda_latency.local.provider` emulates
PAYMENTS = "PAYMENTS_URL"
# cfn-lint is a dependency of the SAM CLI. Importing it would take a second.
LISTED = Path("data", "schemas", "providers", "us-east-1.json")


@dataclass(slots=True)
class LocalApp:
    """An app. `functions` are by key, with those of nested templates; `apis` end with the functions' URLs; `missing`
    are findings about nested templates that are not there, `notes` lines for the user. Without `authorizers`, every
    route is open. `is_built` says that `path` is the template of `sam build`.
    """

    path: Path
    name: str
    part: StackTemplate
    functions: dict[str, Declared | Refused] = field(default_factory=dict)
    apis: list[Api] = field(default_factory=list)
    missing: list[Diagnostic] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    authorizers: bool = True
    is_built: bool = False

    @property
    def root(self) -> Path:
        """The folder of its template; for a built one, that of the template that was built."""
        path = self.path.resolve()
        return path.parents[len(BUILT.parts) - 1] if self.is_built else path.parent

    @property
    def declared(self) -> list[Declared]:
        """The functions that may run here."""
        return [function for function in self.functions.values() if isinstance(function, Declared)]

    @property
    def is_traced(self) -> bool:
        """Whether no stage turns tracing off; otherwise a request is traced only if its caller traces it."""
        return all(api.is_traced for api in self.apis)

    @property
    def calls_payments(self) -> bool:
        """Whether a function calls the payments API that this machine has a fake of."""
        return any(PAYMENTS in function.variables for function in self.declared)

    @property
    def sampling(self) -> tuple[int, float] | None:
        """The requests per second and the share of the others that the first sampling rule traces; None without one."""
        for _, declared in of_type(self.part.plain["Resources"], "AWS::XRay::SamplingRule"):
            rule = mapping(declared.get("SamplingRule"))
            with contextlib.suppress(KeyError, TypeError, ValueError):
                return int(rule["ReservoirSize"]), float(rule["FixedRate"])
        return None


def read_app(path: Path, parameters: Mapping[str, str], *, authorizers: bool = True, built: bool = False) -> LocalApp:
    """Read a template and the files that it refers to. Without `authorizers`, every route is open; `built` reads what
    `sam build` has made of it.

    A function whose code or handler is not there, and a nested template that is not, are left out. Raises
    `TemplateError` with all errors of the template, also if that leaves no function, and `UsageError` for a parameter
    or value that it does not declare.
    """
    template = path.parent / BUILT if built else path
    if built and not template.exists():
        raise UsageError(f"{template} is not there", "run `sam build` first (the example: make build)")
    source = read_source(template)
    name = configured_stack_name(path.parent) or _stack_name(path)
    app = LocalApp(template, name, StackTemplate({}, {}), authorizers=authorizers, is_built=built)
    app.part = _read(app, source, parameters, "")
    names = {function.name: key for key, function in app.functions.items()}
    app.apis = [api.with_functions(names) for api in app.apis]
    for key, function in app.functions.items():
        if isinstance(function, Declared) and function.url:
            app.apis.append(Api(key, "url", routes={"ANY $default": Route(key, is_signed=function.url == "AWS_IAM")}))
    refused = [f for f in app.functions.values() if isinstance(f, Refused)]
    missing = app.missing + [function.finding for function in refused if function.finding]
    if missing and len(refused) == len(app.functions):
        raise TemplateError(missing)
    return app


def _read(app: LocalApp, source: SamFile, parameters: Mapping[str, str | None], prefix: str) -> StackTemplate:
    """Read one template: add its functions, APIs and notes to the app, with those of its nested templates."""
    folder = None if prefix else app.root
    values, notes = parameter_values(source, parameters, folder)
    check(source.path, source.root)
    later = {name for name, value in parameters.items() if value is None}
    decided = decide(source, chosen_values(source, parameters, folder), later)
    packaged: Packaged = package(replace(source, raw=decided.raw), values)
    early = {name: value for name, value in values.items() if name not in later}
    defined = resolved(translated(source, packaged.raw, values), early)
    plain = expanded(defined, authorizers=app.authorizers)
    app.notes += [*source.notes, *notes, *decided.notes, *packaged.notes, *unserved(plain, prefix)]
    for name, finding in packaged.missing.items():
        if str(packaged.raw["Resources"][name].get("Type")) == REPOSITORY:
            app.missing.append(finding)
            app.notes.append(f"{prefix}{name} is left out: {finding}")
    stack_name = {"AWS::StackName": "-".join((app.name, *prefix.split("/")[:-1]))}
    functions = [*declared_functions(resolved(plain, stack_name | values), packaged, prefix)]
    functions += [Refused(prefix + name, prefix + name, NOT_CREATED) for name in decided.gone]
    names = _add_functions(app, source, functions, prefix)
    order = [prefix + name for name in source.raw["Resources"]]
    apis = read_apis(defined["Resources"], plain, prefix)
    # SAM's own ones, which no resource declares, are the first.
    app.apis += sorted(apis, key=lambda api: order.index(api.key) if api.key in order else -1)
    return _with_children(app, StackTemplate(plain, names, {}), packaged.children, values, prefix)


def _with_children(
    app: LocalApp, parent: StackTemplate, sources: Mapping[str, SamFile], values: Mapping[str, str], prefix: str
) -> StackTemplate:
    """Read the nested templates of a template whose parameters have these values."""
    children: dict[str, StackTemplate] = {}
    parent = replace(parent, children=children)  # a child may receive the outputs of one that is read before it
    passed = {name: parent.properties(name).get("Parameters") or {} for name in sources}
    for name in _sources_first(passed):
        declared = sources[name].raw.get("Parameters") or {}
        received = {key: _known(value, values, parent) for key, value in passed[name].items() if key in declared}
        children[name] = _read(app, sources[name], received, f"{prefix}{name}/")
    return parent


def _add_functions(
    app: LocalApp, source: SamFile, functions: Iterable[Declared | Refused], prefix: str
) -> dict[str, str]:
    """Add the functions in the order of their template, which the translator changes; their names by logical id."""
    names = {}
    order = list(source.raw["Resources"])
    logical_ids = {function.key.removeprefix(prefix): function for function in functions}
    for logical in sorted(logical_ids, key=lambda name: order.index(name) if name in order else len(order)):
        function = logical_ids[logical]
        if app.is_built and isinstance(function, Declared):
            function = function.as_built()
        app.functions[function.key] = checked(source, function, prefix)
        names[logical] = function.name
    return names


def _sources_first(passed: Mapping[str, Fields]) -> list[str]:
    """Return the names of nested templates in their order, but each after those whose outputs it receives."""
    ordered: dict[str, None] = {}

    def add(name: str, waiting: tuple[str, ...]) -> None:
        for source, _ in map(_attribute, passed[name].values()):
            if source in passed and source not in waiting:
                add(source, (*waiting, source))
        ordered[name] = None

    for name in passed:
        add(name, (name,))
    return [*ordered]


def _known(passed: Any, values: Mapping[str, str], part: StackTemplate) -> str | None:
    """The value that a nested template receives; None if only the emulator knows it, such as a table's ARN. `part` is
    the template that passes it; the names and ARNs of its functions, and of those in its nested templates, are known.
    """
    if not isinstance(passed, dict):
        return as_text(passed)
    if passed.keys() == {"Ref"}:
        return part.names.get(str(passed["Ref"]), values.get(str(passed["Ref"])))
    name, attribute = _attribute(passed)
    if name in part.names and attribute == "Arn":
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{part.names[name]}"
    if name in part.children:
        child = part.children[name]
        output = (child.plain.get("Outputs") or {}).get(attribute.removeprefix("Outputs."))
        return _known(output.get("Value"), {}, child) if isinstance(output, dict) else None
    return None


def _attribute(value: Any) -> tuple[str, str]:
    """Return the resource and the attribute that an `Fn::GetAtt` names; both empty for another value."""
    written = mapping(value).get("Fn::GetAtt")
    name, _, attribute = ".".join(map(str, written if isinstance(written, list) else ())).partition(".")
    return name, attribute


def _stack_name(path: Path) -> str:
    """Return the name of the template's folder, changed to a valid name of a stack; of CDK's template, its own."""
    folder = path.resolve().parent
    name = folder.parent.name if folder.name == PACKAGE else folder.name
    if path.name.endswith(STACK_TEMPLATE):
        name = path.name.removesuffix(STACK_TEMPLATE)
    name = "".join(letter if letter.isalnum() else "-" for letter in name).strip("-")
    return name if name[:1].isalpha() else f"app-{name}".rstrip("-")


def check(path: Path, root: YamlNode) -> None:
    """Raises `TemplateError` with all names of a template that are not defined."""
    findings = check_template(str(path), root, resource_types())
    if findings:
        raise TemplateError(list(findings))


@cache
def resource_types() -> frozenset[str]:
    """CloudFormation's resource types, from cfn-lint's list; empty without cfn-lint or its list."""
    package = importlib.util.find_spec("cfnlint")
    if package is None or package.origin is None:
        return frozenset()
    try:
        return frozenset(json.loads((Path(package.origin).parent / LISTED).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return frozenset()
