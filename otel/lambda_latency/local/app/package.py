"""Completes a template from the files beside it: inserts included files and definitions, records folders of code.

This is `sam package` without S3. Values that only an account has (exports of other stacks, dynamic references) get a
placeholder, which is printed.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambda_latency.local.app.parameters import ACCOUNT, REGION, likely_value, texts
from lambda_latency.local.app.pythons import version_of
from lambda_latency.local.app.source import Source, TemplateError, read_source
from lambda_latency.template import Finding, nearest

__all__ = ["Content", "Packaged", "package"]

BUCKET = "lambda-latency"  # a placeholder for local code; the key is the logical id
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/local:latest"  # a placeholder for an image that `sam build` makes
DYNAMIC = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):((?:\$\{[^}]*\}|[^:}])+)[^}]*\}\}")
DEFINITIONS = {
    "AWS::Serverless::Api": ("DefinitionUri", "DefinitionBody"),
    "AWS::Serverless::HttpApi": ("DefinitionUri", "DefinitionBody"),
    "AWS::Serverless::StateMachine": ("DefinitionUri", "Definition"),
}
BUILT, SOURCES = ".aws-sam/build/template.yaml", ("template.yaml", "template.yml")
APPLICATION, REPOSITORY = "AWS::Serverless::Application", "AWS::ServerlessRepo::Application"
CHILDREN = {APPLICATION: "Location", "AWS::CloudFormation::Stack": "TemplateURL"}
LAYERS = {
    "AWS::Serverless::LayerVersion": ("ContentUri", "Bucket", "Key"),
    "AWS::Lambda::LayerVersion": ("Content", "S3Bucket", "S3Key"),
}
ROUTED = ("Api", "HttpApi")  # types of events with a path
VERSIONS = ("AuthorizerPayloadFormatVersion", "authorizerPayloadFormatVersion", "PayloadFormatVersion")
TEXTS = ("AllowedValues", "Fn::Equals", "Parameters", "Variables")  # their booleans are text in CloudFormation


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
    """A completed template. `raw` refers to no file; `codes` and `layers` have contents by logical id, `children` the
    nested templates, `notes` the lines for the user.
    """

    raw: dict[str, Any]
    codes: dict[str, Content] = field(default_factory=dict)
    layers: dict[str, Content] = field(default_factory=dict)
    children: dict[str, Source] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def package(source: Source, values: Mapping[str, str]) -> Packaged:
    """Complete a template with the values of its parameters. Raises `TemplateError` if a file is missing or invalid."""
    done = Packaged(copy.deepcopy(source.raw))
    for name, declared in (done.raw.get("Parameters") or {}).items():
        declared["Default"] = values[name]
        kind = str(declared.get("Type", "String"))
        if kind.startswith("AWS::"):  # a plain type: `values` has the value, not a name to look up
            declared["Type"] = "CommaDelimitedList" if "List<" in kind else "String"
    own = _own_values(done.raw)
    work = _Work(source, source.path.resolve().parent, done, [], own.keys())
    done.raw = _walk(done.raw, work.completed)
    _wait_for(own, done.raw)
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
            _root_paths(resource["Properties"])
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
            return _resolved(value, self.own, self.done.notes)
        if not isinstance(value, dict):
            return value
        included = value.get("Fn::Transform") or value.get("Transform")
        if isinstance(included, dict) and included.get("Name") == "AWS::Include":
            rest = {name: one for name, one in value.items() if name not in ("Fn::Transform", "Transform")}
            return {**self._file((included.get("Parameters") or {}).get("Location"), ("Resources",)), **rest}
        if "Fn::ImportValue" in value and len(value) == 1:
            self.imports += 1
            return value["Fn::ImportValue"]
        return {
            name: str(one) if name in VERSIONS and type(one) in (int, float) else texts(one) if name in TEXTS else one
            for name, one in value.items()
        }

    def resource(self, name: str, kind: str, properties: dict[str, Any], shared: Mapping[str, Any]) -> None:
        """Record the folders of a resource, and insert its definition. `shared`: values from the section Globals."""
        at = ("Resources", name, "Properties")
        if kind == "AWS::Serverless::Function":
            self._code(name, properties, shared)
        elif kind == "AWS::Lambda::Function" and isinstance(properties.get("Code"), str):
            self.done.codes[name] = Content(self._folder(properties["Code"], (*at, "Code"), properties.get("Runtime")))
            properties["Code"] = {"S3Bucket": BUCKET, "S3Key": name}
        elif kind in LAYERS:
            key, *parts = LAYERS[kind]
            if _is_local(properties.get(key)):
                self.done.layers[name] = self._content(name, (self.folder / properties[key]).resolve())
                properties[key] = dict(zip(parts, (BUCKET, name), strict=True))
        elif kind in CHILDREN and _is_local(properties.get(CHILDREN[kind])):
            self.done.children[name] = self._child(properties[CHILDREN[kind]], (*at, CHILDREN[kind]))
        elif kind == APPLICATION and isinstance(properties.get("Location"), dict):
            self.done.raw["Resources"][name]["Type"] = REPOSITORY  # only on AWS: it is left out as an unknown type
        if kind in DEFINITIONS:
            uri, body = DEFINITIONS[kind]
            if _is_local(properties.get(uri)):
                properties[body] = _walk(self._file(properties.pop(uri), (*at, uri)), self.completed)

    def _code(self, name: str, properties: dict[str, Any], shared: Mapping[str, Any]) -> None:
        if properties.get("PackageType") == "Image":
            properties.setdefault("ImageUri", IMAGE)
        if "InlineCode" in properties or "ImageUri" in properties:
            return
        written = properties.get("CodeUri", shared["CodeUri"])
        if _is_local(written):
            runtime = properties.get("Runtime", shared["Runtime"])
            path = self._folder(written, ("Resources", name, "Properties", "CodeUri"), runtime)
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

    def _folder(self, written: str, at: tuple[str, ...], runtime: Any) -> Path:
        path = self.folder / written
        # A function of another language does not run here: its build is not needed.
        needed = not isinstance(runtime, str) or version_of(runtime) is not None
        if needed and not path.exists():
            self._missing(f"{at[-1]} {written!r}", path, at)
        return path.resolve()

    def _child(self, location: str, at: tuple[str, ...]) -> Source:
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
        self._missing(f"{at[-1]} {location!r}", self.folder / location, at)
        return self.source

    def _file(self, location: Any, at: tuple[str, ...]) -> dict[str, Any]:
        """The content of an included file or a definition; empty if it is in an account's S3, or invalid."""
        from samcli.yamlhelper import yaml_parse

        if not _is_local(location):
            return {}
        path = self.folder / location
        if not path.is_file():
            self._missing(repr(location), path, at)
            return {}
        try:
            parsed = yaml_parse(path.read_text(encoding="utf-8"))
        except Exception as error:  # noqa: BLE001 - every error of the parser is about the file
            said = f"no YAML: {' '.join(str(error).split())}"
            self.found.append(Finding(str(path), 1, said, "correct the file"))
            return {}
        return parsed if isinstance(parsed, dict) else {}

    def _missing(self, what: str, path: Path, at: tuple[str, ...]) -> None:
        folder = path.parent.resolve()
        beside = [one.name for one in folder.iterdir()] if folder.is_dir() else []
        todo = f"{nearest(path.name, beside, 'correct the name,')} or run the build that makes it in {folder}"
        self.found.append(self.source.finding(at, f"{what} is not there", todo))


