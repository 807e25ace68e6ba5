"""Adopts one template: the additions to its text, and the findings left to a person."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lambda_latency.adopt.functions import FUNCTION, Subject
from lambda_latency.adopt.json_text import Tree
from lambda_latency.adopt.roles import permit, revoke
from lambda_latency.adopt.sdk_variables import translate_variables
from lambda_latency.adopt.splice import Spliced
from lambda_latency.adopt.variants import as_adopted, switch
from lambda_latency.adopt.wording import (
    ACTIVE,
    ADOT,
    ARM,
    COLLECTED,
    KIT,
    MAPPING,
    TRACED,
    Wanted,
    adot_mapping,
    adot_parameter,
    conditions,
    layers,
    parameter,
    variables,
)
from lambda_latency.adot import PYTHON
from lambda_latency.template import Finding, Node

API = "AWS::Serverless::Api"
TRACED_API = f"!If [{ACTIVE}, true, false]"


@dataclass(slots=True)
class Adopted:
    """A template's new text, the section of the additions, each function's permission, and findings for a person.

    `replaced` are the offsets of the values that are replaced or removed, `switched` the names of functions that were
    traced otherwise.
    """

    text: str
    where: str
    permissions: Mapping[str, str] = field(default_factory=dict)
    left: list[Finding] = field(default_factory=list)
    replaced: Collection[tuple[int, int]] = ()
    switched: Collection[str] = ()


def parameter_of(root: Node) -> str:
    """The name of the parameter: `Tracing`, unless the template uses that name for something else."""
    allowed = [str(one.value) for one in root.listed("Parameters", "Tracing", "AllowedValues")]
    is_ours = root.get("Parameters", "Tracing") is None or allowed == ["Active", "PassThrough", "Off"]
    return "Tracing" if is_ours else "LambdaLatencyTracing"


def adopt_template(
    source: str,
    text: str,
    root: Node,
    subjects: Sequence[Subject],
    wanted: Wanted,
    layer_uri: str,
    children: Sequence[Node],
) -> Adopted:
    """Adds to a template what its Python functions need. `children`: the properties of its nested applications."""
    edits = Spliced(text, root)
    wanted = replace(wanted, parameter=parameter_of(root))
    switched, left = switch(source, edits, subjects, wanted)
    requested, wanted = wanted, as_adopted(wanted, root, subjects)
    mine = [one for one in subjects if one.is_python and not one.adopted]
    traced = [one for one in subjects if one.is_python and one.adopted]
    left += dict.fromkeys(one.left for one in subjects if one.left is not None)
    where, permissions, declared = "", dict[str, str](), set[str]()
    if requested.export == "otlp" or mine:
        permissions, more = permit(source, edits, [*traced, *mine], otlp=wanted.export == "otlp")
        left += more
    if requested.export in ("collector", "daemon"):
        revoke(edits, traced)
    if mine:
        where = _functions(edits, subjects, mine, wanted)
        declared = _sections(edits, mine, wanted, layer_uri)
        left += _apis(source, edits, where)
        everyone = root.get("Globals", "Function")
        shared = [everyone] if everyone is not None and not any(one.adopted for one in subjects) else []
        left += translate_variables(source, edits, [*shared, *(one.properties for one in mine)])
    if switched:
        _settle_conditions(edits, switched, wanted, declared)
    _renew(edits)
    for child in children:
        _pass_on(edits, child, wanted)
    if children and root.get("Parameters", wanted.parameter) is None and not mine:
        _declare(edits, "Parameters", {wanted.parameter: parameter()})
    names = {one.name for one in switched}
    return Adopted(edits.result(), where, permissions, left, edits.replaced, names)


def _functions(edits: Spliced, subjects: Sequence[Subject], mine: Sequence[Subject], wanted: Wanted) -> str:
    """Adds to Globals if all functions are alike, else to each function; returns the section as text."""
    section, everyone = edits.root.get("Globals"), edits.root.get("Globals", "Function")
    alike = len(mine) == len(subjects) > 1 and len({(one.architecture, one.arm) for one in mine}) == 1
    if alike and _share(edits, section, everyone, mine, wanted):
        for one in mine:
            _trace(edits, one.properties)
        return "Globals" if section is not None else "Globals, new"
    traced = everyone is not None and _trace(edits, everyone)
    for one in mine:
        _body(edits, one.properties, one.architecture, wanted, bridge=bool(one.bridge), traced=traced)
    return "each function"


def _share(
    edits: Spliced, section: Node | None, everyone: Node | None, mine: Sequence[Subject], wanted: Wanted
) -> bool:
    """Adds to Globals what all functions get; False if Globals cannot be added to."""
    architecture, bridge = mine[0].architecture, any(one.bridge for one in mine)
    if everyone is not None and _is_mapping(everyone):
        _body(edits, everyone, architecture, wanted, bridge=bridge)
        return True
    tree: dict[str, Tree] = {"Function": _tree(architecture, wanted, bridge=bridge)}
    if section is None:
        api: dict[str, Tree] = {"Api": {"TracingEnabled": TRACED_API}} if _rest_apis(edits.root) is not None else {}
        edits.add_section("Globals", {**tree, **api}, "Resources")
        return True
    if everyone is None and _is_mapping(section):
        edits.add_entries(section, tree)
        return True
    return False


def _is_mapping(node: Node) -> bool:
    """Whether entries can be added: a mapping that is not computed, or null."""
    return node.empty or (node.kind == "mapping" and not node.function)


def _tree(architecture: str, wanted: Wanted, *, bridge: bool) -> dict[str, Tree]:
    return {
        "Tracing": f"!If [{ACTIVE}, Active, PassThrough]",
        "Layers": layers(wanted, architecture, always=bridge),
        "Environment": {"Variables": variables(wanted, bridge=bridge)},
    }


def _body(
    edits: Spliced, place: Node, architecture: str, wanted: Wanted, *, bridge: bool, traced: bool = False
) -> None:
    """Adds to the properties of a function or of Globals. `traced`: Globals has a Tracing already."""
    tree = _tree(architecture, wanted, bridge=bridge)
    new: dict[str, Tree] = {}
    if not _trace(edits, place) and not traced:
        new["Tracing"] = tree["Tracing"]
    known = place.get("Layers")
    if known is None:
        new["Layers"] = tree["Layers"]
    else:
        edits.add_items(known, layers(wanted, architecture, always=bridge))
    environment, values = place.get("Environment"), place.get("Environment", "Variables")
    if environment is None:
        new["Environment"] = tree["Environment"]
    elif values is None:
        edits.add_entries(environment, {"Variables": variables(wanted, bridge=bridge)})
    else:
        edits.add_entries(values, variables(wanted, bridge=bridge))
    if new:
        edits.add_entries(place, new)


def _trace(edits: Spliced, place: Node) -> bool:
    """Makes an existing Tracing follow the parameter; False if there is none. A computed one stays."""
    known = place.get("Tracing")
    if known is not None and known.text in ("Active", "PassThrough"):
        edits.replace(known, f"!If [{ACTIVE}, Active, PassThrough]")
    return known is not None


def _settle_conditions(edits: Spliced, switched: Sequence[Subject], wanted: Wanted, declared: Collection[str]) -> None:
    """Declares the conditions of the collector's layer where they are used, and removes them where they are not."""
    arm = next((one.arm for one in switched if one.arm), "")
    known, text = edits.root.get("Conditions"), edits.result()
    trees = conditions(replace(wanted, export="collector"), arm)
    for name in {COLLECTED, ARM} - {*declared}:
        condition = known.get(name) if known is not None else None
        uses = len(re.findall(rf"\b{name}\b", text))
        if known is not None and condition is not None and uses == 1:  # its own declaration
            edits.remove(*((known, [condition]) if len(known.entries) > 1 else (edits.root, [known])))
        elif condition is None and uses and name in trees:
            _declare(edits, "Conditions", {name: trees[name]})


