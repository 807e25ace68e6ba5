"""Switches functions that are traced already to another export or another instrumentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lambda_latency.adopt.functions import Subject, texts, wrapper_of
from lambda_latency.adopt.splice import Spliced
from lambda_latency.adopt.wording import (
    ENDPOINT,
    EXPORT,
    EXPORTS,
    INSTRUMENT,
    WRAPPER,
    Wanted,
    collector_layer,
    variables,
    variables_of,
)
from lambda_latency.template import Finding, Node, read_yaml, value_of

BRIDGE = "LAMBDA_LATENCY_XRAY_SDK"
COLLECTOR_LAYER = "aws-otel-collector-"  # begin of its name


def as_adopted(wanted: Wanted, root: Node, subjects: Sequence[Subject]) -> Wanted:
    """The options for functions that are added to an app: what is not requested is as in those that are traced."""
    for place, _ in _places(root, subjects):
        export, instrumentation = _variant(place)
        return replace(
            wanted, export=wanted.export or export or None, instrumentation=wanted.instrumentation or instrumentation
        )
    return wanted


def needs_kit(source: str, subject: Subject) -> Finding:
    """The finding about a function that only the kit's wrapper can start."""
    what = f"{subject.name}: it uses the X-Ray SDK, whose bridge only the kit's wrapper starts"
    return Finding(source, subject.line, what, "keep --instrumentation kit, or remove the SDK from its code")


def switch(
    source: str, edits: Spliced, subjects: Sequence[Subject], wanted: Wanted
) -> tuple[list[Subject], list[Finding]]:
    """Switches the traced functions of a template; returns those that are switched, and findings for a person.

    A function that cannot be switched is left to a person.
    """
    switched: list[Subject] = []
    findings: list[Finding] = []
    visited: set[int] = set()
    for place, covered in _places(edits.root, subjects):
        export, instrumentation = _variant(place)
        target = replace(
            wanted,
            export=wanted.export or export,
            instrumentation=wanted.instrumentation or instrumentation,
            traced=covered[0].traced,
        )
        is_unchanged = (export, instrumentation) == (target.export, target.instrumentation)
        if is_unchanged or _is_refused(source, place, covered, target):
            continue
        names = variables_of(instrumentation) | variables_of(str(target.instrumentation))
        _switch_variables(edits, place, target, names, visited)
        _switch_layers(edits, place, target, _architecture(covered), visited)
        switched += covered
        for subject in covered:
            own = [name for name, _, _ in subject.properties.named("Environment", "Variables") if name in names]
            if own and subject.properties is not place:
                what = f"{subject.name}: its own {', '.join(own)} stays"
                findings.append(Finding(source, subject.line, what, "remove it if it should be as in Globals"))
    return switched, findings


def _places(root: Node, subjects: Sequence[Subject]) -> Iterator[tuple[Node, list[Subject]]]:
    """The properties that start OpenTelemetry, those of Globals or a function's own, each with its functions."""
    everyone, inheriting = root.get("Globals", "Function"), list[Subject]()
    for subject in (subject for subject in subjects if subject.adopted and subject.is_python):
        if subject.properties.get("Environment", "Variables", "AWS_LAMBDA_EXEC_WRAPPER") is not None:
            yield subject.properties, [subject]
        else:
            inheriting.append(subject)
    if everyone is not None and inheriting:
        yield everyone, inheriting


def _variant(place: Node) -> tuple[str, str]:
    """The export and the instrumentation of a place; an export that is computed otherwise is empty."""
    wrapper = wrapper_of(place)[1]
    if wrapper is not None and wrapper.text == INSTRUMENT:
        endpoint = place.get("Environment", "Variables", ENDPOINT)
        if endpoint is None:
            return "daemon", "layer"
        return ("otlp" if any("https://xray." in text for text in texts(endpoint)) else "collector"), "layer"
    export = place.get("Environment", "Variables", EXPORT)
    if export is None:
        return "collector", "kit"  # the kit's default
    return next((name for name in EXPORTS if name in texts(export)), ""), "kit"


def _is_refused(source: str, place: Node, covered: Sequence[Subject], target: Wanted) -> bool:
    """Leaves the functions of a place to a person if they cannot be switched."""
    bridge = place.get("Environment", "Variables", BRIDGE)
    bridged = [subject for subject in covered if subject.bridge or bridge is not None]
    for subject in covered:
        if wrapper_of(place)[1] is None:
            todo = "write it as !If [Condition, wrapper, !Ref AWS::NoValue]"
            subject.left = _computed(source, subject, "AWS_LAMBDA_EXEC_WRAPPER", todo)
        elif not target.export:
            subject.left = _computed(source, subject, EXPORT, "name --export, too")
        elif target.instrumentation == "layer" and bridged:
            subject.left = needs_kit(source, subject if subject in bridged else bridged[0])
    return covered[0].left is not None


def _computed(source: str, subject: Subject, variable: str, todo: str) -> Finding:
    return Finding(source, subject.line, f"{subject.name}: its {variable} is computed", todo)


def _switch_variables(edits: Spliced, place: Node, target: Wanted, names: set[str], visited: set[int]) -> None:
    """Replaces, adds and removes variables. `names`: those that `adopt` sets with the old or new instrumentation."""
    values, wrapper = place.get("Environment", "Variables"), wrapper_of(place)[1]
    if values is None or wrapper is None or values.start in visited:  # visited: an alias of another function's
        return
    visited.add(values.start)
    known = {name: node for name, _, node in values.named()}
    sources = variables(target, bridge=False)
    edits.replace(wrapper, INSTRUMENT if target.instrumentation == "layer" else WRAPPER)
    superfluous = [node for name, node in known.items() if name in names - sources.keys()]
    if superfluous:
        edits.remove(values, superfluous)
    missing = {name: text for name, text in sources.items() if name not in known}
    if missing:
        edits.add_entries(values, missing)
    for name, text in sources.items():
        if name in known and name != "AWS_LAMBDA_EXEC_WRAPPER" and not _is_equal(known[name], str(text)):
            edits.replace(known[name], str(text))


def _is_equal(node: Node, text: str) -> bool:
    """Whether a value is that of YAML source, in either notation of its functions."""
    read = read_yaml("", text)
    return isinstance(read, Node) and value_of(read) == value_of(node)


def _switch_layers(edits: Spliced, place: Node, target: Wanted, architecture: str, visited: set[int]) -> None:
    """Adds the collector's layer to a place, or removes it."""
    listed = place.get("Layers")
    collectors = [item for item in place.listed("Layers") if any(COLLECTOR_LAYER in text for text in texts(item))]
    if listed is None or listed.start in visited or bool(collectors) == target.collected:
        return
    visited.add(listed.start)
    if target.collected:
        edits.add_items(listed, [collector_layer(target, architecture)])
    elif len(collectors) < len(listed.items):
        edits.remove(listed, collectors)
    else:
        edits.remove(place, [listed])


def _architecture(covered: Sequence[Subject]) -> str:
    """The architecture of functions that share their properties: of one that has none of its own, if there is one."""
    sharing = [subject for subject in covered if subject.properties.get("Architectures") is None]
    return (sharing or covered)[0].architecture