def _root_paths(properties: dict[str, Any]) -> None:
    """Add the leading slash to paths that lack it, as events and definitions of deployed apps have them."""
    events = properties.get("Events")
    for event in events.values() if isinstance(events, dict) else ():
        route = event.get("Properties") if isinstance(event, dict) else None
        if isinstance(route, dict) and event.get("Type") in ROUTED and isinstance(route.get("Path"), str):
            route["Path"] = _rooted(route["Path"])
    body = properties.get("DefinitionBody")
    if isinstance(body, dict) and isinstance(body.get("paths"), dict):
        body["paths"] = {_rooted(str(path)): one for path, one in body["paths"].items()}


def _rooted(path: str) -> str:
    if path == "/$default":  # as SAM writes HTTP APIs' route for every path
        return "$default"
    return path if path.startswith(("/", "$", "x-", "Fn::")) else f"/{path}"


def _is_local(written: Any) -> bool:
    return isinstance(written, str) and "://" not in written


def _own_values(raw: Mapping[str, Any]) -> dict[str, str]:
    """The logical ids of a template's SSM parameters and secrets, by their names."""
    found = {}
    for name, resource in raw["Resources"].items():
        if isinstance(resource, dict) and resource.get("Type") in (
            "AWS::SSM::Parameter",
            "AWS::SecretsManager::Secret",
        ):
            given = (resource.get("Properties") or {}).get("Name")
            given = given.get("Fn::Sub") if isinstance(given, dict) else given
            if isinstance(given, str):
                found[given] = name
    return found


def _wait_for(own: Mapping[str, str], raw: Mapping[str, Any]) -> None:
    """Add DependsOn for dynamic references to the template's own values. On AWS, the author must declare the order."""
    for name, resource in raw["Resources"].items():
        needed = {own[match[2]] for match in DYNAMIC.finditer(json.dumps(resource, default=str)) if match[2] in own}
        before = resource.get("DependsOn", []) if needed else []
        before = [before] if isinstance(before, str) else before
        needed -= {name, *before}
        needed = {one for one in needed if f'"{name}"' not in json.dumps(raw["Resources"][one], default=str)}
        if needed:
            resource["DependsOn"] = [*before, *sorted(needed)]


def _resolved(text: str, own: Collection[str], notes: list[str]) -> str:
    """A text in which a placeholder, the last part of the name, replaces dynamic references to other stacks' values."""

    def value(match: re.Match[str]) -> str:
        if match[2] in own:
            return match[0]
        if "${" in match[2].rpartition("/")[2]:
            return "local"
        last = match[2].rpartition("/")[2] or "local"
        name = likely_value(last) or last
        note = f"{match[0]} is not available locally: its value is {name!r}"
        if note not in notes:
            notes.append(note)
        return name

    return DYNAMIC.sub(value, text)


def _walk(value: Any, changed: Callable[[Any], Any]) -> Any:
    """A copy of a value with `changed` applied to every part, the outer parts first."""
    value = changed(value)
    if isinstance(value, dict):
        return {name: _walk(one, changed) for name, one in value.items()}
    if isinstance(value, list):
        return [_walk(one, changed) for one in value]
    return value
