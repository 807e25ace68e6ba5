"""Removes credentials from a suspect text: pairs, URLs, tokens, statements, and all of these inside encodings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from lambda_latency.runtime.redact.addresses import address, clean_addresses
from lambda_latency.runtime.redact.names import compiled, hinted
from lambda_latency.runtime.redact.pairs import clean_pairs, source_blocks
from lambda_latency.runtime.redact.refusals import clean_refusals
from lambda_latency.runtime.redact.statements import clean_quoted_statements
from lambda_latency.runtime.redact.values import REDACTED, clean_cards, clean_tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    Clean = Callable[[str], str]

WORD = r"""[^\s"'<>]+"""
QUOTE = "'\"'\"'"
PERCENT = r"%[0-9A-Fa-f]{2}"
ESCAPED = r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(/))"


def clean_suspect(text: str, known: tuple[str, ...], within: Clean | None, *, ids: bool) -> str:
    """The text without credentials. `within` cleans decoded parts; None if the encodings are nested too deep."""
    for value in known:
        text = text.replace(value, REDACTED)
    if within is not None:
        text = decoded(text, within)
    if hinted(text):
        text = clean_refusals(text)
        text = "".join([clean_block(block, source=source) for source, block in source_blocks(text)])
    text = clean_addresses(text)
    text = clean_tokens(text, within or str, ids=ids)
    for value in known:  # the beginning of a value, if the text was cut
        if len(value) >= 24 and value[:16] in text:
            text = re.sub(re.escape(value[:16]) + r"[^\s\"']*", REDACTED, text)
    return clean_cards(text)


def clean_block(text: str, *, source: bool) -> str:
    """A block of a text without pairs and statements. Source lines have rules of their own."""
    return clean_quoted_statements(clean_pairs(text, source=source)) if hinted(text) else text


def decoded(text: str, clean: Clean) -> str:
    """A text without credentials inside percent-encoding, HTML's entities and escapes."""
    if "&" in text and any(map(text.__contains__, ("&quot;", "&lt;", "&#", "&amp;"))):
        from html import unescape

        plain = unescape(text)
        if (cleaned := clean(plain)) != plain:
            return cleaned
    if "%" in text and compiled(PERCENT).search(text) is not None:
        text = compiled(WORD).sub(lambda found: of_word(found[0], clean), text)
    if QUOTE in text:  # of a shell, within quotes
        plain = text.replace(QUOTE, "'")
        if (cleaned := clean(plain)) != plain:
            return cleaned
    if "\\u" in text or "\\/" in text or "\\x" in text:
        plain = compiled(ESCAPED).sub(lambda found: chr(int(found[1] or found[2] or "2f", 16)), text)
        if (cleaned := clean(plain)) != plain:
            return cleaned
    return text


def of_word(word: str, clean: Clean) -> str:
    """A percent-encoded word; decoded and cleaned if it holds a credential, else unchanged."""
    if compiled(PERCENT).search(word) is None:
        return word
    word = address(word)
    for decode in (unquote, unquote_plus):
        plain = decode(word, errors="replace")
        if (cleaned := clean(plain)) != plain:
            return cleaned
    return word