def _sections(edits: Spliced, mine: Sequence[Subject], wanted: Wanted, layer_uri: str) -> set[str]:
    """Declares what functions need that are newly traced; returns the names of the added conditions."""
    root = edits.root
    arm = next((one.arm for one in mine if one.arm), "")
    parameters = {wanted.parameter: parameter()}
    if wanted.packages == "adot" and len(wanted.regions) == 1:
        parameters[ADOT] = adot_parameter(wanted)
    if missing := {name: tree for name, tree in parameters.items() if root.get("Parameters", name) is None}:
        _declare(edits, "Parameters", missing)
    if wanted.packages == "adot" and len(wanted.regions) > 1 and root.get("Mappings", MAPPING) is None:
        _declare(edits, "Mappings", {MAPPING: adot_mapping(wanted)})
    known = root.get("Conditions")
    absent = {name: tree for name, tree in conditions(wanted, arm).items() if known is None or known.get(name) is None}
    if absent:
        _declare(edits, "Conditions", absent)
    resources = root.get("Resources")
    if resources is not None and resources.get(KIT) is None:
        always = any(one.bridge for one in mine)
        layer: dict[str, Tree] = {
            "Type": "AWS::Serverless::LayerVersion",
            **({} if always else {"Condition": TRACED}),
            "Properties": {
                "Description": "Lambda's part of lambda-latency",
                "ContentUri": layer_uri,
                "RetentionPolicy": "Delete",
            },
        }
        apart = edits.newline * 2 in edits.text[resources.start : resources.end]
        edits.add_entries(resources, {KIT: layer}, apart=apart)
    return {*absent}


