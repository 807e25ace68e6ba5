"""The app that rules check: its resolved template, its functions, and the files beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lambda_latency.doctor.function import Fn, Layer, functions_of
from lambda_latency.doctor.source import PythonSource, Requirement, parsed, reached, requirements_in, sources_in
from lambda_latency.template import (
    Collector,
    Diagnostic,
    Undecided,
    YamlNode,
    missing_template,
    nested_templates,
    passed_parameters,
    read_collector,
    read_yaml,
    resolve,
    usual_template,
)

USUAL_REGION = "us-east-1"
REGION = re.compile(r"arn:aws[a-z-]*:lambda:([a-z0-9-]+):\d{12}:layer:")
CONFIG = "OPENTELEMETRY_COLLECTOR_CONFIG_URI"
TEMPLATE = "name a SAM or CloudFormation template"
LAYERS = ("AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion")


@dataclass(frozen=True, slots=True)
class Deployment:
    """The deployment of an app: parameter values, None for an unknown one that another stack passes; and a region;
    empty if it was not given.

    `ask` returns the packages of a layer, by the layer's ARN, or None; without it only the table of layers is read.
    """

    parameters: Mapping[str, str | None] = field(default_factory=dict)
    region: str = ""
    ask: Callable[[str], Mapping[str, str] | None] | None = None


@dataclass(frozen=True)
class App:
    """A template and its files. `root` is the template as written, `resolved` as deployed.

    `duplicates` has a finding for each duplicate key of a mapping, `undecided` the conditions whose values are assumed.
    """

    path: Path
    root: YamlNode
    resolved: YamlNode
    region: str
    is_region_given: bool
    duplicates: tuple[Diagnostic, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    ask: Callable[[str], Mapping[str, str] | None] | None = None
    _files: dict[Path, YamlNode | None] = field(default_factory=dict, init=False, compare=False)
    _sources: dict[Path, tuple[PythonSource, ...]] = field(default_factory=dict, init=False, compare=False)
    _collectors: dict[Path, Collector | Diagnostic] = field(default_factory=dict, init=False, compare=False)

    @property
    def name(self) -> str:
        """The path of the template, as shown in findings."""
        return str(self.path)

    @cached_property
    def functions(self) -> tuple[Fn, ...]:
        """Its functions."""
        return functions_of(self.resolved)

    @cached_property
    def _by_type(self) -> Mapping[str, list[tuple[str, YamlNode, YamlNode]]]:
        by_type: dict[str, list[tuple[str, YamlNode, YamlNode]]] = {}
        for name, key, resource in self.resolved.named("Resources"):
            properties = resource.get("Properties") or YamlNode("mapping", key.line, 0, 0)
            by_type.setdefault(resource.text_at("Type"), []).append((name, key, properties))
        return by_type

    def resources(self, *types: str) -> Iterator[tuple[str, YamlNode, YamlNode]]:
        """The resources of some types: logical id, the id's node, properties."""
        for kind in types:
            yield from self._by_type.get(kind, ())

    @cached_property
    def has_streams(self) -> bool:
        """Whether an API of the template streams responses (`responseTransferMode: STREAM`)."""
        resources = self.resolved.get("Resources")
        entries = resources.walk() if resources is not None else ()
        named = [(str(key.value).lower(), str(node.value)) for key, node in entries if key is not None]
        return ("responsetransfermode", "STREAM") in named

    def nested(self) -> Iterator[tuple[Path, Mapping[str, str | None]]]:
        """The templates of nested stacks that are local files, and their parameters."""
        for _, properties, path in nested_templates(self.resolved, self.path.parent):
            yield path, passed_parameters(properties)

    def code(self, fn: Fn) -> Path | None:
        """The folder of a function's code; None if it is not local."""
        text = fn.text("CodeUri") if fn.is_sam else fn.text("Code")
        return self.folder(text) if text else None

    def folder(self, text: str) -> Path | None:
        """A folder that the template names; None if it is not local."""
        path = Path(os.path.normpath(self.path.parent / text))
        return path if "://" not in text and path.is_dir() else None

    def read_file(self, text: str) -> YamlNode | None:
        """The content of a YAML or JSON file that the template names; None if it is not local, or no such file."""
        path = Path(os.path.normpath(self.path.parent / text))
        if path not in self._files:
            self._files[path] = _read_yaml(path) if text and "://" not in text and path.is_file() else None
        return self._files[path]

    def artifact(self, fn: Fn) -> Path | None:
        """The folder of a function's files: what is built, else its code; None if neither is local."""
        return self.built(fn) or self.code(fn)

    def built(self, fn: Fn) -> Path | None:
        """The output folder of `sam build`, or the code folder if packages are installed in it; else None."""
        built = self.path.parent / ".aws-sam" / "build" / fn.name
        if built.is_dir():
            return built
        code = self.code(fn)
        return code if code is not None and any(code.glob("*.dist-info")) else None

    def sources(self, fn: Fn) -> tuple[PythonSource, ...]:
        """The Python sources that a function's handler imports."""
        if not fn.is_python:
            return ()
        inline = fn.get("InlineCode") if fn.is_sam else fn.get("Code", "ZipFile")
        if inline is not None and inline.kind == "scalar" and isinstance(inline.value, str):
            # A block scalar starts below the line of its key.
            line_offset = inline.line if "\n" in inline.value else inline.line - 1
            source = parsed(self.name, inline.value, line_offset)
            return (source,) if source is not None else ()
        code = self.code(fn)
        if code is None:
            return ()
        if code not in self._sources:
            self._sources[code] = tuple(sources_in(code))
        return reached(self._sources[code], code, fn.text("Handler"))

    def requirements(self, fn: Fn) -> tuple[Requirement, ...]:
        """The requirements beside a function's code."""
        code = self.code(fn)
        return tuple(requirements_in(code)) if code is not None and fn.is_python else ()

    def packages_in(self, layer: Layer) -> Mapping[str, str] | None:
        """The packages of ADOT's layer for Python: those that Lambda reports, else those of its release, else None."""
        packages = self.ask(layer.arn) if self.ask is not None and layer.arn else None
        return packages or (layer.release.packages if layer.release is not None else None)

    def local_layer(self, layer: Layer) -> Path | None:
        """The local folder of a layer of this template; None if it is built or not local."""
        section = self.resolved.get("Resources", layer.local) if layer.local else None
        if section is None or section.text_at("Type") not in LAYERS or section.get("Metadata", "BuildMethod"):
            return None
        text = section.text_at("Properties", "ContentUri")
        return self.folder(text) if text else None

    def in_lambda(self, fn: Fn, path: str) -> Path | None:
        """The local file of `/var/task/...` or `/opt/...` in a function; None if it is unknown or missing."""
        if path.startswith("/var/task/"):
            folders = [self.built(fn), self.code(fn)]
        elif path.startswith("/opt/"):
            folders = [self.local_layer(layer) for layer in fn.layers]
        else:
            return None
        name = path.split("/", 3 if path.startswith("/var/") else 2)[-1]
        files = (folder / name for folder in folders if folder is not None)
        return next(filter(Path.is_file, files), None)

    def collector(self, fn: Fn) -> Collector | Diagnostic | None:
        """The collector file of a function, or None; the kit's layer has the file beside the template."""
        uri = fn.variable(CONFIG)
        path = self.in_lambda(fn, uri)
        if path is None and uri.startswith("/opt/lambda-latency/"):
            path = self.path.parent / uri.rpartition("/")[2]
        if path is None or not path.is_file():
            return None
        if path not in self._collectors:
            self._collectors[path] = read_collector(path)
        return self._collectors[path]


