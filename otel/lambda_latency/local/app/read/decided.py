"""A template without decided conditions, without SAM's types, and without the resources that the emulator lacks."""

from __future__ import annotations

import copy
import logging
import os
import re
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

from lambda_latency.local.app.read.definitions import Fields
from lambda_latency.local.app.read.parameters import ACCOUNT, REGION, walk
from lambda_latency.local.app.read.source import SamFile, TemplateError
from lambda_latency.template import Diagnostic, Undecided, nearest, node_of, resolve, value_of

CONDITIONS = ("If",)  # the functions that choose by a condition
FUNCTIONS = ("AWS::Serverless::Function", "AWS::Lambda::Function")
NOT_CREATED = "it was not created: its condition is false, or a dependency failed"
GLOBAL = re.compile(r"'(\w+)' is not a supported property of '(\w+)'.*?values - \[(.*)\]")
NAME = re.compile(r"'(\w+)'")
PROPERTY = re.compile(r"property (\w+) not defined for resource of type (\S+)")
VARIABLE = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.([A-Za-z0-9.]+))?\}")


@dataclass(frozen=True, slots=True)
class Decided:
    """`raw` has only conditions on values that the emulator passes; `gone` are the logical ids of other functions,
    whose condition is false; `notes` are lines for the user.
    """

    raw: dict[str, Any]
    gone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def decide(source: SamFile, chosen: Mapping[str, str], later: Collection[str]) -> Decided:
    """Decide the conditions by chosen parameters, defaults and placeholders. The emulator passes `later` parameters."""
    resolution = resolve(node_of(source.raw), chosen, REGION, only=CONDITIONS, later=later)
    raw = value_of(resolution.root)
    resources = source.raw["Resources"]
    gone = [name for name in resources if name not in raw["Resources"]]
    functions = (name for name in gone if resources[name].get("Type") in FUNCTIONS)
    notes = (_note(source, condition, later) for condition in resolution.undecided)
    return Decided(pruned(raw, gone), tuple(functions), tuple(notes))


def resolved(template: Fields, values: Mapping[str, str], only: Collection[str] = ()) -> dict[str, Any]:
    """A template with the values of these parameters, of the region and of the account. Values of resources stay as
    written, and so does everything that depends on other parameters.
    """
    declared = [name for name in template.get("Parameters") or {} if name not in values]
    pseudo = {"AWS::AccountId": ACCOUNT, **values}
    raw: dict[str, Any] = value_of(resolve(node_of(template), pseudo, REGION, only=only, later=declared).root)
    if not declared:
        raw.pop("Conditions", None)
    return raw


def _note(source: SamFile, condition: Undecided, later: Collection[str]) -> str:
    line = source.line("Conditions", condition.name)
    text = str(condition)
    if any(name in later for name in condition.why):
        text = f"{condition.problem} for functions; the emulator decides it for resources"
    return f"{source.path}:{line}: {text}"


def translated(source: SamFile, raw: Fields, values: Mapping[str, str]) -> dict[str, Any]:
    """The template without SAM's own types. Raises `TemplateError` with the translator's message for each resource."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The translator needs a region, but makes no call.
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
        from samtranslator.model.exceptions import InvalidDocumentException
        from samtranslator.translator.transform import transform

        logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
        try:
            # The translator would read the managed policies from an account.
            no_policies = SimpleNamespace(load=dict)
            plain: dict[str, Any] = transform(copy.deepcopy(dict(raw)), dict(values), no_policies)
        except InvalidDocumentException as error:
            raise TemplateError([_finding_of(source, cause) for cause in error.causes]) from None
        except Exception as error:  # noqa: BLE001 - it raises many types of errors for invalid templates
            message = f"SAM's translator fails: {type(error).__name__}: {error}"
            raise TemplateError([Diagnostic(str(source.path), 1, message, "`sam validate --lint` says more")]) from None
    plain.pop("Transform", None)
    return plain


def _finding_of(source: SamFile, cause: Any) -> Diagnostic:
    """The translator's message about a resource or about Globals, with the line of the property that it names."""
    name = str(getattr(cause, "_logical_id", "") or "")
    message = " ".join(str(cause.message).split())
    todo = "correct it according to SAM's specification"
    in_globals = GLOBAL.search(message)
    if in_globals is not None:
        wrong, section, supported = in_globals.groups()
        mistake = f"Globals: {wrong!r} is not a property of {section!r}"
        return source.finding(("Globals", section, wrong), mistake, nearest(wrong, NAME.findall(supported), todo))
    why = message.partition("is invalid. ")[2] or message
    unknown = PROPERTY.search(why)
    if unknown is not None:
        wrong, kind = unknown.groups()
        path = ("Resources", name, "Properties", wrong)
        return source.finding(path, f"{name}: {why}", nearest(wrong, _properties(kind) or [""], todo))
    if not name:
        return source.finding((), message, todo)
    return source.finding(("Resources", name), f"{name}: {why}", todo)


def _properties(kind: str) -> list[str]:
    """Return the property names of one of SAM's types; empty for an unknown type."""
    from samtranslator.model import sam_resources

    for model in vars(sam_resources).values():
        if getattr(model, "resource_type", None) == kind:
            return list(model.property_types)
    return []


def unknown_to(emulated: Collection[str], plain: Fields) -> dict[str, str]:
    """Return the types of the resources that an emulator with these types cannot create, by logical id."""
    kinds = {name: str(resource.get("Type")) for name, resource in plain["Resources"].items()}
    return {
        name: kind
        for name, kind in kinds.items()
        if (kind not in emulated and not kind.startswith("Custom::"))
        or kind == "AWS::CloudWatch::Alarm"  # its metrics do not exist here
    }


def pruned(plain: Fields, gone: Collection[str]) -> dict[str, Any]:
    """Return a copy without these resources. Their logical ids, or ARNs made of them, replace references to them."""
    template = copy.deepcopy(dict(plain))
    for name in gone:
        template["Resources"].pop(name, None)
    remaining: dict[str, Any] = walk(template, partial(_without_references, gone))
    for resource in remaining["Resources"].values():
        needs = resource.pop("DependsOn", [])
        needs = [name for name in ([needs] if isinstance(needs, str) else needs) if name not in gone]
        if needs:
            resource["DependsOn"] = needs
    return remaining


def _without_references(gone: Collection[str], part: Any) -> Any:
    if not isinstance(part, dict) or len(part) != 1:
        return part
    ((function, argument),) = part.items()
    if function == "Ref" and argument in gone:
        return argument
    if function == "Fn::GetAtt":
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return _literal(name, str(attribute)) if name in gone else part
    return {function: _substituted(argument, gone)} if function == "Fn::Sub" else part


def _substituted(argument: Any, gone: Collection[str]) -> Any:
    """Return the argument of an `Fn::Sub`: a text, or a list of a text and its own variables."""
    text, *more = argument if isinstance(argument, list) else [argument]
    variables = more[0] if more else {}

    def value(match: re.Match[str]) -> str:
        is_gone = match[1] in gone and match[0][2:-1] not in variables
        return _literal(match[1], match[2]) if is_gone else match[0]

    text = VARIABLE.sub(value, text) if isinstance(text, str) else text
    return [text, variables] if more else text


def _literal(name: str, attribute: str | None) -> str:
    return f"arn:aws:local:{REGION}:{ACCOUNT}:{name}" if attribute and attribute.endswith("Arn") else name
