"""A function of a template, merged with `Globals` as SAM does (mappings by key, lists concatenated), and its layers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from lambda_latency.adot import PYTHON, Release
from lambda_latency.template import YamlNode, first_value, places_of

SAM, PLAIN = "AWS::Serverless::Function", "AWS::Lambda::Function"
KIT_WRAPPER = "/opt/lambda-latency/wrapper"
INSTRUMENT = "/opt/otel-instrument"
# Those of the community's layers for other languages than Python.
HANDLERS = (
    "/opt/otel-handler",
    "/opt/otel-proxy-handler",
    "/opt/otel-stream-handler",
    "/opt/otel-sqs-handler",
)
OTEL_WRAPPERS = (INSTRUMENT, *HANDLERS)
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
EXPORT = "LAMBDA_LATENCY_EXPORT"
TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
ENDPOINTS = (TRACES_ENDPOINT, "OTEL_EXPORTER_OTLP_ENDPOINT")
DEFAULT_MB, DEFAULT_S = 128, 3  # Lambda's own
ARN = re.compile(r"arn:(?P<partition>[^:]+):lambda:(?P<region>[^:]*):(?P<account>[^:]*):layer:(?P<name>[^:]+)"
                 r"(?::(?P<version>.+))?")  # fmt: skip
ADOT = re.compile(r"AWSOpenTelemetryDistro(Python|Js|Java|DotNet)")
COLLECTOR = re.compile(r"aws-otel-collector-(amd64|arm64)-ver-(\d+)-(\d+)-(\d+)")
LEGACY = re.compile(r"aws-otel-(python|nodejs|java-wrapper|java-agent)-(amd64|arm64)-ver-.+")
COMMUNITY = re.compile(r"opentelemetry-(python|nodejs|javaagent|javawrapper|ruby)-\d+_.+")
PROCESSOR = re.compile(r"(?i)(?:^|[-_])(amd64|x86[-_]?64|x64|arm64|arm|aarch64)(?=[-_.]|$)")


@dataclass(frozen=True, slots=True)
class Fn:
    """A function: its logical id and the id's line. `places`: its resolved properties, Globals first."""

    name: str
    line: int
    is_sam: bool
    places: tuple[YamlNode, ...]
    metadata: YamlNode | None

    def get(self, *path: str) -> YamlNode | None:
        """A property; the function's own overrides that of Globals."""
        return first_value(reversed(self.places), *path)

    def text(self, *path: str) -> str:
        """A scalar property with a known value, as text; else empty."""
        node = self.get(*path)
        return node.text if node is not None else ""

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
        node = self.get(*path)
        return node.line if node is not None else self.line

    def owner_of(self, *path: str) -> str:
        """The owner of a property: the function's name, or `each function` for Globals."""
        shared = self.places[0].get(*path) if len(self.places) > 1 else None
        return "each function" if shared is not None and shared is self.get(*path) else self.name

    @property
    def variables(self) -> Mapping[str, YamlNode]:
        """The environment variables: value nodes by name."""
        entries = (entry for place in self.places for entry in place.named("Environment", "Variables"))
        return {name: value for name, _, value in entries}

    def variable(self, name: str) -> str:
        """A variable with a known value; else empty."""
        node = self.variables.get(name)
        return node.text if node is not None else ""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Its layers, in their order."""
        return tuple(map(layer_of, self.layer_nodes))

    @property
    def layer_nodes(self) -> list[YamlNode]:
        """The items of its lists of layers, those that are not computed."""
        lists = [node for place in self.places if (node := place.get("Layers")) is not None]
        return [item for node in lists if not node.function for item in node.items]

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
        return node.items[0].text if len(node.items) == 1 and not node.function else ""

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

    @property
    def has_build_method(self) -> bool:
        """Whether a build of its own makes its files."""
        return self.metadata is not None and self.metadata.get("BuildMethod") is not None

    @property
    def sends_by_udp(self) -> bool:
        """Whether ADOT's layer sends spans by UDP to Lambda's daemon."""
        return self.variable("OTEL_AWS_LAMBDA_FAST_START").lower() == "true" and not self.has_kit

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
        has_aws_layer = any(layer.kind in ("adot", "collector", "legacy") for layer in self.layers)
        return self.has_kit or (self.is_instrumented and has_aws_layer)

    def events(self) -> Iterator[tuple[str, YamlNode]]:
        """Its events in SAM: type and node."""
        events = self.get("Events")
        nodes = [event for _, _, event in events.named()] if events is not None else []
        return ((kind, event) for event in nodes if (kind := event.text_at("Type")))


def functions_of(root: YamlNode) -> tuple[Fn, ...]:
    """The functions of a resolved template."""
    functions = []
    for name, key, resource in root.named("Resources"):
        kind = resource.text_at("Type")
        if kind in (SAM, PLAIN):
            functions.append(Fn(name, key.line, kind == SAM, places_of(root, resource), resource.get("Metadata")))
    return tuple(functions)


def host_and_port(address: str) -> tuple[str, int | None]:
    """The host and the port of a URL: no host if it is not one, and port 0 if it has an invalid one."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", None
    try:
        return parts.hostname or "", parts.port
    except ValueError:
        return parts.hostname or "", 0


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer; parts of an ARN that are unknown before the deployment are empty. `local` is a logical id."""

    line: int
    partition: str = ""
    region: str = ""
    account: str = ""
    name: str = ""
    version: str = ""
    local: str = ""

    @property
    def kind(self) -> str:
        """`adot`, `collector`, `legacy`, `community`, or empty."""
        kinds = (("adot", ADOT), ("collector", COLLECTOR), ("legacy", LEGACY), ("community", COMMUNITY))
        return next((kind for kind, pattern in kinds if pattern.fullmatch(self.name)), "")

    @property
    def language(self) -> str:
        """The language of its runtimes (`python`, `nodejs`, ...); empty if any or unknown."""
        for pattern in (ADOT, LEGACY, COMMUNITY):
            match = pattern.fullmatch(self.name)
            if match is not None:
                name = match[1].lower()
                if name.startswith("java"):
                    return "java"
                return "nodejs" if name == "js" else name
        return ""

    @property
    def processor(self) -> str:
        """`arm64` or `x86_64` if its name contains it; else empty."""
        match = PROCESSOR.search(self.name)
        if match is None:
            return ""
        is_arm = match[1].lower().startswith(("arm", "aarch"))
        return "arm64" if is_arm else "x86_64"

    @property
    def arn(self) -> str:
        """Its ARN; empty if a part is unknown."""
        parts = (self.partition, "lambda", self.region, self.account, "layer", self.name, self.version)
        return ":".join(("arn", *parts)) if all(parts) else ""

    @property
    def number(self) -> int | None:
        """The number of its version; None if it is unknown."""
        return int(self.version) if self.version.isdecimal() else None

    @property
    def release(self) -> Release | None:
        """The release of ADOT's layer for Python; None for another layer, and for a number that no source tells."""
        is_adot_python = self.kind == "adot" and self.language == "python" and self.number is not None
        return PYTHON.release(self.region, self.number or 0) if is_adot_python else None

    @property
    def has_collector(self) -> bool:
        """Whether it contains ADOT's collector."""
        return self.kind in ("collector", "legacy")

    @property
    def collector_version(self) -> tuple[int, ...]:
        """The version of the collector layer; empty for another layer."""
        match = COLLECTOR.fullmatch(self.name)
        return tuple(int(part) for part in match.groups()[1:]) if match is not None else ()


def layer_of(node: YamlNode) -> Layer:
    """The layer of an item of `Layers`."""
    if node.kind != "scalar":
        return Layer(node.line)
    text = str(node.value)
    if node.function in ("Ref", "GetAtt"):
        return Layer(node.line, local=text.partition(".")[0])
    match = ARN.fullmatch(text)
    if match is None:
        return Layer(node.line)
    parts = {name: part if part and "${" not in part else "" for name, part in match.groupdict().items()}
    return Layer(node.line, **parts)