def _renew(edits: Spliced) -> None:
    """Updates the versions that an earlier release wrote: numbers by region, or ARNs."""
    known = edits.root.get("Mappings", MAPPING)
    for region, _, node in known.named() if known is not None else ():
        version, newest = node.get("Version"), PYTHON.newest(region)
        if version is not None and newest is not None and str(version.value) != str(newest.numbers[region]):
            edits.replace(version, f'"{newest.numbers[region]}"')
    for arn in (edits.root.get("Parameters", ADOT, "Default"), *(known.scalars() if known is not None else ())):
        head, _, number = str(arn.value if arn is not None else "").rpartition(":")
        region = head.split(":")[3] if head.endswith(f":layer:{PYTHON.name}") else ""
        newest = PYTHON.newest(region)
        if arn is not None and newest is not None and int(number) < newest.numbers[region]:
            edits.replace(arn, PYTHON.arn(region, newest.numbers[region]))


def _declare(edits: Spliced, section: str, entries: Mapping[str, Tree]) -> None:
    known = edits.root.get(section)
    if known is None:
        edits.add_section(section, entries, "Resources")
    else:
        edits.add_entries(known, entries)


def _rest_apis(root: Node) -> list[tuple[str, Node]] | None:
    """The REST APIs of a template; None without any, implicit ones included. HTTP APIs have no X-Ray tracing."""
    apis = [(name, one) for name, _, one in root.named("Resources") if one.text_at("Type") == API]
    functions = [one for _, _, one in root.named("Resources") if one.text_at("Type") == FUNCTION]
    kinds = [event.text_at("Type") for one in functions for _, _, event in one.named("Properties", "Events")]
    return apis if apis or "Api" in kinds else None


def _apis(source: str, edits: Spliced, where: str) -> list[Finding]:
    """Enables tracing on REST APIs; returns the findings left to a person."""
    apis, everyone = _rest_apis(edits.root), edits.root.get("Globals")
    if apis is None:
        return []
    left = []
    for name, one in apis:
        known = one.get("Properties", "TracingEnabled")
        if known is not None and known.kind == "scalar" and not known.function:
            edits.replace(known, TRACED_API)
        elif known is not None and ACTIVE not in edits.text[known.start : known.end]:
            what = f"{name}: its TracingEnabled is computed"
            left.append(Finding(source, known.line, what, "let it follow the parameter Tracing"))
    if where == "Globals, new" or (apis and all(one.get("Properties", "TracingEnabled") for _, one in apis)):
        return left
    if everyone is None:
        edits.add_section("Globals", {"Api": {"TracingEnabled": TRACED_API}}, "Resources")
        return left
    api, known = everyone.get("Api"), everyone.get("Api", "TracingEnabled")
    if api is None:
        edits.add_entries(everyone, {"Api": {"TracingEnabled": TRACED_API}})
    elif known is None:
        edits.add_entries(api, {"TracingEnabled": TRACED_API})
    elif known.kind == "scalar" and not known.function:
        edits.replace(known, TRACED_API)
    return left


def _pass_on(edits: Spliced, child: Node, wanted: Wanted) -> None:
    """Passes the parameter to a nested application."""
    known = child.get("Parameters")
    value: dict[str, Tree] = {"Tracing": f"!Ref {wanted.parameter}"}
    if known is None:
        edits.add_entries(child, {"Parameters": value})
    elif _is_mapping(known) and known.get("Tracing") is None:
        edits.add_entries(known, value)
