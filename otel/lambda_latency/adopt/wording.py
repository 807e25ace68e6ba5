"""The texts that are written into a template: names, and the properties of a function."""

from __future__ import annotations

from dataclasses import dataclass

from lambda_latency.adopt.errors import AdoptError
from lambda_latency.adopt.splice import Tree
from lambda_latency.adot import COLLECTOR, PYTHON, Release
from lambda_latency.template import LAYER_FOLDER

__all__ = [
    "ACTIVE",
    "ADOT",
    "ARM",
    "COLLECTED",
    "KIT",
    "LAYER_FOLDER",
    "MAPPING",
    "PACKAGES",
    "TRACED",
    "WRAPPER",
    "Wanted",
    "adot_mapping",
    "adot_numbers",
    "adot_parameter",
    "adot_release",
    "api_requirement",
    "conditions",
    "layers",
    "parameter",
    "variables",
]

KIT, MAPPING, ADOT = "LambdaLatency", "LambdaLatencyAdot", "LambdaLatencyAdotArn"
TRACED, ACTIVE, COLLECTED, ARM = (f"LambdaLatency{name}" for name in ("IsTraced", "IsActive", "IsCollected", "IsArm"))
PACKAGES = "lambda-latency/packages.txt"  # path in the layer: the lock of OpenTelemetry's packages, if they are bundled
WRAPPER = "/opt/lambda-latency/wrapper"
NOTHING = "!Ref AWS::NoValue"
WITHOUT_COLLECTOR = "ap-northeast-3"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of adopting. `export` is `collector`, `daemon` or `otlp`; `parameter` names the template's parameter.

    `packages`: the layer with OpenTelemetry's packages, `adot` for ADOT's, `bundled` for the kit's own.
    `rewrite`: replace the X-Ray SDK's calls in the app's code by OpenTelemetry's. `regions`: where the app is deployed.
    """

    export: str = "collector"
    parameter: str = "Tracing"
    rewrite: bool = False
    packages: str = "adot"
    regions: tuple[str, ...] = ("us-east-1",)

    @property
    def layers(self) -> int:
        """The number of layers that a function gets."""
        return 1 + self.collected + (self.packages == "adot")

    @property
    def collected(self) -> bool:
        """Whether a collector runs beside the functions."""
        return self.export == "collector"


def adot_release(wanted: Wanted) -> Release:
    """The release of ADOT's layer for Python that the app gets: the same one in all of its regions.

    Raises `AdoptError` for a region in which no number is known.
    """
    found = PYTHON.shared(wanted.regions)
    if found is None:
        unknown = next((one for one in wanted.regions if PYTHON.newest(one) is None), wanted.regions[0])
        raise AdoptError(f"no version of {PYTHON.name} is known in {unknown}", "adopt it with --packages bundled")
    return found


def adot_numbers(wanted: Wanted) -> dict[str, int]:
    """The number of ADOT's layer for Python in each region of the app."""
    return {region: adot_release(wanted).numbers[region] for region in wanted.regions}


def api_requirement(wanted: Wanted) -> str:
    """OpenTelemetry's API in the version of the layer: a function's own packages take precedence over a layer's."""
    release = PYTHON.releases[-1] if wanted.packages == "bundled" else adot_release(wanted)
    return f"opentelemetry-api=={release.packages['opentelemetry-api']}"


def adot_parameter(wanted: Wanted) -> Tree:
    """The template's parameter with the ARN of ADOT's layer, for an app of one region."""
    ((region, number),) = adot_numbers(wanted).items()
    arn = PYTHON.arn(region, number)
    return {"Type": "String", "Default": arn, "Description": f"ADOT's layer for Python in {region}"}


def adot_mapping(wanted: Wanted) -> Tree:
    """The template's map with the ARN of ADOT's layer, for an app of several regions."""
    return {region: f"{{ Arn: {PYTHON.arn(region, number)} }}" for region, number in adot_numbers(wanted).items()}


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
    found: list[Tree] = [
        f"!Ref {KIT}" if always else f"!If [{TRACED}, !Ref {KIT}, {NOTHING}]",
    ]
    if wanted.packages == "adot":
        adot = f"!Ref {ADOT}" if len(wanted.regions) == 1 else f"!FindInMap [{MAPPING}, !Ref AWS::Region, Arn]"
        found.append(f"!If [{TRACED}, {adot}, {NOTHING}]")
    if wanted.collected:
        arn = f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:{COLLECTOR.account}:layer:%s:{COLLECTOR.number}"
        if architecture == ARM:
            processor = f"{{ Processor: !If [{ARM}, arm64, amd64] }}"
            collector = f'!Sub ["{arn % COLLECTOR.name("${Processor}")}", {processor}]'
        else:
            collector = f'!Sub "{arn % COLLECTOR.name("arm64" if architecture == "arm64" else "amd64")}"'
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
