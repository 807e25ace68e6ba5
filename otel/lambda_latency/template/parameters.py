"""The values of a template's parameters, and placeholders for those that only the deployment knows."""

from __future__ import annotations

import re

from lambda_latency.template.node import YamlNode, scalar

ACCOUNT = "123456789012"
ASSUMED = {"AWS::AccountId": ACCOUNT}  # placeholders for pseudo parameters
PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-isob-", "aws-iso-b"), ("us-iso-", "aws-iso"))
SUFFIXES = {"aws-cn": "amazonaws.com.cn"}
# Placeholders for parameters without a value, by a word in the name.
LIKELY = {
    "busarn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default",
    "bus": "default",
    "mail": "me@example.com",
    "url": "https://{name}.invalid",
    "uri": "https://{name}.invalid",
    "endpoint": "https://{name}.invalid",
    "origin": "*",
    "arn": f"arn:aws:iam::{ACCOUNT}:role/{{name}}",
}
OTHERS = ("local", "me@example.com", "https://local.invalid", "local-value-1", "LocalValue1!", "1", "10.0.0.0/16", "*")


def pseudo_parameters(region: str) -> dict[str, str]:
    """The pseudo parameters that a region determines; empty without one."""
    if not region:
        return {}
    partition = next((name for start, name in PARTITIONS if region.startswith(start)), "aws")
    suffix = SUFFIXES.get(partition, "amazonaws.com")
    return {"AWS::Region": region, "AWS::Partition": partition, "AWS::URLSuffix": suffix}


def parameter_value(declared: YamlNode, text: str | None) -> YamlNode | None:
    """The value of a parameter, a list for a type of lists; `text` overrides the default; None if it is unknown."""
    kind = _kind(declared)
    default = declared.get("Default")
    if text is None and default is not None and not kind.startswith("AWS::SSM::Parameter::Value"):
        text = ",".join(node.text for node in default.scalars()) if not default.empty else None
    if text is None:
        return None
    if kind == "CommaDelimitedList" or "List<" in kind:
        items = tuple(scalar(part.strip()) for part in text.split(","))
        return YamlNode("list", 0, 0, 0, items=items)
    return scalar(text)


def placeholder(name: str, declared: YamlNode) -> str | None:
    """A value that the declaration of a parameter allows; None if no known one is allowed."""
    if _kind(declared).startswith("AWS::SSM::Parameter::Value"):  # the declaration is about the name of the value
        return likely_value(name) or OTHERS[0]
    allowed = declared.listed("AllowedValues")
    if allowed:
        return allowed[0].text
    if _kind(declared) == "Number":
        return declared.text_at("MinValue") or "1"
    likely, default = likely_value(name), declared.get("Default")
    values = [*OTHERS] if likely is None else [likely, *OTHERS]
    if default is not None:
        values.append(default.text)
    return next((text for text in values if _is_allowed(declared, text)), None)


def _is_allowed(declared: YamlNode, text: str) -> bool:
    """Whether a parameter's pattern and least length allow a text. A pattern with what only Java reads allows any."""
    try:
        matches = re.fullmatch(declared.text_at("AllowedPattern") or ".*", text) is not None
    except re.error:
        matches = True
    return matches and len(text) >= int(declared.text_at("MinLength") or 0)


def passed_parameters(properties: YamlNode | None) -> dict[str, str | None]:
    """The parameters that a nested stack with these resolved properties gets; None is an unknown value."""
    named = properties.named("Parameters") if properties is not None else ()
    return {name: value.text if value.is_known else None for name, _, value in named}


def likely_value(name: str) -> str | None:
    """A placeholder that suits a parameter's name; None if no word of the name, or its end, is a known one."""
    words = (word for word in LIKELY if re.search(f"(?i:{word}s?)(?![a-z])", name))
    return next((LIKELY[word].format(name=name.lower()) for word in words), None)


def _kind(declared: YamlNode) -> str:
    return declared.text_at("Type") or "String"
