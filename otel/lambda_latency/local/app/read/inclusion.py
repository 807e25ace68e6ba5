"""Completes a template from the files next to it: included files, definitions, nested templates, code.

This is `sam package` without S3. Values that only an account has (exports of other stacks, dynamic references) get a
placeholder, which is printed.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambda_latency.local.app.read.definitions import Fields
from lambda_latency.local.app.read.parameters import ACCOUNT, REGION, texts, walk
from lambda_latency.local.app.read.source import SamFile, TemplateError, read_source
from lambda_latency.pythons import version_of
from lambda_latency.template import Diagnostic, likely_value

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
ROUTED = ("Api", "HttpApi")  # types of events with a path
OWN_VALUES = ("AWS::SSM::Parameter", "AWS::SecretsManager::Secret")
DYNAMIC = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):((?:\$\{[^}]*\}|[^:}])+)[^}]*\}\}")
VARIABLE = re.compile(r"\$\{(\w+)\}")
# A placeholder for local code; the key is the logical id
BUCKET = "lambda-latency"
# A placeholder for an image that `sam build` makes.
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/local:latest"
LAYERS = {
    "AWS::Serverless::LayerVersion": ("ContentUri", "Bucket", "Key"),
    "AWS::Lambda::LayerVersion": ("Content", "S3Bucket", "S3Key"),
}


@dataclass(slots=True)
class Packaged:
    """A completed template. `raw` refers to no file; `codes` and `layers` have contents by logical id, `missing` the
    findings about functions whose code is not there, and nested templates that are not, `children` the nested
    templates, `notes` the lines for the user.
    """

    raw: dict[str, Any]
    codes: dict[str, Content] = field(default_factory=dict)
    layers: dict[str, Content] = field(default_factory=dict)
    missing: dict[str, Diagnostic] = field(default_factory=dict)
    children: dict[str, SamFile] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def package(source: SamFile, values: Mapping[str, str]) -> Packaged:
    """Complete a template with the values of its parameters.

    Missing code is a finding about its function. Raises `TemplateError` if an included file is missing or invalid.
    """
    done = Packaged(copy.deepcopy(source.raw))
    _set_defaults(done.raw.get("Parameters"), values)
    parameters_and_secrets = own_values(done.raw)
    work = _Work(source, done, parameters_and_secrets.keys(), values)
    done.raw = walk(done.raw, work.completed)
    wait_for(parameters_and_secrets, done.raw)
    if work.imports:
        exports = f"{work.imports} values are exported by other stacks"
        done.notes.append(f"{exports}: the value of each is the name of its export")
    shared = (done.raw.get("Globals") or {}).get("Function") or {}
    work.default = {name: shared[name] for name in ("CodeUri", "Handler", "Runtime") if name in shared}
    shared.pop("CodeUri", None)
    for name, resource in done.raw["Resources"].items():
        if isinstance(resource, dict):
            if not isinstance(resource.get("Properties"), dict):
                resource["Properties"] = {}
            work.content(name, resource)
            work.resource(name, resource)
            root_paths(resource["Properties"])
    if work.findings:
        raise TemplateError(work.findings)
    return done


def _set_defaults(parameters: Any, values: Mapping[str, str]) -> None:
    for name, declared in (parameters or {}).items():
        declared["Default"] = values[name]
        kind = str(declared.get("Type", "String"))
        # A plain type: `values` has the value, not a name to look up
        if kind.startswith("AWS::"):
            declared["Type"] = "CommaDelimitedList" if "List<" in kind else "String"


@dataclass(slots=True)
class _Work:
    """The state during the packaging of a template. `findings` are its errors."""

    source: SamFile
    done: Packaged
    # Names of the template's own parameters and secrets, which the emulator resolves
    resolvable: Collection[str]
    values: Mapping[str, str]
    findings: list[Diagnostic] = field(default_factory=list)
    imports: int = 0
    default: dict[str, Any] = field(default_factory=dict)  # of functions that name no CodeUri, Handler or Runtime

    def completed(self, part: Any) -> Any:
        """Return a part with included files inserted, and with placeholders for values that only an account has."""
        if isinstance(part, str):
            return with_placeholders(part, self.resolvable, self.done.notes)
        if not isinstance(part, dict):
            return part
        transform = part.get("Fn::Transform") or part.get("Transform")
        if isinstance(transform, dict) and transform.get("Name") == "AWS::Include":
            siblings = {name: child for name, child in part.items() if name not in ("Fn::Transform", "Transform")}
            location = with_values((transform.get("Parameters") or {}).get("Location"), self.values)
            return {**self._file(location, ("Resources",)), **siblings}
        if "Fn::ImportValue" in part and len(part) == 1:
            self.imports += 1
            return part["Fn::ImportValue"]
        # The parameters of a state machine's state keep their types.
        as_text = [name for name in TEXTS if name != "Parameters" or "Type" not in part]
        return {name: texts(child) if name in as_text else _version(name, child) for name, child in part.items()}

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
            properties[body] = walk(read, self.completed)
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
        elif kind == STACK and (path := self.source.asset(resource.get("Metadata"), None)) is not None:
            self.done.children[name] = read_source(path)
        elif kind == APPLICATION and isinstance(properties.get("Location"), dict):
            resource["Type"] = REPOSITORY  # only on AWS: it is left out as an unknown type

    def _child(self, location: str, keys: tuple[str, ...]) -> SamFile | None:
        """Return a nested template; None if its file is not there."""
        folder = self.source.folder
        # A build writes its template one folder deeper, and `aws cloudformation package` resolves paths from there.
        for path in (folder / location, folder / "build" / location):
            if path.resolve().is_file():
                return read_source(path.resolve())
        # Not built yet: the app's source template is above the build folder
        if location.endswith(BUILT):
            for name in SOURCES:
                path = (folder / location.removesuffix(BUILT) / name).resolve()
                if path.is_file():
                    self.done.notes.append(f"{keys[1]} is not built yet: it is read from {path}")
                    return read_source(path)
        self.done.missing[keys[1]] = self.source.missing(f"{keys[-1]} {location!r}", folder / location, keys)
        return None

    def _file(self, location: Any, keys: tuple[str, ...]) -> dict[str, Any]:
        """Return the content of an included file or a definition; empty if it is in an account's S3, or invalid."""
        from samcli.yamlhelper import yaml_parse

        if not is_local(location):
            return {}
        path = self.source.folder / location
        if not path.is_file():
            self.findings.append(self.source.missing(repr(location), path, keys))
            return {}
        try:
            parsed = yaml_parse(path.read_text(encoding="utf-8"))
        except Exception as error:  # noqa: BLE001 - every error of the parser is about the file
            message = f"no YAML: {' '.join(str(error).split())}"
            self.findings.append(Diagnostic(str(path), 1, message, "correct the file"))
            return {}
        return parsed if isinstance(parsed, dict) else {}

    def content(self, name: str, resource: dict[str, Any]) -> None:
        """Record the content of a function or a layer, and replace its location by a placeholder."""
        kind, properties = resource.get("Type"), resource["Properties"]
        metadata = resource.get("Metadata") or {}
        if kind == "AWS::Serverless::Function":
            self._code(name, properties, metadata)
        elif kind == "AWS::Lambda::Function":
            self._plain_code(name, properties, metadata)
        elif kind in LAYERS:
            self._layer(name, properties, metadata, LAYERS[kind])

    def _code(self, name: str, properties: dict[str, Any], metadata: Fields) -> None:
        if properties.get("PackageType") == "Image":
            properties.setdefault("ImageUri", IMAGE)
        if "InlineCode" in properties or "ImageUri" in properties:
            return
        written = properties.get("CodeUri", self.default.get("CodeUri", "."))
        if is_local(written):
            path = self._folder(name, written, "CodeUri", properties.get("Runtime", self.default.get("Runtime")))
            handler = str(properties.get("Handler", self.default.get("Handler")))
            self.done.codes[name] = self._content(name, path, metadata, handler)
            written = {"Bucket": BUCKET, "Key": name}
        properties["CodeUri"] = written

    def _plain_code(self, name: str, properties: dict[str, Any], metadata: Fields) -> None:
        written = properties.get("Code")
        if isinstance(written, str):
            path: Path | None = self._folder(name, written, "Code", properties.get("Runtime"))
        else:
            path = self.source.asset(metadata, written)
        if path is not None:
            self.done.codes[name] = Content(path)
            properties["Code"] = {"S3Bucket": BUCKET, "S3Key": name}

    def _layer(self, name: str, properties: dict[str, Any], metadata: Fields, keys: tuple[str, str, str]) -> None:
        key, bucket, place = keys
        written = properties.get(key)
        if is_local(written):
            self.done.layers[name] = self._content(name, (self.source.folder / str(written)).resolve(), metadata)
        elif (path := self.source.asset(metadata, written)) is not None:
            self.done.layers[name] = Content(path)
        else:
            return
        properties[key] = {bucket: BUCKET, place: name}

    def _content(self, name: str, path: Path, metadata: Fields, handler: str = "") -> Content:
        """Return the content of a resource, with its make target if its Makefile builds it.

        If `path` is the package of the handler's module, and make would run above it, the source runs without a build.
        """
        if metadata.get("BuildMethod") != "makefile":
            return Content(path)
        context, written = metadata.get("ContextPath"), metadata.get("WorkingDirectory")
        folder = self.source.folder
        working = (folder / written).resolve() if isinstance(written, str) else None
        if working is not None and working != path:
            module = working / f"{handler.rpartition('.')[0].replace('.', '/')}.py"
            if module.is_file() and module.is_relative_to(path):
                return Content(working, package=path)
        makefile = (folder / context / "Makefile").resolve() if isinstance(context, str) else None
        return Content(path, name, makefile=makefile, working=working)

    def _folder(self, name: str, written: str, key: str, runtime: Any) -> Path:
        """Return the location of a function's code, given by the property `key`."""
        path = self.source.folder / written
        # A function of another language does not run here: its build is not needed.
        needed = not isinstance(runtime, str) or version_of(runtime) is not None
        if needed and not path.exists():
            keys = ("Resources", name, "Properties", key)
            self.done.missing[name] = self.source.missing(f"{key} {written!r}", path, keys)
        return path.resolve()


