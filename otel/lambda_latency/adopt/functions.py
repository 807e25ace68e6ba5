"""The functions of a template: their properties, and the reasons why one must be edited by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lambda_latency.adopt.wording import ARM, INSTRUMENT, OF_BACKEND, TRACED, WRAPPER
from lambda_latency.documentation import page_address
from lambda_latency.template import LAYER_FOLDER, Diagnostic, Resolved, YamlNode, first_value

FUNCTION, LAYER = "AWS::Serverless::Function", "AWS::Serverless::LayerVersion"
RUNTIME = re.compile(r"python(\d+)\.(\d+)")
OLDEST = 3, 10
MOST_LAYERS = 5
BY_HAND = "add layer, wrapper and variables there by hand"
Reason = tuple[YamlNode, str, str]  # node, observation, remedy
# The exec wrapper of Lambda Web Adapter, behind which a web server has no handler
WEB_ADAPTER = "/opt/bootstrap"
ADOT = re.compile(r"aws-otel-(python|collector)|AWSOpenTelemetryDistroPython|opentelemetry-(python|collector)")


@dataclass(slots=True)
class AppFn:
    """A function. `properties` are as written, `places` are resolved, those of Globals last. `obstacle`: why a Python
    function must be edited by hand, or None. `created`: whether the defaults of the parameters create it; others are
    edited, too, because other values do.
    """

    name: str
    line: int
    properties: YamlNode
    places: tuple[YamlNode, ...] = ()
    created: bool = True
    runtime: str = ""
    architecture: str = "x86_64"
    arm: str = ""  # the parameter that sets the architecture
    # The folder of its code, or None if it is inline or not local
    code: Path | None = None
    inline: YamlNode | None = None
    shared: list[Path] = field(default_factory=list)  # the folders of its layers in this template
    handler: str = ""
    adopted: bool = False
    # The condition of what tracing needs; empty if it is always there
    traced: str = TRACED
    # The variable by which it sends to a backend of its own; empty without one
    backend: str = ""
    obstacle: Diagnostic | None = None
    # Whether it uses the X-Ray SDK; None if its code is not here
    bridge: bool | None = None

    @property
    def is_python(self) -> bool:
        """Whether it is a zip function of a supported Python version."""
        return bool(RUNTIME.fullmatch(self.runtime)) and self.obstacle is None

    def finding(self, source: str, problem: str, todo: str, node: YamlNode | None = None) -> Diagnostic:
        """A finding about the function, in the line of a node or in its own."""
        return Diagnostic(source, node.line if node is not None else self.line, f"{self.name}: {problem}", todo)

    @property
    def folders(self) -> list[Path]:
        """The local folders of its code and of its layers, the code first."""
        return [folder for folder in (self.code, *self.shared) if folder is not None]


def functions_in(source: str, root: YamlNode, resolved: Resolved, folder: Path, most_layers: int) -> list[AppFn]:
    """All functions, merged with Globals. `most_layers`: the number of layers that adopting adds."""
    reader = _Reader(source, root, resolved, folder, most_layers)
    edge = _edge_functions(root)
    functions = []
    for name, key, resource in root.named("Resources"):
        if name.startswith("Fn::ForEach") and FUNCTION in resource.texts():
            problem, todo = f"{name} makes its functions, which are not edited", BY_HAND
            functions.append(AppFn(name, key.line, resource, obstacle=Diagnostic(source, key.line, problem, todo)))
        if resource.text_at("Type") == FUNCTION:
            fn = reader.read(name, key, resource)
            if name in edge and fn.is_python:
                problem = "it is Lambda@Edge, which has neither layers nor environment variables"
                fn.obstacle = fn.finding(source, problem, "leave it untraced")
            functions.append(fn)
    return functions


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the functions of a template in a folder. `most_layers`: the number of layers that adopting adds."""

    source: str
    root: YamlNode
    resolved: Resolved
    folder: Path
    most_layers: int

    def read(self, name: str, key: YamlNode, resource: YamlNode) -> AppFn:
        properties = resource.get("Properties")
        if properties is None or not properties.entries:
            todo = "give it Handler and Runtime of its own"
            obstacle = Diagnostic(self.source, key.line, f"{name} has no properties of its own", todo)
            return AppFn(name, key.line, properties or resource, obstacle=obstacle)
        shared = self.root.get("Globals", "Function")
        written = [place for place in (properties, shared) if place is not None]
        places = [*reversed(self.resolved.places(resource))]
        created = self.resolved.root.get("Resources", name) is not None
        fn = AppFn(name, key.line, properties, tuple(places), created, _text_of(places, "Runtime"))
        fn.handler = _text_of(places, "Handler")
        fn.inline = properties.get("InlineCode")
        uri = _text_of(places, "CodeUri")
        if fn.inline is None and (uri or first_value(places, "CodeUri") is None):
            fn.code = _folder(self.folder, uri)
        fn.shared = list(_layer_folders(self.root, places, self.folder))
        fn.architecture, fn.arm = _architecture(self.root, written, places)
        for node, problem, todo in self._reasons(fn, resource, written):
            fn.obstacle = fn.finding(self.source, problem, todo, node)
            break
        fn.backend = backend_of(written, adopted=fn.adopted)
        return fn

    def _reasons(self, fn: AppFn, resource: YamlNode, written: list[YamlNode]) -> Iterator[Reason]:
        """The reasons why a function must be edited by hand."""
        properties = fn.properties
        if _text_of(written, "PackageType") == "Image" or properties.get("ImageUri") is not None:
            todo = f"copy the layer's files into the image: {page_address('how-to/container')}"
            yield properties, "it is a container image", todo
            return
        if not fn.runtime:
            yield properties, "its Runtime is not in the template", "write it there, or add the layer by hand"
        match = RUNTIME.fullmatch(fn.runtime)
        if match is None:
            return
        if (int(match[1]), int(match[2])) < OLDEST:
            todo = f"raise it to python{OLDEST[0]}.{OLDEST[1]} or later"
            yield properties, f"its runtime is {fn.runtime}, so it stays untraced", todo
        yield from _about_properties(resource, properties, written)
        for place in written:
            yield from _about_layers(self.root, place)
            yield from _about_variables(self.root, place)
        _recognize(self.root, fn, written)
        total = self.most_layers + sum(len(place.listed("Layers")) for place in written)
        if total > MOST_LAYERS and not fn.adopted:
            fewer = ", or add fewer by --packages bundled or --export daemon" if self.most_layers > 1 else ""
            todo = f"a function has at most {MOST_LAYERS}: join some{fewer}"
            yield properties, f"it would have {total} layers", todo


