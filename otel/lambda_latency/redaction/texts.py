"""Reads a suspect text: each rule yields the parts that it removes, and the parts of all rules are removed at once.

A rule is a generator that goes through the text once, from its beginning to its end. Between two steps it looks at the
clock: when the time is over, the text is unread from there on, and what is unread does not leave.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from heapq import merge
from urllib.parse import unquote

from lambda_latency.redaction import addresses, forms, pairs, shapes, statements
from lambda_latency.redaction.names import REDACTED, UNREAD, compiled, hinted
from lambda_latency.redaction.reading import Reading, Span, end_of, replaced
from lambda_latency.redaction.shapes import RUN

DEEPEST = 4  # nested encodings
LEAST, LEAST_RUN = 8, 11  # characters of a text that base64 encodes, and of the run that is its encoding
PERCENT = r"%[0-9A-Fa-f]{2}"
ESCAPED = r"\\{1,8}(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))"
SLASH, AMPERSAND = r"\\{1,8}/", r"&(?:amp;)+"
ENTITIES = ("&quot;", "&lt;", "&#")
ESCAPES = ("\\u", "\\x")
SHELL_QUOTE = "'\"'\"'"  # a quote of a shell, within quotes

LINE_ENDS = {ord(char): " " for char in "\r\n\t\0"}

RULES = (addresses.addresses, shapes.tokens, shapes.runs, shapes.cards)
NAMED_RULES = (pairs.named, statements.quoted)


def clean_suspect(text: str, secrets: tuple[str, ...], is_over: Callable[[], bool], *, ids: bool) -> str:
    """Return the text without credentials: as it is written, or decoded if only that shows one."""
    cleaned, level, secrets = text, light(text), tuple(map(light, secrets))
    for _ in range(DEEPEST + 1):
        plain = without_secrets(Reading(level, secrets, is_over, ids=ids))
        if plain != level:
            cleaned = plain
        level = light(decoded(plain))
        if level == plain:
            break
    return cleaned


def without_secrets(reading: Reading) -> str:
    """Return the text without the parts that rules yield. All rules go through it side by side."""
    text = reading.text
    rules = [occurrences(text, secret) for secret in reading.secrets if secret[:16] in text]
    rules += [*[rule(reading) for rule in RULES], *shapes.shapes(reading)]
    if hinted(text):
        rules += [*[rule(reading) for rule in NAMED_RULES], *forms.forms(reading)]
    parts = [*merge(*rules)]
    if reading.unread < len(text):
        parts.append((reading.unread, len(text), UNREAD))
    return replaced(text, parts)


def light(text: str) -> str:
    """Return a text with `/` for `\\/` and `&` for `&amp;`, however often these are escaped: rules read it so."""
    if "\\/" in text:
        text = compiled(SLASH).sub("/", text)
    return compiled(AMPERSAND).sub("&", text) if "&amp;" in text else text


def decoded(text: str) -> str:
    """Return a text without one level of percent-encoding, entities, escapes and a shell's quotes, or of base64."""
    plain = text.replace(SHELL_QUOTE, "'")
    if "&" in plain and any(map(plain.__contains__, ENTITIES)):
        from html import unescape

        plain = unescape(plain)
    if any(map(plain.__contains__, ESCAPES)):
        plain = compiled(ESCAPED).sub(character, plain)
    if "%" in plain and compiled(PERCENT).search(plain) is not None:
        plain = unquote(plain, errors="replace")
    return compiled(RUN).sub(from_base64, plain) if plain == text else plain


def character(escape: re.Match[str]) -> str:
    """Return the character that an escape stands for."""
    return chr(int(escape[1] or escape[2], 16))


def from_base64(run: re.Match[str]) -> str:
    """Return the text that a run encodes, as a whole or by segments of a path; the run itself if it is no text."""
    return text_in(run[0]) or "/".join([text_in(segment) or segment for segment in run[0].split("/")])


def text_in(run: str) -> str:
    """Return the text that base64 encodes; empty if it is not text. Zero characters separate a user and a password."""
    if len(run) < LEAST_RUN:
        return ""
    body = "".join(run.replace("\\n", "").split()).rstrip("=").replace("-", "+").replace("_", "/")
    body = body[: len(body) - (len(body) % 4 == 1)]
    try:
        plain = b64decode(body + "=" * (-len(body) % 4), validate=True).decode()
    except ValueError:
        return ""
    is_text = len(plain) >= LEAST and plain.translate(LINE_ENDS).isprintable()
    return plain if is_text else ""


def occurrences(text: str, secret: str) -> Iterator[Span]:
    """Yield the places of a secret, and of its beginning if that is long enough to tell."""
    beginning = secret[:16] if len(secret) >= 24 else secret
    start = text.find(beginning)
    while start >= 0:
        is_whole = text.startswith(secret, start)
        end = start + len(secret) if is_whole else end_of(r"[^\s\"']*", text, start)
        yield start, end, REDACTED
        start = text.find(beginning, end)
