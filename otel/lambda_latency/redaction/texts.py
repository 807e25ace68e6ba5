"""Reads a suspect text: each rule yields the parts that it removes, and the parts of all rules are removed at once.

A rule is a generator that goes through the text once, from its beginning to its end. Between two steps it looks at the
clock: when the time is over, the text is unread from there on, and what is unread does not leave.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from heapq import merge
from urllib.parse import unquote

from lambda_latency.redaction import addresses, pairs, shapes, spoken, statements
from lambda_latency.redaction.names import REDACTED, UNREAD, compiled, hinted
from lambda_latency.redaction.reading import OutOfTimeError, Reading, Span
from lambda_latency.redaction.shapes import DEEPEST

Rule = Callable[[Reading], Iterator[Span]]


PERCENT = r"%[0-9A-Fa-f]{2}"
ESCAPED = r"\\{1,8}(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(/))"
ENTITIES = ("&quot;", "&lt;", "&#", "&amp;")
ESCAPES = ("\\u", "\\/", "\\x")
SHELL_QUOTE = "'\"'\"'"  # a quote of a shell, within quotes


def clean_suspect(reading: Reading) -> str:
    """Return the text without credentials: as it is written, or decoded if only that shows one."""
    cleaned = without_secrets(reading)
    plain = decoded(cleaned)
    if plain == cleaned:
        return cleaned
    decoded_and_cleaned = without_secrets(reading.of(plain))
    return cleaned if decoded_and_cleaned == plain else decoded_and_cleaned


def without_secrets(reading: Reading) -> str:
    """Return the text without the parts that rules yield. Of two that overlap, all of both goes."""
    text, out, copied = reading.text, list[str](), 0
    rules = [rule(reading) for rule in RULES]
    rules += shapes.shapes(reading)
    if hinted(text):
        rules += [rule(reading) for rule in NAMED_RULES]
        rules += (*pairs.forms(reading), *spoken.arguments(reading))
    for start, end, replacement in merge(*[limited(parts, len(text)) for parts in rules], key=by_start):
        if start >= copied:
            out += (text[copied:start], replacement)
        copied = max(copied, end)
    return "".join([*out, text[copied:]])


def limited(parts: Iterator[Span], length: int) -> Iterator[Span]:
    """Yield the parts of a rule, and the rest of the text when the time is over."""
    try:
        yield from parts
    except OutOfTimeError as error:
        yield error.position, length, UNREAD


def by_start(span: Span) -> tuple[int, int]:
    """Return the order of parts: by their beginnings, the longer one first."""
    return span[0], -span[1]


def decoded(text: str) -> str:
    """Return a text without percent-encoding, HTML's entities, JSON's escapes and a shell's nested quotes."""
    for _ in range(DEEPEST):
        plain = text.replace(SHELL_QUOTE, "'")
        if "&" in plain and any(map(plain.__contains__, ENTITIES)):
            from html import unescape

            plain = unescape(plain)
        if any(map(plain.__contains__, ESCAPES)):
            plain = compiled(ESCAPED).sub(character, plain)
        if "%" in plain and compiled(PERCENT).search(plain) is not None:
            plain = unquote(plain, errors="replace")
        if plain == text:
            break
        text = plain
    return text


def character(escape: re.Match[str]) -> str:
    """Return the character that an escape stands for."""
    return chr(int(escape[1] or escape[2] or "2f", 16))


def known(reading: Reading) -> Iterator[Span]:
    """Yield the values of the environment's secrets, also those whose end was cut."""
    text = reading.text
    return merge(*[occurrences(text, secret) for secret in reading.secrets if secret[:16] in text], key=by_start)


def occurrences(text: str, secret: str) -> Iterator[Span]:
    """Yield the places of a secret, and of its beginning if that is long enough to tell."""
    beginning = secret[:16] if len(secret) >= 24 else secret
    start = text.find(beginning)
    while start >= 0:
        is_whole = text.startswith(secret, start)
        cut = compiled(r"[^\s\"']*").match(text, start)
        end = start + len(secret) if is_whole or cut is None else cut.end()
        yield start, end, REDACTED
        start = text.find(beginning, end)


RULES: tuple[Rule, ...] = (
    known, addresses.addresses, shapes.tokens, shapes.web_tokens, shapes.runs, shapes.cards,
)  # fmt: skip
NAMED_RULES: tuple[Rule, ...] = (
    pairs.named, spoken.said,
    spoken.options, statements.quoted,
)  # fmt: skip