def _about_properties(resource: YamlNode, properties: YamlNode, written: list[YamlNode]) -> Iterator[Reason]:
    signing = first_value(written, "CodeSigningConfigArn")
    if signing is not None:
        todo = "add the kit's layer by hand, signed, with --packages bundled"
        yield signing, "it has code signing, and its layers must be signed, too", todo
    if any(name in ("<<", "Fn::Transform") for name, _, _ in properties.named()):
        yield properties, "its properties use a merge key or a transform", BY_HAND
    if not resource.start <= properties.start <= resource.end:
        yield resource, "its properties are an alias of another function's", "write out its properties"


def _recognize(root: YamlNode, fn: AppFn, places: list[YamlNode]) -> None:
    """Sets whether the kit traces a function already, and under which condition."""
    for place in (place for place in places if _has_kit(root, place)):
        fn.adopted, fn.traced = True, wrapper_of(place)[0]
        break


def _about_layers(root: YamlNode, place: YamlNode) -> Iterator[Reason]:
    layers = place.get("Layers")
    if layers is not None and not layers.empty and (layers.kind != "list" or layers.function):
        yield layers, "its Layers are not a list", "make each item an !If of its own"
    elif layers is not None and any(ADOT.search(text) for text in layers.texts()) and not _has_kit(root, place):
        yield layers, "it has a layer of OpenTelemetry already", "remove that layer and its variables first"


def _about_variables(root: YamlNode, place: YamlNode) -> Iterator[Reason]:
    environment, values = place.get("Environment"), place.get("Environment", "Variables")
    for node in (environment, values):
        if node is not None and not node.empty and not _is_plain(node):
            yield node, "its Environment is computed", "make each variable an !If of its own"
    wrapper = place.get("Environment", "Variables", "AWS_LAMBDA_EXEC_WRAPPER")
    if wrapper is not None and not _has_kit(root, place):
        shown = " ".join(wrapper.texts()) or "computed"
        todo = "a function has one wrapper: remove that one"
        if shown == WEB_ADAPTER:
            todo = "keep it if it is Lambda Web Adapter's, and start the web server with opentelemetry-instrument"
        yield wrapper, f"its AWS_LAMBDA_EXEC_WRAPPER is {shown}", todo


def _is_plain(node: YamlNode) -> bool:
    """Whether a value is a mapping that is not computed, without merge keys and transforms."""
    names = [name for name, _, _ in node.named()]
    return node.kind == "mapping" and not node.function and not any(n == "<<" or n.startswith("Fn::") for n in names)


