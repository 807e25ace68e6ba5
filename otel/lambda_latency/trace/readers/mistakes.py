"""Puts decoding errors into words: msgspec names types as JSON Schema does, and places as paths."""

from __future__ import annotations

import re

AT = r"(?: - at `\$\.?(?P<at>.*)`)?\Z"
EXPECTED = re.compile(
    r"Expected `(?P<wanted>[^`]+)`(?P<bound> (?:[<>]=?|of length) .*?)?(?:, got `(?P<seen>[^`]+)`)?" + AT
)
MISSING = re.compile(r"Object missing required field `(?P<field>[^`]+)`" + AT)
WORDS = {"array": "a list", "object": "an object", "int": "a whole number", "float": "a number", "str": "a text"}
WORDS |= {"bool": "true or false", "null": "null"}


def kind_of(value: object) -> str:
    """A JSON value's type in words, such as `a whole number`."""
    names = {dict: "object", list: "array", type(None): "null"}
    name = names.get(type(value), type(value).__name__)
    return WORDS.get(name, name)


def reason_of(error: Exception) -> str:
    """The reason for an error in words, such as `startTimeUnixNano must be a whole number, got a text`."""
    if isinstance(error, UnicodeError):
        return "the bytes are not UTF-8"
    if isinstance(error, KeyError):
        return f"it has no {error.args[0] if error.args else 'such member'}"
    text = str(error)
    found = EXPECTED.match(text)
    if found is not None:
        wanted = " or ".join(WORDS.get(one, one) for one in found["wanted"].split(" | ") if one != "null")
        seen = f", got {WORDS.get(found['seen'], found['seen'])}" if found["seen"] else ""
        return f"{found['at'] or 'it'} must be {wanted}{found['bound'] or ''}{seen}"
    missing = MISSING.match(text)
    if missing is not None:
        return f"{missing['at'] or 'it'} has no {missing['field']}"
    return text
