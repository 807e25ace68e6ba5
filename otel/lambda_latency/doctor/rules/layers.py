"""Rules about the layers of a function."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lambda_latency.adot import COLLECTOR, PYTHON
from lambda_latency.doctor.app import App
from lambda_latency.doctor.facts import MOST_LAYERS, MOST_MB
from lambda_latency.doctor.finding import ERROR, WARNING, Found, rule
from lambda_latency.doctor.function import Fn
from lambda_latency.doctor.layer import Layer
from lambda_latency.doctor.source import size_of
from lambda_latency.template import Node

MB = 1024 * 1024
POWERTOOLS = re.compile(r"AWSLambdaPowertoolsPythonV\d+-python(\d)(\d+)-")
OLDEST_PYTHON = (3, 10)
TRACERS = re.compile(r"(?i)datadog-(python|node)|newrelic|dynatrace|lumigo|instana|sentrypythonserverless|thundra")


def _each(app: App) -> Iterator[tuple[Fn, Layer]]:
    for fn in app.functions:
        for layer in fn.layers:
            yield fn, layer


@rule("layer-region", ERROR, "CloudFormation rejects the function: a layer must be in its region.")
def region(app: App) -> Iterator[Found]:
    """Layers are published per region. An ARN of another region fails at deployment, with a message about permissions
    (lambda:GetLayerVersion), not about the region. Without `--region`, the check finds only layers of different
    regions in one function.
    """
    for fn, layer in _each(app):
        others = {one.region for one in fn.layers if one.region} - {layer.region}
        if layer.region and app.is_region_given and layer.region != app.region:
            what = f"{layer.name} is in {layer.region}, but the stack is deployed to {app.region}"
            yield Found(app.name, layer.line, what, f"use the layer of {app.region}")
        elif layer.region and others and not app.is_region_given:
            what = f"{layer.name} is in {layer.region}, another layer of {fn.name} in {min(others)}"
            yield Found(app.name, layer.line, what, "use layers of the stack's region (--region)")


@rule("layer-account", ERROR, "CloudFormation rejects the function, or it gets a layer of a third party.")
def account(app: App) -> Iterator[Found]:
    """AWS publishes ADOT's layers from one account for most regions, and from another account for each region that has
    to be enabled first. The collector layers have an account of their own.
    """
    for _, layer in _each(app):
        right = COLLECTOR.account if layer.kind in ("collector", "legacy") else ""
        if layer.kind == "adot":
            right = PYTHON.accounts.get(layer.region, "")
        if right and layer.account and layer.account != right:
            what = f"{layer.name} is of account {layer.account}, not of AWS's {right}"
            yield Found(app.name, layer.line, what, f"write {right}, or rename a layer of your own")


@rule("layer-unavailable", ERROR, "CloudFormation rejects the function: the layer does not exist.")
def unavailable(app: App) -> Iterator[Found]:
    """Not every layer is published in every region: the collector layer is missing in ap-northeast-3 and in all
    regions that have to be enabled first.
    """
    for _, layer in _each(app):
        place = layer.region
        if layer.kind in ("collector", "legacy") and place and place not in COLLECTOR.regions:
            todo = "send spans to Lambda's daemon (the kit: LAMBDA_LATENCY_EXPORT=daemon), or publish a layer"
            yield Found(app.name, layer.line, f"there is no {layer.name} in {place}", todo)
        elif layer.kind == "adot" and place and place not in PYTHON.accounts:
            what = f"no {layer.name} is known in {place}"
            yield Found(
                app.name, layer.line, what, "publish a copy of the layer in the region, or turn tracing off there"
            )


@rule("layer-architecture", ERROR, "The extension or a library in the layer does not start: every invocation fails.")
def architecture(app: App) -> Iterator[Found]:
    """A layer with machine code is built for one architecture. Lambda does not compare the architectures of layer and
    function.
    """
    for fn, layer in _each(app):
        if layer.processor and fn.processor and layer.processor != fn.processor:
            what = f"{layer.name} is for {layer.processor}, but {fn.name} runs on {fn.processor}"
            name = "arm64" if fn.processor == "arm64" else "amd64"
            yield Found(app.name, layer.line, what, f"use the layer for {name}, or change Architectures")


@rule("layer-runtime", ERROR, "The function does not start, or is not traced.")
def runtime(app: App) -> Iterator[Found]:
    """A tracing layer belongs to one language and to some of its versions, and Powertools' layer to one version: it has
    machine code. Lambda accepts any combination.
    """
    for fn, layer in _each(app):
        if not layer.language or not fn.runtime:
            continue
        version = re.fullmatch(r"python(\d+)\.(\d+)", fn.runtime)
        if not fn.runtime.startswith((layer.language, "provided")):
            what = f"{layer.name} is for {layer.language}, but {fn.name} runs {fn.runtime}"
            yield Found(app.name, layer.line, what, f"use the layer for {fn.runtime}, or remove it from this function")
        elif version is not None and layer.kind == "adot" and tuple(map(int, version.groups())) < OLDEST_PYTHON:
            what = f"{layer.name} does not run under {fn.runtime}"
            yield Found(app.name, layer.line, what, "move the function to a later Python")
    for fn, layer in _each(app):
        made = POWERTOOLS.match(layer.name)
        if made is not None and fn.runtime and fn.runtime != f"python{made[1]}.{made[2]}":
            what = f"{layer.name} is for Python {made[1]}.{made[2]}, but {fn.name} runs {fn.runtime}"
            yield Found(app.name, layer.line, what, f"use the layer for {fn.runtime}")


@rule("layer-image", ERROR, "CloudFormation rejects the function: a container image has no layers.")
def image(app: App) -> Iterator[Found]:
    """Lambda adds layers to archives only. What they contain must be in the image."""
    for fn in app.functions:
        if fn.is_image and fn.layers:
            what = f"{fn.name} is a container image, but has layers"
            yield Found(app.name, fn.layers[0].line, what, "copy the layers' content into the image (/opt)")


@rule("layer-old", WARNING, "Traces lack data that later versions record, and bugs that were fixed since remain.")
def old(app: App) -> Iterator[Found]:
    """Versions of ADOT's Python layer contain very different SDKs (1.33.1 to 1.44.0). AWS no longer recommends the
    series aws-otel-python, -nodejs and -java.
    """
    for _, layer in _each(app):
        if layer.kind == "adot" and layer.language == "python" and layer.number is not None:
            # A template has one release in all of its regions, also where a newer one is known in one of them.
            shared = PYTHON.shared({*PYTHON.usual_regions, layer.region})
            if shared is not None and layer.number < (latest := shared.numbers[layer.region]):
                release = f"ADOT {shared.version}, the newest that is known in every region ({shared.numbers_read})"
                what = f"{layer.name}:{layer.number} is older than {latest}: {release}"
                yield Found(app.name, layer.line, what, f"write {latest}, after a test")
        elif layer.kind == "legacy":
            what = f"{layer.name} is of a series that AWS no longer recommends"
            todo = (
                "use AWSOpenTelemetryDistroPython (Js, Java, DotNet), and a collector layer if spans go to a collector"
            )
            yield Found(app.name, layer.line, what, todo)
        elif layer.kind == "collector" and layer.collector_version < COLLECTOR.parts:
            latest_name = COLLECTOR.version.replace(".", "-")
            what = f"{layer.name} is older than {latest_name}, the newest ({COLLECTOR.published})"
            yield Found(app.name, layer.line, what, f"write ver-{latest_name}, after a test")


@rule("layer-count", ERROR, "CloudFormation rejects the function.")
def count(app: App) -> Iterator[Found]:
    """A function has five layers at most, extensions included."""
    for fn in app.functions:
        if len(fn.layers) > MOST_LAYERS:
            what = f"{fn.name} has {len(fn.layers)} layers"
            todo = f"remove {len(fn.layers) - MOST_LAYERS}, or merge several into one"
            yield Found(app.name, fn.layers[MOST_LAYERS].line, what, todo)


@rule(
    "layer-conditional",
    ERROR,
    "SAM silently drops the list of Globals: the function is deployed without those layers or variables.",
)
def conditional(app: App) -> Iterator[Found]:
    """SAM merges `Globals` with a function before it evaluates conditions. It merges lists, but not an `If`."""
    # SAM merges lists and mappings of Globals and function; it cannot merge an `If` around one of the two.
    everyone = app.root.get("Globals", "Function")
    for name, _, resource in app.root.named("Resources") if everyone is not None else ():
        own = resource.get("Properties") if resource.text_at("Type") == "AWS::Serverless::Function" else None
        for path, one in ((("Layers",), "an item"), (("Environment", "Variables"), "a variable")):
            both = [place.get(*path) if place is not None else None for place in (everyone, own)]
            for node in both if None not in both else ():
                if node is not None and _is_if(node):
                    what = f"{'.'.join(path)} is an If, but both Globals and {name} have {path[-1]}"
                    yield Found(
                        app.name, node.line, what, f"write one If for {one}: - !If [Traced, value, !Ref AWS::NoValue]"
                    )


def _is_if(node: Node) -> bool:
    return node.function == "If" or (len(node.entries) == 1 and node.entries[0][0].value == "Fn::If")


@rule("layer-size", ERROR, "Lambda rejects the function.")
def size(app: App) -> Iterator[Found]:
    """The limit of code and layers together is 250 MB unzipped. The check counts built and local files, and ADOT's
    Python layer where its size is known.
    """
    for fn in app.functions:
        folder = app.built(fn) or app.code(fn)
        if fn.is_image or folder is None:
            continue
        local = [path for layer in fn.layers if (path := app.local_layer(layer)) is not None]
        releases = [layer.release for layer in fn.layers if layer.kind == "adot"]
        adot = sum(one.megabytes for one in releases if one is not None)
        unknown = any(one is None or not one.megabytes for one in releases)
        total = size_of(folder) + sum(map(size_of, local)) + adot * MB
        if total > MOST_MB * MB:
            rest = "; the size of ADOT's layer is not known" if unknown else ""
            what = f"{fn.name} has {total / MB:,.0f} MB unzipped, its layers included{rest} ({folder})"
            todo = "remove packages that Lambda or a layer provides (boto3, opentelemetry-*), or use a container image"
            yield Found(app.name, fn.line, what, todo)


@rule(
    "layer-twice", WARNING, "Each request is recorded twice, or the second layer fails to start and stops the function."
)
def two(app: App) -> Iterator[Found]:
    """Two tracers in a function wrap the same libraries and propagate two contexts. Two collectors listen on the same
    port.
    """
    for fn in app.functions:
        tracers = [
            layer for layer in fn.layers if layer.kind in ("adot", "legacy", "community") or TRACERS.search(layer.name)
        ]
        collectors = [layer for layer in fn.layers if layer.has_collector]
        for found, doing in ((tracers, "start a tracer"), (collectors, "start a collector")):
            if len(found) > 1:
                what = f"{found[0].name} and {found[1].name} both {doing}"
                yield Found(app.name, found[1].line, what, "keep one of them")
                break


RULES = (region, account, unavailable, architecture, runtime, image, old, count, conditional, size, two)
