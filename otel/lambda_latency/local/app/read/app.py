"""Reads an app before it runs: its template, its nested templates, its functions and its APIs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lambda_latency.local.app.prepare.artifacts import BUILT
from lambda_latency.local.app.read.apis import Api, empty_api, function_url, read_apis
from lambda_latency.local.app.read.contracts import contracts
from lambda_latency.local.app.read.decided import CONDITIONS, decide, resolved
from lambda_latency.local.app.read.declared import Declared, Refused, declared_functions
from lambda_latency.local.app.read.example import calls_payments
from lambda_latency.local.app.read.handlers import checked
from lambda_latency.local.app.read.inclusion import REPOSITORY, Packaged, package
from lambda_latency.local.app.read.parameters import ACCOUNT, REGION, as_text, chosen_values, parameter_values
from lambda_latency.local.app.read.samples import samples
from lambda_latency.local.app.read.source import Source, TemplateError, read_source
from lambda_latency.local.app.read.translation import translated
from lambda_latency.local.app.read.undefined_names import check
from lambda_latency.local.app.read.unserved import unserved
from lambda_latency.local.app.stack.resources import Part
from lambda_latency.local.cloud.service_routes import UNKNOWN, direct_routes, expanded
from lambda_latency.local.errors import UsageError
from lambda_latency.local.gateway.tokens import guards
from lambda_latency.template import Finding

STACK_TEMPLATE, PACKAGE = (
    ".template.json",
    ".serverless",
)  # the end of CDK's templates, the Serverless Framework's folder


@dataclass(slots=True)
class App:
    """An app. `functions` are by key, with those of nested templates; `apis` have the prefix of their functions' keys;
    `missing` are findings about nested templates that are not there, `notes` lines for the user. Without
    `authorizers`, every route is open. `parameters` are those given or configured. `is_built` says that `path` is the
    template of `sam build`; `is_example`, that stand-ins replace what the app calls (the packaged example).
    """

    path: Path
    name: str
    part: Part
    functions: dict[str, Declared | Refused] = field(default_factory=dict)
    apis: list[tuple[str, Api]] = field(default_factory=list)
    missing: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    authorizers: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict)
    is_built: bool = False
    is_example: bool = False

    @property
    def root(self) -> Path:
        """The folder of its template; for a built one, that of the template that was built."""
        path = self.path.resolve()
        return path.parents[len(BUILT.parts) - 1] if self.is_built else path.parent

    def function_key(self, prefix: str, function: str) -> str:
        """The key of the function that a route names, by its logical id or, in another stack, by its name."""
        own = prefix + function
        if own in self.functions:
            return own
        return next((key for key, one in self.functions.items() if one.name == function), own)

    def urls(self) -> Iterator[tuple[str, Api]]:
        """The function URLs, each with the key of its function."""
        for key, one in self.functions.items():
            if isinstance(one, Declared) and one.url:
                yield key, function_url(self.path, key, one.name, signed=self.authorizers and one.url == "AWS_IAM")


def read_app(path: Path, given: Mapping[str, str], *, authorizers: bool = True, built: bool = False) -> App:
    """Read a template and the files that it refers to. Without `authorizers`, every route is open; `built` reads what
    `sam build` has made of it.

    A function whose code or handler is not there, and a nested template that is not, are left out. Raises
    `TemplateError` with all errors of the template, also if that leaves no function, and `UsageError` for a parameter
    or value that it does not declare.
    """
    own = path.parent / BUILT if built else path
    if built and not own.exists():
        raise UsageError(f"{own} is not there", "run `sam build` first (the example: make build)")
    source = read_source(own)
    name = _stack_name(path)
    app = App(own, name, Part({}, {}), authorizers=authorizers, is_built=built)
    app.parameters = chosen_values(source, given, app.root)
    app.is_example = calls_payments(source)
    app.part = _read(app, source, given, "", authorizers)
    missing = [
        *app.missing,
        *(one.finding for one in app.functions.values() if isinstance(one, Refused) and one.finding),
    ]
    if missing and not any(isinstance(one, Declared) for one in app.functions.values()):
        raise TemplateError(missing)
    return app


def _read(app: App, source: Source, given: Mapping[str, str | None], prefix: str, authorizers: bool) -> Part:
    folder = None if prefix else app.root
    values, notes = parameter_values(source, given, folder)
    check(source.path, source.root)
    later = {name for name, value in given.items() if value is None}
    decided = decide(source, chosen_values(source, given, folder), later)
    packaged: Packaged = package(replace(source, raw=decided.raw), values)
    own = {name: value for name, value in values.items() if name not in later}
    plain = resolved(translated(source, packaged.raw, values), own)
    direct = direct_routes(plain)
    plain = expanded(plain, authorizers=authorizers)
    app.notes += [*source.notes, *notes, *decided.notes, *packaged.notes, *unserved(plain, prefix)]
    order = list(source.raw["Resources"])
    for name, one in packaged.missing.items():
        if str(packaged.raw["Resources"][name].get("Type")) == REPOSITORY:
            app.missing.append(one)
            app.notes.append(f"{prefix}{name} is left out: {one}")
    named = {"AWS::StackName": "-".join((app.name, *prefix.split("/")[:-1]))}
    functions = [*declared_functions(resolved(plain, named | values), packaged, prefix), *decided.refused(prefix)]
    declared = sorted(functions, key=lambda one: _place(one.key, prefix, order))
    if app.is_built:
        declared = [one.as_built() if isinstance(one, Declared) else one for one in declared]
    found = {one.key: checked(source, one, prefix) for one in declared}
    app.functions |= found
    elsewhere = [one for one in direct if one.why != UNKNOWN]
    decisions = resolved(packaged.raw, values, CONDITIONS)
    read = read_apis(source.path, decisions, values, app.name, elsewhere, authorizers=authorizers)
    routes = {route for one in read if isinstance(one, Api) for route in one.template.routes}
    app.notes += [
        f"{one.route} {'may not be' if one.why == UNKNOWN else 'is not'} served here: {one.why}"
        for one in direct
        if one.why and not (one.why == UNKNOWN and (one.is_among(routes) or _is_told(one.route, read)))
    ]
    served = tuple(one for one in direct if not one.why)
    app.notes += [one for one in read if isinstance(one, str)]
    apis = [one for one in read if isinstance(one, Api)]
    if served and len(apis) == len(read) and not any(one.owns(served[0].api) for one in apis):
        rest = frozenset(key for key in plain["Resources"] if not any(one.owns(key) for one in apis))
        api = empty_api(source.path, app.name, is_http=all(one.is_http for one in served))
        apis.append(replace(api, only=rest))
    for api in apis:
        own = {key: one for key, one in plain["Resources"].items() if api.owns(key)}
        found_guards = guards({"Resources": own}) if authorizers else {}
        mine = tuple(one for one in served if api.owns(one.api))
        checked_of = contracts({"Resources": own}, authorizers=authorizers)
        found_samples = samples({"Resources": own})
        complete = replace(api, guards=found_guards, contracts=checked_of, direct=mine, samples=found_samples)
        app.apis.append((prefix, complete))
        for name in sorted({one.name for one in found_guards.values()}):
            app.notes.append(f"{name}: tokens are read, their signatures are not verified")
    children: dict[str, Part] = {}
    part = Part(plain, {key.removeprefix(prefix): one.name for key, one in found.items()}, children)
    passed = {name: part.properties(name).get("Parameters") or {} for name in packaged.children}
    for name in _sources_first(passed):
        child = packaged.children[name]
        wanted = child.raw.get("Parameters") or {}
        known = {key: _known(value, values, part) for key, value in passed[name].items() if key in wanted}
        children[name] = _read(app, child, known, f"{prefix}{name}/", authorizers)
    return part


def _is_told(route: str, read: Iterable[object]) -> bool:
    return any(str(one).startswith(f"{route} is not served here:") for one in read)


def _sources_first(passed: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The names of nested templates in their order, but each after those whose outputs it receives."""
    ordered: dict[str, None] = {}

    def add(name: str, waiting: tuple[str, ...]) -> None:
        for source, _ in map(_attribute, passed[name].values()):
            if source in passed and source not in waiting:
                add(source, (*waiting, source))
        ordered[name] = None

    for name in passed:
        add(name, (name,))
    return [*ordered]


def _known(passed: Any, values: Mapping[str, str], part: Part) -> str | None:
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
    """The resource and the attribute that an `Fn::GetAtt` names; both empty for another value."""
    written = value.get("Fn::GetAtt") if isinstance(value, dict) else None
    name, _, attribute = ".".join(map(str, written)).partition(".") if isinstance(written, list) else ("", "", "")
    return name, attribute


def _place(key: str, prefix: str, order: list[str]) -> int:
    """A function's position in its template, because the translator changes the order."""
    logical = key.removeprefix(prefix)
    return order.index(logical) if logical in order else len(order)


def _stack_name(path: Path) -> str:
    """The name of the template's folder, changed to a valid name of a stack; of CDK's template, its own."""
    folder = path.resolve().parent
    own = path.name.removesuffix(STACK_TEMPLATE)
    name = own if own != path.name else folder.parent.name if folder.name == PACKAGE else folder.name
    name = "".join(letter if letter.isalnum() else "-" for letter in name).strip("-")
    return name if name[:1].isalpha() else f"app-{name}".rstrip("-")
