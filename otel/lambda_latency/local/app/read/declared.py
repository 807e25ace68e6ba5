"""The functions of a translated template: their properties, and the reasons why some cannot run locally."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lambda_latency.local.app.read.contents import Content
from lambda_latency.local.app.read.inclusion import Packaged
from lambda_latency.pythons import Version, version_of
from lambda_latency.template import Finding

LAYER_ARN = re.compile(r"arn:[^\"]*?:layer:[^\"]+")
ADAPTER, ADAPTED = "LambdaAdapterLayer", "/opt/bootstrap"  # Lambda Web Adapter's layers, and its exec wrapper


@dataclass(frozen=True, slots=True)
class Declared:
    """A function as its template declares it.

    `code` is the location of its code, `inline` its source if that is in the template; `name` is its name on AWS, `key`
    its logical id (`Child/Function` in a nested stack); `layers` are the contents of local layers in their order,
    `arns` the ARNs of other layers; `url` is the AuthType of its function URL, empty without one; `events` are the
    types of its events in a SAM template, such as `Kinesis`.
    """

    key: str
    name: str
    version: Version
    handler: str
    timeout_s: float
    memory_mb: int
    code: Content | None
    inline: str
    layers: tuple[Content, ...]
    arns: tuple[str, ...]
    url: str
    wrapper: str
    events: tuple[str, ...] = ()

    def as_built(self) -> Declared:
        """The function of a template that `sam build` has made: its code and layers have their packages."""
        code, *layers = (one and Content(one.path, is_built=True) for one in (self.code, *self.layers))
        return replace(self, code=code, layers=tuple(filter(None, layers)))


@dataclass(frozen=True, slots=True)
class Refused:
    """A function that cannot run locally, and the reason. `finding` is a mistake in the template that is the reason."""

    key: str
    name: str
    why: str
    finding: Finding | None = None

    @classmethod
    def because(cls, key: str, name: str, finding: Finding) -> Refused:
        """A function that a mistake in its template leaves out."""
        return cls(key, name, str(finding), finding)


def declared_functions(plain: Mapping[str, Any], packaged: Packaged, prefix: str = "") -> Iterator[Declared | Refused]:
    """The functions of one translated and resolved template, in its order. `prefix` begins the keys."""
    resources: Mapping[str, Any] = plain["Resources"]
    contents = {
        name: packaged.layers.get(str(content.get("S3Key", "")))
        for name, one in resources.items()
        if one.get("Type") == "AWS::Lambda::LayerVersion"
        and isinstance(content := _properties(one).get("Content"), dict)
    }
    urls = [_properties(one) for one in resources.values() if one.get("Type") == "AWS::Lambda::Url"]
    for logical, resource in resources.items():
        if resource.get("Type") != "AWS::Lambda::Function":
            continue
        properties = _properties(resource)
        key = prefix + logical
        name = properties.get("FunctionName")
        name = name if isinstance(name, str) else key.replace("/", "-")
        why = _refusal(properties, packaged.codes.get(logical))
        runtime = properties.get("Runtime")
        version = version_of(runtime) if isinstance(runtime, str) else None
        if why or version is None:
            yield Refused(key, name, why or f"its runtime is {json.dumps(runtime)}, and only Python 3 runs here")
            continue
        if logical in packaged.missing:
            yield Refused.because(key, name, packaged.missing[logical])
            continue
        variables = _mapping(_mapping(properties.get("Environment")).get("Variables"))
        layers = properties.get("Layers") or []
        arns = tuple(match[0] for one in layers if (match := LAYER_ARN.search(json.dumps(one))) is not None)
        wrapper = str(variables.get("AWS_LAMBDA_EXEC_WRAPPER", ""))
        if wrapper == ADAPTED and any(ADAPTER in arn for arn in arns):
            what = f"{properties['Handler']} starts a web server behind Lambda Web Adapter, which does not run here"
            yield Refused(key, name, f"{what}; start the web server by itself")
            continue
        yield Declared(
            key=key,
            name=name,
            version=version,
            handler=str(properties.get("Handler", "")),
            timeout_s=_number(properties.get("Timeout"), 3),
            memory_mb=int(_number(properties.get("MemorySize"), 128)),
            code=packaged.codes.get(logical),
            inline=_inline(properties),
            layers=tuple(found for one in layers if (found := contents.get(_reference(one))) is not None),
            arns=arns,
            url=next((str(one.get("AuthType", "NONE")) for one in urls if f'"{logical}"' in json.dumps(one)), ""),
            wrapper=wrapper,
            events=_events(packaged.raw, logical),
        )


def _refusal(properties: Mapping[str, Any], code: Content | None) -> str:
    """Why a function cannot run locally; empty if it can."""
    if properties.get("PackageType") == "Image" or "ImageUri" in _mapping(properties.get("Code")):
        return "it is a container image"
    runtime = properties.get("Runtime")
    if isinstance(runtime, str) and version_of(runtime) is None:
        return f"its runtime is {runtime}, and only Python 3 runs here"
    if code is None and not _inline(properties):
        return "its code is in an account's S3, and not beside the template"
    if properties.get("DurableConfig"):
        return (
            "it is a durable function, and nothing here keeps its checkpoints; "
            "try its steps with aws-durable-execution-sdk-python-testing"
        )
    if not isinstance(properties.get("Handler"), str):
        return "its Handler is not text"
    return ""


def _inline(properties: Mapping[str, Any]) -> str:
    code = _mapping(properties.get("Code")).get("ZipFile")
    if isinstance(code, dict):  # Fn::Sub and Fn::Join: the text without substitution
        code = code.get("Fn::Sub") or "".join(map(str, (code.get("Fn::Join") or ["", []])[1]))
        code = code[0] if isinstance(code, list) else code
    return str(code or "")


def _events(raw: Mapping[str, Any], logical: str) -> tuple[str, ...]:
    """The types of the events that SAM declares for a function, without duplicates."""
    events = _properties((raw.get("Resources") or {}).get(logical) or {}).get("Events")
    found = (one.get("Type") for one in (events.values() if isinstance(events, dict) else ()) if isinstance(one, dict))
    return tuple(dict.fromkeys(kind for kind in found if isinstance(kind, str)))


def _properties(resource: Mapping[str, Any]) -> dict[str, Any]:
    return _mapping(resource.get("Properties"))


def _mapping(value: Any) -> dict[str, Any]:
    """A dict; an empty one for any other value."""
    return value if isinstance(value, dict) else {}


def _reference(value: Any) -> str:
    return str(value.get("Ref", "")) if isinstance(value, dict) else ""


def _number(value: Any, otherwise: float) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return otherwise
