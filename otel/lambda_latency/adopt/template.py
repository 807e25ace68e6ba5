"""Adopts one template: the additions to its text, and the findings left to a person."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lambda_latency.adopt.changes import Template
from lambda_latency.adopt.functions import FUNCTION, AppFn
from lambda_latency.adopt.roles import permit, revoke
from lambda_latency.adopt.splice import Edits, Tree
from lambda_latency.adopt.variants import as_adopted, switch
from lambda_latency.adopt.wording import (
    ACTIVE,
    ADOT,
    ARM,
    BACKEND,
    COLLECTED,
    KIT,
    MAPPING,
    TRACED,
    AdoptOptions,
    adot_mapping,
    adot_parameter,
    conditions,
    layers,
    parameter,
    variables,
)
from lambda_latency.adot import PYTHON
from lambda_latency.template import Diagnostic, YamlNode

API = "AWS::Serverless::Api"
TRACED_API = f"!If [{ACTIVE}, true, false]"
PREFIX, SERVICE, NAME = "AWS_XRAY_", "OTEL_SERVICE_NAME", "AWS_XRAY_TRACING_NAME"
BRIDGED = ("AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_SDK_ENABLED")  # the bridge reads these
OFF = ("n", "no", "f", "false", "off", "0")


@dataclass(slots=True)
class Adopted:
    """A template's new text, the section of the additions, each function's permission, and findings for a person.

    `replaced`: the offsets of values that are replaced or removed; `switched`: functions that were traced otherwise.
    """

    text: str
    where: str
    permissions: Mapping[str, str] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)
    replaced: Collection[tuple[int, int]] = ()
    switched: Collection[AppFn] = ()


def parameter_of(root: YamlNode) -> str:
    """The name of the parameter: `Tracing`, unless the template uses that name for something else."""
    allowed = [str(node.value) for node in root.listed("Parameters", "Tracing", "AllowedValues")]
    is_ours = root.get("Parameters", "Tracing") is None or allowed == ["Active", "PassThrough", "Off"]
    return "Tracing" if is_ours else "LambdaLatencyTracing"


def adopt_template(template: Template, options: AdoptOptions, layer_uri: str) -> Adopted:
    """Adds to a template what its Python functions need."""
    source, edits = template.shown, Edits(template.text, template.root)
    options = replace(options, parameter=parameter_of(template.root))
    switched, findings = switch(template, edits, options)
    requested, options = options, as_adopted(options, template)
    traced = [fn for fn in template.python_functions if fn.adopted]
    added = [replace(fn, traced=options.traced) for fn in template.python_functions if not fn.adopted]
    findings += [*template.obstacles, *_backends(template)]
    where, permissions, declared = "", dict[str, str](), set[str]()
    if requested.export == "otlp" or added:
        permissions, problems = permit(source, edits, [*traced, *added], otlp=options.export == "otlp")
        findings += problems
    if requested.export in ("collector", "daemon"):
        revoke(edits, traced)
    if added:
        where = _trace_functions(edits, template.functions, added, options)
        declared = _declare_all(edits, added, options, layer_uri)
        findings += [*_trace_apis(source, edits, where, options), *_translated(template, edits, added)]
    if switched:
        _settle_conditions(edits, switched, options, declared)
    _renew(edits)
    _renew_layer(edits, template.functions, options.layer)
    _pass_on(edits, template.children, options, is_declared=bool(added))
    return Adopted(edits.result(), where, permissions, findings, edits.replaced, switched)


def _backends(template: Template) -> Iterator[Diagnostic]:
    """What is left as it is of functions that send to a backend of their own."""
    for fn in (fn for fn in template.python_functions if fn.backend):
        problem = f"it sends spans where its {fn.backend} says: that stays, and nothing for X-Ray's is added"
        yield fn.finding(template.shown, problem, "remove the backend's variables if spans should go to X-Ray")


def _translated(template: Template, edits: Edits, added: Sequence[AppFn]) -> Iterator[Diagnostic]:
    """Translates the functions' variables, and those of Globals if no function was traced before."""
    places = [fn.properties for fn in added]
    shared = template.root.get("Globals", "Function")
    if shared is not None and not any(fn.adopted for fn in template.functions):
        places.insert(0, shared)
    return translate_variables(template.shown, edits, places)


