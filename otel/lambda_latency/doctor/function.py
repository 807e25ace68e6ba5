"""A function of a template, merged with `Globals` as SAM does: mappings by key, lists concatenated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lambda_latency.doctor.layer import Layer, layer_of
from lambda_latency.template import Node, places_of

SAM, PLAIN = "AWS::Serverless::Function", "AWS::Lambda::Function"
KIT_WRAPPER = "/opt/lambda-latency/wrapper"
OTEL_WRAPPERS = ("/opt/otel-instrument", "/opt/otel-handler", "/opt/otel-proxy-handler", "/opt/otel-stream-handler",
                 "/opt/otel-sqs-handler")  # fmt: skip
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"


@dataclass(frozen=True, slots=True)
class Fn:
    """A function: its logical id and the id's line. `places`: its resolved properties, Globals first."""

    name: str
    line: int
    is_sam: bool
    places: tuple[Node, ...]
    metadata: Node | None

    def get(self, *path: str) -> Node | None:
        """A property; the function's own overrides that of Globals."""
        for place in reversed(self.places):
            found = place.get(*path)
            if found is not None:
                return found
        return None

    def text(self, *path: str) -> str:
        """A scalar property with a known value, as text; else empty."""
        found = self.get(*path)
        return found.text if found is not None else ""

    def number(self, *path: str, default: float) -> float | None:
        """A property as a number; `default` if it is absent, None if it is unknown."""
        if self.get(*path) is None:
            return default
        try:
            return float(self.text(*path))
        except ValueError:
            return None

    def line_of(self, *path: str) -> int:
        """The line of a property; the function's line if it is absent."""
        found = self.get(*path)
        return found.line if found is not None else self.line

    def owner_of(self, *path: str) -> str:
        """The owner of a property: the function's name, or `each function` for Globals."""
        shared = self.places[0].get(*path) if len(self.places) > 1 else None
        return "each function" if shared is not None and shared is self.get(*path) else self.name

    @property
    def variables(self) -> Mapping[str, Node]:
        """The environment variables: value nodes by name."""
        found: dict[str, Node] = {}
        for place in self.places:
            found.update({name: value for name, _, value in place.named("Environment", "Variables")})
        return found

    def variable(self, name: str) -> str:
        """A variable with a known value; else empty."""
        found = self.variables.get(name)
        return found.text if found is not None else ""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Its layers, in their order."""
        return tuple(layer_of(item) for place in self.places for item in _items(place.get("Layers")))

    @property
    def has_unknown_layers(self) -> bool:
        """Whether a layer, or the whole list, is unknown."""
        lists = [node for place in self.places if (node := place.get("Layers")) is not None]
        whole = any(node.function or node.kind != "list" for node in lists)
        return whole or any(not layer.name and not layer.local for layer in self.layers)

    @property
    def is_image(self) -> bool:
        """Whether it is a container image."""
        return self.text("PackageType") == "Image"

    @property
    def runtime(self) -> str:
        """The runtime, such as `python3.13`; empty if unknown or an image."""
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
        return first.text if first is not None else ""

    @property
    def tracing(self) -> str:
        """`Active`, `PassThrough` (Lambda's default), or empty if unknown."""
        path = ("Tracing",) if self.is_sam else ("TracingConfig", "Mode")
        return "PassThrough" if self.get(*path) is None else self.text(*path)

    @property
    def tracing_line(self) -> int:
        """The line of the tracing mode; the function's line if it is absent."""
        return self.line_of("Tracing") if self.is_sam else self.line_of("TracingConfig", "Mode")

    @property
    def wrapper(self) -> str:
        """The exec wrapper; empty without one, or if it is unknown."""
        return self.variable(WRAPPER)

    @property
    def has_kit(self) -> bool:
        """Whether the kit's wrapper starts OpenTelemetry."""
        return self.wrapper == KIT_WRAPPER

    @property
    def is_instrumented(self) -> bool:
        """Whether a known wrapper starts OpenTelemetry."""
        return self.has_kit or self.wrapper in OTEL_WRAPPERS

    @property
    def has_unknown_wrapper(self) -> bool:
        """Whether it has an exec wrapper whose name is unknown."""
        return WRAPPER in self.variables and not self.wrapper

    def layer(self, kind: str) -> Layer | None:
        """Its first layer of a kind (`adot`, `collector`, `legacy`, `community`)."""
        return next((layer for layer in self.layers if layer.kind == kind), None)

    @property
    def has_collector(self) -> bool:
        """Whether a layer with ADOT's collector runs beside it."""
        return any(layer.has_collector for layer in self.layers)

    @property
    def has_adot_python(self) -> bool:
        """Whether it has ADOT's Python layer."""
        return any(layer.kind == "adot" and layer.language == "python" for layer in self.layers)

    @property
    def exports_to_xray(self) -> bool:
        """Whether its spans go to X-Ray as far as its layers tell: those of other vendors have the same wrappers."""
        ours = any(layer.kind in ("adot", "collector", "legacy") for layer in self.layers)
        return self.has_kit or (self.is_instrumented and ours)

    def events(self) -> Iterator[tuple[str, Node]]:
        """Its events in SAM: type and node."""
        events = self.get("Events")
        for _, _, event in events.named() if events is not None else ():
            kind = event.text_at("Type")
            if kind:
                yield kind, event


def functions_of(root: Node) -> tuple[Fn, ...]:
    """The functions of a resolved template."""
    return tuple(
        Fn(name, key.line, kind == SAM, places_of(root, resource), resource.get("Metadata"))
        for name, key, resource in root.named("Resources")
        if (kind := resource.text_at("Type")) in (SAM, PLAIN)
    )


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if node is not None and node.kind == "list" and not node.function else ()
