"""What Lambda tells of the layers that are deployed, beside the table of layers and the packages of a template."""

from __future__ import annotations

from collections.abc import Iterator

from lambda_latency.doctor.app import App
from lambda_latency.doctor.deployed import Deployed
from lambda_latency.doctor.finding import ERROR, NOTE, Found, rule
from lambda_latency.doctor.layer import layer_of
from lambda_latency.doctor.rules.packages import clashes
from lambda_latency.template import Node

SDK = "opentelemetry-sdk"


@rule(
    "account-layer",
    NOTE,
    "Packages beside this layer are compared with what Lambda tells, not with the table of releases.",
)
def deployed_layers(found: Deployed, _: App | None) -> Iterator[Found]:
    """Lambda gives the layer's file to whoever may call GetLayerVersionByArn, and the file names its packages."""
    for arn, packages in found.contents.items():
        layer = layer_of(Node("scalar", 1, 0, 0, arn))
        listed = layer.release.packages[SDK] if layer.release is not None else ""
        if packages is None or packages.get(SDK) == listed:
            continue
        what = f"{layer.name}:{layer.version} has {SDK} {packages.get(SDK, 'nowhere')}"
        what += f", not {listed} as ADOT {layer.release.version}" if layer.release else ", and its release is not known"
        yield Found(f"{layer.region}/layers", 1, what, "tell this project, whose table of layers has to have it")


@rule(
    "account-packages",
    ERROR,
    "The function's packages override the layer's: tracing fails at init or at the first call.",
)
def deployed_packages(found: Deployed, template: App | None) -> Iterator[Found]:
    """With `--stack`, packages of the template's functions are compared with those of the layers that the same
    functions have in the account.
    """
    functions = {fn.name: fn for fn in template.functions} if template is not None else {}
    for name, logical in found.logical.items():
        fn = functions.get(logical)
        for one in found.functions[name].get("Layers", ()) if fn is not None else ():
            layer = layer_of(Node("scalar", fn.line if fn is not None else 1, 0, 0, one["Arn"]))
            packages = found.contents.get(one["Arn"])
            if template is not None and fn is not None and packages is not None:
                yield from clashes(template, fn, layer, packages)
