"""The verdict of `sam validate` on a template: the same translator, without an AWS account."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from lambda_latency.template import Diagnostic, YamlNode

EXPANDED = ("AWS::LanguageExtensions", "Fn::Transform")  # expanded by CloudFormation, before SAM's translator
LOCAL = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri",
         "AWS::Serverless::Api": "DefinitionUri", "AWS::Serverless::HttpApi": "DefinitionUri",
         "AWS::Serverless::StateMachine": "DefinitionUri"}  # fmt: skip
GLOBAL = re.compile(r"'(\w+)' is not a supported property of '(\w+)'")
DEFAULT = ("CodeUri", "ContentUri")  # default to the template's folder
PROPERTY = re.compile(r"property '?(\w+)'?", re.IGNORECASE)


def refusal(source: str, text: str, root: YamlNode) -> Diagnostic | None:
    """The reason why SAM's translator rejects a template; None if it accepts it or is not installed."""
    if find_spec("samtranslator") is None or any(name in text for name in EXPANDED):
        return None
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator requires a region, but sends nothing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from samtranslator.model.exceptions import InvalidDocumentException
        from samtranslator.parser.parser import Parser
        from samtranslator.translator.translator import Translator
        from samtranslator.yaml_helper import yaml_parse

        logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
        try:
            document: dict[str, Any] = yaml_parse(text.lstrip("\ufeff"))
            for properties, name in _local_properties(document):
                properties[name] = "s3://bucket/key"  # `sam validate` replaces local paths, too
            Translator(None, Parser()).translate(sam_template=document, parameter_values={})
        except InvalidDocumentException as error:
            return _finding(source, root, error.causes[0])
        except Exception:  # noqa: BLE001 - the translator also fails on valid templates
            return None
    return None


def _local_properties(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The properties that name local files; an image that is built locally gets a placeholder ImageUri."""
    shared = (document.get("Globals") or {}).get("Function")
    if isinstance(shared, dict) and isinstance(shared.get("CodeUri"), str):
        yield shared, "CodeUri"
    for resource in (document.get("Resources") or {}).values():
        if not isinstance(resource, dict):
            continue
        if resource.get("Properties") is None:
            resource["Properties"] = {}
        properties = resource["Properties"]
        if isinstance(properties, dict):
            name = LOCAL.get(resource.get("Type", ""), "")
            if name and _is_local(properties, name):
                yield properties, name
            if "Dockerfile" in (resource.get("Metadata") or {}):
                properties.setdefault("ImageUri", "111111111111.dkr.ecr.region.amazonaws.com/repository")


def _is_local(properties: dict[str, Any], name: str) -> bool:
    """Whether a property names a local file, or is absent and has the template's folder as its default."""
    if properties.get("PackageType") == "Image" or "InlineCode" in properties:
        return False
    return isinstance(properties.get(name, "." if name in DEFAULT else None), str)


def _finding(source: str, root: YamlNode, cause: Any) -> Diagnostic:
    name = str(getattr(cause, "_logical_id", "") or "")
    said = " ".join(str(cause.message).split())
    why = said.partition("is invalid. ")[2] or said
    named = PROPERTY.search(why)
    everywhere = GLOBAL.search(why)
    places: list[tuple[str, ...]] = [("Resources", name, "Properties", named[1])] if named else []
    places += [("Globals", everywhere[2], everywhere[1])] if everywhere else []
    keys = [key for logical_id, key, _ in root.named("Resources") if logical_id == name]
    node = [*filter(None, (root.get(*path) for path in places)), *keys, root][0]
    problem = f"`sam validate` refuses it: {f'{name}: ' if name else ''}{why.rstrip('.')}"
    return Diagnostic(source, node.line, problem, "correct it according to SAM's specification")