def read_app(path: Path, where: Deployment) -> App | Diagnostic:
    """The app of a template; a finding if it cannot be read."""
    name = str(path)
    if path.is_dir():
        return Diagnostic(name, 1, *missing_template(path))
    try:
        return _parsed(path, path.read_text("utf-8-sig"), where)
    except OSError as error:
        return Diagnostic(name, 1, f"cannot be read ({error.strerror})", "name a template that exists")
    except UnicodeDecodeError as error:
        return Diagnostic(name, 1, f"not a text file: byte {error.start} is not UTF-8", "save it as UTF-8")
    except RecursionError:
        return Diagnostic(name, 1, "nested too deeply", TEMPLATE)


def _parsed(path: Path, text: str, where: Deployment) -> App | Diagnostic:
    duplicates: list[Diagnostic] = []
    root = read_yaml(str(path), text, duplicates)
    if isinstance(root, Diagnostic):
        return root
    resources = root.get("Resources") if root.kind == "mapping" else None
    if resources is None or resources.kind != "mapping":
        return Diagnostic(str(path), root.line, "not a template: it has no resources", TEMPLATE)
    # With the same region in all ARNs of layers, the template can be deployed only there.
    layer_regions = set(REGION.findall(text))
    region = where.region or (layer_regions.pop() if len(layer_regions) == 1 else USUAL_REGION)
    resolved = resolve(root, where.parameters, region)
    return App(path, root, resolved.root, region, bool(where.region), tuple(duplicates), resolved.undecided, where.ask)


def _read_yaml(path: Path) -> YamlNode | None:
    try:
        node = read_yaml(str(path), path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, RecursionError):
        return None
    return None if isinstance(node, Diagnostic) else node


def template_in(path: Path) -> Path:
    """The template in a folder, by its usual names; `path` itself if it is not a folder, or has none."""
    template = usual_template(path) if path.is_dir() else None
    return Path(os.path.normpath(template or path))
