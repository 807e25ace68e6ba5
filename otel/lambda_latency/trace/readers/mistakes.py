"""Puts decoding errors into words: msgspec names types as JSON Schema does, and places as paths."""

from __future__ import annotations

import re

AT = r"(?: - at `\$\.?(?P<at>.*)`)?\Z"
EXPECTED = re.compile(
    r"Expected `(?P<expected>[^`]+)`(?P<bound> (?:[<>]=?|of length) .*?)?(?:, got `(?P<actual>[^`]+)`)?" + AT
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
    mismatch = EXPECTED.match(text)
    if mismatch is not None:
        return _mismatch_of(mismatch)
    missing = MISSING.match(text)
    if missing is not None:
        return f"{missing['at'] or 'it'} has no {missing['field']}"
    return text


def _mismatch_of(match: re.Match[str]) -> str:
    expected = " or ".join(WORDS.get(word, word) for word in match["expected"].split(" | ") if word != "null")
    actual = f", got {WORDS.get(match['actual'], match['actual'])}" if match["actual"] else ""
    return f"{match['at'] or 'it'} must be {expected}{match['bound'] or ''}{actual}"
