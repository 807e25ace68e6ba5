"""The verdict of `sam validate` on a template: the same translator, without an AWS account."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from lambda_latency.template import Finding, Node

EXPANDED = ("AWS::LanguageExtensions", "Fn::Transform")  # expanded by CloudFormation, before SAM's translator
LOCAL = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri",
         "AWS::Serverless::Api": "DefinitionUri", "AWS::Serverless::HttpApi": "DefinitionUri",
         "AWS::Serverless::StateMachine": "DefinitionUri"}  # fmt: skip
GLOBAL = re.compile(r"'(\w+)' is not a supported property of '(\w+)'")
DEFAULT = ("CodeUri", "ContentUri")  # default to the template's folder
PROPERTY = re.compile(r"property '?(\w+)'?", re.IGNORECASE)


def refusal(source: str, text: str, root: Node) -> Finding | None:
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
            for properties, name in _local(document):
                properties[name] = "s3://bucket/key"  # `sam validate` replaces local paths, too
            Translator(None, Parser()).translate(sam_template=document, parameter_values={})
        except InvalidDocumentException as error:
            return _finding(source, root, error.causes[0])
        except Exception:  # noqa: BLE001 - the translator also fails on valid templates
            return None
    return None


def _local(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The properties that name local files; an image that is built locally gets a placeholder ImageUri."""
    resources = [one for one in (document.get("Resources") or {}).values() if isinstance(one, dict)]
    everyone = (document.get("Globals") or {}).get("Function")
    if isinstance(everyone, dict) and isinstance(everyone.get("CodeUri"), str):
        yield everyone, "CodeUri"
    for one in resources:
        if one.get("Properties") is None:
            one["Properties"] = {}
        properties, name = one["Properties"], LOCAL.get(one.get("Type", ""), "")
        if not isinstance(properties, dict) or not name or properties.get("PackageType") == "Image":
            continue
        if "InlineCode" not in properties and isinstance(properties.get(name, "." if name in DEFAULT else None), str):
            yield properties, name
    for one in resources:
        properties = one.get("Properties")
        if isinstance(properties, dict) and "Dockerfile" in (one.get("Metadata") or {}):
            properties.setdefault("ImageUri", "111111111111.dkr.ecr.region.amazonaws.com/repository")


def _finding(source: str, root: Node, cause: Any) -> Finding:
    name = str(getattr(cause, "_logical_id", "") or "")
    said = " ".join(str(cause.message).split())
    why = said.partition("is invalid. ")[2] or said
    named = PROPERTY.search(why)
    everywhere = GLOBAL.search(why)
    places: list[tuple[str, ...]] = [("Resources", name, "Properties", named[1])] if named else []
    places += [("Globals", everywhere[2], everywhere[1])] if everywhere else []
    keys = [key for one, key, _ in root.named("Resources") if one == name]
    node = next((one for path in places if (one := root.get(*path)) is not None), keys[0] if keys else root)
    what = f"`sam validate` refuses it: {f'{name}: ' if name else ''}{why.rstrip('.')}"
    return Finding(source, node.line, what, "correct it according to SAM's specification")
