"""Removes credentials from texts: from spans and from the kit's lines in the log.

Most texts cannot hold a credential, and a quick check says so. Only the others are read, by modules that are imported
then.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import lru_cache
from os import fsdecode

from lambda_latency.redaction.names import NO, SECRET, hinted, secrecy
from lambda_latency.redaction.prefixes import PREFIXES

# A text without these has no pair, query, user info, escape or card number.
MARKS = frozenset("=%\\;?#&@<|")
# Every alternative begins with a digit or a `k`, which `re` finds in one loop.
NUMBERS = re.compile(r"[\dk](?:(?<!\w\d)\d{12}|(?<![\w-]\d)\d{3}[ -]\d{4}|[-_](?:live|test)[-_]|:AA)")
RUNS = re.compile(r"[\w+/-]{16,}")
# Beginnings of passwords' hashes.
HASHES = ("$1$", "$2a$", "$2b$", "$2x$", "$2y$", "$5$", "$6$", "$y$", "$apr1$", "$argon2")
BETWEEN = frozenset(" :\uff1a\uff1d/\"'")
# Characters of a known value that is searched for in every text
LEAST, LEAST_OF_WORDS = 8, 16

ALL = (*" ".join(PREFIXES.values()).split(), "IQoJ", "FwoG", "FQoG", "AAAA", "MII")
STARTS = frozenset([prefix[:4] for prefix in ALL])
PARTED = frozenset([prefix.replace("_", "-").replace(".", "-").partition("-")[0] for prefix in ALL])
# Beginnings up to their last dot or tilde, for a run of letters and digits begins after it.
DOTTED = tuple({prefix[:end] for prefix in ALL if (end := max(prefix.rfind("."), prefix.rfind("~")) + 1)})
# The longest random part that CloudFormation and others add to names, in characters
LONG = 14


def clean(
    text: str, secrets: tuple[str, ...] | None = None, *, ids: bool = False, is_over: Callable[[], bool] = bool
) -> str:
    """Return the text without credentials. Takes time proportional to its length: a caller may have written it.

    `secrets`: values that are secret in every place (default: those of the environment). `ids`: random-looking values
    are ids, not secrets. When `is_over` returns True (`bool` never does), the rest of the text becomes `[unread]`.
    """
    values = known_values() if secrets is None else secrets
    if not is_suspect(text, values):
        return text
    from lambda_latency.redaction.texts import clean_suspect

    return clean_suspect(text, values, is_over, ids=ids)


def is_suspect(text: str, secrets: tuple[str, ...]) -> bool:
    """Whether the text may hold a credential."""
    if not MARKS.isdisjoint(text) or NUMBERS.search(text) is not None:
        return True
    runs = RUNS.findall(text)
    if runs and not (all(map(is_plain, runs)) and not any(map(text.__contains__, DOTTED))):
        return True
    if "$" in text and any(map(text.__contains__, HASHES)):
        return True
    if not BETWEEN.isdisjoint(text) and hinted(text):
        return True
    return any(map(text.__contains__, secrets))


def is_plain(run: str) -> bool:
    """Whether a run is certainly not a token: it consists of words, numbers, hashes, UUIDs or names made of them."""
    single = run.islower() or run.isupper()
    has_marks = len(run) > 35 and ("/" in run or "+" in run)
    is_base64 = has_marks and not single and 5 * sum(map(str.isupper, run)) > len(run)
    if is_base64 or "-us" in run:  # a key of Mailchimp's ends with its region
        return False
    if single and not run.strip("0123456789abcdefABCDEF-") and run.partition("-")[0] not in PARTED:
        return True
    for part in run.replace("_", "-").replace("/", "-").replace("+", "-").split("-"):
        if part in PARTED or part[:4] in STARTS or part[:3] in STARTS:
            return False
        if len(part) > LONG and not single and is_mixed(part):
            return False
    return True


def is_function(text: str) -> bool:
    """Whether the text is the ARN of a Lambda function, perhaps with an alias or a version, which is no secret."""
    parts = text.split(":")
    is_arn = len(parts) in (7, 8) and parts[0] == "arn" and parts[2] == "lambda" and parts[5] == "function"
    return is_arn and "".join(parts).replace("-", "").replace("_", "").isalnum()


def is_mixed(part: str) -> bool:
    """Whether a part has letters and digits, or many capitals."""
    return not part.isalpha() or (not part.isupper() and 5 * sum(map(str.isupper, part)) > len(part))


def known_values() -> tuple[str, ...]:
    """Return the current values of the environment variables whose names say that they are secret."""
    # Bytes, because `os.environ` would decode all names; if possible those in it, because `os.environb` is Python code.
    environ = getattr(os.environ, "_data", os.environb)
    names = names_of(tuple(environ))
    return values_of(names, tuple([environ.get(name, b"") for name in names]))


@lru_cache(maxsize=1)
def names_of(names: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the variables among `names` that may hold a secret: by their names, or because they hold an address."""
    environ = os.environb
    return tuple([name for name in names if secrecy(fsdecode(name)) == SECRET or b"://" in environ.get(name, b"")])


@lru_cache(maxsize=1)
def values_of(names: tuple[bytes, ...], values: tuple[bytes, ...]) -> tuple[str, ...]:
    """Return the secret values, longest first, because one may be a part of another."""
    texts = zip(map(fsdecode, names), map(fsdecode, values), strict=True)
    secrets = {part for name, value in texts for part in secrets_of(name, value)}
    harmless = {value for name, value in os.environ.items() if secrecy(name) == NO}  # a laptop's key may be a name
    return tuple(sorted(secrets - harmless, key=len, reverse=True))


def secrets_of(name: str, value: str) -> list[str]:
    """Return the secret part of a variable's value. ARNs, paths and URLs without a password are not secret."""
    if "://" in value and "@" in value:
        user = value.partition("://")[2].rpartition("@")[0]
        secret = user.partition(":")[2]
    elif secrecy(name) == SECRET and not value.startswith(("arn:", "/", "http:", "https:")):
        secret = value
    else:
        return []
    # A short word may occur in any text.
    return [secret] if len(secret) >= (LEAST_OF_WORDS if secret.isalpha() else LEAST) else []
