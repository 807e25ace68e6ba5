"""Removes secrets from lists of words: the arguments of a command, headers and variables with their values.

What a word is depends on the words before it: after `--password`, after `-p` of sshpass, after `Authorization`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from lambda_latency.runtime.redact.names import NO, QUERIES, SECRET, WORD, compiled, secrecy, words
from lambda_latency.runtime.redact.programs import name_of, options, places, programs
from lambda_latency.runtime.redact.values import REDACTED, UUID, opaque, text_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# The secret is after the user's name and one of these.
OF_USERS = ("-u", "-U", "--user", "--proxy-user", "-A", "-a", "--login")
USERS = words("-u -U -l --user --username -user -username")  # options before a user's name
FLAGS = ("no-", "use-", "with-", "manage-", "enable-", "show-", "allow-", "skip-", "require-")
SEPARATORS = frozenset(";&,()")  # a value of one word in a text does not have them
MARKS = (":", "%", ",")
SETTERS = words(
    "set SET set-env set-environment setenv setx env:set put config modify appsettings -x -gx --secret -create --arg"
)
TOOLS = words("kubectl oc gh docker podman aws gcloud az helm vault op doppler heroku fly")
"""Programs for which `secret` and `token` are kinds of things, whose names follow."""
NEAR = 12  # words of the next command that are read
ENDS = words("| || && ; & ] )")
READERS = words("passwd su kinit chpasswd")  # programs that read a password from their input
READING = words("--password-stdin --with-token --stdin")
# A word in quotes, which may be escaped; an end of a command; a word.
ITEM = (
    r"(?<![^\s\[(,=`])[bru]?(?P<quote>\\*[\"'])(?![\s\[,\]])(?P<text>(?:(?!(?P=quote))[^\\]|\\.)*?)(?P=quote)"
    r"(?![^\s\]),;}`:])|\[redacted\]|\|\|?|&&?|[;\])]|"
    r"(?:(?<=-\w)[\"'][^\"'\s]*[\"']|[^\s\"'`,;|&()\[\]\\]|\\(?![\"'])|(?<=\w),(?=\w))+"
)
COMMAND = (
    r"<<<|(?:^|[\s'\"\[(,])(?:--?|/)\w|\b(?:set(?:x|env|-env)?|put|add|config|CONFIG|modify|export|create|login|AUTH|LOGIN|PASS|"
    rf"ACL|HELLO|echo|printf|{'|'.join(programs())})\b"
)
OPTION = r"--?[A-Za-z][\w.-]+|/[A-Za-z]+"
NAME = r"[A-Za-z][\w.-]{0,64}"
WHOLE = words("authorization proxy-authorization cookie set-cookie")
ADDRESS = r"(?:[\d.\[\]-]+:)*\d{1,5}(?:-\d+)?(?:/\w+)?|[a-z][\w+:]*://[^@]*"  # ports of docker among them
PART = r"(?:id|src|type|name|env|file)=.*|none|null|true|false"  # of the secret of a build, which is in a file
PATH = r"[\w.-]*(?:/[\w.-]+)*/[a-z_-]*\d*(?:\.\w{1,5})?"


def clean_list(given: Sequence[str]) -> list[str]:
    """The words without secrets. `given` is all of a list, since pairs of names and values are told by their places."""
    found = clean_words(given, [True] * len(given))
    for at, (name, value) in enumerate(pairwise(given)):
        if found[at + 1] == value and follows(given, at, name.rstrip(":"), value):
            found[at + 1] = REDACTED
    return found


def clean_commands(text: str) -> str:
    """A text without the secrets that command lines in it have among their arguments."""
    if compiled(COMMAND).search(text) is None:
        return text
    matches = [found for found in compiled(ITEM).finditer(text) if found[0] != "-"]  # a mark of YAML
    given = [found[0] if found["text"] is None else found["text"] for found in matches]
    cleaned = clean_words(given, [found["text"] is not None for found in matches])
    out: list[str] = []
    kept = 0
    for found, word, clean in zip(matches, given, cleaned, strict=True):
        if found["text"] is not None and " " in clean:
            clean = clean_commands(clean)  # noqa: PLW2901 - such as the script after `sh -c`
        if clean != word:
            out += (text[kept : found.start()], found[0].replace(word, clean))
            kept = found.end()
    return "".join([*out, text[kept:]])


def clean_words(given: Sequence[str], sure: Sequence[bool]) -> list[str]:
    """The words without those that are secret by the words before them. Each is `sure` to be an argument, or it may be
    a word of a sentence, which must also look like a secret.
    """
    found = list(given)
    begin = 0
    for end in [*(at for at, word in enumerate(given) if word in ENDS), len(given)]:
        for at, cleaned in within(given[begin:end], sure[begin:end], given[end : end + NEAR]):
            if REDACTED not in given[begin + at]:
                found[begin + at] = cleaned
        begin = end + 1
    return found


def within(given: Sequence[str], sure: Sequence[bool], rest: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The words of one command that change, by their places. `rest` follows it."""
    told = next((at for at, word in enumerate(given) if word in ("echo", "printf")), len(given))
    if told < len(given) and is_piped(rest):
        yield from [(at, REDACTED) for at in range(told + 1, len(given)) if not given[at].startswith("-")]
        return
    known = options(given)
    # The user of sudo is not that of the program.
    user = next((at for at, word in enumerate(given) if word in USERS and given[max(0, at - 1)] != "sudo"), len(given))
    for at, word in enumerate(given):
        before = given[at - 1] if at else ""
        if word.startswith(("-", "/")) and (cut := attached(word, known, has_user=user < at)):
            yield at, word.replace(word[len(cut) :].strip("\"'"), REDACTED)
        elif word.startswith("-") and "=" not in word:
            continue
        elif (
            is_secret(before, word, known, has_user=user < at - 1)
            if is_after(before, word)
            else is_set(given, at, sure)
        ):
            yield at, REDACTED
        elif sure[at] and not SEPARATORS.isdisjoint(word) and secrecy(name := word.partition("=")[0]) == SECRET:
            yield at, word if name == word else f"{name}={REDACTED}"
    yield from [(at, REDACTED) for at in (*places(given), *by_place(given)) if sure[at] or opaque(given[at])]


