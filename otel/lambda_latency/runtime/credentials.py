"""What texts hold of addresses, headers and keys, and how it is taken out: for spans and for our lines in the log."""

from __future__ import annotations

import re
from functools import cache

__all__ = ["REDACTED", "clean"]

REDACTED = "[redacted]"

SUSPECT = ("?", "@", "bearer", "akia", "asia")
HEADERS = (*SUSPECT, "author", "cookie", "api-key", "security-token")  # with a value: `http.cookies` is a module


@cache
def patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """What is taken out, and what stands in its place. Not made before it is needed: that takes longer than reading
    all settings. Each takes time in proportion to the text: a caller may have written it."""
    return (
        (re.compile(r"\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-amz-security-token)"
                    r"""(["']?\s*[:=]\s*)[^\r\n]+""", re.IGNORECASE), rf"\1\2{REDACTED}"),
        (re.compile(r"\b(bearer)\s+[\w+/=.~-]{8,}", re.IGNORECASE), rf"\1 {REDACTED}"),
        (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"), REDACTED),
    )  # fmt: skip


def clean(text: str) -> str:
    """A text without query strings, user info, credentials in headers, and AWS's access key ids."""
    lower = text.lower()
    for mark in HEADERS if ":" in text or "=" in text else SUSPECT:
        if mark in lower:
            break
    else:
        return text
    if "?" in text or "@" in text:
        text = re.sub(r"""[^\s<>"]+""", address, text)  # word by word, for the time's sake
    for pattern, instead in patterns():
        text = pattern.sub(instead, text)
    return text


def address(word: re.Match[str]) -> str:
    """A word; where it is an address or a path, without user info and query."""
    whole = word[0]
    before, mark, query = whole.partition("?")
    if mark and query and ("/" in before or ":" in before):
        whole = before
    scheme, slashes, rest = whole.partition("//")
    host, slash, path = rest.partition("/")
    if slashes and "@" in host:
        whole = scheme + slashes + host.rpartition("@")[2] + slash + path
    return whole
