"""The functions of a template: their properties, and the reasons why one must be edited by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lambda_latency.adopt.wording import ARM, INSTRUMENT, TRACED, WRAPPER
from lambda_latency.template import LAYER_FOLDER, Finding, Node, Resolved

FUNCTION, LAYER = "AWS::Serverless::Function", "AWS::Serverless::LayerVersion"
RUNTIME = re.compile(r"python(\d+)\.(\d+)")
OLDEST = 3, 10
MOST_LAYERS = 5
WEB_ADAPTER = "/opt/bootstrap"  # the exec wrapper of Lambda Web Adapter, behind which a web server has no handler
ADOT = re.compile(
    r"aws-otel-(python|collector)|AWSOpenTelemetryDistroPython|opentelemetry-python|opentelemetry-collector"
)


@dataclass(slots=True)
class Subject:
    """A function. `properties` are as written, `places` are resolved, those of Globals last. `left`: the reason why a
    Python function must be edited by hand, or None. `created`: whether the defaults of the parameters create it; others
    are edited, too, because other values do.
    """

    name: str
    line: int
    properties: Node
    places: tuple[Node, ...] = ()
    created: bool = True
    runtime: str = ""
    architecture: str = "x86_64"
    arm: str = ""  # the parameter that sets the architecture
    code: Path | None = None  # the folder of its code, or None if it is inline or not local
    inline: Node | None = None
    shared: list[Path] = field(default_factory=list)  # the folders of its layers in this template
    handler: str = ""
    adopted: bool = False
    traced: str = TRACED  # the condition of what tracing needs; empty if it is always there
    left: Finding | None = None
    bridge: bool | None = None  # whether it uses the X-Ray SDK; None if its code is not here

    @property
    def is_python(self) -> bool:
        """Whether it is a zip function of a supported Python version."""
        return bool(RUNTIME.fullmatch(self.runtime)) and self.left is None


def read_subjects(source: str, root: Node, resolved: Resolved, folder: Path, most_layers: int) -> list[Subject]:
    """All functions, merged with Globals. `most_layers`: the number of layers that adopting adds."""
    everyone = root.get("Globals", "Function")
    found = []
    edge = _at_the_edge(root)
    for name, key, resource in root.named("Resources"):
        if name.startswith("Fn::ForEach") and FUNCTION in texts(resource):
            todo = "add layer, wrapper and variables there by hand"
            left = Finding(source, key.line, f"{name} makes its functions, which are not edited", todo)
            found.append(Subject(name, key.line, resource, left=left))
        if resource.text_at("Type") != FUNCTION:
            continue
        properties = resource.get("Properties")
        if properties is None or properties.kind != "mapping" or not properties.entries:
            todo = "give it Handler and Runtime of its own"
            node = properties or resource
            left = Finding(source, key.line, f"{name} has no properties of its own", todo)
            found.append(Subject(name, key.line, node, left=left))
            continue
        subject = _read(source, root, resolved, (name, key), resource, properties, everyone, folder, most_layers)
        if name in edge and subject.is_python:
            what = f"{name}: it is Lambda@Edge, which has neither layers nor environment variables"
            subject.left = Finding(source, key.line, what, "leave it untraced")
        found.append(subject)
    return found


def _read(
    source: str,
    root: Node,
    resolved: Resolved,
    named: tuple[str, Node],
    resource: Node,
    properties: Node,
    everyone: Node | None,
    folder: Path,
    most_layers: int,
) -> Subject:
    name, key = named
    written = [place for place in (properties, everyone) if place is not None]
    places = [*reversed(resolved.places(resource))]
    created = resolved.root.get("Resources", name) is not None
    subject = Subject(name, key.line, properties, tuple(places), created, _text(places, "Runtime"))
    subject.handler = _text(places, "Handler")
    subject.inline = properties.get("InlineCode")
    uri = _text(places, "CodeUri")
    if subject.inline is None and (uri or _first(places, "CodeUri") is None):
        subject.code = _folder(folder, uri)
    subject.shared = list(_layer_folders(root, places, folder))
    subject.architecture, subject.arm = _architecture(root, written, places)
    for where, what, todo in _reasons(root, subject, resource, properties, everyone, most_layers):
        subject.left = Finding(source, where.line, f"{name}: {what}", todo)
        break
    return subject


Reason = tuple[Node, str, str]  # node, observation, remedy


def _reasons(
    root: Node, subject: Subject, resource: Node, properties: Node, everyone: Node | None, most_layers: int
) -> Iterator[Reason]:
    """The reasons why a function must be edited by hand."""
    places = [place for place in (properties, everyone) if place is not None]
    if _text(places, "PackageType") == "Image" or properties.get("ImageUri") is not None:
        yield properties, "it is a container image", "copy the layer's files into the image: docs/how-to/container.md"
        return
    if not subject.runtime:
        yield properties, "its Runtime is not in the template", "write it there, or add the layer by hand"
    match = RUNTIME.fullmatch(subject.runtime)
    if match is None:
        return
    if (int(match[1]), int(match[2])) < OLDEST:
        yield properties, f"its runtime is {subject.runtime}", f"raise it to python{OLDEST[0]}.{OLDEST[1]} or later"
    signing = _first(places, "CodeSigningConfigArn")
    if signing is not None:
        todo = "add the kit's layer by hand, signed, with --packages bundled"
        yield signing, "it has code signing, and its layers must be signed, too", todo
    if any(one in ("<<", "Fn::Transform") for one, _, _ in properties.named()):
        what = "its properties use a merge key or a transform"
        yield properties, what, "add layer, wrapper and variables there by hand"
    if not resource.start <= properties.start <= resource.end:
        yield resource, "its properties are an alias of another function's", "write out its properties"
    for place in places:
        yield from _about_layers(root, place)
        yield from _about_variables(root, place)
    _recognize(root, subject, places)
    total = most_layers + sum(len(place.listed("Layers")) for place in places)
    if total > MOST_LAYERS and not subject.adopted:
        fewer = ", or add fewer by --packages bundled or --export daemon" if most_layers > 1 else ""
        yield properties, f"it would have {total} layers", f"a function has at most {MOST_LAYERS}: join some{fewer}"


def _recognize(root: Node, subject: Subject, places: list[Node]) -> None:
    """Sets whether the kit traces a function already, and under which condition."""
    for place in (place for place in places if _is_ours(root, place)):
        subject.adopted, subject.traced = True, wrapper_of(place)[0]
        break


def _about_layers(root: Node, place: Node) -> Iterator[Reason]:
    layers = place.get("Layers")
    if layers is not None and not layers.empty and (layers.kind != "list" or layers.function):
        yield layers, "its Layers are not a list", "make each item an !If of its own"
    elif layers is not None and any(ADOT.search(one) for one in texts(layers)) and not _is_ours(root, place):
        yield layers, "it has a layer of OpenTelemetry already", "remove that layer and its variables first"


def _about_variables(root: Node, place: Node) -> Iterator[Reason]:
    environment, values = place.get("Environment"), place.get("Environment", "Variables")
    for node in (environment, values):
        if node is not None and not node.empty and (node.function or node.kind != "mapping" or not _is_plain(node)):
            yield node, "its Environment is computed", "make each variable an !If of its own"
    wrapper = place.get("Environment", "Variables", "AWS_LAMBDA_EXEC_WRAPPER")
    if wrapper is not None and not _is_ours(root, place):
        shown = " ".join(texts(wrapper)) or "computed"
        todo = "a function has one wrapper: remove that one"
        if shown == WEB_ADAPTER:
            todo = "keep it if it is Lambda Web Adapter's, and start the web server with opentelemetry-instrument"
        yield wrapper, f"its AWS_LAMBDA_EXEC_WRAPPER is {shown}", todo


def _is_plain(node: Node) -> bool:
    return not any(name == "<<" or name.startswith("Fn::") for name, _, _ in node.named())


def _is_ours(root: Node, place: Node) -> bool:
    """Whether the kit is in a place: by its wrapper, or by ADOT's beside the kit's layer."""
    wrapper = place.get("Environment", "Variables", "AWS_LAMBDA_EXEC_WRAPPER")
    if wrapper is None or WRAPPER in " ".join(texts(wrapper)):
        return wrapper is not None
    condition, value = wrapper_of(place)
    return value is not None and any(_is_kit(root, item, condition) for item in place.listed("Layers"))


def _is_kit(root: Node, item: Node, condition: str) -> bool:
    """Whether a layer is the kit's: made by the template, of the kit's folder or under the wrapper's condition."""
    guard, value = under_condition(item)
    layer = root.get("Resources", _reference(value))
    if layer is None or layer.text_at("Type") != LAYER:
        return False
    is_guarded = bool(condition) and condition == guard == layer.text_at("Condition")
    return is_guarded or LAYER_FOLDER in layer.text_at("Properties", "ContentUri")


