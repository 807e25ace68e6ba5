"""Values after a secret's name in sentences and command lines, where only a space is between.

There a value must look like a secret: it has letters and digits, and is no word, address, file or id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lambda_latency.redaction.names import NO, REDACTED, SECRET, compiled, secrecy
from lambda_latency.redaction.pairs import PROSE, bare, is_option, is_placeholder, quoted
from lambda_latency.redaction.reading import Reading, Span
from lambda_latency.redaction.shapes import opaque

# `API key abc1`, `the password for ada is abc1`, `token 'abc1'`, `set API_KEY abc1`, `AUTH PLAIN abc1`
NAME = (
    r"(?<![\w.-])((?:[a-z-]{2,14} )?[\w.:/-]{0,60}?(?:passw(?:or)?d|passphrase|passcode|secret|token|"
    r"credentials?|otp|pwd|pass|auth|key|code|session id))(?!\w)"
)
FILLERS = (
    r"(?: (?:provided|entered|value|plain|login|mismatch: expected))?"
    r"(?: (?:for|of)(?: user)? ['\"]?[\w.@+-]{1,64}['\"]?(?=\s?[:=]|\s(?:is|was|changed|set|reset|to)\s))?"
    r"(?: (?:is|was))?(?: (?:changed|set|reset))?(?: (?:from|to))?(?:\s?\(|['\"]?\s?[:=]?\s{1,3})(?:b?['\"])?"
)
SAID = rf"{NAME}{FILLERS}(?=([^\s'\"]{{4,200}}))"
USERS = (
    r"\b(?:log(?:ged|ging|in)?[ -]?in|connect\w{0,6}|auth\w{0,12}|basic)(?: (?:with|as|using|auth))"
    r" ['\"]?(?!arn:)[\w.@+-]{1,64} ?[:/] ?([^\s'\"]{6,})"
)
# What follows in a sentence and is no value: a path, an algorithm, a call.
SPOKEN = r"[a-z_.-]+(?:/[a-z\d_.-]+)+|(?i:base64|sha\d+|md5|oauth2?|[rhe]s\d{3}|x509)(?:[-_/][a-z]+)*|.*(?:\(|=[^=]).*"
OPTION = r"[-/](?<![\w-][-/])-?([A-Za-z][\w.-]{1,80})\s{1,4}(?![-&|\s])"
# `-p abc1`, `-pabc1`, `'-p', 'abc1'`
BETWEEN = r"(?:\\{0,8}['\"],\s?\\{0,8}['\"]|\s{1,3}\\{0,8}['\"]?|\\{0,8}['\"]?)"
LETTERS = r"-[pPaAwW]"
LETTER = rf"-(?<![\w-]-)(?:[pP]|[aAwW](?=[\s\\'\"])){BETWEEN}([^\s'\"`,;|&()\[\]\\]{{8,200}})"
# `-u ada:abc1`
USERS_OPTION = r"[uUaA]|-(?:proxy-)?user|-(?:[a-z]{1,20}-)?(?:auth|creds)"
USER_INFO = r"(?!\w{1,20}://)(?:\w[\w.@+-]{0,63}[:%,]|:)(?!/)[^\s'\"`;|&()\[\]\\]{1,200}"
USER = rf"-(?<![\w-]-)(?:{USERS_OPTION})(?:{BETWEEN}|=['\"]?)({USER_INFO})"
NUMBERS = r"[\d.:\[\]-]+(?:/\w+)?"
# Names with a number, versions, files, settings
ORDINARY = r"(?:[A-Z]?[a-z]*|[A-Z]+)[-_]?\d{0,4}(?:[.:@][\w.:-]*)?|.*[=/].*|[\d.:-]+"


def said(reading: Reading) -> Iterator[Span]:
    """Yield the words after a secret's name that look like its value."""
    if compiled(r"\d").search(reading.text) is None:
        return
    text = reading.text
    for match in reading.matches_in_lower_case(SAID):
        name = text[match.start(1) : match.end(1)].replace(" ", "_")
        word = text[match.start(2) : match.end(2)].rstrip(".,;!)")
        is_value = is_spoken_value(word) or (
            word.isdecimal() and len(word) < 9 and name.lower().endswith(("code", "otp"))
        )
        if name.lower().startswith("get_"):  # the name of a secret follows
            continue
        if is_value and secrecy(name) == SECRET and not reading.is_source(match.start()):
            yield match.start(2), match.start(2) + len(word), REDACTED


def is_spoken_value(word: str) -> bool:
    """Whether a word in a sentence looks like a secret."""
    return (
        opaque(word)
        and any(map(str.isdigit, word))
        and word.lower() not in PROSE
        and not is_placeholder(word)
        and compiled(SPOKEN).fullmatch(word) is None
    )


def arguments(reading: Reading) -> Iterator[Iterator[Span]]:
    """Yield for each form of a user and an option of one letter the passwords after it."""
    yield of_arguments(reading.matches_in_lower_case(USERS), reading, is_spoken_value)
    yield of_arguments(reading.matches(LETTER), reading, is_password)
    yield of_arguments(reading.matches(USER), reading, is_user)


def of_arguments(
    matches: Iterator[re.Match[str]], reading: Reading, is_secret: Callable[[str], bool]
) -> Iterator[Span]:
    """Yield the first groups of the matches that are secret, outside of source lines."""
    for match in matches:
        if is_secret(reading.text[slice(*match.span(1))]) and not reading.is_source(match.start()):
            yield *match.span(1), REDACTED


def options(reading: Reading) -> Iterator[Span]:
    """Yield the values of options with the name of a secret."""
    text, end = reading.text, 0
    for match in reading.matches(OPTION):
        if match.start() < end or secrecy(match[1]) == NO or reading.is_source(match.start()):
            continue
        part = quoted(text, match.end()) or bare(text, match.end())
        if part is not None and is_option(match[1], text[slice(*part)]):
            end = part[1]
            yield *part, REDACTED


def is_password(word: str) -> bool:
    """Whether an argument looks like a password: it is no number, name, file, address or setting."""
    return opaque(word) and any(map(str.isdigit, word)) and compiled(ORDINARY).fullmatch(word) is None


def is_user(word: str) -> bool:
    """Whether an argument is a user's name with a password."""
    password = compiled(r"[:%,]").split(word, maxsplit=1)[-1]
    is_address = "://" in word or compiled(NUMBERS).fullmatch(word)
    return compiled(USER_INFO).fullmatch(word) is not None and not is_address and not is_placeholder(password)
