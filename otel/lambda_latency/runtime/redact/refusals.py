"""Removes the values that validators quote when they refuse them: pydantic, jsonschema, fastjsonschema, botocore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.runtime.redact.names import SECRET, compiled, secrecy
from lambda_latency.runtime.redact.values import REDACTED

if TYPE_CHECKING:
    import re

# botocore's message does not say enough of a parameter's purpose: each value goes.
BOTOCORE = (
    r"(?m)(Invalid (?:type|length|range) for parameter [^,\n]{1,200}, value: )(?!\d{1,9},|(?:True|False|None),)"
    r".*?(?=, (?:type|valid)|$)"
)
# The field, what is between, the value; each by a text that the message contains.
PYDANTIC = (
    r"(?m)(?:^|\\n)(\w[\w.\[\]-]{0,200})((?:\n|\\+n)  (?![^\n]{0,500}\[type=missing)[^\n]{0,500}?, input_value=)"
    r"([^\n]*?)(?=, input_type=|\]?$)"
)
LOCATION = (
    r"""["']loc["']: [(\[]([^)\]]{1,200})([)\]][^\n]{0,300}?["']input["']: )"""
    r"""((["'])(?:(?!\4)[^\\\n]|\\.)*\4|(?!null\b|None\b)[^\s,}]+)"""
)
POWERTOOLS = r"Path: \[([^\]\n]{0,200})(\], Data: )(.*)"
FIELDS = {"input_value=": PYDANTIC, "loc": LOCATION, ", Data: ": POWERTOOLS}
JSONSCHEMA = r"(?s)\nOn instance([^\n]{1,200}):\n    (.+?)\s*\Z"


def clean_refusals(text: str) -> str:
    """An error of a validator without the values of fields with a secret name."""
    if "Invalid " in text and "value: " in text:
        text = compiled(BOTOCORE).sub(rf"\1{REDACTED}", text)
    for mark, pattern in FIELDS.items():
        if mark in text:
            text = compiled(pattern).sub(without_value, text)
    found = compiled(JSONSCHEMA).search(text) if "\nOn instance" in text else None
    if found is not None and len(found[2]) > 4 and is_secret(found[1]):  # a shorter one may be a part of any word
        text = text.replace(found[2], REDACTED)
    return text


def without_value(found: re.Match[str]) -> str:
    """What is quoted, without the value, which is its end, if the field is secret."""
    return found[0][: found.start(3) - found.start()] + REDACTED if is_secret(found[1]) else found[0]


def is_secret(path: str) -> bool:
    """Whether the last name in a path such as `body.0.password` or `'data', 'password'` is that of a secret."""
    names = compiled(r"[^\W\d][\w-]*").findall(path)
    return bool(names) and secrecy(names[-1]) == SECRET