def attached(word: str, known: set[str], *, has_user: bool) -> str:
    """The option to which a secret is attached in this word; empty if there is none."""
    bare = word.strip("\"'")
    cut = next((one[:-1] for one in known if one[-1] == "=" and bare.startswith(one[:-1]) and bare != one[:-1]), "")
    if not cut and has_user and word[:2] == "-p" and opaque(word[2:]):
        return "-p"
    return cut if cut.rstrip("=") not in OF_USERS[:4] or has_secret(word) else ""


def is_after(option: str, word: str) -> bool:
    """Whether a word is the value of the option before it."""
    return option.startswith(("-", "/")) and option[:2] != "//" and not word.startswith("-")


def is_set(given: Sequence[str], at: int, sure: Sequence[bool]) -> bool:
    """Whether the word at a place is the secret with the name before it, as in `set API_KEY abc1`."""
    name, word = given[at - 1] if at else "", given[at]
    if SETTERS.isdisjoint(given[max(0, at - 4) : max(0, at - 1)]) or ("/" in name and not name.startswith("//")):
        return False
    return secrecy(name) == SECRET and len(word) > 2 and (sure[at] or opaque(word) or UUID.fullmatch(word) is not None)


def is_secret(option: str, word: str, known: set[str], *, has_user: bool) -> bool:
    """Whether a word is secret by the option before it. `known`: the options of the programs in the command.
    `has_user`: whether a user's name is before them.
    """
    short = f"-{option[-1]}" if compiled(r"-\w{2,5}").fullmatch(option) else option  # `-su` is `-s -u`
    is_address = compiled(ADDRESS).fullmatch(word) is not None
    if short in OF_USERS and has_secret(word) and not is_address:
        return short in known or opaque(word[min(at for at in map(word.find, MARKS) if at > 0) + 1 :])
    if option in known and option not in OF_USERS[:4]:
        return True
    if f"?{option}" in known or option in READING or (has_user and option in ("-p", "-P")):
        return (opaque(word) or word.isdecimal()) and not is_address
    level = secrecy(option) if compiled(OPTION).fullmatch(option) and is_option(option.strip("-/")) else NO
    if compiled(PART).fullmatch(word):
        return False
    return (level == SECRET and len(word) > 2) or (level != NO and opaque(word) and "/" not in word)


