"""Completes a template from the files beside it: inserts included files and definitions, records folders of code.

This is `sam package` without S3. Values that only an account has (exports of other stacks, dynamic references) get a
placeholder, which is printed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambda_latency.local.app.dynamic import own_values, resolved, wait_for
from lambda_latency.local.app.parameters import ACCOUNT, REGION, texts
from lambda_latency.local.app.pythons import version_of
from lambda_latency.local.app.rooted import root_paths
from lambda_latency.local.app.source import Source, TemplateError, read_source
from lambda_latency.template import Finding, nearest

__all__ = ["REPOSITORY", "Content", "Packaged", "package"]

BUCKET = "lambda-latency"  # a placeholder for local code; the key is the logical id
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/local:latest"  # a placeholder for an image that `sam build` makes
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
LAYERS = {
    "AWS::Serverless::LayerVersion": ("ContentUri", "Bucket", "Key"),
    "AWS::Lambda::LayerVersion": ("Content", "S3Bucket", "S3Key"),
}
VERSIONS = ("AuthorizerPayloadFormatVersion", "authorizerPayloadFormatVersion", "PayloadFormatVersion")
TEXTS = (
    "AllowedValues",
    "Fn::Equals",
    "Fn::Join",
    "Parameters",
    "Variables",
)  # their booleans are text in CloudFormation


@dataclass(frozen=True, slots=True)
class Content:
    """A folder or an archive of a function or a layer.

    `target` is X of the make target `build-X`, or empty. make reads `makefile` and runs in `working`; by default both
    are those of `path`.
    """

    path: Path
    target: str = ""
    makefile: Path | None = None
    working: Path | None = None


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
    work = _Work(source, source.path.resolve().parent, done, [], own.keys())
    done.raw = _walk(done.raw, work.completed)
    wait_for(own, done.raw)
    if work.imports:
        what = f"{work.imports} values are exported by other stacks"
        done.notes.append(f"{what}: the value of each is the name of its export")
    globals_ = (done.raw.get("Globals") or {}).get("Function") or {}
    shared = {"CodeUri": globals_.pop("CodeUri", "."), "Runtime": globals_.get("Runtime")}
    for name, resource in done.raw["Resources"].items():
        if isinstance(resource, dict):
            if not isinstance(resource.get("Properties"), dict):
                resource["Properties"] = {}
            work.resource(name, str(resource.get("Type")), resource["Properties"], shared)
            root_paths(resource["Properties"])
    if work.found:
        raise TemplateError(work.found)
    return done


@dataclass(slots=True)
class _Work:
    """The state during the packaging of a template. `found` has its errors."""

    source: Source
    folder: Path
    done: Packaged
    found: list[Finding]
    own: Collection[str]  # names of the template's own parameters and secrets, which the emulator resolves
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
        is_state = "Type" in value  # of a state machine, whose parameters keep their types
        return {
            name: str(one)
            if name in VERSIONS and type(one) in (int, float)
            else texts(one)
            if name in TEXTS and not (is_state and name == "Parameters")
            else one
            for name, one in value.items()
        }

    def resource(self, name: str, kind: str, properties: dict[str, Any], shared: Mapping[str, Any]) -> None:
        """Record the folders of a resource, and insert its definition. `shared`: values from the section Globals."""
        if kind == "AWS::Serverless::Function":
            self._code(name, properties, shared)
        elif kind == "AWS::Lambda::Function":
            self._plain_code(name, properties)
        elif kind in LAYERS:
            self._layer(name, properties, LAYERS[kind])
        elif kind in CHILDREN:
            self._nested(name, kind, properties)
        elif kind in DEFINITIONS:
            self._definition(name, properties, *DEFINITIONS[kind])

    def _definition(self, name: str, properties: dict[str, Any], uri: str, body: str) -> None:
        written = properties.get(uri)
        if _is_local(written):
            read = self._file(properties.pop(uri), ("Resources", name, "Properties", uri))
            properties[body] = _walk(read, self.completed)
        elif written is not None and body != "Definition":  # samcli would ask AWS for an API's
            del properties[uri]
            self.done.notes.append(f"{name}: its definition is in an account's S3, and is not read here")

    def _plain_code(self, name: str, properties: dict[str, Any]) -> None:
        written = properties.get("Code")
        if isinstance(written, str):
            path: Path | None = self._folder(name, written, "Code", properties.get("Runtime"))
        else:
            path = self._asset(name, written)
        if path is not None:
            self.done.codes[name] = Content(path)
            properties["Code"] = {"S3Bucket": BUCKET, "S3Key": name}

    def _layer(self, name: str, properties: dict[str, Any], keys: tuple[str, str, str]) -> None:
        key, bucket, place = keys
        written = properties.get(key)
        if _is_local(written):
            self.done.layers[name] = self._content(name, (self.folder / str(written)).resolve())
        elif (path := self._asset(name, written)) is not None:
            self.done.layers[name] = Content(path)
        else:
            return
        properties[key] = {bucket: BUCKET, place: name}

    def _nested(self, name: str, kind: str, properties: dict[str, Any]) -> None:
        key = CHILDREN[kind]
        if _is_local(properties.get(key)):
            child = self._child(properties[key], ("Resources", name, "Properties", key))
            if child is not None:
                self.done.children[name] = child
            else:
                self.done.raw["Resources"][name] = {"Type": REPOSITORY}  # left out as an unknown type
        elif kind == STACK and (path := self._asset(name, None)) is not None:
            self.done.children[name] = read_source(path)
        elif kind == APPLICATION and isinstance(properties.get("Location"), dict):
            self.done.raw["Resources"][name]["Type"] = REPOSITORY  # only on AWS: it is left out as an unknown type

    def _code(self, name: str, properties: dict[str, Any], shared: Mapping[str, Any]) -> None:
        if properties.get("PackageType") == "Image":
            properties.setdefault("ImageUri", IMAGE)
        if "InlineCode" in properties or "ImageUri" in properties:
            return
        written = properties.get("CodeUri", shared["CodeUri"])
        if _is_local(written):
            runtime = properties.get("Runtime", shared["Runtime"])
            path = self._folder(name, written, "CodeUri", runtime)
            self.done.codes[name] = self._content(name, path)
            written = {"Bucket": BUCKET, "Key": name}
        properties["CodeUri"] = written

    def _content(self, name: str, path: Path) -> Content:
        """The content of a resource, with its make target if its Makefile builds it."""
        metadata = self.done.raw["Resources"][name].get("Metadata") or {}
        if metadata.get("BuildMethod") != "makefile":
            return Content(path)
        context, working = metadata.get("ContextPath"), metadata.get("WorkingDirectory")
        return Content(
            path,
            name,
            makefile=(self.folder / context / "Makefile").resolve() if isinstance(context, str) else None,
            working=(self.folder / working).resolve() if isinstance(working, str) else None,
        )

    def _asset(self, name: str, stored: Any) -> Path | None:
        """The local copy of an asset that CDK or the Serverless Framework uploads; None without one.

        CDK names it in the metadata; both put it beside the template, under the last part of the key in S3 (`stored`).
        """
        named = (self.done.raw["Resources"][name].get("Metadata") or {}).get("aws:asset:path")
        key = stored.get("S3Key") if isinstance(stored, dict) else None
        last = key.rpartition("/")[2] if isinstance(key, str) else ""
        names = [named, *((last, f"asset.{last}", f"asset.{last.removesuffix('.zip')}") if last else ())]
        paths = (self.folder / one for one in names if isinstance(one, str))
        return next((path.resolve() for path in paths if path.exists()), None)

    def _folder(self, name: str, written: str, key: str, runtime: Any) -> Path:
        """The location of a function's code, given by the property `key`."""
        path = self.folder / written
        # A function of another language does not run here: its build is not needed.
        needed = not isinstance(runtime, str) or version_of(runtime) is not None
        if needed and not path.exists():
            at = ("Resources", name, "Properties", key)
            self.done.missing[name] = self._missing(f"{key} {written!r}", path, at)
        return path.resolve()

    def _child(self, location: str, at: tuple[str, ...]) -> Source | None:
        """A nested template; None if its file is not there."""
        # A build writes its template one folder deeper, and `aws cloudformation package` resolves paths from there.
        for path in (self.folder / location, self.folder / "build" / location):
            if path.resolve().is_file():
                return read_source(path.resolve())
        if location.endswith(BUILT):  # not built yet: the app's source template is above the build folder
            for name in SOURCES:
                path = (self.folder / location.removesuffix(BUILT) / name).resolve()
                if path.is_file():
                    self.done.notes.append(f"{at[1]} is not built yet: it is read from {path}")
                    return read_source(path)
        self.done.missing[at[1]] = self._missing(f"{at[-1]} {location!r}", self.folder / location, at)
        return None

    def _file(self, location: Any, at: tuple[str, ...]) -> dict[str, Any]:
        """The content of an included file or a definition; empty if it is in an account's S3, or invalid."""
        from samcli.yamlhelper import yaml_parse

        if not _is_local(location):
            return {}
        path = self.folder / location
        if not path.is_file():
            self.found.append(self._missing(repr(location), path, at))
            return {}
        try:
            parsed = yaml_parse(path.read_text(encoding="utf-8"))
        except Exception as error:  # noqa: BLE001 - every error of the parser is about the file
            said = f"no YAML: {' '.join(str(error).split())}"
            self.found.append(Finding(str(path), 1, said, "correct the file"))
            return {}
        return parsed if isinstance(parsed, dict) else {}

    def _missing(self, what: str, path: Path, at: tuple[str, ...]) -> Finding:
        folder = path.parent.resolve()
        beside = [one.name for one in folder.iterdir()] if folder.is_dir() else []
        todo = f"{nearest(path.name, beside, 'correct the name,')} or run the build that makes it in {folder}"
        return self.source.finding(at, f"{what} is not there", todo)


def _is_local(written: Any) -> bool:
    return isinstance(written, str) and "://" not in written


def _walk(value: Any, changed: Callable[[Any], Any]) -> Any:
    """A copy of a value with `changed` applied to every part, the outer parts first."""
    value = changed(value)
    if isinstance(value, dict):
        return {name: _walk(one, changed) for name, one in value.items()}
    if isinstance(value, list):
        return [_walk(one, changed) for one in value]
    return value
