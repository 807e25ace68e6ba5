"""A layer of a function: the parts of its ARN, and facts about OpenTelemetry layers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lambda_latency.adot import PYTHON, Release
from lambda_latency.template import Node

ARN = re.compile(r"arn:(?P<partition>[^:]+):lambda:(?P<region>[^:]*):(?P<account>[^:]*):layer:(?P<name>[^:]+)"
                 r"(?::(?P<version>.+))?")  # fmt: skip
ADOT = re.compile(r"AWSOpenTelemetryDistro(Python|Js|Java|DotNet)")
COLLECTOR = re.compile(r"aws-otel-collector-(amd64|arm64)-ver-(\d+)-(\d+)-(\d+)")
LEGACY = re.compile(r"aws-otel-(python|nodejs|java-wrapper|java-agent)-(amd64|arm64)-ver-.+")
COMMUNITY = re.compile(r"opentelemetry-(python|nodejs|javaagent|javawrapper|ruby)-\d+_.+")
PROCESSOR = re.compile(r"(?i)(?:^|[-_])(amd64|x86[-_]?64|x64|arm64|arm|aarch64)(?=[-_.]|$)")
LANGUAGES = {"Python": "python", "Js": "nodejs", "Java": "java", "DotNet": "dotnet", "python": "python",
             "nodejs": "nodejs", "java-wrapper": "java", "java-agent": "java", "javaagent": "java",
             "javawrapper": "java", "ruby": "ruby"}  # fmt: skip


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
            found = pattern.fullmatch(self.name)
            if found is not None:
                return LANGUAGES[found[1]]
        return ""

    @property
    def processor(self) -> str:
        """`arm64` or `x86_64` if its name contains it; else empty."""
        found = PROCESSOR.search(self.name)
        return "" if found is None else "arm64" if found[1].lower().startswith(("arm", "aarch")) else "x86_64"

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
        known = self.kind == "adot" and self.language == "python" and self.number is not None
        return PYTHON.release(self.region, self.number or 0) if known else None

    @property
    def has_collector(self) -> bool:
        """Whether it contains ADOT's collector."""
        return self.kind in ("collector", "legacy")

    @property
    def collector_version(self) -> tuple[int, ...]:
        """The version of the collector layer; empty for another layer."""
        found = COLLECTOR.fullmatch(self.name)
        return tuple(int(part) for part in found.groups()[1:]) if found is not None else ()


def layer_of(node: Node) -> Layer:
    """The layer of an item of `Layers`."""
    if node.kind != "scalar":
        return Layer(node.line)
    text = str(node.value)
    if node.function in ("Ref", "GetAtt"):
        return Layer(node.line, local=text.partition(".")[0])
    found = ARN.fullmatch(text)
    if found is None:
        return Layer(node.line)
    parts = {name: part if part and "${" not in part else "" for name, part in found.groupdict().items()}
    return Layer(node.line, **parts)