def _trace_functions(edits: Edits, functions: Sequence[AppFn], added: Sequence[AppFn], options: AdoptOptions) -> str:
    """Adds to Globals if all functions are alike, else to each function; returns the section as text."""
    if _are_alike(added, options) and len(added) == len(functions) > 1 and _share(edits, added, options):
        for fn in added:
            _trace(edits, fn.properties, options)
        return "Globals" if edits.root.get("Globals") is not None else "Globals, new"
    shared = edits.root.get("Globals", "Function")
    traced = shared is not None and _trace(edits, shared, options)
    for fn in added:
        own_options = replace(options, export=BACKEND) if fn.backend else options
        _extend(edits, fn.properties, fn.architecture, own_options, bridge=bool(fn.bridge), traced=traced)
    return "each function"


def _are_alike(functions: Sequence[AppFn], options: AdoptOptions) -> bool:
    """Whether all functions get the same lines: only the collector's layer is of one processor."""
    processors = {(fn.architecture, fn.arm) for fn in functions if options.collected}
    return len(processors) <= 1 and len({bool(fn.backend) for fn in functions}) == 1


def _share(edits: Edits, added: Sequence[AppFn], options: AdoptOptions) -> bool:
    """Adds to Globals what all functions get; False if Globals cannot be added to."""
    section, shared = edits.root.get("Globals"), edits.root.get("Globals", "Function")
    architecture, bridge = added[0].architecture, any(fn.bridge for fn in added)
    if shared is not None and _is_mapping(shared):
        _extend(edits, shared, architecture, options, bridge=bridge, traced=False)
        return True
    tree: dict[str, Tree] = {"Function": _function_tree(architecture, options, bridge=bridge)}
    if section is None:
        if _rest_apis(edits.root) is not None:
            tree["Api"] = _api_tree(options)
        edits.add_section("Globals", tree, "Resources")
        return True
    if shared is None and _is_mapping(section):
        edits.add_entries(section, tree)
        return True
    return False


def _is_mapping(node: YamlNode) -> bool:
    """Whether entries can be added: a mapping that is not computed, or null."""
    return node.empty or (node.kind == "mapping" and not node.function)


def _function_tree(architecture: str, options: AdoptOptions, *, bridge: bool) -> dict[str, Tree]:
    listed, settings = layers(options, architecture, always=bridge), variables(options, bridge=bridge)
    if options.layer:
        in_a_row = ", ".join(f"{name}: {value}" for name, value in settings.items())
        return {
            "Tracing": "Active",
            "Layers": listed if options.collected else f"[{listed[0]}]",
            "Environment": f"{{ Variables: {{ {in_a_row} }} }}",
        }
    return {
        "Tracing": f"!If [{ACTIVE}, Active, PassThrough]",
        "Layers": listed,
        "Environment": {"Variables": settings},
    }


def _extend(
    edits: Edits, place: YamlNode, architecture: str, options: AdoptOptions, *, bridge: bool, traced: bool
) -> None:
    """Adds to the properties of a function or of Globals. `traced`: Globals has a Tracing already."""
    tree = _function_tree(architecture, options, bridge=bridge)
    new: dict[str, Tree] = {}
    if not _trace(edits, place, options) and not traced:
        new["Tracing"] = tree["Tracing"]
    listed = place.get("Layers")
    if listed is None:
        new["Layers"] = tree["Layers"]
    else:
        edits.add_items(listed, layers(options, architecture, always=bridge))
    environment, values = place.get("Environment"), place.get("Environment", "Variables")
    if environment is None:
        new["Environment"] = tree["Environment"]
    elif values is None:
        edits.add_entries(environment, {"Variables": variables(options, bridge=bridge)})
    else:
        edits.add_entries(values, variables(options, bridge=bridge))
    if new:
        edits.add_entries(place, new)


def _trace(edits: Edits, place: YamlNode, options: AdoptOptions) -> bool:
    """Makes an existing Tracing follow the parameter, if there is one; False without Tracing. A computed one stays."""
    setting = place.get("Tracing")
    if setting is not None and setting.text in ("Active", "PassThrough") and not options.layer:
        edits.replace(setting, f"!If [{ACTIVE}, Active, PassThrough]")
    return setting is not None


