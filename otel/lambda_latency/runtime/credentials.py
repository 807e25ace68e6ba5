"""What texts hold of credentials, and how it is taken out: for spans and for our lines in the log.

Most texts hold nothing that could be one, and that is seen at once. The others pass through the modules beside this
one, which are not imported before.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache, partial

from lambda_latency.runtime.secret_names import NO, SECRET, hinted, secrecy
from lambda_latency.runtime.secret_tokens import is_plain

__all__ = ["REDACTED", "clean", "known_values"]

REDACTED = "[redacted]"

# Without these there is no pair, no query, no user info, no escape and no card number.
MARKS = frozenset("=%\\;?#&@<|")
# Each begins with a digit or a `k`, which is looked for in one loop.
NUMBERS = re.compile(r"[\dk](?:(?<!\w\d)\d{12}|(?<![\w-]\d)\d{3}[ -]\d{4}|[-_](?:live|test)[-_]|:AA)")
RUNS = re.compile(r"[\w+/-]{16,}")
BETWEEN = frozenset(" :/\"'")
DEEPEST = 3  # encodings of encodings
LEAST, LEAST_OF_WORDS = 8, 16  # characters of a value that is looked for wherever it may be


def clean(text: str, known: tuple[str, ...] | None = None, *, depth: int = 0, ids: bool = False) -> str:
    """A text without credentials. In time that is proportional to its length: a caller may have written it.

    `known`: values that are secret wherever they are, by default those of the environment; `depth`: encodings that it
    was in; `ids`: what is only random is an id.
    """
    if known is None:
        known = known_values()
    if not is_suspect(text, known):
        return text
    from lambda_latency.runtime.secret_texts import clean_suspect

    within = partial(clean, known=known, depth=depth + 1) if depth < DEEPEST else None
    return clean_suspect(text, known, within, ids=ids)


def is_suspect(text: str, known: tuple[str, ...]) -> bool:
    """Could there be any?"""
    if not MARKS.isdisjoint(text) or NUMBERS.search(text) is not None:
        return True
    for run in RUNS.findall(text):
        if not is_plain(run):
            return True
    if not BETWEEN.isdisjoint(text) and hinted(text):
        return True
    return any(value in text for value in known)


def known_values() -> tuple[str, ...]:
    """The values of the environment's variables whose names say that they are secret, as they are now."""
    environ = os.environ
    return values_of(tuple([environ.get(name, "") for name in names_of(len(environ))]), len(environ))


@lru_cache(maxsize=1)
def names_of(_count: int) -> tuple[str, ...]:
    """The variables that may hold a secret; a function may add some, as it reads them from where they are kept."""
    return tuple([name for name, value in os.environ.items() if secrecy(name) == SECRET or "://" in value])


@lru_cache(maxsize=1)
def values_of(_values: tuple[str, ...], count: int) -> tuple[str, ...]:
    """The longest first: one may be part of another."""
    found = {part for name in names_of(count) for part in secrets_of(name, os.environ.get(name, ""))}
    others = {value for name, value in os.environ.items() if secrecy(name) == NO}  # a laptop's key may be a name
    return tuple(sorted(found - others, key=len, reverse=True))


def secrets_of(name: str, value: str) -> list[str]:
    """What of a variable's value is secret; the name of a secret, a path and an address without a password are not."""
    if "://" in value and "@" in value:
        user = value.partition("://")[2].rpartition("@")[0]
        found = user.partition(":")[2]
    elif secrecy(name) == SECRET and not value.startswith(("arn:", "/", "http:", "https:")):
        found = value
    else:
        return []
    # A short word may be in any text.
    return [found] if len(found) >= (LEAST_OF_WORDS if found.isalpha() else LEAST) else []
