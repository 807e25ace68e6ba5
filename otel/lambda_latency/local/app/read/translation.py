"""Translates SAM to CloudFormation with the translator that AWS uses."""

from __future__ import annotations

import copy
import logging
import os
import re
import warnings
from collections.abc import Mapping
from typing import Any

from lambda_latency.local.app.read.source import Source, TemplateError
from lambda_latency.template import Finding, nearest

GLOBAL = re.compile(r"'(\w+)' is not a supported property of '(\w+)'.*?values - \[(.*)\]")
NAME = re.compile(r"'(\w+)'")
PROPERTY = re.compile(r"property (\w+) not defined for resource of type (\S+)")


class _ManagedPolicies:
    """An empty set of managed policies for the translator, which would otherwise read them from an account."""

    def load(self) -> dict[str, str]:
        return {}


def translated(source: Source, raw: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """The template without SAM's own types. Raises `TemplateError` with the translator's message for each resource."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator needs a region, but makes no call
        from samtranslator.model.exceptions import InvalidDocumentException
        from samtranslator.translator.transform import transform

        logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
        try:
            plain: dict[str, Any] = transform(copy.deepcopy(dict(raw)), dict(values), _ManagedPolicies())
        except InvalidDocumentException as error:
            raise TemplateError([_finding(source, cause) for cause in error.causes]) from None
        except Exception as error:  # noqa: BLE001 - it raises many types of errors for invalid templates
            what = f"SAM's translator fails: {type(error).__name__}: {error}"
            raise TemplateError([Finding(str(source.path), 1, what, "`sam validate --lint` says more")]) from None
    plain.pop("Transform", None)
    return plain


def _finding(source: Source, cause: Any) -> Finding:
    """The translator's message about a resource or about Globals, with the line of the property that it names."""
    name = str(getattr(cause, "_logical_id", "") or "")
    said = " ".join(str(cause.message).split())
    todo = "correct it according to SAM's specification"
    in_globals = GLOBAL.search(said)
    if in_globals is not None:
        wrong, section, known = in_globals.groups()
        what = f"Globals: {wrong!r} is not a property of {section!r}"
        return source.finding(("Globals", section, wrong), what, nearest(wrong, NAME.findall(known), todo))
    why = said.partition("is invalid. ")[2] or said
    unknown = PROPERTY.search(why)
    if unknown is not None:
        wrong, kind = unknown.groups()
        at = ("Resources", name, "Properties", wrong)
        return source.finding(at, f"{name}: {why}", nearest(wrong, _properties(kind) or [""], todo))
    return source.finding(("Resources", name) if name else (), f"{name}: {why}" if name else said, todo)


def _properties(kind: str) -> list[str]:
    """The property names of one of SAM's types; empty for an unknown type."""
    from samtranslator.model import sam_resources

    for one in vars(sam_resources).values():
        if getattr(one, "resource_type", None) == kind:
            return list(one.property_types)
    return []