def _settle_conditions(
    edits: Edits, switched: Sequence[AppFn], options: AdoptOptions, declared: Collection[str]
) -> None:
    """Declares the conditions of the collector's layer where they are used, and removes them where they are not."""
    section, text = edits.root.get("Conditions"), edits.result()
    trees = conditions(replace(options, export="collector"), _arm_of(switched))
    for name in (name for name in (COLLECTED, ARM) if name not in declared):
        condition = edits.root.get("Conditions", name)
        uses = len(re.findall(rf"\b{name}\b", text))
        if section is not None and condition is not None and uses == 1:  # its own declaration
            edits.prune(edits.root, section, [condition])
        elif condition is None and uses and name in trees:
            _declare(edits, "Conditions", {name: trees[name]})


def _arm_of(functions: Sequence[AppFn]) -> str:
    """The parameter that sets the architecture of functions; empty without one."""
    return next((fn.arm for fn in functions if fn.arm), "")


def _declare_all(edits: Edits, added: Sequence[AppFn], options: AdoptOptions, layer_uri: str) -> set[str]:
    """Declares what functions need that are newly traced; returns the names of the added conditions."""
    if options.layer:
        return set()
    parameters = {options.parameter: parameter()}
    has_adot, is_of_one_region = options.has_adot, len(options.regions) == 1
    if has_adot and is_of_one_region:
        parameters[ADOT] = adot_parameter(options)
    _declare(edits, "Parameters", parameters)
    if has_adot and not is_of_one_region:
        _declare(edits, "Mappings", {MAPPING: adot_mapping(options)})
    declared = _declare(edits, "Conditions", conditions(options, _arm_of(added)))
    resources = edits.root.get("Resources")
    if resources is not None and resources.get(KIT) is None:
        layer: dict[str, Tree] = {"Type": "AWS::Serverless::LayerVersion"}
        if not any(fn.bridge for fn in added):
            layer["Condition"] = TRACED
        layer["Properties"] = {
            "Description": "Lambda's part of lambda-latency",
            "ContentUri": layer_uri,
            "RetentionPolicy": "Delete",
        }
        apart = edits.newline * 2 in edits.text[resources.start : resources.end]
        edits.add_entries(resources, {KIT: layer}, apart=apart)
    return declared


def _renew(edits: Edits) -> None:
    """Updates the versions that an earlier release wrote: numbers by region, or ARNs."""
    for region, _, node in edits.root.named("Mappings", MAPPING):
        version, newest = node.get("Version"), PYTHON.newest(region)
        if version is not None and newest is not None and str(version.value) != str(newest.numbers[region]):
            edits.replace(version, f'"{newest.numbers[region]}"')
    nodes = edits.root.get("Parameters", ADOT, "Default"), edits.root.get("Mappings", MAPPING)
    for arn in (arn for node in nodes if node is not None for arn in node.scalars()):
        _renew_arn(edits, arn)


def _renew_arn(edits: Edits, arn: YamlNode) -> None:
    """Updates the ARN of a version of ADOT's layer that is not the newest of its region."""
    head, _, number = str(arn.value).rpartition(":")
    region = head.split(":")[3] if head.endswith(f":layer:{PYTHON.name}") else ""
    newest = PYTHON.newest(region)
    if newest is not None and int(number) < newest.numbers[region]:
        edits.replace(arn, PYTHON.arn(region, newest.numbers[region]))


def _renew_layer(edits: Edits, functions: Sequence[AppFn], layer: str) -> None:
    """Replaces other versions of the kit's deployed layer by this one, if one is named."""
    shared = edits.root.get("Globals", "Function")
    places = [*([shared] if shared is not None else ()), *(fn.properties for fn in functions)]
    for item in (item for place in places for item in place.listed("Layers")):
        text = str(item.value)
        if layer and text != layer and text.rpartition(":")[0] == layer.rpartition(":")[0]:
            edits.replace(item, layer)


def _declare(edits: Edits, section: str, entries: Mapping[str, Tree]) -> set[str]:
    """Declares those entries that a section lacks; returns their names."""
    node = edits.root.get(section)
    missing = {name: tree for name, tree in entries.items() if node is None or node.get(name) is None}
    if missing and node is None:
        edits.add_section(section, missing, "Resources")
    elif missing and node is not None:
        edits.add_entries(node, missing)
    return {*missing}


