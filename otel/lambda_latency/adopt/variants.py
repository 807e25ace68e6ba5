"""Switches functions that are traced already to another export or another instrumentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lambda_latency.adopt.changes import Template
from lambda_latency.adopt.functions import AppFn, wrapper_of
from lambda_latency.adopt.splice import Edits, is_equal
from lambda_latency.adopt.wording import (
    BACKEND,
    ENDPOINT,
    EXPORT,
    EXPORTS,
    INSTRUMENT,
    WRAPPER,
    AdoptOptions,
    collector_layer,
    variables,
    variables_of,
)
from lambda_latency.template import Diagnostic, YamlNode

BRIDGE = "LAMBDA_LATENCY_XRAY_SDK"
COLLECTOR_LAYER = "aws-otel-collector-"  # begin of its name


def as_adopted(options: AdoptOptions, template: Template) -> AdoptOptions:
    """The options for functions that are added to an app: what is not requested is as in those that are traced."""
    for place, _ in _places(template):
        export, instrumentation = _variant(place)
        options = _completed(options, export or None, instrumentation)
        break
    added = [fn for fn in template.python_functions if not fn.adopted]
    return replace(options, export=BACKEND) if added and all(fn.backend for fn in added) else options


def _completed(options: AdoptOptions, export: str | None, instrumentation: str) -> AdoptOptions:
    """The options with an export and an instrumentation where they request none."""
    return replace(options, export=options.export or export, instrumentation=options.instrumentation or instrumentation)


def needs_kit(source: str, fn: AppFn) -> Diagnostic:
    """The finding about a function that only the kit's wrapper can start."""
    problem = "it uses the X-Ray SDK, whose bridge only the kit's wrapper starts"
    return fn.finding(source, problem, "keep --instrumentation kit, or remove the SDK from its code")


def switch(template: Template, edits: Edits, options: AdoptOptions) -> tuple[list[AppFn], list[Diagnostic]]:
    """Switches traced functions, except those that are left to a person; returns the switched ones, and findings."""
    switched: list[AppFn] = []
    findings: list[Diagnostic] = []
    visited: set[int] = set()
    for place, covered in _places(template):
        export, instrumentation = _variant(place)
        target = _completed(replace(options, traced=covered[0].traced), export, instrumentation)
        is_unchanged = (export, instrumentation) == (target.export, target.instrumentation)
        if is_unchanged or _is_refused(template.shown, place, covered, target):
            continue
        if any(fn.backend for fn in covered):
            findings += _beside_a_backend(template.shown, covered)
            continue
        names = variables_of(instrumentation) | variables_of(str(target.instrumentation))
        _switch_variables(edits, place, target, names, visited)
        _switch_layers(edits, place, target, _architecture(covered), visited)
        switched += covered
        findings += _staying(template.shown, [fn for fn in covered if fn.properties is not place], names)
    return switched, findings


def _staying(source: str, inheriting: Sequence[AppFn], names: set[str]) -> Iterator[Diagnostic]:
    """The findings about functions that override variables of Globals which were switched."""
    for fn in inheriting:
        stays = [name for name, _, _ in fn.properties.named("Environment", "Variables") if name in names]
        if stays:
            yield fn.finding(source, f"its own {', '.join(stays)} stays", "remove it if it should be as in Globals")


def _beside_a_backend(source: str, covered: Sequence[AppFn]) -> Iterator[Diagnostic]:
    """The findings about functions that share their properties with one that sends to a backend of its own."""
    for fn in (fn for fn in covered if not fn.backend):
        problem = "it is not switched, for it shares Globals with a function that has a backend of its own"
        yield fn.finding(source, problem, "write wrapper, layers and variables into each function")


def _places(template: Template) -> Iterator[tuple[YamlNode, list[AppFn]]]:
    """The properties that start OpenTelemetry, those of Globals or a function's own, each with its functions."""
    shared, inheriting = template.root.get("Globals", "Function"), list[AppFn]()
    for fn in (fn for fn in template.functions if fn.adopted and fn.is_python):
        if fn.properties.get("Environment", "Variables", "AWS_LAMBDA_EXEC_WRAPPER") is not None:
            yield fn.properties, [fn]
        else:
            inheriting.append(fn)
    if shared is not None and inheriting:
        yield shared, inheriting