def _has_kit(root: YamlNode, place: YamlNode) -> bool:
    """Whether the kit is in a place: by its wrapper, or by ADOT's beside the kit's layer."""
    wrapper = place.get("Environment", "Variables", "AWS_LAMBDA_EXEC_WRAPPER")
    if wrapper is None or WRAPPER in " ".join(wrapper.texts()):
        return wrapper is not None
    condition, value = wrapper_of(place)
    return value is not None and any(_is_kit(root, item, condition) for item in place.listed("Layers"))


def _is_kit(root: YamlNode, item: YamlNode, condition: str) -> bool:
    """Whether a layer is the kit's: made by the template, of the kit's folder or under the wrapper's condition."""
    guard, value = under_condition(item)
    layer = root.get("Resources", _reference(value))
    if layer is None or layer.text_at("Type") != LAYER:
        return False
    is_guarded = bool(condition) and condition == guard == layer.text_at("Condition")
    return is_guarded or LAYER_FOLDER in layer.text_at("Properties", "ContentUri")


def backend_of(places: Iterable[YamlNode], *, adopted: bool) -> str:
    """The variable that names a backend; empty without one, or if adopting has written it."""
    values = [(name, place.get("Environment", "Variables", name)) for place in places for name in OF_BACKEND]
    named = ((name, node) for name, node in values if node is not None)
    return next((name for name, node in named if not (adopted and _is_written(node))), "")


def _is_written(endpoint: YamlNode) -> bool:
    """Whether an endpoint may be one that adopting writes: a collector beside the function, or X-Ray."""
    return any("//localhost:" in text or "https://xray." in text for text in endpoint.texts())


def wrapper_of(place: YamlNode) -> tuple[str, YamlNode | None]:
    """The condition of the exec wrapper, empty without one, and its name: None unless it is the kit's or ADOT's."""
    wrapper = place.get("Environment", "Variables", "AWS_LAMBDA_EXEC_WRAPPER")
    condition, value = under_condition(wrapper) if wrapper is not None else ("", None)
    return condition, value if value is not None and value.text in (WRAPPER, INSTRUMENT) else None


def under_condition(value: YamlNode) -> tuple[str, YamlNode]:
    """The condition and the first value of an `!If`, in either notation; of another value: nothing, and the value."""
    choice = value if value.function == "If" else value.get("Fn::If")
    return (choice.items[0].text, choice.items[1]) if choice is not None and len(choice.items) > 1 else ("", value)


def _edge_functions(root: YamlNode) -> set[str]:
    """The logical ids of the functions that a CloudFront distribution runs, by their own names or those of versions."""
    resources = root.get("Resources")
    entries = resources.walk() if resources is not None else ()
    names = _logical_ids(node for key, node in entries if key is not None and key.value == "LambdaFunctionARN")
    return names | _logical_ids(root.get("Resources", name, "Properties", "FunctionName") for name in names)


def _logical_ids(references: Iterable[YamlNode | None]) -> set[str]:
    """The logical ids in references such as `!Ref Worker.Version`."""
    return {text.partition(".")[0] for node in references if node is not None for text in node.texts()}


def _layer_folders(root: YamlNode, places: list[YamlNode], folder: Path) -> Iterator[Path]:
    """The local folders of a function's layers that the same template makes."""
    for place in places:
        for item in place.listed("Layers"):
            uri = root.text_at("Resources", _reference(item), "Properties", "ContentUri")
            layer_folder = _folder(folder, uri) if uri else None
            if layer_folder is not None:
                yield layer_folder


def _folder(folder: Path, uri: str) -> Path | None:
    """The folder at a local address; None if there is none."""
    path = folder / uri
    return path if "://" not in uri and path.is_dir() else None


def _architecture(root: YamlNode, written: list[YamlNode], places: list[YamlNode]) -> tuple[str, str]:
    """The architecture, and the parameter that sets it."""
    declared, resolved = first_value(written, "Architectures"), first_value(places, "Architectures")
    name = _reference(declared.items[0]) if declared is not None and declared.items else ""
    if name and root.get("Parameters", name) is not None:
        return ARM, name
    return (resolved.items[0].text if resolved is not None and resolved.items else "") or "x86_64", ""


def _reference(node: YamlNode) -> str:
    """The name in `!Ref Name` or its long form; empty for another value."""
    return str(node.value) if node.function == "Ref" else node.text_at("Ref")


def _text_of(places: list[YamlNode], key: str) -> str:
    """The text of a property; empty if it is absent or computed."""
    node = first_value(places, key)
    return node.text if node is not None else ""