def wrapper_of(place: Node) -> tuple[str, Node | None]:
    """The condition of the exec wrapper, empty without one, and its name: None unless it is the kit's or ADOT's."""
    wrapper = place.get("Environment", "Variables", "AWS_LAMBDA_EXEC_WRAPPER")
    condition, value = under_condition(wrapper) if wrapper is not None else ("", None)
    return condition, value if value is not None and value.text in (WRAPPER, INSTRUMENT) else None


def under_condition(value: Node) -> tuple[str, Node]:
    """The condition and the first value of an `!If`, in either notation; of another value: nothing, and the value."""
    choice = value if value.function == "If" else value.get("Fn::If")
    return (choice.items[0].text, choice.items[1]) if choice is not None and len(choice.items) > 1 else ("", value)


def _at_the_edge(root: Node) -> set[str]:
    """The logical ids of the functions that a CloudFront distribution runs, by their own names or those of versions."""
    found: set[str] = set()
    waiting = [resource for _, _, resource in root.named("Resources")]
    while waiting:
        node = waiting.pop()
        waiting += node.items
        for key, _, one in node.named():
            waiting.append(one)
            if key == "LambdaFunctionARN":
                found |= {text.partition(".")[0] for text in texts(one)}
    for name in tuple(found):
        version = root.get("Resources", name, "Properties", "FunctionName")
        found |= {text.partition(".")[0] for text in texts(version)} if version is not None else set()
    return found


