"""Removes secrets from lists of words: the arguments of a command, headers and variables with their values.

What a word is depends on the words before it: after `--password`, after `-p` of sshpass, after `Authorization`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from lambda_latency.runtime.redact.names import NO, SECRET, WORD, compiled, secrecy, words
from lambda_latency.runtime.redact.values import REDACTED, UUID, opaque

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["clean_commands", "clean_list", "is_compound"]

# By the name of a program: the options whose next word is secret, and those that a secret is attached to.
PROGRAMS = {
    "mysql": ("", "-p"), "mariadb": ("", "-p"), "7z": ("", "-p"), "sshpass": ("-p", "-p"), "redis-cli": ("-a", ""),
    "zip": ("-P", ""), "unzip": ("-P", ""), "sqlcmd": ("-P", ""), "bcp": ("-P", ""), "ldap": ("-w", ""),
    "curl": ("-u -U --user --proxy-user", "-u -U"), "smbclient": ("-U --user", ""), "rpcclient": ("-U --user", ""),
    "ldappasswd": ("-w -s -a", ""),
    "useradd": ("-p", ""), "usermod": ("-p", ""), "twine": ("-p", ""), "mongo": ("-p", ""), "login": ("-p", ""),
}  # fmt: skip
FAMILIES = ("mysql", "mariadb", "7z", "ldap", "mongo")  # of programs that begin so, such as mysqldump
OF_USERS = ("-u", "-U", "--user", "--proxy-user")  # the secret is after the user's name and one of these
MARKS = (":", "%")
WITH_USER = words("add_user change_password authenticate_user")  # commands of RabbitMQ, before a user and a password
TOOLS = words("kubectl oc gh docker podman aws gcloud az helm vault op doppler heroku fly")
"""Programs for which `secret` and `token` are kinds of things, whose names follow."""
NEAR = 12  # words of the next command that are read
ENDS = words("| || && ; &")
# A word in quotes, an end of a command, a word.
ITEM = (
    r"(?<![^\s\[(,=])([\"'])(?![\s\[,\]])(?:(?!\1)[^\\]|\\.)*\1(?![^\s\]),;}])|\[redacted\]|\|\|?|&&?|;|"
    r"[^\s\"',;|&()\[\]]+"
)
COMMAND = (
    r"(?i)\b(?:mysql|mariadb|sshpass|7z|redis-cli|unzip|zip|sqlcmd|bcp|ldap\w+|curl|smbclient|rpcclient|twine|mongo\w*|"
    r"login|htpasswd|rabbitmqctl|user(?:add|mod)|"
    r"put-parameter|sudo|secret|password-stdin)\b"
)
OPTION = r"--?(?!no-)[A-Za-z][\w.-]+"
NAME = r"[A-Za-z][\w.-]{0,64}"
WHOLE = words("authorization proxy-authorization cookie set-cookie")


def clean_list(given: Sequence[str]) -> list[str]:
    """The words without secrets. `given` is all of a list, since pairs of names and values are told by their places."""
    found = clean_words(given)
    for at, (name, value) in enumerate(pairwise(given)):
        if found[at + 1] == value and follows(given, at, name, value):
            found[at + 1] = REDACTED
    return found


def clean_commands(text: str) -> str:
    """A text without the secrets that command lines in it have among their arguments."""
    if compiled(COMMAND).search(text) is None:
        return text
    matches = list(compiled(ITEM).finditer(text))
    given = [found[0][1:-1] if found[1] else found[0] for found in matches]
    out: list[str] = []
    kept = 0
    for found, word, clean in zip(matches, given, clean_words(given), strict=True):
        cleaned = clean_commands(clean) if found[1] and " " in clean else clean  # such as the script after `sh -c`
        if cleaned != word:
            out += (text[kept : found.start()], found[0].replace(word, cleaned))
            kept = found.end()
    return "".join([*out, text[kept:]])


def clean_words(given: Sequence[str]) -> list[str]:
    """The words without what follows an option that is known, or a secret's name as an option."""
    found = list(given)
    begin = 0
    for end in [*(at for at, word in enumerate(given) if word in ENDS), len(given)]:
        for at, cleaned in within(given[begin:end], given[end : end + NEAR]):
            if REDACTED not in given[begin + at]:
                found[begin + at] = cleaned
        begin = end + 1
    return found


