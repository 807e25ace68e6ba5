"""What texts hold of credentials, and how it is taken out: for spans and for our lines in the log.

Most texts hold nothing that could be one, and that is seen at once. The others pass through the modules beside this
one, which are not imported before.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

from lambda_latency.runtime.secret_names import HINTS, NO, secrecy
from lambda_latency.runtime.secret_tokens import is_plain

__all__ = ["REDACTED", "clean", "known_values"]

REDACTED = "[redacted]"

# Without these there is no pair, no query, no user info, no escape and no card number.
MARKS = re.compile(r"[=%\\;?#&@<|]|(?<!\w)\d{13}|(?<![\w-])\d{4}[ -]\d{4}|k[-_](?:live|test)[-_]|\d:AA")
RUNS = re.compile(r"[\w+/-]{16,}")
BETWEEN = re.compile(r"[ :/\"']")
LEAST = 8  # characters of a value that is looked for wherever it may be


def clean(text: str, depth: int = 0, *, ids: bool = False) -> str:
    """A text without credentials. In time that is proportional to its length: a caller may have written it.

    `depth`: encodings it was in; `ids`: what is only random is an id.
    """
    if not is_suspect(text):
        return text
    from lambda_latency.runtime.secret_texts import clean_suspect

    return clean_suspect(text, known_values(), depth, ids=ids)


def is_suspect(text: str) -> bool:
    """Could there be any?"""
    if MARKS.search(text) is not None:
        return True
    for run in RUNS.findall(text):
        if not is_plain(run):
            return True
    if BETWEEN.search(text) is not None and hinted(text):
        return True
    return any(value in text for value in known_values())


def hinted(text: str) -> bool:
    """Is there a word in it that a secret's name, or a statement, could have?"""
    lower = text.lower()
    for hint in HINTS:  # noqa: SIM110 - a generator takes half as long again
        if hint in lower:
            return True
    return False


def known_values() -> tuple[str, ...]:
    """The values of the environment's variables whose names say that they are secret."""
    return values_of(len(os.environ))  # a function may read its secrets into it


@lru_cache(maxsize=1)
def values_of(_count: int) -> tuple[str, ...]:
    """The longest first: one may be part of another."""
    found = {part for name, value in os.environ.items() for part in secrets_of(name, value)}
    return tuple(sorted(found, key=len, reverse=True))


def secrets_of(name: str, value: str) -> list[str]:
    """What of a variable's value is secret; the name of a secret, a path and an address without a password are not."""
    found = []
    if "://" in value and "@" in value:
        user = value.partition("://")[2].rpartition("@")[0]
        found.append(user.partition(":")[2])
    elif secrecy(name) != NO and not value.startswith(("arn:", "/", "http:", "https:")):
        found.append(value)
    return [one for one in found if len(one) >= LEAST and not one.isalpha()]