def _layer_folders(root: Node, places: list[Node], folder: Path) -> Iterator[Path]:
    """The local folders of a function's layers that the same template makes."""
    for place in places:
        for item in place.listed("Layers"):
            uri = root.text_at("Resources", _reference(item), "Properties", "ContentUri")
            found = _folder(folder, uri) if uri else None
            if found is not None:
                yield found


def _folder(folder: Path, uri: str) -> Path | None:
    """The folder at a local address; None if there is none."""
    found = folder / uri
    return found if "://" not in uri and found.is_dir() else None


def _architecture(root: Node, written: list[Node], places: list[Node]) -> tuple[str, str]:
    """The architecture, and the parameter that sets it."""
    found, known = _first(written, "Architectures"), _first(places, "Architectures")
    name = _reference(found.items[0]) if found is not None and found.items else ""
    if name and root.get("Parameters", name) is not None:
        return ARM, name
    return (known.items[0].text if known is not None and known.items else "") or "x86_64", ""


def _reference(node: Node) -> str:
    """The name in `!Ref Name` or its long form; empty for another value."""
    return str(node.value) if node.function == "Ref" else node.text_at("Ref")


def _first(places: list[Node], key: str) -> Node | None:
    return next((node for place in places if (node := place.get(key)) is not None), None)


def _text(places: list[Node], key: str) -> str:
    """The text of a property; empty if it is absent or computed."""
    found = _first(places, key)
    return found.text if found is not None else ""


def texts(node: Node) -> list[str]:
    """All texts in a value."""
    return [str(one.value) for one in node.scalars() if not one.empty]