def within(given: Sequence[str], rest: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The words of one command that change, by their places. `rest` follows it."""
    if "echo" in given and is_piped(rest):
        yield from [(at, REDACTED) for at in range(given.index("echo") + 1, len(given)) if given[at][0] != "-"]
        return
    apart, attached = options(given)
    for at, word in enumerate(given):
        before = given[at - 1] if at else ""
        if word.startswith("-"):
            cut = next((one for one in attached if word.startswith(one) and word != one), "")
            if cut and (cut not in OF_USERS or has_secret(word)):
                yield at, f"{cut}{REDACTED}"
        elif is_secret(before, word, apart) or (before == "login" and "vault" in given[:at] and opaque(word)):
            yield at, REDACTED
    yield from by_place(given)


def is_secret(before: str, word: str, apart: Sequence[str]) -> bool:
    """Whether a word is secret by the option before it. `apart`: those of the programs in the command."""
    if before in OF_USERS:
        return has_secret(word) and (before in apart or opaque(word.partition(":")[2]))
    if before in apart:
        return True
    level = secrecy(before) if compiled(OPTION).fullmatch(before) else NO
    return (level == SECRET and len(word) > 2) or (level != NO and opaque(word))


def options(given: Sequence[str]) -> tuple[list[str], list[str]]:
    """The options of the programs among the words: with a secret as the next word, and with a secret attached."""
    apart, attached = list[str](), list[str]()
    for word in given:
        name = word.rpartition("/")[2].lower()
        family = name if name in PROGRAMS else next(filter(name.startswith, FAMILIES), name)
        if family in PROGRAMS:
            apart += PROGRAMS[family][0].split()
            attached += PROGRAMS[family][1].split()
    return apart, attached


def by_place(given: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The words that are secret by their place behind a program's name."""
    names = [word.rpartition("/")[2] for word in given]
    if "htpasswd" in names:
        start = names.index("htpasswd") + 1
        plain = [at for at in range(start, len(given)) if not given[at].startswith("-")]
        if len(plain) > 2 and any(word.startswith("-") and "b" in word for word in given[start:]):
            yield plain[2], REDACTED
    if "SecureString" in names:
        yield from [(at, REDACTED) for at in range(1, len(given)) if given[at - 1] == "--value"]
    for at in range(2, len(given)):
        if given[at - 2] in WITH_USER or given[at - 2 : at] == ["mysqladmin", "password"]:
            yield at, REDACTED
    if "secret" in names and "set" in names:
        yield from [(at, REDACTED) for at in range(1, len(given)) if given[at - 1] in ("--body", "-b")]


def is_piped(rest: Sequence[str]) -> bool:
    """Whether a program that reads a password gets the output: `| sudo -S`, `| docker login --password-stdin`."""
    return rest[:1] == ["|"] and ("--password-stdin" in rest or ("sudo" in rest and "-S" in rest))


def has_secret(word: str) -> bool:
    """Whether a word is a user with a password."""
    return any(0 < word.find(mark) < len(word) - 1 for mark in MARKS)


def follows(given: Sequence[str], at: int, name: str, value: str) -> bool:
    """Whether `value` is the secret with the name before it, at the place `at`."""
    if compiled(NAME).fullmatch(name) is None or secrecy(name) != SECRET or value.startswith("-"):
        return False
    if not is_compound(name) and (at % 2 or given[0].rpartition("/")[2] in TOOLS):
        return False  # a word of a sentence, or of a command
    if name.lower() in WHOLE:
        return len(value) > 2 and secrecy(value) != SECRET
    return any(opaque(word) or UUID.fullmatch(word) for word in value.split()) and REDACTED not in value


def is_compound(name: str) -> bool:
    """Whether a name has several words, so that it is no word of a sentence."""
    return len(WORD.findall(name)) > 1
