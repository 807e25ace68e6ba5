"""Rules about the layers of a function."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lambda_latency.adot import COLLECTOR, PYTHON
from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import ERROR, WARNING, Issue, function_rule, rule
from lambda_latency.doctor.function import Fn, Layer
from lambda_latency.doctor.source import size_of
from lambda_latency.template import YamlNode

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (July 2026)
MOST_LAYERS = 5
MOST_MB = 250
MB = 1024 * 1024
POWERTOOLS = re.compile(r"AWSLambdaPowertoolsPythonV\d+-python(\d)(\d+)-")
OLDEST_PYTHON = (3, 10)
TRACERS = re.compile(r"(?i)datadog-(python|node)|newrelic|dynatrace|lumigo|instana|sentrypythonserverless|thundra")


@function_rule("layer-region", ERROR, "CloudFormation rejects the function: a layer must be in its region.")
def region(app: App, fn: Fn) -> Iterator[Issue]:
    """Layers are published per region. An ARN of another region fails at deployment, with a message about permissions
    (lambda:GetLayerVersion), not about the region. Without `--region`, the check finds only layers of different
    regions in one function.
    """
    regions = {layer.region for layer in fn.layers if layer.region}
    for layer in fn.layers:
        other_regions = regions - {layer.region}
        if layer.region and app.is_region_given and layer.region != app.region:
            problem = f"{layer.name} is in {layer.region}, but the stack is deployed to {app.region}"
            yield Issue(problem, f"use the layer of {app.region}", layer.line)
        elif layer.region and other_regions and not app.is_region_given:
            problem = f"{layer.name} is in {layer.region}, another layer of {fn.name} in {min(other_regions)}"
            yield Issue(problem, "use layers of the stack's region (--region)", layer.line)


@function_rule("layer-account", ERROR, "CloudFormation rejects the function, or it gets a layer of a third party.")
def account(_: App, fn: Fn) -> Iterator[Issue]:
    """AWS publishes ADOT's layers from one account for most regions, and from another account for each region that has
    to be enabled first. The collector layers have an account of their own.
    """
    for layer in fn.layers:
        right = COLLECTOR.account if layer.has_collector else ""
        if layer.kind == "adot":
            right = PYTHON.accounts.get(layer.region, "")
        if right and layer.account and layer.account != right:
            problem = f"{layer.name} is of account {layer.account}, not of AWS's {right}"
            yield Issue(problem, f"write {right}, or rename a layer of your own", layer.line)


@function_rule("layer-unavailable", ERROR, "CloudFormation rejects the function: the layer does not exist.")
def unavailable(_: App, fn: Fn) -> Iterator[Issue]:
    """Not every layer is published in every region: the collector layer is missing in ap-northeast-3 and in all
    regions that have to be enabled first.
    """
    for layer in (layer for layer in fn.layers if layer.region):
        if layer.has_collector and layer.region not in COLLECTOR.regions:
            todo = "send spans to Lambda's daemon (the kit: LAMBDA_LATENCY_EXPORT=daemon), or publish a layer"
            yield Issue(f"there is no {layer.name} in {layer.region}", todo, layer.line)
        elif layer.kind == "adot" and layer.region not in PYTHON.accounts:
            todo = "publish a copy of the layer in the region, or turn tracing off there"
            yield Issue(f"no {layer.name} is known in {layer.region}", todo, layer.line)


@function_rule(
    "layer-architecture", ERROR, "The extension or a library in the layer does not start: every invocation fails."
)
def architecture(_: App, fn: Fn) -> Iterator[Issue]:
    """A layer with machine code is built for one architecture. Lambda does not compare the architectures of layer and
    function.
    """
    name = "arm64" if fn.processor == "arm64" else "amd64"
    for layer in fn.layers:
        if layer.processor and fn.processor and layer.processor != fn.processor:
            problem = f"{layer.name} is for {layer.processor}, but {fn.name} runs on {fn.processor}"
            yield Issue(problem, f"use the layer for {name}, or change Architectures", layer.line)


@function_rule("layer-runtime", ERROR, "The function does not start, or is not traced.")
def runtime(_: App, fn: Fn) -> Iterator[Issue]:
    """A tracing layer belongs to one language and to some of its versions, and Powertools' layer to one version: it has
    machine code. Lambda accepts any combination.
    """
    version = re.fullmatch(r"python(\d+)\.(\d+)", fn.runtime)
    is_old = version is not None and tuple(map(int, version.groups())) < OLDEST_PYTHON
    for layer in fn.layers if fn.runtime else ():
        if layer.language and not fn.runtime.startswith((layer.language, "provided")):
            problem = f"{layer.name} is for {layer.language}, but {fn.name} runs {fn.runtime}"
            yield Issue(problem, f"use the layer for {fn.runtime}, or remove it from this function", layer.line)
        elif layer.kind == "adot" and is_old:
            problem = f"{layer.name} does not run under {fn.runtime}"
            yield Issue(problem, "move the function to a later Python", layer.line)
        made = POWERTOOLS.match(layer.name)
        if made is not None and fn.runtime != f"python{made[1]}.{made[2]}":
            problem = f"{layer.name} is for Python {made[1]}.{made[2]}, but {fn.name} runs {fn.runtime}"
            yield Issue(problem, f"use the layer for {fn.runtime}", layer.line)


@function_rule("layer-image", ERROR, "CloudFormation rejects the function: a container image has no layers.")
def image(_: App, fn: Fn) -> Iterator[Issue]:
    """Lambda adds layers to archives only. What they contain must be in the image."""
    if fn.is_image and fn.layers:
        problem = f"{fn.name} is a container image, but has layers"
        yield Issue(problem, "copy the layers' content into the image (/opt)", fn.layers[0].line)


@function_rule(
    "layer-old", WARNING, "Traces lack data that later versions record, and bugs that were fixed since remain."
)
def old(_: App, fn: Fn) -> Iterator[Issue]:
    """Versions of ADOT's Python layer contain very different SDKs (1.33.1 to 1.44.0). AWS no longer recommends the
    series aws-otel-python, -nodejs and -java.
    """
    for layer in fn.layers:
        if layer.kind == "adot" and layer.language == "python" and layer.number is not None:
            yield from _older(layer, layer.number)
        elif layer.kind == "legacy":
            problem = f"{layer.name} is of a series that AWS no longer recommends"
            distro = "AWSOpenTelemetryDistroPython (Js, Java, DotNet)"
            todo = f"use {distro}, and a collector layer if spans go to a collector"
            yield Issue(problem, todo, layer.line)
        elif layer.kind == "collector" and layer.collector_version < COLLECTOR.parts:
            newest = COLLECTOR.version.replace(".", "-")
            problem = f"{layer.name} is older than {newest}, the newest ({COLLECTOR.published})"
            yield Issue(problem, f"write ver-{newest}, after a test", layer.line)


def _older(layer: Layer, number: int) -> Iterator[Issue]:
    """A template has one release in all of its regions, also where a newer one is known in one of them."""
    shared = PYTHON.shared({*PYTHON.default_regions, layer.region})
    newest = shared.numbers[layer.region] if shared is not None else 0
    if shared is not None and number < newest:
        release = f"ADOT {shared.version}, the newest that is known in every region ({shared.numbers_read})"
        problem = f"{layer.name}:{number} is older than {newest}: {release}"
        yield Issue(problem, f"write {newest}, after a test", layer.line)


@function_rule("layer-count", ERROR, "CloudFormation rejects the function.")
def count(_: App, fn: Fn) -> Iterator[Issue]:
    """A function has five layers at most, extensions included."""
    excess = len(fn.layers) - MOST_LAYERS
    if excess > 0:
        problem = f"{fn.name} has {len(fn.layers)} layers"
        yield Issue(problem, f"remove {excess}, or merge several into one", fn.layers[MOST_LAYERS].line)


@rule(
    "layer-conditional",
    ERROR,
    "SAM silently drops the list of Globals: the function is deployed without those layers or variables.",
)
def conditional(app: App) -> Iterator[Issue]:
    """SAM merges `Globals` with a function before it evaluates conditions. It merges lists, but not an `If`."""
    # SAM merges lists and mappings of Globals and function; it cannot merge an `If` around one of the two.
    shared = app.root.get("Globals", "Function")
    for name, _, resource in app.root.named("Resources"):
        properties = resource.get("Properties")
        if shared is not None and properties is not None and resource.text_at("Type") == "AWS::Serverless::Function":
            yield from _conditional(name, shared, properties, ("Layers",), "an item")
            yield from _conditional(name, shared, properties, ("Environment", "Variables"), "a variable")


def _conditional(
    name: str, shared: YamlNode, properties: YamlNode, path: tuple[str, ...], part: str
) -> Iterator[Issue]:
    both = shared.get(*path), properties.get(*path)
    for node in both:
        if node is not None and None not in both and _is_if(node):
            problem = f"{'.'.join(path)} is an If, but both Globals and {name} have {path[-1]}"
            yield Issue(problem, f"write one If for {part}: - !If [Traced, value, !Ref AWS::NoValue]", node.line)


def _is_if(node: YamlNode) -> bool:
    return node.function == "If" or (len(node.entries) == 1 and node.entries[0][0].value == "Fn::If")


@function_rule("layer-size", ERROR, "Lambda rejects the function.")
def size(app: App, fn: Fn) -> Iterator[Issue]:
    """The limit of code and layers together is 250 MB unzipped. The check counts built and local files, and ADOT's
    Python layer where its size is known.
    """
    folder = app.artifact(fn)
    if fn.is_image or folder is None:
        return
    local = [*filter(None, map(app.local_layer, fn.layers))]
    releases = [layer.release for layer in fn.layers if layer.kind == "adot"]
    adot_sizes = [release.megabytes if release is not None else 0 for release in releases]
    total = sum(map(size_of, [folder, *local])) + sum(adot_sizes) * MB
    if total > MOST_MB * MB:
        unknown = "" if all(adot_sizes) else "; the size of ADOT's layer is not known"
        problem = f"{fn.name} has {total / MB:,.0f} MB unzipped, its layers included{unknown} ({folder})"
        todo = "remove packages that Lambda or a layer provides (boto3, opentelemetry-*), or use a container image"
        yield Issue(problem, todo, fn.line)


@function_rule(
    "layer-twice", WARNING, "Each request is recorded twice, or the second layer fails to start and stops the function."
)
def two(_: App, fn: Fn) -> Iterator[Issue]:
    """Two tracers in a function wrap the same libraries and propagate two contexts. Two collectors listen on the same
    port.
    """
    kinds = ("adot", "legacy", "community")
    tracers = [layer for layer in fn.layers if layer.kind in kinds or TRACERS.search(layer.name)]
    collectors = [layer for layer in fn.layers if layer.has_collector]
    for layers, kind in ((tracers, "a tracer"), (collectors, "a collector")):
        if len(layers) > 1:
            yield Issue(f"{layers[0].name} and {layers[1].name} both start {kind}", "keep one of them", layers[1].line)
            break
