"""Completes a template from the files beside it: included files, definitions, nested templates, code.

This is `sam package` without S3. Values that only an account has (exports of other stacks, dynamic references) get a
placeholder, which is printed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambda_latency.local.app.read.adjacent_files import Beside, is_local
from lambda_latency.local.app.read.contents import Content, Contents
from lambda_latency.local.app.read.dynamic_references import own_values, resolved, wait_for
from lambda_latency.local.app.read.parameters import texts
from lambda_latency.local.app.read.route_paths import root_paths
from lambda_latency.local.app.read.source import Source, TemplateError, read_source
from lambda_latency.template import Finding

DEFINITIONS = {
    "AWS::ApiGateway::RestApi": ("BodyS3Location", "Body"),
    "AWS::ApiGatewayV2::Api": ("BodyS3Location", "Body"),
    "AWS::Serverless::Api": ("DefinitionUri", "DefinitionBody"),
    "AWS::Serverless::HttpApi": ("DefinitionUri", "DefinitionBody"),
    "AWS::Serverless::StateMachine": ("DefinitionUri", "Definition"),
}
BUILT, SOURCES = ".aws-sam/build/template.yaml", ("template.yaml", "template.yml")
APPLICATION, REPOSITORY = "AWS::Serverless::Application", "AWS::ServerlessRepo::Application"
STACK = "AWS::CloudFormation::Stack"
CHILDREN = {APPLICATION: "Location", STACK: "TemplateURL"}
VERSIONS = ("AuthorizerPayloadFormatVersion", "authorizerPayloadFormatVersion", "PayloadFormatVersion")
# Numbers and booleans in these are texts in CloudFormation.
TEXTS = ("AllowedValues", "Fn::Join", "Parameters", "Variables")


@dataclass(slots=True)
class Packaged:
    """A completed template. `raw` refers to no file; `codes` and `layers` have contents by logical id, `missing` the
    findings about functions whose code is not there, and nested templates that are not, `children` the nested
    templates, `notes` the lines for the user.
    """

    raw: dict[str, Any]
    codes: dict[str, Content] = field(default_factory=dict)
    layers: dict[str, Content] = field(default_factory=dict)
    missing: dict[str, Finding] = field(default_factory=dict)
    children: dict[str, Source] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def package(source: Source, values: Mapping[str, str]) -> Packaged:
    """Complete a template with the values of its parameters.

    Missing code is a finding about its function. Raises `TemplateError` if an included file is missing or invalid.
    """
    done = Packaged(copy.deepcopy(source.raw))
    for name, declared in (done.raw.get("Parameters") or {}).items():
        declared["Default"] = values[name]
        kind = str(declared.get("Type", "String"))
        if kind.startswith("AWS::"):  # a plain type: `values` has the value, not a name to look up
            declared["Type"] = "CommaDelimitedList" if "List<" in kind else "String"
    own = own_values(done.raw)
    work = _Work(Beside(source), done, own.keys())
    done.raw = _walk(done.raw, work.completed)
    wait_for(own, done.raw)
    if work.imports:
        what = f"{work.imports} values are exported by other stacks"
        done.notes.append(f"{what}: the value of each is the name of its export")
    globals_ = (done.raw.get("Globals") or {}).get("Function") or {}
    default = {"CodeUri": globals_.pop("CodeUri", "."), "Runtime": globals_.get("Runtime")}
    contents = Contents(work.beside, default, done.codes, done.layers, done.missing)
    for name, resource in done.raw["Resources"].items():
        if isinstance(resource, dict):
            if not isinstance(resource.get("Properties"), dict):
                resource["Properties"] = {}
            contents.record(name, resource)
            work.resource(name, resource)
            root_paths(resource["Properties"])
    if work.found:
        raise TemplateError(work.found)
    return done


@dataclass(slots=True)
class _Work:
    """The state during the packaging of a template. `found` has its errors."""

    beside: Beside
    done: Packaged
    own: Collection[str]  # names of the template's own parameters and secrets, which the emulator resolves
    found: list[Finding] = field(default_factory=list)
    imports: int = 0

    def completed(self, value: Any) -> Any:
        """A value with included files inserted, and with placeholders for values that only an account has."""
        if isinstance(value, str):
            return resolved(value, self.own, self.done.notes)
        if not isinstance(value, dict):
            return value
        included = value.get("Fn::Transform") or value.get("Transform")
        if isinstance(included, dict) and included.get("Name") == "AWS::Include":
            rest = {name: one for name, one in value.items() if name not in ("Fn::Transform", "Transform")}
            return {**self._file((included.get("Parameters") or {}).get("Location"), ("Resources",)), **rest}
        if "Fn::ImportValue" in value and len(value) == 1:
            self.imports += 1
            return value["Fn::ImportValue"]
        # The parameters of a state machine's state keep their types.
        as_text = [name for name in TEXTS if name != "Parameters" or "Type" not in value]
        return {name: texts(one) if name in as_text else _version(name, one) for name, one in value.items()}

    def resource(self, name: str, resource: dict[str, Any]) -> None:
        """Insert a resource's definition, or record its nested template."""
        kind = str(resource.get("Type"))
        if kind in CHILDREN:
            self._nested(name, kind, resource)
        elif kind in DEFINITIONS:
            self._definition(name, resource["Properties"], *DEFINITIONS[kind])

    def _definition(self, name: str, properties: dict[str, Any], uri: str, body: str) -> None:
        written = properties.get(uri)
        if is_local(written):
            read = self._file(properties.pop(uri), ("Resources", name, "Properties", uri))
            properties[body] = _walk(read, self.completed)
        elif written is not None and body != "Definition":  # samcli would ask AWS for an API's
            del properties[uri]
            self.done.notes.append(f"{name}: its definition is in an account's S3, and is not read here")

    def _nested(self, name: str, kind: str, resource: dict[str, Any]) -> None:
        key, properties = CHILDREN[kind], resource["Properties"]
        if is_local(properties.get(key)):
            child = self._child(properties[key], ("Resources", name, "Properties", key))
            if child is not None:
                self.done.children[name] = child
            else:
                self.done.raw["Resources"][name] = {"Type": REPOSITORY}  # left out as an unknown type
        elif kind == STACK and (path := self.beside.asset(resource.get("Metadata"), None)) is not None:
            self.done.children[name] = read_source(path)
        elif kind == APPLICATION and isinstance(properties.get("Location"), dict):
            resource["Type"] = REPOSITORY  # only on AWS: it is left out as an unknown type

    def _child(self, location: str, at: tuple[str, ...]) -> Source | None:
        """A nested template; None if its file is not there."""
        folder = self.beside.folder
        # A build writes its template one folder deeper, and `aws cloudformation package` resolves paths from there.
        for path in (folder / location, folder / "build" / location):
            if path.resolve().is_file():
                return read_source(path.resolve())
        if location.endswith(BUILT):  # not built yet: the app's source template is above the build folder
            for name in SOURCES:
                path = (folder / location.removesuffix(BUILT) / name).resolve()
                if path.is_file():
                    self.done.notes.append(f"{at[1]} is not built yet: it is read from {path}")
                    return read_source(path)
        self.done.missing[at[1]] = self.beside.missing(f"{at[-1]} {location!r}", folder / location, at)
        return None

    def _file(self, location: Any, at: tuple[str, ...]) -> dict[str, Any]:
        """The content of an included file or a definition; empty if it is in an account's S3, or invalid."""
        from samcli.yamlhelper import yaml_parse

        if not is_local(location):
            return {}
        path = self.beside.folder / location
        if not path.is_file():
            self.found.append(self.beside.missing(repr(location), path, at))
            return {}
        try:
            parsed = yaml_parse(path.read_text(encoding="utf-8"))
        except Exception as error:  # noqa: BLE001 - every error of the parser is about the file
            said = f"no YAML: {' '.join(str(error).split())}"
            self.found.append(Finding(str(path), 1, said, "correct the file"))
            return {}
        return parsed if isinstance(parsed, dict) else {}


def _version(name: str, value: Any) -> Any:
    """A version is a text, whose quotes many templates leave out."""
    return str(value) if name in VERSIONS and type(value) in (int, float) else value


def _walk(value: Any, changed: Callable[[Any], Any]) -> Any:
    """A copy of a value with `changed` applied to every part, the outer parts first."""
    value = changed(value)
    if isinstance(value, dict):
        return {name: _walk(one, changed) for name, one in value.items()}
    if isinstance(value, list):
        return [_walk(one, changed) for one in value]
    return value