def with_values(written: Any, values: Mapping[str, str]) -> Any:
    """Return the text of a `Ref` or an `Fn::Sub` of parameters with these values; any other value unchanged."""
    if isinstance(written, dict) and isinstance(written.get("Fn::Sub"), str):
        return VARIABLE.sub(lambda match: values.get(match[1], match[0]), written["Fn::Sub"])
    return values.get(str(written["Ref"]), written) if isinstance(written, dict) and "Ref" in written else written


def _version(name: str, value: Any) -> Any:
    """A version is a text, whose quotes many templates leave out."""
    return str(value) if name in VERSIONS and type(value) in (int, float) else value


def root_paths(properties: dict[str, Any]) -> None:
    """Add the leading slash to paths that lack it, as events and definitions of deployed apps have them."""
    events = properties.get("Events")
    for event in events.values() if isinstance(events, dict) else ():
        route = event.get("Properties") if isinstance(event, dict) else None
        if isinstance(route, dict) and event.get("Type") in ROUTED and isinstance(route.get("Path"), str):
            route["Path"] = _rooted(route["Path"])
    body = properties.get("DefinitionBody")
    if isinstance(body, dict) and isinstance(body.get("paths"), dict):
        body["paths"] = {_rooted(str(path)): methods for path, methods in body["paths"].items()}


