"""The texts that are written into a template: names, and the properties of a function."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from lambda_latency.adopt.splice import Tree
from lambda_latency.example import example_folder
from lambda_latency.template import LAYER_FOLDER, Finding, read_yaml

__all__ = [
    "ACTIVE",
    "API",
    "ARM",
    "COLLECTED",
    "KIT",
    "LAYER_FOLDER",
    "MAPPING",
    "PACKAGES",
    "TRACED",
    "WRAPPER",
    "Wanted",
    "adot_versions",
    "conditions",
    "layers",
    "parameter",
    "variables",
]

KIT, MAPPING = "LambdaLatency", "LambdaLatencyAdot"
TRACED, ACTIVE, COLLECTED, ARM = (f"LambdaLatency{name}" for name in ("IsTraced", "IsActive", "IsCollected", "IsArm"))
PACKAGES = "lambda-latency/packages.txt"  # path in the layer: the lock of OpenTelemetry's packages, if they are bundled
WRAPPER = "/opt/lambda-latency/wrapper"
NOTHING = "!Ref AWS::NoValue"
API = (
    "opentelemetry-api==1.44.0"  # the version in ADOT's layer: a function's own packages take precedence over a layer's
)
WITHOUT_COLLECTOR = "ap-northeast-3"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of adopting. `export` is `collector`, `daemon` or `otlp`; `parameter` names the template's parameter.

    `packages`: the layer with OpenTelemetry's packages, `adot` for ADOT's, `bundled` for the kit's own.
    `rewrite`: replace the X-Ray SDK's calls in the app's code by OpenTelemetry's.
    """

    export: str = "collector"
    parameter: str = "Tracing"
    rewrite: bool = False
    packages: str = "adot"

    @property
    def layers(self) -> int:
        """The number of layers that a function gets."""
        return 1 + self.collected + (self.packages == "adot")

    @property
    def collected(self) -> bool:
        """Whether a collector runs beside the functions."""
        return self.export == "collector"


@functools.cache
def adot_versions() -> dict[str, str]:
    """The version of ADOT's layer for Python by region, from this release's example template."""
    path = example_folder() / "template.yaml"
    root = read_yaml(path.name, Path(path).read_text(encoding="utf-8"))
    assert not isinstance(root, Finding)
    return {name: node.text_at("Version") for name, _, node in root.named("Mappings", "AdotPython")}


def parameter() -> Tree:
    """The template's parameter that switches tracing."""
    return {
        "Type": "String",
        "Default": "Active",
        "AllowedValues": '[Active, PassThrough, "Off"]',
        "Description": "Active traces requests, PassThrough those that a caller has sampled, Off none, at no cost",
    }


def conditions(wanted: Wanted, arm: str = "") -> dict[str, Tree]:
    """The conditions of all additions; `arm` is the parameter of the architecture, if there is one."""
    traced = f'!Not [!Equals [!Ref {wanted.parameter}, "Off"]]'
    found: dict[str, Tree] = {TRACED: traced, ACTIVE: f"!Equals [!Ref {wanted.parameter}, Active]"}
    if wanted.collected:
        found[COLLECTED] = f"!And [!Condition {TRACED}, !Not [!Equals [!Ref AWS::Region, {WITHOUT_COLLECTOR}]]]"
    if arm:
        found[ARM] = f"!Equals [!Ref {arm}, arm64]"
    return found


def layers(wanted: Wanted, architecture: str, *, always: bool) -> list[Tree]:
    """The layers of a function; `always`: its code needs the kit's layer even without tracing."""
    adot = "arn:${AWS::Partition}:lambda:${AWS::Region}:615299751070:layer:AWSOpenTelemetryDistroPython:${Version}"
    version = f"{{ Version: !FindInMap [{MAPPING}, !Ref AWS::Region, Version] }}"
    found: list[Tree] = [
        f"!Ref {KIT}" if always else f"!If [{TRACED}, !Ref {KIT}, {NOTHING}]",
    ]
    if wanted.packages == "adot":
        found.append(f'!If [{TRACED}, !Sub ["{adot}", {version}], {NOTHING}]')
    if wanted.collected:
        arn = "arn:${AWS::Partition}:lambda:${AWS::Region}:901920570463:layer:aws-otel-collector-%s-ver-0-117-0:1"
        if architecture == ARM:
            processor = f"{{ Processor: !If [{ARM}, arm64, amd64] }}"
            collector = f'!Sub ["{arn % "${Processor}"}", {processor}]'
        else:
            collector = f'!Sub "{arn % ("arm64" if architecture == "arm64" else "amd64")}"'
        found.append(f"!If [{COLLECTED}, {collector}, {NOTHING}]")
    return found


def variables(wanted: Wanted, *, bridge: bool) -> dict[str, Tree]:
    """The variables of a function; `bridge`: its code uses the X-Ray SDK."""
    found: dict[str, Tree] = {"AWS_LAMBDA_EXEC_WRAPPER": f"!If [{TRACED}, {WRAPPER}, {NOTHING}]"}
    if wanted.collected:
        found["OPENTELEMETRY_COLLECTOR_CONFIG_URI"] = (
            f"!If [{COLLECTED}, /opt/lambda-latency/collector.yaml, {NOTHING}]"
        )
        found["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = f'!If [{COLLECTED}, "http://localhost:4318/v1/traces", {NOTHING}]'
        found["LAMBDA_LATENCY_EXPORT"] = f"!If [{COLLECTED}, collector, !If [{TRACED}, daemon, {NOTHING}]]"
    else:
        found["LAMBDA_LATENCY_EXPORT"] = f"!If [{TRACED}, {wanted.export}, {NOTHING}]"
    if bridge:
        found["LAMBDA_LATENCY_XRAY_SDK"] = f"!If [{TRACED}, bridge, {NOTHING}]"
    return found