def is_option(name: str) -> bool:
    """Whether an option with this name has a value, and not the query of a database."""
    return name not in QUERIES and not name.startswith(FLAGS)


def by_place(given: Sequence[str]) -> Iterator[int]:
    """The places of the words that are secret for other reasons."""
    names = [name_of(word) for word in given]
    ends = range(1, len(given))
    if "htpasswd" in names:
        flags = "".join([word for word in given if word.startswith("-")])
        plain = [at for at in ends if at > names.index("htpasswd") and not given[at].startswith("-")]
        yield from plain[1 if "n" in flags else 2 :][:1] if "b" in flags else ()
    if "secret" in names and not {"set", "put"}.isdisjoint(names):
        bodies = ("--body", "-b", "--value")
        yield from [at for at in ends if given[at - 1] in bodies or given[at].startswith(("--body=", "-b", "--value="))]
    if "secret" in names and "create" in names:  # of Kubernetes
        yield from [at for at in ends if "--from-literal" in given[at - 1] + given[at]
                    and opaque(given[at].rpartition("=")[2])]  # fmt: skip
    if "put-parameter" in names:
        named = next((given[at] for at in ends if given[at - 1] == "--name"), "")
        if any("SecureString" in word for word in given) or secrecy(named.rpartition("/")[2]) == SECRET:
            yield from [at for at in ends if given[at - 1] == "--value" or given[at].startswith("--value=")]
    if "<<<" in given and ("-S" in given or not READING.isdisjoint(given) or SECRET in map(secrecy, given)):
        yield from [at for at in ends if given[at - 1] == "<<<"]
    if not {"AUTH", "HELLO", "ACL", "LOGIN", "PASS", "login"}.isdisjoint(given):  # lines of Redis, IMAP, FTP
        yield from [at for at in ends if (
            given[0] in ("AUTH", "HELLO") or ("ACL" in given and given[at][:1] == ">") or given[at - 1] == "AUTH"
            or "LOGIN" in given[max(0, at - 2) : at - 1] or (given[at - 1] == "PASS" and at == len(given) - 1)
            or (names[0] == "login" and at == 2 == len(given) - 1)) and opaque(given[at])]  # fmt: skip


def is_piped(rest: Sequence[str]) -> bool:
    """Whether a program that reads a password gets the output: `| sudo -S`, `| docker login --password-stdin`."""
    return rest[:1] == ["|"] and (
        not READING.isdisjoint(rest) or ("sudo" in rest and "-S" in rest) or not READERS.isdisjoint(rest[:3])
    )


def has_secret(word: str) -> bool:
    """Whether a word is a user with a password."""
    return any(0 < word.find(mark) < len(word) - 1 for mark in MARKS)


def follows(given: Sequence[str], at: int, name: str, value: str) -> bool:
    """Whether `value` is the secret with the name before it, at the place `at`."""
    if compiled(NAME).fullmatch(name) is None or secrecy(name) != SECRET or value.startswith("-"):
        return name.lower() == "basic" and ":" in text_in(value, least=3)
    is_word = not is_compound(name) and (at % 2 or name_of(given[0]) in TOOLS)  # of a sentence, or of a command
    if is_word or compiled(PATH).fullmatch(value) or is_header(name, value):
        return False
    if name.lower() in WHOLE:
        return len(value) > 2 and secrecy(value) != SECRET
    is_number = value.isdecimal() and is_compound(name)
    return (is_number or any(opaque(word) or UUID.fullmatch(word) for word in value.split())) and REDACTED not in value


def is_header(name: str, value: str) -> bool:
    """Whether both are names of headers, in a list of such names."""
    return "-" in value and value.replace("-", "").isalpha() and (name.lower() in WHOLE or "-" in name)


def is_compound(name: str) -> bool:
    """Whether a name has several words, so that it is no word of a sentence."""
    return len(WORD.findall(name)) > 1