def _rooted(path: str) -> str:
    if path == "/$default":  # as SAM writes HTTP APIs' route for every path
        return "$default"
    return path if path.startswith(("/", "$", "x-", "Fn::")) else f"/{path}"


def own_values(raw: Fields) -> dict[str, str]:
    """Return the logical ids of a template's SSM parameters and secrets, by their names."""
    by_name = {}
    for logical, resource in raw["Resources"].items():
        if isinstance(resource, dict) and resource.get("Type") in OWN_VALUES:
            name = (resource.get("Properties") or {}).get("Name")
            name = name.get("Fn::Sub") if isinstance(name, dict) else name
            if isinstance(name, str):
                by_name[name] = logical
    return by_name


def wait_for(by_name: Mapping[str, str], raw: Fields) -> None:
    """Add DependsOn for dynamic references to the template's own values. On AWS, the author must declare the order."""
    resources = raw["Resources"]
    for key, resource in resources.items():
        references = DYNAMIC.findall(json.dumps(resource, default=str))
        needed = {by_name[name] for _, name in references if name in by_name}
        declared = resource.get("DependsOn", []) if needed else []
        declared = [declared] if isinstance(declared, str) else declared
        needed -= {key, *declared}
        needed = {name for name in needed if f'"{key}"' not in json.dumps(resources[name], default=str)}
        if needed:
            resource["DependsOn"] = [*declared, *sorted(needed)]


def with_placeholders(text: str, resolvable: Collection[str], notes: list[str]) -> str:
    """A text in which a placeholder, the last part of the name, replaces dynamic references to other stacks' values."""

    def value(match: re.Match[str]) -> str:
        if match[2] in resolvable:
            return match[0]
        last_part = match[2].rpartition("/")[2] or "local"
        if "${" in last_part:
            return "local"
        name = likely_value(last_part) or last_part
        note = f"{match[0]} is not available locally: its value is {name!r}"
        if note not in notes:
            notes.append(note)
        return name

    return DYNAMIC.sub(value, text)


@dataclass(frozen=True, slots=True)
class Content:
    """A folder or an archive of a function or a layer.

    `target` is X of the make target `build-X`, or empty. make reads `makefile` and runs in `working`; by default both
    are those of `path`. `is_built` says that `sam build` has made it, with the packages. `package` is the only folder
    of `path` that the function needs, if it does not need all of it.
    """

    path: Path
    target: str = ""
    makefile: Path | None = None
    working: Path | None = None
    is_built: bool = False
    package: Path | None = None

    @property
    def sources(self) -> Path:
        """The folder whose changes take effect, and whose requirements are installed."""
        return self.package or self.path


def is_local(written: Any) -> bool:
    """Return whether a value names a file next to the template, and no address."""
    return isinstance(written, str) and "://" not in written