def _variant(place: YamlNode) -> tuple[str, str]:
    """The export and the instrumentation of a place; an export that is computed otherwise is empty."""
    wrapper = wrapper_of(place)[1]
    if wrapper is not None and wrapper.text == INSTRUMENT:
        endpoint = place.get("Environment", "Variables", ENDPOINT)
        if endpoint is None:
            return "daemon", "layer"
        return ("otlp" if any("https://xray." in text for text in endpoint.texts()) else "collector"), "layer"
    export = place.get("Environment", "Variables", EXPORT)
    if export is None:
        return "collector", "kit"  # the kit's default
    return next((name for name in EXPORTS if name in export.texts()), ""), "kit"


def _is_refused(source: str, place: YamlNode, covered: Sequence[AppFn], target: AdoptOptions) -> bool:
    """Leaves the functions of a place to a person if they cannot be switched."""
    bridge = place.get("Environment", "Variables", BRIDGE)
    bridged = [fn for fn in covered if fn.bridge or bridge is not None]
    for fn in covered:
        if wrapper_of(place)[1] is None:
            todo = "write it as !If [Condition, wrapper, !Ref AWS::NoValue]"
            fn.obstacle = fn.finding(source, "its AWS_LAMBDA_EXEC_WRAPPER is computed", todo)
        elif not target.export:
            fn.obstacle = fn.finding(source, f"its {EXPORT} is computed", "name --export, too")
        elif target.instrumentation == "layer" and bridged:
            fn.obstacle = needs_kit(source, fn if fn in bridged else bridged[0])
    return covered[0].obstacle is not None


def _switch_variables(edits: Edits, place: YamlNode, target: AdoptOptions, names: set[str], visited: set[int]) -> None:
    """Replaces, adds and removes variables. `names`: those that `adopt` sets with the old or new instrumentation."""
    values, wrapper = place.get("Environment", "Variables"), wrapper_of(place)[1]
    if values is None or wrapper is None or values.start in visited:  # visited: an alias of another function's
        return
    visited.add(values.start)
    texts = {name: str(text) for name, text in variables(target, bridge=False).items()}
    edits.replace(wrapper, INSTRUMENT if target.instrumentation == "layer" else WRAPPER)
    edits.remove(values, [node for name, _, node in values.named() if name in names and name not in texts])
    _write_variables(edits, values, texts)


def _write_variables(edits: Edits, values: YamlNode, texts: Mapping[str, str]) -> None:
    """Adds and replaces variables, except the wrapper, and those that have an equal value."""
    nodes = {name: node for name, _, node in values.named()}
    missing = {name: text for name, text in texts.items() if name not in nodes}
    if missing:
        edits.add_entries(values, missing)
    for name, text in texts.items():
        if name in nodes and name != "AWS_LAMBDA_EXEC_WRAPPER" and not is_equal(nodes[name], text):
            edits.replace(nodes[name], text)


def _switch_layers(edits: Edits, place: YamlNode, target: AdoptOptions, architecture: str, visited: set[int]) -> None:
    """Adds the collector's layer to a place, or removes it."""
    listed = place.get("Layers")
    collectors = [item for item in place.listed("Layers") if _is_collector(item)]
    if listed is None or listed.start in visited or bool(collectors) == target.collected:
        return
    visited.add(listed.start)
    if target.collected:
        edits.add_items(listed, [collector_layer(target, architecture)])
    else:
        edits.prune(place, listed, collectors)


def _is_collector(layer: YamlNode) -> bool:
    return any(COLLECTOR_LAYER in text for text in layer.texts())


def _architecture(covered: Sequence[AppFn]) -> str:
    """The architecture of functions that share their properties: of one that has none of its own, if there is one."""
    sharing = [fn for fn in covered if fn.properties.get("Architectures") is None]
    return (sharing or covered)[0].architecture
