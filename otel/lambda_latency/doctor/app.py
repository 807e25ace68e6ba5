"""The app that rules check: its resolved template, its functions, and the files beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lambda_latency.doctor.function import Fn, functions_of
from lambda_latency.doctor.layer import Layer
from lambda_latency.doctor.source import Requirement, Source, parsed, reached, requirements_in, sources_in
from lambda_latency.template import (
    Collector,
    Finding,
    Node,
    Undecided,
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
LAYERS = ("AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion")


@dataclass(frozen=True, slots=True)
class Where:
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

    `twice` has a finding for each duplicate key of a mapping, `undecided` the conditions whose values are assumed.
    """

    path: Path
    root: Node
    resolved: Node
    region: str
    is_region_given: bool
    twice: tuple[Finding, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    ask: Callable[[str], Mapping[str, str] | None] | None = None

    @property
    def name(self) -> str:
        """The path of the template, as shown in findings."""
        return str(self.path)

    @cached_property
    def functions(self) -> tuple[Fn, ...]:
        """Its functions."""
        return functions_of(self.resolved)

    @cached_property
    def _by_type(self) -> Mapping[str, list[tuple[str, Node, Node]]]:
        found: dict[str, list[tuple[str, Node, Node]]] = {}
        for name, key, resource in self.resolved.named("Resources"):
            properties = resource.get("Properties") or Node("mapping", key.line, 0, 0)
            found.setdefault(resource.text_at("Type"), []).append((name, key, properties))
        return found

    def resources(self, *types: str) -> Iterator[tuple[str, Node, Node]]:
        """The resources of some types: logical id, the id's node, properties."""
        for kind in types:
            yield from self._by_type.get(kind, ())

    @cached_property
    def has_streams(self) -> bool:
        """Whether an API of the template streams responses (`responseTransferMode: STREAM`)."""
        waiting = [node] if (node := self.resolved.get("Resources")) is not None else []
        while waiting:
            node = waiting.pop()
            waiting.extend(node.items)
            for key, _, one in node.named():
                if key.lower() == "responsetransfermode" and str(one.value) == "STREAM":
                    return True
                waiting.append(one)
        return False

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

    @cached_property
    def _beside(self) -> dict[Path, Node | None]:
        return {}

    def beside(self, text: str) -> Node | None:
        """The content of a YAML or JSON file that the template names; None if it is not local, or no such file."""
        path = Path(os.path.normpath(self.path.parent / text))
        if path not in self._beside:
            self._beside[path] = _read_beside(path) if text and "://" not in text and path.is_file() else None
        return self._beside[path]

    def built(self, fn: Fn) -> Path | None:
        """The output folder of `sam build`, or the code folder if packages are installed in it; else None."""
        built = self.path.parent / ".aws-sam" / "build" / fn.name
        if built.is_dir():
            return built
        code = self.code(fn)
        return code if code is not None and any(code.glob("*.dist-info")) else None

    @cached_property
    def _sources(self) -> dict[Path, tuple[Source, ...]]:
        return {}

    def sources(self, fn: Fn) -> tuple[Source, ...]:
        """The Python sources that a function's handler imports."""
        if not fn.is_python:
            return ()
        inline = fn.get("InlineCode") if fn.is_sam else fn.get("Code", "ZipFile")
        if inline is not None and inline.kind == "scalar" and isinstance(inline.value, str):
            # A block scalar starts below the line of its key.
            found = parsed(self.name, inline.value, inline.line if "\n" in inline.value else inline.line - 1)
            return (found,) if found is not None else ()
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
        """The packages of ADOT's layer for Python: those that Lambda tells, else those of its release, else None."""
        told = self.ask(layer.arn) if self.ask is not None and layer.arn else None
        return told or (layer.release.packages if layer.release is not None else None)

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
        rest = path.split("/", 3 if path.startswith("/var/") else 2)[-1]
        found = (folder / rest for folder in folders if folder is not None)
        return next((one for one in found if one.is_file()), None)

    @cached_property
    def _collectors(self) -> dict[Path, Collector | Finding]:
        return {}

    def collector(self, fn: Fn) -> Collector | Finding | None:
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


def read_app(path: Path, where: Where) -> App | Finding:
    """The app of a template; a finding if it cannot be read."""
    name = str(path)
    if path.is_dir():
        return Finding(name, 1, *missing_template(path))
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        return Finding(name, 1, f"cannot be read ({error.strerror})", "name a template that exists")
    except UnicodeDecodeError as error:
        return Finding(name, 1, f"not a text file: byte {error.start} is not UTF-8", "save it as UTF-8")
    try:
        twice: list[Finding] = []
        root = read_yaml(name, text, twice)
        if isinstance(root, Finding):
            return root
        resources = root.get("Resources") if root.kind == "mapping" else None
        if resources is None or resources.kind != "mapping":
            return Finding(
                name, root.line, "not a template: it has no resources", "name a SAM or CloudFormation template"
            )
        region = where.region or _region_of(text) or USUAL_REGION
        done = resolve(root, where.parameters, region)
        return App(path, root, done.root, region, bool(where.region), tuple(twice), done.undecided, where.ask)
    except RecursionError:
        return Finding(name, 1, "nested too deeply", "name a SAM or CloudFormation template")


def _read_beside(path: Path) -> Node | None:
    try:
        found = read_yaml(str(path), path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, RecursionError):
        return None
    return None if isinstance(found, Finding) else found


def _region_of(text: str) -> str:
    """The region in a template's layer ARNs, if it is the same in all: the template can be deployed only there."""
    literal = set(REGION.findall(text))
    return literal.pop() if len(literal) == 1 else ""


def template_in(path: Path) -> Path:
    """The template in a folder, by its usual names; `path` itself if it is not a folder, or has none."""
    found = usual_template(path) if path.is_dir() else None
    return Path(os.path.normpath(found or path))
