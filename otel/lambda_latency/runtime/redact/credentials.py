"""Removes credentials from texts: from spans and from the kit's lines in the log.

Most texts cannot hold a credential, and a quick check says so. Only the others are searched, by the `secret_*` modules,
which are imported then.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache, partial
from os import fsdecode

from lambda_latency.runtime.redact.names import NO, SECRET, hinted, secrecy
from lambda_latency.runtime.redact.tokens import DOTTED, is_plain

REDACTED = "[redacted]"

# A text without these has no pair, query, user info, escape or card number.
MARKS = frozenset("=%\\;?#&@<|")
# Every alternative begins with a digit or a `k`, which `re` finds in one loop.
NUMBERS = re.compile(r"[\dk](?:(?<!\w\d)\d{12}|(?<![\w-]\d)\d{3}[ -]\d{4}|[-_](?:live|test)[-_]|:AA)")
RUNS = re.compile(r"[\w+/-]{16,}")
# Beginnings of passwords' hashes.
HASHES = ("$1$", "$2a$", "$2b$", "$2x$", "$2y$", "$5$", "$6$", "$y$", "$apr1$", "$argon2")
BETWEEN = frozenset(" :\uff1a\uff1d/\"'")
DEEPEST = 3  # nested encodings that are decoded
LEAST, LEAST_OF_WORDS = 8, 16  # characters of a known value that is searched for in every text


def clean(text: str, known: tuple[str, ...] | None = None, *, depth: int = 0, ids: bool = False) -> str:
    """The text without credentials. Takes time proportional to its length, because a caller may have written it.

    `known`: values that are secret in every place (default: those of the environment). `depth`: the encodings around
    the text. `ids`: random-looking values are ids, not secrets.
    """
    if known is None:
        known = known_values()
    if not is_suspect(text, known):
        return text
    from lambda_latency.runtime.redact.texts import clean_suspect

    within = partial(clean, known=known, depth=depth + 1) if depth < DEEPEST else None
    return clean_suspect(text, known, within, ids=ids)


def is_suspect(text: str, known: tuple[str, ...]) -> bool:
    """Whether the text may hold a credential."""
    if not MARKS.isdisjoint(text) or NUMBERS.search(text) is not None:
        return True
    runs = RUNS.findall(text)
    for run in runs:
        if not is_plain(run):
            return True
    if runs and "." in text and any(map(text.__contains__, DOTTED)):
        return True
    if "$" in text and any(map(text.__contains__, HASHES)):
        return True
    if not BETWEEN.isdisjoint(text) and hinted(text):
        return True
    return any(value in text for value in known)


def known_values() -> tuple[str, ...]:
    """The current values of the environment variables whose names say that they are secret."""
    # Bytes, because `os.environ` would decode all names; if possible those in it, because `os.environb` is Python code.
    environ = getattr(os.environ, "_data", os.environb)
    names = names_of(tuple(environ))
    return values_of(names, tuple([environ.get(name, b"") for name in names]))


@lru_cache(maxsize=1)
def names_of(names: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The variables among `names` that may hold a secret: by their names, or an address."""
    environ = os.environb
    return tuple([name for name in names if secrecy(fsdecode(name)) == SECRET or b"://" in environ.get(name, b"")])


@lru_cache(maxsize=1)
def values_of(names: tuple[bytes, ...], values: tuple[bytes, ...]) -> tuple[str, ...]:
    """The secret values, longest first, because one may be a part of another."""
    texts = zip(map(fsdecode, names), map(fsdecode, values), strict=True)
    found = {part for name, value in texts for part in secrets_of(name, value)}
    others = {value for name, value in os.environ.items() if secrecy(name) == NO}  # a laptop's key may be a name
    return tuple(sorted(found - others, key=len, reverse=True))


def secrets_of(name: str, value: str) -> list[str]:
    """The secret part of a variable's value. ARNs, paths and URLs without a password are not secret."""
    if "://" in value and "@" in value:
        user = value.partition("://")[2].rpartition("@")[0]
        found = user.partition(":")[2]
    elif secrecy(name) == SECRET and not value.startswith(("arn:", "/", "http:", "https:")):
        found = value
    else:
        return []
    # A short word may occur in any text.
    return [found] if len(found) >= (LEAST_OF_WORDS if found.isalpha() else LEAST) else []
