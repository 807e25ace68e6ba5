"""Removes resources from a translated template that the emulator does not know, and replaces references to them."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Mapping
from typing import Any

from lambda_latency.local.app.read.parameters import ACCOUNT, REGION

VARIABLE = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.([A-Za-z0-9.]+))?\}")


def unknown_to(known: Collection[str], plain: Mapping[str, Any]) -> dict[str, str]:
    """The types of the resources that an emulator with these types cannot create, by logical id."""
    return {
        name: str(one.get("Type"))
        for name, one in plain["Resources"].items()
        if (one.get("Type") not in known and not str(one.get("Type")).startswith("Custom::"))
        or one.get("Type") == "AWS::CloudWatch::Alarm"  # its metrics do not exist here
    }


def pruned(plain: Mapping[str, Any], gone: Collection[str]) -> dict[str, Any]:
    """A copy without these resources. Their logical ids, or ARNs made of them, replace references to them."""
    template = copy.deepcopy(dict(plain))
    for name in gone:
        template["Resources"].pop(name, None)
    kept: dict[str, Any] = _replaced(template, gone)
    for resource in kept["Resources"].values():
        needs = resource.pop("DependsOn", [])
        needs = [name for name in ([needs] if isinstance(needs, str) else needs) if name not in gone]
        if needs:
            resource["DependsOn"] = needs
    return kept


def _replaced(value: Any, gone: Collection[str]) -> Any:
    if isinstance(value, list):
        return [_replaced(one, gone) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Ref" and argument in gone:
            return argument
        if function == "Fn::GetAtt":
            name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
            if name in gone:
                return _literal(name, str(attribute))
        if function == "Fn::Sub":
            text, *more = argument if isinstance(argument, list) else [argument]
            own = more[0] if more else {}

            def known(match: re.Match[str]) -> str:
                if match[1] in gone and match[1] not in own:
                    return _literal(match[1], match[2])
                return match[0]

            text = VARIABLE.sub(known, text) if isinstance(text, str) else text
            return {function: [text, _replaced(own, gone)] if more else text}
    return {name: _replaced(one, gone) for name, one in value.items()}


def _literal(name: str, attribute: str | None) -> str:
    return f"arn:aws:local:{REGION}:{ACCOUNT}:{name}" if attribute and attribute.endswith("Arn") else name