def _rest_apis(root: YamlNode) -> list[tuple[str, YamlNode]] | None:
    """The REST APIs of a template; None without any, implicit ones included. HTTP APIs have no X-Ray tracing."""
    apis = [(name, resource) for name, _, resource in root.named("Resources") if resource.text_at("Type") == API]
    functions = [resource for _, _, resource in root.named("Resources") if resource.text_at("Type") == FUNCTION]
    kinds = [event.text_at("Type") for function in functions for _, _, event in function.named("Properties", "Events")]
    return apis if apis or "Api" in kinds else None


def _trace_apis(source: str, edits: Edits, where: str, options: AdoptOptions) -> list[Diagnostic]:
    """Enables tracing on REST APIs; returns the findings left to a person."""
    apis = _rest_apis(edits.root)
    if apis is None:
        return []
    findings = []
    for name, api in apis:
        setting = api.get("Properties", "TracingEnabled")
        if setting is None or _trace_api(edits, setting, options):
            continue
        if ACTIVE not in edits.text[setting.start : setting.end]:
            problem = f"{name}: its TracingEnabled is computed"
            findings.append(Diagnostic(source, setting.line, problem, "let it follow the parameter Tracing"))
    is_complete = bool(apis) and all(api.get("Properties", "TracingEnabled") for _, api in apis)
    if where != "Globals, new" and not is_complete:
        _trace_other_apis(edits, options)
    return findings


def _api_tree(options: AdoptOptions) -> Tree:
    """What `Globals` has of REST APIs."""
    return "{ TracingEnabled: true }" if options.layer else {"TracingEnabled": TRACED_API}


def _trace_api(edits: Edits, setting: YamlNode, options: AdoptOptions) -> bool:
    """Makes a TracingEnabled true, or follow the parameter; False if it is computed, and stays."""
    is_literal = setting.kind == "scalar" and not setting.function
    if is_literal and not (options.layer and setting.value is True):
        edits.replace(setting, "true" if options.layer else TRACED_API)
    return is_literal


def _trace_other_apis(edits: Edits, options: AdoptOptions) -> None:
    """Enables tracing in Globals."""
    section, api = edits.root.get("Globals"), edits.root.get("Globals", "Api")
    setting = api.get("TracingEnabled") if api is not None else None
    if section is None:
        edits.add_section("Globals", {"Api": _api_tree(options)}, "Resources")
    elif api is None:
        edits.add_entries(section, {"Api": _api_tree(options)})
    elif setting is None:
        edits.add_entries(api, {"TracingEnabled": "true" if options.layer else TRACED_API})
    else:
        _trace_api(edits, setting, options)


def _pass_on(edits: Edits, children: Sequence[YamlNode], options: AdoptOptions, *, is_declared: bool) -> None:
    """Passes the parameter, if there is one, to nested applications, and declares it if it is not."""
    if options.layer:
        return
    entry: dict[str, Tree] = {"Tracing": f"!Ref {options.parameter}"}
    for child in children:
        parameters = child.get("Parameters")
        if parameters is None:
            edits.add_entries(child, {"Parameters": entry})
        elif _is_mapping(parameters) and parameters.get("Tracing") is None:
            edits.add_entries(parameters, entry)
    if children and not is_declared:
        _declare(edits, "Parameters", {options.parameter: parameter()})


def translate_variables(source: str, edits: Edits, places: Iterable[YamlNode]) -> Iterator[Diagnostic]:
    """Sets the service name where the SDK's variable does, in each of `places`; yields findings left to a person."""
    for place in places:
        values = place.get("Environment", "Variables")
        for name, key, value in place.named("Environment", "Variables"):
            if name == NAME and values is not None and values.get(SERVICE) is None:
                text = edits.text[value.start : value.end]
                if value.kind == "scalar" and "\n" not in text:
                    edits.add_entries(values, {SERVICE: text})
                else:
                    yield Diagnostic(source, key.line, f"{NAME} is computed", f"give {SERVICE} the same value")
            elif name == "AWS_XRAY_SDK_ENABLED" and str(value.value).lower() in OFF:
                yield Diagnostic(
                    source, key.line, f"{name} is {value.value}", "remove it, or the bridge records nothing"
                )
            elif name.startswith(PREFIX) and name not in (NAME, *BRIDGED):
                todo = "remove it: the kit exports and logs by itself"
                yield Diagnostic(source, key.line, f"{name} has no effect", todo)
