"""The members of a list that are secret by the member before them: arguments of a command, headers, variables."""

from __future__ import annotations

from collections.abc import Sequence

from lambda_latency.redaction.names import REDACTED, SECRET, compiled, secrecy
from lambda_latency.redaction.pairs import HEADERS, is_header, is_option, is_placeholder
from lambda_latency.redaction.shapes import UUID, opaque
from lambda_latency.redaction.spoken import LETTER, LETTERS, USER, USERS_OPTION, is_password, is_user

OPTION = r"(?:--?|/)[A-Za-z][\w.-]+"
NAME = r"[A-Za-z][\w.:-]{0,64}"
PATH = r"[\w.-]*(?:/[\w.-]+)*/[a-z_-]*\d*(?:\.\w{1,5})?"


def clean_list(members: Sequence[str]) -> list[str]:
    """Return the members of a list, without those that are secret by the member before them, or by their own option."""
    cleaned = [without_attached(member) for member in members]
    for index in range(1, len(members)):
        is_name_of_secret = members[max(0, index - 2)] == "get"  # `get secret orders-7`
        if not is_name_of_secret and is_value(members[index - 1].rstrip(":"), members[index]):
            cleaned[index] = REDACTED
    return cleaned


def without_attached(member: str) -> str:
    """Return a member without the password that is attached to its option."""
    for pattern, is_secret in ((LETTER, is_password), (USER, is_user)):
        match = compiled(pattern).match(member) if member[:1] == "-" else None
        if match is not None and is_secret(member[match.start(1) :]):
            return member[: match.start(1)] + REDACTED
    name, mark, value = member.partition("=")
    is_named = mark != "" and secrecy(name) == SECRET and len(value) > 2 and not is_placeholder(value)
    return f"{name}={REDACTED}" if is_named else member


def is_value(name: str, value: str) -> bool:
    """Whether a member is the secret of the option, the header or the variable before it."""
    if name.startswith(("-", "/")):
        return not value.startswith("-") and is_argument(name, value)
    if compiled(NAME).fullmatch(name) is None or secrecy(name) != SECRET or value.startswith("-"):
        return False
    if compiled(PATH).fullmatch(value) or is_header(name, value) or is_placeholder(value):
        return False
    if name.lower() in HEADERS:
        return len(value) > 2 and secrecy(value) != SECRET
    return any(opaque(word) or UUID.fullmatch(word) for word in value.split())


def is_argument(option: str, value: str) -> bool:
    """Whether an argument is the secret of the option before it."""
    if compiled(LETTERS).fullmatch(option) and is_password(value):
        return True
    if compiled(USERS_OPTION).fullmatch(option, 1) and is_user(value):
        return True
    return compiled(OPTION).fullmatch(option) is not None and is_option(option.strip("-/"), value)
