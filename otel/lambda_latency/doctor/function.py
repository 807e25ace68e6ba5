"""A function of a template, merged with `Globals` as SAM does it: mappings by key, lists one behind the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_latency.doctor.layer import Layer, layer_of

if TYPE_CHECKING:
    from lambda_latency.template import Node

__all__ = ["Fn", "functions_of"]

SAM, PLAIN = "AWS::Serverless::Function", "AWS::Lambda::Function"
KIT_WRAPPER = "/opt/lambda-latency/wrapper"
OTEL_WRAPPERS = ("/opt/otel-instrument", "/opt/otel-handler", "/opt/otel-proxy-handler", "/opt/otel-stream-handler",
                 "/opt/otel-sqs-handler")  # fmt: skip
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"


@dataclass(frozen=True, slots=True)
class Fn:
    """A function by its logical id; `line` is the id's. `places` are its properties, Globals first, resolved."""

    name: str
    line: int
    is_sam: bool
    places: tuple[Node, ...]
    metadata: Node | None

    def get(self, *path: str) -> Node | None:
        """A property; the function's own beats that of Globals."""
        for place in reversed(self.places):
            found = place.get(*path)
            if found is not None:
                return found
        return None

    def text(self, *path: str) -> str:
        """A property with a known, single value, as text; else empty."""
        found = self.get(*path)
        return str(found.value) if found is not None and _is_plain(found) else ""

    def is_unknown(self, *path: str) -> bool:
        """Whether a property is there, and its value is known only after the deployment."""
        found = self.get(*path)
        return found is not None and not _is_plain(found)

    def number(self, *path: str, default: float) -> float | None:
        """A property as a number, `default` where it is left out; None where it is unknown."""
        if self.get(*path) is None:
            return default
        try:
            return float(self.text(*path))
        except ValueError:
            return None

    def line_of(self, *path: str) -> int:
        """Where a property stands; the line of the function where it is left out."""
        found = self.get(*path)
        return found.line if found is not None else self.line

    def owner_of(self, *path: str) -> str:
        """Who has a property: the function by its name, or all that share it in Globals."""
        shared = self.places[0].get(*path) if len(self.places) > 1 else None
        return "each function" if shared is not None and shared is self.get(*path) else self.name

    @property
    def variables(self) -> Mapping[str, Node]:
        """The environment: values by name."""
        found: dict[str, Node] = {}
        for place in self.places:
            node = place.get("Environment", "Variables")
            found.update({name: value for name, _, value in node.named()} if node is not None else {})
        return found

    def variable(self, name: str) -> str:
        """A variable with a known value; else empty."""
        found = self.variables.get(name)
        return str(found.value) if found is not None and _is_plain(found) else ""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Its layers, in their order."""
        return tuple(layer_of(item) for place in self.places for item in _items(place.get("Layers")))

    @property
    def has_unknown_layers(self) -> bool:
        """Whether a layer, or all of them, may be anything."""
        lists = [node for place in self.places if (node := place.get("Layers")) is not None]
        whole = any(node.function or node.kind != "list" for node in lists)
        return whole or any(not layer.name and not layer.local for layer in self.layers)

    @property
    def is_image(self) -> bool:
        """Whether it is a container image."""
        return self.text("PackageType") == "Image"

    @property
    def runtime(self) -> str:
        """`python3.13`, `nodejs22.x`; empty if unknown or an image."""
        return self.text("Runtime")

    @property
    def is_python(self) -> bool:
        """Whether its code is Python."""
        return self.runtime.startswith("python")

    @property
    def processor(self) -> str:
        """`arm64` or `x86_64`; empty if unknown."""
        node = self.get("Architectures")
        if node is None:
            return "x86_64"
        first = node.items[0] if node.kind == "list" and len(node.items) == 1 and not node.function else None
        return str(first.value) if first is not None and _is_plain(first) else ""

    @property
    def tracing(self) -> str:
        """`Active`, `PassThrough` (Lambda's default), or empty if unknown."""
        path = ("Tracing",) if self.is_sam else ("TracingConfig", "Mode")
        return "PassThrough" if self.get(*path) is None else self.text(*path)

    @property
    def tracing_line(self) -> int:
        """Where the mode stands; the line of the function where it is left out."""
        return self.line_of("Tracing") if self.is_sam else self.line_of("TracingConfig", "Mode")

    @property
    def wrapper(self) -> str:
        """The exec wrapper; empty without one, or if it is unknown."""
        return self.variable(WRAPPER)

    @property
    def has_kit(self) -> bool:
        """Whether the kit starts OpenTelemetry in it."""
        return self.wrapper == KIT_WRAPPER

    @property
    def is_instrumented(self) -> bool:
        """Whether a wrapper starts OpenTelemetry in it."""
        return self.has_kit or self.wrapper in OTEL_WRAPPERS

    def layer(self, kind: str) -> Layer | None:
        """Its first layer of a kind (`adot`, `collector`, `legacy`, `community`)."""
        return next((layer for layer in self.layers if layer.kind == kind), None)

    @property
    def has_adot_python(self) -> bool:
        """Whether ADOT's Python layer is in it."""
        return any(layer.kind == "adot" and layer.language == "python" for layer in self.layers)

    def events(self) -> Iterator[tuple[str, Node]]:
        """Its events in SAM: type and node."""
        node = self.get("Events")
        for _, _, event in node.named() if node is not None and node.kind == "mapping" else ():
            kind = event.get("Type")
            if kind is not None and not kind.function:
                yield str(kind.value), event


def functions_of(root: Node) -> tuple[Fn, ...]:
    """The functions of a resolved template."""
    everyone = root.get("Globals", "Function")
    resources = root.get("Resources")
    found = []
    for name, key, resource in resources.named() if resources is not None else ():
        kind = resource.get("Type")
        if kind is None or kind.value not in (SAM, PLAIN):
            continue
        is_sam = kind.value == SAM
        places = [everyone if is_sam else None, resource.get("Properties")]
        kept = tuple(place for place in places if place is not None)
        found.append(Fn(name, key.line, is_sam, kept, resource.get("Metadata")))
    return tuple(found)


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if node is not None and node.kind == "list" and not node.function else ()


def _is_plain(node: Node) -> bool:
    return node.kind == "scalar" and not node.function and node.value is not None
